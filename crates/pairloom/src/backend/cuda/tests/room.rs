//! What there is no room for on a device.

use super::emulated::{self, Emulated};
use super::*;
use crate::store::Order;

/// A device on which there is no room for all rows, but for a model and a batch.
fn small(shape: Shape) -> Result<Vec<Arc<dyn Device>>> {
    Emulated::with_memory(shape, memory::SPARE + 250_000)
}

#[test]
fn rows_that_have_no_room_are_brought_batch_by_batch() {
    if emulated::compiler().is_none() {
        return;
    }
    for valued in [false, true] {
        let case = Case { valued, ..Case::PLAIN };
        let rows = case.rows(9000, 17);
        let (mut cpu, mut gpu) = case.both::<Plain>(&rows, small);
        gpu.enter(&rows).unwrap();
        assert!(!gpu.are_all_there && gpu.needs_numbers());
        for batch in [(0..300).collect(), vec![8999, 17, 17, 4], (2000..2500).rev().collect()] {
            for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
                backend.step(&rows, &batch, RATE).unwrap();
            }
            same_state(&mut gpu, &cpu, "brought");
        }
        // Places of an order are too, if somebody tells these.
        for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
            let places = Places { order: Order::shuffled(9000, 1, 1, 0), range: 100..200 };
            backend.step_at(&rows, places, RATE).unwrap();
        }
        same_state(&mut gpu, &cpu, "by their places");
        // Fewer have room, and then lie there again.
        let few = case.rows(100, 18);
        gpu.enter(&few).unwrap();
        assert!(gpu.are_all_there);
        for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
            backend.step(&few, &[3, 99, 0], RATE).unwrap();
        }
        same_state(&mut gpu, &cpu, "lying there");
    }
}

#[test]
fn what_has_no_room_is_refused_with_what_would_fit() {
    if emulated::compiler().is_none() {
        return;
    }
    let refusal = |most: LargestBatch, bytes: u64, factors: usize| {
        let case = Case { factors, ..Case::PLAIN };
        let (weights, settings) = (case.weights::<Plain>(), case.settings(&case.rows(50, 19)));
        let open = |shape| Emulated::with_memory(shape, memory::SPARE + bytes);
        let machine = Plain::new(&case.plan());
        let gpu = Gpu::new(machine, case.model, &weights, settings, most, open);
        gpu.err().map(|error| error.to_string())
    };
    let few = LargestBatch { rows: 64, entries: 640 };
    assert_eq!(refusal(few, 1 << 20, 40), None);
    // 700 features with 40 factors and their squares take 224 kB.
    let message = refusal(few, 120_000, 40).unwrap();
    let fitting = |message: &str, before: &str| -> usize {
        let (_, behind) = message.split_once(before).expect(message);
        behind.trim().split(' ').next().unwrap().parse().expect(message)
    };
    let factors = fitting(&message, "factors (--factors)");
    assert!(message.ends_with("would fit, or use the CPU"), "{message}");
    assert_eq!(refusal(few, 120_000, factors), None, "{message}");
    assert!(refusal(few, 120_000, factors + 1).is_some(), "{message}");
    let message = refusal(few, 20_000, 40).unwrap();
    assert!(message.contains("hash_bits (--hash-bits)"), "{message}");
    let many = LargestBatch { rows: 65536, entries: 655_360 };
    let message = refusal(many, 1 << 20, 16).unwrap();
    assert!(message.contains("a batch of 65536 rows, and"), "{message}");
    let rows = fitting(&message, ": a batch of");
    let fits = LargestBatch { rows, entries: 10 * rows };
    assert_eq!(refusal(fits, 1 << 20, 16), None, "{message}");
    let none = LargestBatch { rows: 0, entries: 0 };
    assert!(refusal(none, 60_000, 40).unwrap().starts_with("the model needs "));
}

/// What a device says to be free may lie in pieces, of which none is large enough.
#[test]
fn memory_in_pieces_is_none() {
    if emulated::compiler().is_none() {
        return;
    }
    let case = Case { valued: true, ..Case::PLAIN };
    let rows = case.rows(900, 36);
    let (weights, settings) = (case.weights::<Plain>(), case.settings(&rows));
    let (machine, most) = (Plain::new(&case.plan()), LargestBatch { rows: 60, entries: 700 });
    let mut largest_is: Option<Box<dyn Fn(u64)>> = None;
    let open = |shape| {
        let (device, largest) = Emulated::in_pieces(shape)?;
        largest_is = Some(Box::new(largest));
        Ok(vec![device])
    };
    let mut gpu = Gpu::new(machine, case.model, &weights, settings, most, open).unwrap();
    let (mut cpu, _) = case.both::<Plain>(&rows, Emulated::open);
    let mut bring = gpu.ahead().unwrap().unwrap();
    let largest_is = largest_is.unwrap();
    largest_is(3000);
    assert!(!bring(&rows).unwrap());
    gpu.enter_brought(&rows).unwrap();
    assert!(gpu.needs_numbers());
    for step in 0..3 {
        let batch: Vec<u32> = (0..50).map(|at| at * 17 + step).collect();
        for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
            backend.step(&rows, &batch, RATE).unwrap();
        }
    }
    same_state(&mut gpu, &cpu, "in pieces");
    assert!(matches!(gpu.snapshot().unwrap(), crate::backend::Snapshot::Here(_)));
    gpu.hold(&rows).unwrap();
    assert!(!gpu.holds);
    largest_is(u64::MAX);
    assert!(bring(&rows).unwrap());
    alike(&gpu.scores_held(&rows).unwrap(), &cpu.scores(&rows).unwrap(), 1e-5, "scores");
}
