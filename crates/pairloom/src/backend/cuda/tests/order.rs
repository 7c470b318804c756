//! Batches whose rows the devices find themselves.

use super::*;
use crate::batch::BLOCK_ROWS;
use crate::store::Order;

/// So many rows of three features each.
fn alike_rows(count: usize) -> Rows {
    let mut rows = Rows::new();
    for row in 0..count as u32 {
        for id in [0, 1 + row % 40, 100 + row * 7 % 600] {
            rows.push(id, 1.0);
        }
        rows.finish((row % 3 == 0).into(), 1.0);
    }
    rows
}

#[test]
fn devices_find_the_rows_at_places_of_an_order() {
    for (open, count) in
        devices().into_iter().chain(ranks::several()).flat_map(|of| [(of, 90), (of, 40_000)])
    {
        let rows = alike_rows(count);
        let (mut cpu, mut gpu) = Case::PLAIN.both::<Plain>(&rows, open);
        gpu.enter(&rows).unwrap();
        assert!(!gpu.needs_numbers());
        for order in [Order::shuffled(count, 5, 2, 0), Order::plain(count)] {
            for range in [0..64, 64..count.min(300), count - 1..count] {
                for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
                    let places = Places { order: order.clone(), range: range.clone() };
                    backend.step_at(&rows, places, RATE).unwrap();
                }
                same_state(&mut gpu, &cpu, &format!("{count} rows, {range:?}"));
            }
        }
    }
}

#[test]
fn and_name_one_that_is_not_finite() {
    let mut rows = alike_rows(2 * BLOCK_ROWS);
    (3..6).for_each(|id| rows.push(id, 1e30));
    rows.finish(1.0, 1.0);
    for open in devices().into_iter().chain(ranks::several()) {
        let (_, mut gpu) = Case::PLAIN.both::<Plain>(&rows, open);
        gpu.enter(&rows).unwrap();
        let order = Order::shuffled(rows.len(), 1, 1, 0);
        let is_bad = |place: &usize| order.number(*place) == 2 * BLOCK_ROWS as u32;
        let bad = (0..rows.len()).find(is_bad).unwrap();
        let range = bad.saturating_sub(50)..(bad + 50).min(rows.len());
        gpu.step_at(&rows, Places { order, range }, RATE).unwrap();
        let done = gpu.finish();
        let is_it = matches!(done, Err(NoStep::NotFinite(row)) if row == 2 * BLOCK_ROWS);
        assert!(is_it, "{done:?}");
    }
}

/// Rows of other lengths, those that are ranked, and those that have no room are told by their numbers.
#[test]
fn others_are_told() {
    for open in devices() {
        let rows = Case::PLAIN.rows(50, 27);
        let (_, mut gpu) = Case::PLAIN.both::<Plain>(&rows, open);
        gpu.enter(&rows).unwrap();
        assert!(gpu.needs_numbers());
        let ranked = Case { loss: Loss::Warp, ..Case::PLAIN };
        let rows = alike_rows(50);
        let (_, mut gpu) = ranked.both::<Plain>(&rows, open);
        gpu.enter(&rows).unwrap();
        assert!(gpu.needs_numbers());
    }
}
