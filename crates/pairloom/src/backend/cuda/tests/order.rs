//! Batches whose rows the devices find themselves.

use super::*;
use crate::batch::BLOCK_ROWS;
use crate::store::Order;
use std::ops::Range;

#[test]
fn devices_find_the_rows_at_places_of_an_order() {
    for (open, count) in
        devices().into_iter().chain(ranks::several()).flat_map(|of| [(of, 90), (of, 40_000)])
    {
        let rows = Case::PLAIN.rows(count, 27);
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

/// What is announced is looked up before; what is not, or comes otherwise, is too.
#[test]
fn batches_are_announced() {
    for open in devices().into_iter().chain(ranks::several()) {
        let sets = [28, 29].map(|seed| Case::PLAIN.rows(300, seed));
        let (mut cpu, mut gpu) = Case::PLAIN.both::<Plain>(&sets[0], open);
        let order = Order::shuffled(300, 7, 1, 0);
        let places = |range: &Range<usize>| Places { order: order.clone(), range: range.clone() };
        let ranges = [0..60, 60..200, 200..203, 203..300];
        for rows in &sets {
            gpu.enter(rows).unwrap();
            for (at, range) in ranges.iter().enumerate() {
                match (at, ranges.get(at + 1)) {
                    // It comes otherwise.
                    (1, _) => gpu.announce_at(places(&(5..9))),
                    (_, Some(next)) => gpu.announce_at(places(next)),
                    // Others are entered before it comes.
                    (_, None) => gpu.announce_at(places(&ranges[0])),
                }
                let is_laid_out = gpu.laid_out.is_some();
                assert_eq!(is_laid_out, at > 0, "{at}");
                for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
                    backend.step_at(rows, places(range), RATE).unwrap();
                }
            }
            // The same by their numbers.
            let numbers: Vec<u32> = (20..90).rev().collect();
            for (batch, next) in [(&numbers[..30], &numbers[30..]), (&numbers[30..], &[])] {
                for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
                    backend.announce(next);
                    backend.step(rows, batch, RATE).unwrap();
                }
            }
            gpu.announce_at(places(&ranges[0]));
            for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
                backend.step(rows, &[5], RATE).unwrap();
            }
        }
        same_state(&mut gpu, &cpu, "announced");
    }
}

#[test]
fn and_name_one_that_is_not_finite() {
    let mut rows = Case::PLAIN.rows(2 * BLOCK_ROWS, 30);
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

/// Those of lists are told by their numbers.
#[test]
fn others_are_told() {
    for open in devices() {
        let ranked = Case { loss: Loss::Warp, ..Case::PLAIN };
        let rows = ranked.rows(50, 27);
        let (_, mut gpu) = ranked.both::<Plain>(&rows, open);
        gpu.enter(&rows).unwrap();
        assert!(gpu.needs_numbers());
    }
}
