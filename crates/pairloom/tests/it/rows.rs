//! Encoded rows in blocks, beside a plain list of rows.

use pairloom::batch::{BLOCK_ROWS, Outcomes, Rows};
use proptest::prelude::*;

/// A row as it was given: entries, label, weight.
type Plain = (Vec<(u32, f32)>, f32, f32);

/// Rows that follow from a few numbers: what comes after `valued` has values and weights now and then.
fn plain(rows: usize, valued: usize, seed: u32) -> Vec<Plain> {
    let mixed = |i: usize, salt: u32| {
        (i as u32 ^ seed).wrapping_add(salt).wrapping_mul(0x9E37_79B1).rotate_left(13)
    };
    let row = |i| {
        let odd = |salt| i >= valued && mixed(i, salt) % 50 == 0;
        let entry = |at| (mixed(i, at) % 1000, if odd(at) { 0.5 } else { 1.0 });
        let entries = (0..mixed(i, 7) % 6).map(entry).collect();
        (entries, (mixed(i, 9) % 2) as f32, if odd(11) { 2.0 } else { 1.0 })
    };
    (0..rows).map(row).collect()
}

fn in_blocks(plain: &[Plain]) -> Rows {
    let mut rows = Rows::new();
    for (entries, label, weight) in plain {
        entries.iter().for_each(|&(id, x)| rows.push(id, x));
        rows.finish(*label, *weight);
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn blocks_hold_what_a_list_holds(
        rows in prop_oneof![0..20usize, BLOCK_ROWS - 2..BLOCK_ROWS + 3, 2 * BLOCK_ROWS..40_000],
        valued in 0..40_000usize,
        seed: u32,
    ) {
        let plain = plain(rows, valued, seed);
        let held = in_blocks(&plain);
        prop_assert_eq!((held.len(), held.is_empty()), (rows, rows == 0));
        for (i, (entries, label, weight)) in plain.iter().enumerate() {
            prop_assert_eq!(&held.row(i).features().collect::<Vec<_>>(), entries);
            prop_assert_eq!(held.label(i), (*label, *weight));
        }
        let outcomes: Outcomes = held.outcomes().collect();
        let labels: Vec<f32> = plain.iter().map(|row| row.1).collect();
        prop_assert_eq!(outcomes.labels(), &labels);
        let weights: Vec<f32> = plain.iter().map(|row| row.2).collect();
        let are_1 = weights.iter().all(|&w| w == 1.0);
        prop_assert_eq!(outcomes.weights(), (!are_1).then_some(&weights[..]));
        prop_assert_eq!(held.entries(), plain.iter().map(|row| row.0.len()).sum::<usize>());
    }
}

/// Where no row has a value or a weight, none is stored: a block that has some does not ask the
/// others to.
#[test]
fn values_and_weights_are_stored_where_there_are_some() {
    let held = in_blocks(&plain(3 * BLOCK_ROWS, 2 * BLOCK_ROWS, 5));
    let stored = held.blocks().iter().map(|b| (b.values().is_empty(), b.weights().is_empty()));
    assert_eq!(
        stored.collect::<Vec<_>>(),
        [(true, true), (true, true), (false, false), (true, true)]
    );
    assert!(held.blocks()[3].is_empty());
}
