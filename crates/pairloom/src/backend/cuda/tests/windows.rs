//! Rows that are brought while steps are taken over those before.

use super::ranks::several;
use super::*;
use crate::batch::BLOCK_ROWS;
use crate::config::Config;
use crate::fit::Run;
use crate::store::{Filling, Room, Store};

/// Takes some steps over rows with both, of which those on the device may still be to be done.
fn steps(gpu: &mut Gpu<Plain>, cpu: &mut Cpu<Plain>, rows: &Rows) {
    for step in 0..3 {
        let batch: Vec<u32> = (0..60).map(|at| (at * 7919 + step) % rows.len() as u32).collect();
        for backend in [&mut *gpu as &mut dyn Backend, &mut *cpu] {
            backend.step(rows, &batch, RATE).unwrap();
        }
    }
}

#[test]
fn rows_that_were_brought_are_learned_from() {
    let case = Case { valued: true, ..Case::PLAIN };
    let sizes = [BLOCK_ROWS + 90, 70, BLOCK_ROWS + 200, 500, 80];
    let sets: Vec<Rows> = (40..).zip(sizes).map(|(seed, size)| case.rows(size, seed)).collect();
    for open in devices().into_iter().chain(several()) {
        let (mut cpu, mut gpu) = case.both::<Plain>(&sets[0], open);
        for epoch in 0..2 {
            let mut bring = gpu.ahead().unwrap().unwrap();
            // Nobody has brought these.
            gpu.enter_brought(&sets[0]).unwrap();
            for (at, rows) in sets.iter().enumerate() {
                let next = sets.get(at + 1);
                // Another thread does it, at any time.
                let is_brought = std::thread::scope(|scope| {
                    let brought = scope.spawn(|| next.is_some_and(|next| bring(next).unwrap()));
                    steps(&mut gpu, &mut cpu, rows);
                    brought.join().unwrap()
                });
                let Some(next) = next else { continue };
                assert!(is_brought, "{at}");
                // What comes after it has to wait.
                assert!(!bring(&sets[0]).unwrap());
                // Others may come between.
                if epoch == 1 && at % 2 == 0 {
                    gpu.enter(&sets[3]).unwrap();
                    steps(&mut gpu, &mut cpu, &sets[3]);
                }
                gpu.enter_brought(next).unwrap();
                assert!(gpu.are_all_there);
            }
            // An epoch may end with rows that nobody has taken.
            assert!(bring(&sets[2]).unwrap());
        }
        same_state(&mut gpu, &cpu, "brought");
    }
}

#[test]
fn they_are_copied_when_they_come_where_two_sets_have_no_room() {
    if emulated::compiler().is_none() {
        return;
    }
    let open: Open = |shape| Emulated::with_memory(shape, memory::SPARE + 350_000);
    let case = Case { valued: true, ..Case::PLAIN };
    let sets = [41, 42, 43].map(|seed| case.rows(3000, seed));
    let (mut cpu, mut gpu) = case.both::<Plain>(&sets[0], open);
    let mut bring = gpu.ahead().unwrap().unwrap();
    for (rows, next) in sets.iter().zip([Some(&sets[1]), Some(&sets[2]), None]) {
        gpu.enter_brought(rows).unwrap();
        assert!(gpu.are_all_there);
        assert!(!next.is_some_and(|next| bring(next).unwrap()), "there is room for both");
        steps(&mut gpu, &mut cpu, rows);
    }
    same_state(&mut gpu, &cpu, "copied");
}

/// A whole run over windows of rows on disk, with rows that are measured after each epoch.
#[test]
fn a_run_over_rows_on_disk_is_that_of_the_cpu() {
    let (rows, case) = (Case::PLAIN.rows(900, 44), Case::PLAIN);
    let folder = std::env::temp_dir().to_string_lossy().into_owned();
    let room = Room { bytes: 24_000, folder, threads: 2 };
    let mut filling = Filling::new(&room, FEATURES, rows.bytes(), Some(3)).unwrap();
    filling.add(&rows).unwrap();
    let (train, valid) = (filling.done().unwrap(), Store::from(case.rows(200, 45)));
    assert!(train.windows(None).len() > 2);
    let config = Config {
        factors: Some(8),
        loss: Some(Loss::Logistic),
        learning_rate: Some(0.02),
        batch_size: Some(64),
        epochs: 2,
        patience: 0,
        ..Config::default()
    };
    let run = Run {
        train: &train,
        most_entries: 800,
        valid: &valid,
        config: &config,
        negatives: None,
        target: &case.target(),
        before: 0,
        keeps_best: true,
        checkpoints: None,
    };
    for open in devices().into_iter().chain(several()) {
        let (mut cpu, mut gpu) = case.both::<Plain>(&rows, open);
        let [found, expected] = [&mut gpu as &mut dyn Backend, &mut cpu]
            .map(|backend| run.fit(backend, &mut |_| true).unwrap());
        assert!(gpu.ahead.is_some() && gpu.holds);
        for (found, expected) in found.history.iter().zip(&expected.history) {
            let [one, other] = [found, expected]
                .map(|epoch| [epoch.train_loss, epoch.valid.as_ref().unwrap().loss()]);
            let near = |at: usize| (one[at] - other[at]).abs() < 1e-5;
            assert!(near(0) && near(1), "{one:?} {other:?}");
        }
        assert_eq!((found.epoch, found.history.len()), (expected.epoch, 2));
        let [found, expected] = [found, expected].map(|fit| fit.weights.unwrap());
        alike(found.linear.floats(), expected.linear.floats(), 1e-4, "linear");
        alike(found.factors.floats(), expected.factors.floats(), 1e-4, "factors");
    }
}
