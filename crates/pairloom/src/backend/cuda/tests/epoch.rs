//! What is done with whole tables between epochs.

use super::ranks::several;
use super::*;
use crate::backend::Snapshot;

/// Numbers of weights, bit by bit.
fn numbers(weights: &Weights) -> (Vec<u8>, Vec<u8>, Vec<f32>, Vec<f32>) {
    let Weights { linear, factors, bias, shared, .. } = weights;
    let linear = bytemuck::cast_slice(linear.floats());
    (linear.to_vec(), factors.raw().to_vec(), bias.clone(), shared.clone())
}

/// A copy is that of its time, and a number that is not finite is found wherever it is.
fn check_tables<M: Interaction>(open: Open, case: Case) {
    let rows = case.rows(90, 31);
    let most = LargestBatch { rows: 90, entries: 1200 };
    let (weights, settings) = (case.weights::<M>(), case.settings(&rows));
    let gpu = Gpu::new(M::new(&case.plan()), case.model, &weights, settings, most, open);
    let mut gpu = gpu.unwrap();
    let Snapshot::There(first) = gpu.snapshot().unwrap() else { panic!("there is room") };
    gpu.enter(&rows).unwrap();
    let batch: Vec<u32> = (0..90).collect();
    gpu.step(&rows, &batch, RATE).unwrap();
    gpu.finish().unwrap();
    let second = gpu.snapshot().unwrap();
    let expected = numbers(&gpu.weights().unwrap());
    gpu.step(&rows, &batch, RATE).unwrap();
    gpu.finish().unwrap();
    assert!(gpu.is_finite().unwrap(), "{case:?}");
    assert!(numbers(&first.weights().unwrap()) == numbers(&weights), "{case:?}: the first ones");
    assert!(numbers(&second.into_weights().unwrap()) == expected, "{case:?}: after a step");
    type Put<M> = fn(&mut Gpu<M>);
    let places: [Put<M>; 5] = [
        |gpu| *gpu.state_mut().linear.floats_mut().last_mut().unwrap() = f32::NAN,
        |gpu| gpu.state_mut().linear.floats_mut()[0] = f32::INFINITY,
        |gpu| {
            let bytes = gpu.state_mut().factors.raw_mut();
            let from = bytes.len().saturating_sub(4);
            bytes[from..].fill(0xff);
        },
        |gpu| *gpu.state_mut().bias.last_mut().unwrap() = f32::NEG_INFINITY,
        |gpu| {
            if let Some(number) = gpu.state_mut().shared.last_mut() {
                *number = f32::NAN;
            }
        },
    ];
    for (at, put) in places.into_iter().enumerate() {
        gpu.sync().unwrap();
        let before = numbers(&gpu.weights().unwrap());
        let state = gpu.state();
        let (linear, bias) = (state.linear.floats().to_vec(), state.bias.clone());
        let (factors, shared) = (state.factors.raw().to_vec(), state.shared.clone());
        put(&mut gpu);
        let is_there = [factors.len(), shared.len()].map(|of| of > 0);
        let is_changed = !matches!((at, is_there), (2, [false, _]) | (4, [_, false]));
        assert_eq!(gpu.is_finite().unwrap(), !is_changed, "{case:?}: {at}");
        let state = gpu.state_mut();
        state.linear.floats_mut().copy_from_slice(&linear);
        state.factors.raw_mut().copy_from_slice(&factors);
        (state.bias, state.shared) = (bias, shared);
        assert!(gpu.is_finite().unwrap(), "{case:?}: {at}, put back");
        assert!(numbers(&gpu.weights().unwrap()) == before);
    }
}

#[test]
fn tables_are_copied_and_looked_at_where_they_are() {
    for open in devices().into_iter().chain(several()) {
        check_tables::<Plain>(open, Case::PLAIN);
        check_tables::<Plain>(open, Case { precision: Precision::Bf16, ..Case::PLAIN });
        let classes = Case { classes: 3, loss: Loss::Softmax, ..Case::PLAIN };
        check_tables::<Plain>(open, Case { optimizer: Optimizer::Adam, ..classes });
        check_tables::<Linear<Vec<f32>>>(open, of_model(Kind::Linear));
        check_tables::<Fmfm<Vec<f32>>>(open, of_model(Kind::Fmfm));
    }
}

/// Where a copy has no room beside the rest it is made on the host.
#[test]
fn a_copy_that_has_no_room_is_on_the_host() {
    if emulated::compiler().is_none() {
        return;
    }
    let open: Open = |shape| Emulated::with_memory(shape, memory::SPARE + 200_000);
    let rows = Case::PLAIN.rows(90, 32);
    let (_, mut gpu) = Case::PLAIN.both::<Plain>(&rows, open);
    let free = gpu.ranks[0].device.free_bytes().unwrap() - memory::SPARE;
    let _rest = {
        let mut rest = device::Buffer::<u8>::new(&gpu.ranks[0].device);
        rest.reserve(free as usize - 100).unwrap();
        rest
    };
    let Snapshot::Here(copy) = gpu.snapshot().unwrap() else { panic!("there is no room") };
    assert!(numbers(&copy) == numbers(&Case::PLAIN.weights::<Plain>()));
}
