//! Several devices that share the work: three emulated ones, and a GPU as two of them.

use super::short::check_short;
use super::*;
use crate::batch::BLOCK_ROWS;

pub(super) fn several() -> Vec<Open> {
    these(Emulated::three, |shape| driver::open_these(&[0, 0], shape))
}

#[test]
fn several_devices_take_the_same_step() {
    for of in Kind::ALL {
        check_with(Case { valued: true, ..of_model(*of) }, several());
    }
    for optimizer in Optimizer::ALL {
        let classes = Case { classes: 3, loss: Loss::Softmax, ..Case::PLAIN };
        check_with(Case { optimizer, ..classes }, several());
    }
    check_with(Case { loss: Loss::Warp, ..Case::PLAIN }, several());
    check_with(Case { momentum: 0.9, ..Case::PLAIN }, several());
    for open in several() {
        check_short::<Plain>(open, Case { valued: true, ..Case::PLAIN });
    }
}

/// Batches of these have rows on all devices.
fn spread(case: Case, open: Open) {
    let rows = case.rows(2 * BLOCK_ROWS + 900, 23);
    let (mut cpu, mut gpu) = case.both::<Plain>(&rows, open);
    gpu.enter(&rows).unwrap();
    assert!(gpu.are_all_there);
    let batch = |step: u32| (0..500).map(|at| (at * 7919 + step) % rows.len() as u32).collect();
    let batches = (0..3).map(batch).collect::<Vec<Vec<u32>>>();
    for batch in batches.iter().filter(|_| !case.loss.is_ranking()) {
        for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
            backend.step(&rows, batch, RATE).unwrap();
        }
    }
    gpu.finish().unwrap();
    for batch in batches {
        same_step(&mut gpu, &mut cpu, (&rows, &batch), case.loss, &format!("{case:?}"));
    }
    if !case.valued {
        return;
    }
    let scores = [gpu.scores(&rows).unwrap(), cpu.scores(&rows).unwrap()];
    alike(&scores[0], &scores[1], 1e-5, &format!("{case:?} scores"));
}

#[test]
fn rows_lie_on_all_of_them() {
    for open in several() {
        spread(Case { valued: true, ..Case::PLAIN }, open);
        for optimizer in [Optimizer::Ftrl, Optimizer::AdamDense] {
            spread(Case { optimizer, ..Case::PLAIN }, open);
        }
        spread(Case { loss: Loss::Warp, ..Case::PLAIN }, open);
        spread(Case { momentum: 0.9, ..Case::PLAIN }, open);
    }
}

/// As windows of rows on disk do, and rows that are drawn.
#[test]
fn rows_that_come_later_are_read_when_they_are_there() {
    let case = Case { valued: true, ..Case::PLAIN };
    let [first, second] = [28, 29].map(|seed| case.rows(2 * BLOCK_ROWS + 200, seed));
    let batch: Vec<u32> = (0..300).map(|at| at * 7919 % first.len() as u32).collect();
    for open in several() {
        let (mut cpu, mut gpu) = case.both::<Plain>(&first, open);
        for rows in [&first, &second, &first] {
            gpu.enter(rows).unwrap();
            for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
                backend.step(rows, &batch, RATE).unwrap();
            }
        }
        same_state(&mut gpu, &cpu, "later");
    }
}

/// The first such row in the order of the batch is named, on whichever device it is, and no device has moved anything.
#[test]
fn a_row_of_one_of_them_that_is_not_finite_stops_all() {
    let case = Case { valued: true, ..Case::PLAIN };
    let mut rows = case.rows(BLOCK_ROWS + 10, 24);
    let bad = rows.len() as u32;
    for _ in 0..2 {
        rows.push(3, 3e38);
        rows.push(4, 3e38);
        rows.finish(1.0, 1.0);
    }
    for open in several() {
        let (mut cpu, mut gpu) = case.both::<Plain>(&rows, open);
        gpu.enter(&rows).unwrap();
        gpu.step(&rows, &[1, 2, bad - 3, bad + 1, bad], RATE).unwrap();
        let done = gpu.step(&rows, &[3, 4], RATE);
        let is_first = matches!(done, Err(NoStep::NotFinite(row)) if row == bad as usize + 1);
        assert!(is_first, "{done:?}");
        gpu.newer = Newer::Device;
        same_state(&mut gpu, &cpu, "after it");
        for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
            backend.step(&rows, &[3, 4, bad - 1], RATE).unwrap();
        }
        same_state(&mut gpu, &cpu, "going on");
    }
}

#[test]
fn what_has_no_room_is_brought_to_all() {
    let open: Open = |shape| Emulated::several_with(shape, memory::SPARE + 200_000);
    if emulated::compiler().is_none() {
        return;
    }
    let case = Case { valued: true, ..Case::PLAIN };
    let rows = case.rows(3 * BLOCK_ROWS, 25);
    let (mut cpu, mut gpu) = case.both::<Plain>(&rows, open);
    gpu.enter(&rows).unwrap();
    assert!(!gpu.are_all_there);
    for batch in [(0..301).collect(), vec![40_100], vec![7, 40_000, 7], Vec::new()] {
        for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
            backend.step(&rows, &batch, RATE).unwrap();
        }
        same_state(&mut gpu, &cpu, "brought");
    }
}
