//! Scores of rows.

use super::ranks::several;
use super::*;
use crate::batch::BLOCK_ROWS;

/// As where a trained model predicts: nothing is known of training rows, and there is no state.
#[test]
fn scores_need_no_training_rows() {
    let case = Case { optimizer: Optimizer::Sgd, valued: true, ..Case::PLAIN };
    let rows = case.rows(900, 20);
    for open in devices() {
        let settings = StepSettings { counts: Vec::new(), ..case.settings(&rows) };
        let (machine, most) = (Plain::new(&case.plan()), LargestBatch { rows: 0, entries: 0 });
        let weights = case.weights::<Plain>();
        let gpu = Gpu::new(machine, case.model, &weights, settings, most, open);
        let (mut cpu, mut gpu) = (case.both::<Plain>(&rows, open).0, gpu.unwrap());
        alike(&gpu.scores(&rows).unwrap(), &cpu.scores(&rows).unwrap(), 1e-5, "scores");
        assert!(gpu.scores(&Rows::new()).unwrap().is_empty());
    }
}

/// Rows that are kept are scored where they are, also after others were, and after others were kept.
#[test]
fn rows_that_are_held_are_scored_again_and_again() {
    for open in devices().into_iter().chain(several()) {
        for classes in [1, 3] {
            let loss = if classes == 3 { Loss::Softmax } else { Loss::Logistic };
            let case = Case { classes, loss, valued: classes == 3, ..Case::PLAIN };
            let sets = [400, 40, 0].map(|count| case.rows(count, 33));
            let (mut cpu, mut gpu) = case.both::<Plain>(&sets[1], open);
            for rows in [&sets[0], &sets[0], &sets[1], &sets[2]] {
                gpu.hold(rows).unwrap();
                assert!(gpu.holds);
                let [found, expected] = [&mut gpu as &mut dyn Backend, &mut cpu]
                    .map(|backend| backend.scores_held(rows).unwrap());
                alike(&found, &expected, 1e-5, "scores");
                gpu.scores(&sets[1]).unwrap();
                for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
                    backend.sync().unwrap();
                    backend.state_mut().bias[0] += 0.25;
                }
            }
        }
    }
}

#[test]
fn and_on_all_devices_that_have_some() {
    let case = Case { valued: true, ..Case::PLAIN };
    let rows = case.rows(BLOCK_ROWS + 77, 35);
    for open in several() {
        let (mut cpu, mut gpu) = case.both::<Plain>(&rows, open);
        gpu.hold(&rows).unwrap();
        alike(&gpu.scores_held(&rows).unwrap(), &cpu.scores(&rows).unwrap(), 1e-5, "scores");
    }
}

#[test]
fn and_brought_where_they_have_no_room() {
    if emulated::compiler().is_none() {
        return;
    }
    let open: Open = |shape| Emulated::with_memory(shape, memory::SPARE + 300_000);
    let rows = Case::PLAIN.rows(8000, 34);
    let (mut cpu, mut gpu) = Case::PLAIN.both::<Plain>(&rows, open);
    gpu.hold(&rows).unwrap();
    assert!(!gpu.holds);
    alike(&gpu.scores_held(&rows).unwrap(), &cpu.scores(&rows).unwrap(), 1e-5, "scores");
}
