//! Factors of 16 bits.

use super::*;

/// Sums that differ in their last bits are rounded otherwise where it is close, and then by one place.
pub(super) fn check_short<M: Interaction>(open: Open, case: Case) {
    let case = Case { precision: Precision::Bf16, ..case };
    let rows = case.rows(700, 21);
    let (weights, threads) = (case.weights::<M>(), || Threads::new(1).unwrap());
    let (machine, settings) = (|| M::new(&case.plan()), || case.settings(&rows));
    let mut cpu = Cpu::<M, Bf16>::new(machine(), &weights, settings(), threads()).unwrap();
    let most = LargestBatch { rows: 700, entries: 8000 };
    let gpu = Gpu::new(machine(), case.model, &weights, settings(), most, open);
    let mut gpu = gpu.unwrap();
    gpu.enter(&rows).unwrap();
    for batch in batches(rows.len()) {
        for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
            backend.step(&rows, &batch, RATE).unwrap();
            backend.sync().unwrap();
        }
        let [found, expected] =
            [gpu.state(), cpu.state()].map(|state| state.factors.numbers::<Bf16>());
        let apart = found.iter().zip(expected).filter(|(found, expected)| found != expected);
        let apart: Vec<u16> = apart.map(|(one, other)| one.0.abs_diff(other.0)).collect();
        assert!(apart.iter().all(|&apart| apart == 1), "{case:?}: {apart:?}");
        assert!(apart.len() * 100 <= found.len(), "{case:?}: {} differ", apart.len());
        alike(gpu.state().linear.floats(), cpu.state().linear.floats(), 1e-4, "linear");
        gpu.state_mut().factors.raw_mut().copy_from_slice(cpu.state().factors.raw());
    }
    gpu.learn_strengths(1.0).unwrap();
    cpu.learn_strengths(1.0).unwrap();
    alike(&gpu.state().strengths, &cpu.state().strengths, 1e-4, "strengths");
    alike(&gpu.scores(&rows).unwrap(), &cpu.scores(&rows).unwrap(), 1e-4, "scores");
}

#[test]
fn factors_of_16_bits_are_rounded_by_the_same_chance() {
    for open in devices() {
        for optimizer in [Optimizer::Adagrad, Optimizer::Adam, Optimizer::AdamDense] {
            check_short::<Plain>(open, Case { optimizer, ..Case::PLAIN });
        }
        let plain = Case { classes: 3, loss: Loss::Softmax, valued: true, ..Case::PLAIN };
        check_short::<Plain>(open, plain);
        let model = Model { of: Kind::Ffm, ..Case::PLAIN.model };
        check_short::<Ffm<Vec<f32>>>(open, Case { model, ..Case::PLAIN });
    }
}
