//! Rows in a file beside the same rows in memory.

use super::{Filling, InOrder, Room, Store};
use crate::batch::{BLOCK_ROWS, Rows};
use std::collections::BTreeSet;

/// A row that can be told from all others.
fn build(i: usize, mut push: impl FnMut(u32, f32)) -> (f32, f32) {
    (0..i % 5).for_each(|at| push((i % 1000 + at) as u32, if i % 7000 == 4 { 0.5 } else { 1.0 }));
    (i as f32, if i % 9000 == 3 { 2.0 } else { 1.0 })
}

fn filled(mut filling: Filling<'_>, rows: usize) -> Store {
    for first in (0..rows).step_by(BLOCK_ROWS) {
        let mut block = Rows::new();
        for i in first..rows.min(first + BLOCK_ROWS) {
            let (label, weight) = build(i, |id, x| block.push(id, x));
            block.finish(label, weight);
        }
        filling.add(&block).unwrap();
    }
    filling.done().unwrap()
}

fn room(bytes: u128) -> Room {
    Room { bytes, folder: std::env::temp_dir().to_string_lossy().into_owned(), threads: 1 }
}

fn drawn(rows: usize, bytes: u128) -> Store {
    let expected = 20 * rows as u128;
    filled(Filling::new(&room(bytes), 1010, expected, Some(3)).unwrap(), rows)
}

/// Checks a row, found at a place of a window, and returns its number.
fn check(rows: &Rows, place: usize) -> usize {
    let (label, weight) = rows.label(place);
    let mut expected = Vec::new();
    let outcome = build(label as usize, |id, x| expected.push((id, x)));
    assert_eq!(rows.row(place).features().collect::<Vec<_>>(), expected);
    assert_eq!((label, weight), outcome);
    label as usize
}

/// The numbers of the rows in the order of a walk.
fn walked(store: &Store, shuffle: Option<(u64, u32)>) -> Vec<usize> {
    let mut numbers = Vec::new();
    let windows = store.windows(shuffle);
    let mut take = |window: &super::Window, rows: &Rows, _: bool| {
        assert_eq!((window.first, window.rows), (numbers.len(), rows.len()));
        for place in 0..rows.len() {
            let number = check(rows, place);
            if place % 997 == 0 {
                assert_eq!(store.number(window, place), Some(number));
            }
            numbers.push(number);
        }
        Ok(None::<()>)
    };
    store.walk(&windows, None, &mut take).unwrap();
    numbers
}

#[test]
fn every_row_comes_once_in_each_epoch_and_not_with_the_same_others() {
    let rows = 3 * BLOCK_ROWS + 100;
    let store = drawn(rows, 500_000);
    assert!(store.on_disk().is_some() && store.bytes() < 500_000, "{}", store.bytes());
    let windows = store.windows(None).len();
    assert!(windows > 3, "{windows}");
    let mut together = BTreeSet::new();
    for epoch in [1, 2] {
        let numbers = walked(&store, Some((5, epoch)));
        let first = store.windows(Some((5, epoch)))[0].rows;
        let first: BTreeSet<usize> = numbers[..first].iter().copied().collect();
        // A part of all rows, from everywhere: a window of sorted rows has as much of each half.
        let lower = first.iter().filter(|&&number| number < rows / 2).count();
        assert!(
            (lower as f64 / first.len() as f64 - 0.5).abs() < 0.02,
            "{lower} of {}",
            first.len()
        );
        assert!(numbers.into_iter().collect::<BTreeSet<_>>().into_iter().eq(0..rows));
        together.insert(first);
    }
    assert_eq!(together.len(), 2);
}

#[test]
fn rows_in_order_stay_so_wherever_they_are() {
    for rows in [10, BLOCK_ROWS, 5 * BLOCK_ROWS + 7] {
        let (held, spilled) = (Room::default(), room(300_000));
        let held = filled(Filling::InOrder(InOrder::valid(&held, 1010)), rows);
        let spilled = filled(Filling::InOrder(InOrder::valid(&spilled, 1010)), rows);
        assert!(held.on_disk().is_none());
        assert_eq!(spilled.on_disk().is_some(), rows >= BLOCK_ROWS);
        for store in [&held, &spilled] {
            assert!(walked(store, None).into_iter().eq(0..rows));
        }
        assert_eq!(held.outcomes().unwrap(), spilled.outcomes().unwrap());
    }
}

#[test]
fn values_are_scaled_as_they_are_in_memory() {
    let factors: Vec<f32> = (0..1010).map(|id| (id % 3) as f32).collect();
    let sums = |mut store: Store| {
        store.scale(&factors).unwrap();
        store.scale(&factors).unwrap();
        let mut sums = vec![0.0; 1010];
        let add = |rows: &Rows| {
            let features = (0..rows.len()).flat_map(|i| rows.row(i).features());
            features.for_each(|(id, x)| sums[id as usize] += f64::from(x));
            Ok(())
        };
        store.each(add).unwrap();
        sums
    };
    assert_eq!(sums(drawn(60_000, 500_000)), sums(drawn(60_000, u128::MAX)));
}
