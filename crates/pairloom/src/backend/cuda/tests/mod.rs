//! The step on a GPU beside that on the CPU: the kernels' own text, run on the processor, and on the GPU if there is one.

mod emulated;
mod epoch;
mod lost;
mod order;
mod ranks;
mod room;
mod scores;
mod short;
mod windows;

use super::*;
use crate::backend::Cpu;
use crate::interaction::{Dplr, Ffm, Fields, Fm, Fmfm, Fwfm, Hofm, Linear, Mf, Plan, padded};
use crate::optimizer::Penalty;
use crate::parallel::Threads;
use crate::precision::{Bf16, Precision, Stored};
use crate::table::Table;
use emulated::Emulated;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// More than a pass of sorting has digits.
const FEATURES: usize = 700;

/// Steps are short, so that what they round is.
const RATE: f32 = 0.01;

/// What is trained.
#[derive(Clone, Copy, Debug)]
struct Case {
    model: Model,
    loss: Loss,
    optimizer: Optimizer,
    momentum: f32,
    factors: usize,
    classes: usize,
    /// Whether rows have values and weights of their own.
    valued: bool,
    precision: Precision,
}

impl Case {
    const PLAIN: Case = Case {
        model: Model { of: Kind::Fm, order: 2, lower_orders: true, rank: 2 },
        loss: Loss::Logistic,
        optimizer: Optimizer::Adagrad,
        momentum: 0.0,
        factors: 8,
        classes: 1,
        valued: false,
        precision: Precision::F32,
    };

    fn target(&self) -> Target {
        match self.loss {
            Loss::Squared | Loss::Huber(_) | Loss::Quantile(_) => {
                Target::Real { mean: 0.4, scale: 0.7 }
            }
            Loss::Softmax => {
                Target::Classes { names: (0..self.classes).map(|c| c.to_string()).collect() }
            }
            Loss::Poisson => Target::Count,
            loss if loss.is_ranking() => Target::Grade,
            _ => Target::Binary { negative: Some("0".into()), positive: "1".into() },
        }
    }

    /// Rows of up to 12 features, of which feature 0 is in most and feature 1 in half.
    fn rows(&self, count: usize, seed: u64) -> Rows {
        let (mut random, mut rows) = (Xoshiro256PlusPlus::seed_from_u64(seed), Rows::new());
        for _ in 0..count {
            let mut ids: Vec<u32> = (0..random.random_range(0..10))
                .map(|_| random.random_range(2..FEATURES as u32))
                .collect();
            ids.extend(
                [0, 1].into_iter().filter(|&id| random.random_bool(0.9 / f64::from(id + 1))),
            );
            ids.sort_unstable();
            ids.dedup();
            for id in ids {
                rows.push(id, if self.valued { random.random_range(-1.0..1.0) } else { 1.0 });
            }
            let label = match self.classes {
                1 => u32::from(random.random_bool(0.3)),
                classes => random.random_range(0..classes as u32),
            };
            let weight = if self.valued { random.random_range(0.0..2.0) } else { 1.0 };
            rows.finish(label as f32, weight);
        }
        rows
    }

    fn settings(&self, rows: &Rows) -> StepSettings {
        let mut counts = vec![0; FEATURES];
        rows.count(&mut counts);
        let penalty =
            |l2| Penalty { l1: if self.optimizer == Optimizer::Ftrl { 0.01 } else { 0.0 }, l2 };
        StepSettings {
            loss: self.loss,
            target: self.target(),
            optimizer: self.optimizer,
            momentum: self.momentum,
            linear: true,
            penalty_linear: penalty(0.5),
            penalty_factors: penalty(2.0),
            learn_l2: self.optimizer == Optimizer::Adagrad,
            counts,
            bias: !self.loss.is_ranking(),
        }
    }

    fn plan(&self) -> Plan {
        let Model { of, order, lower_orders, rank } = self.model;
        let fields = if of == Kind::Mf { 2 } else { 3 };
        Plan { fields, factors: self.factors, order, lower_orders, rank }
    }

    fn weights<M: Interaction>(&self) -> Weights {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
        let (plan, features) = (self.plan(), FEATURES * self.classes);
        let mut table = |part: usize, parts: usize, filled: usize| {
            let mut table = Table::new(features, part * parts, 0).unwrap();
            for vector in table.floats_mut().chunks_exact_mut(part) {
                vector[..filled].fill_with(|| random.random_range(-0.3..0.3));
            }
            table
        };
        let linear = table(1, 1, 1);
        let mut factors = table(padded(self.factors), M::parts(&plan), self.factors);
        if self.precision == Precision::Bf16 {
            let mut short = Table::of(features, factors.width(), 0, self.precision).unwrap();
            let numbers = short.numbers_mut::<Bf16>().iter_mut().zip(factors.floats());
            numbers.for_each(|(to, &from)| *to = Bf16::nearest(from));
            factors = short;
        }
        let bias = (0..self.classes).map(|class| 0.1 * class as f32 - 0.2).collect();
        let shared = (0..M::shared(&plan) * self.classes).map(|_| random.random_range(0.5..1.5));
        let fields = if plan.fields == 2 { vec![0, 300] } else { vec![0, 1, 300] };
        Weights {
            bias,
            fields: Fields::new(fields),
            shared: shared.collect(),
            ..Weights::plain(0.0, linear, factors)
        }
    }

    /// The same on the CPU and on a device.
    fn both<M: Interaction>(&self, rows: &Rows, open: Open) -> (Cpu<M>, Gpu<M>) {
        let (weights, threads) = (self.weights::<M>(), || Threads::new(1).unwrap());
        let machine = || M::new(&self.plan());
        let cpu = Cpu::new(machine(), &weights, self.settings(rows), threads()).unwrap();
        let most = LargestBatch { rows: 10, entries: 100 };
        let settings = self.settings(rows);
        let gpu = Gpu::new(machine(), self.model, &weights, settings, most, open);
        (cpu, gpu.unwrap())
    }
}

/// Opens devices with the kernels for a shape.
type Open = fn(Shape) -> Result<Vec<Arc<dyn Device>>>;

/// The devices that tests run on: the emulated one, and a GPU if there is one.
fn devices() -> Vec<Open> {
    these(Emulated::open, |shape| driver::open_these(&[0], shape))
}

/// An emulated device, or several, and a GPU if there is one.
fn these(emulated: Open, gpu: Open) -> Vec<Open> {
    let mut devices: Vec<Open> = Vec::new();
    match emulated::compiler() {
        Some(_) => devices.push(emulated),
        None => eprintln!("LEFT OUT: kernels on the processor, as there is no C++ compiler"),
    }
    match found::devices() {
        Ok((found, _)) if !found.is_empty() => devices.push(gpu),
        Ok(_) => eprintln!("LEFT OUT: kernels on a GPU, as there is none"),
        Err(error) => eprintln!("LEFT OUT: kernels on a GPU: {error}"),
    }
    devices
}

/// Whether two lists are alike, relative to the size of what stands there, or to 1 where that is less.
#[track_caller]
fn alike(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let near = (found - expected).abs() <= tolerance * expected.abs().max(1.0);
        assert!(near, "{what} {at}: {found} on the device, {expected} on the CPU");
    }
}

fn same_state<M: Interaction>(gpu: &mut Gpu<M>, cpu: &Cpu<M>, what: &str) {
    gpu.sync().unwrap();
    let is_ftrl = gpu.settings.optimizer == Optimizer::Ftrl;
    let (found, expected) = (gpu.state(), cpu.state());
    // Numbers and the state of each: squares, and of FTRL differences of what is larger by the strength over the rate.
    let both = |name: &str, count: usize, found: &[f32], expected: &[f32]| {
        alike(&found[..count], &expected[..count], 1e-5, &format!("{what} {name}"));
        let tolerance = if is_ftrl { 2e-3 } else { 1e-4 };
        alike(&found[count..], &expected[count..], tolerance, &format!("{what} {name}, state"));
    };
    for (name, found, expected) in [
        ("linear", &found.linear, &expected.linear),
        ("factors", &found.factors, &expected.factors),
    ] {
        let (width, stride) = (expected.width(), expected.stride());
        // There are none where vectors have no floats.
        let chunks = |floats| <[f32]>::chunks(floats, stride.max(1));
        let rows = chunks(found.floats()).zip(chunks(expected.floats()));
        for (at, (found, expected)) in rows.enumerate() {
            both(&format!("{name} {at}"), width, found, expected);
        }
    }
    let (biases, shared) = expected.dense();
    both("bias", biases.len(), &found.bias, &expected.bias);
    both("shared", shared.len(), &found.shared, &expected.shared);
    alike(&found.strengths, &expected.strengths, 1e-5, &format!("{what} strengths"));
    assert_eq!((found.time, found.learned), (expected.time, expected.learned), "{what}");
}

/// Takes the same step with both.
fn same_step<M: Interaction>(
    gpu: &mut Gpu<M>,
    cpu: &mut Cpu<M>,
    (rows, batch): (&Rows, &[u32]),
    loss: Loss,
    what: &str,
) {
    let [found, expected] = [&mut *gpu as &mut dyn Backend, &mut *cpu].map(|backend| {
        let mut learned = take_step(backend, (rows, batch), loss);
        learned += backend.finish().unwrap();
        learned
    });
    let near = |found: f64, expected: f64| (found - expected).abs() <= 1e-5 * expected.abs();
    let is_same = near(found.loss, expected.loss) && near(found.weight, expected.weight);
    assert!(is_same, "{what}: {found:?} {expected:?}");
    same_state(gpu, cpu, what);
}

/// A step, under losses that rank of lists of seven rows.
fn take_step(backend: &mut dyn Backend, (rows, batch): (&Rows, &[u32]), loss: Loss) -> Learned {
    let ends: Vec<u32> = (1..=batch.len() as u32).filter(|end| end % 7 == 0).collect();
    let lists = Lists { ends: &ends, each: 1.0 };
    match loss.is_ranking() {
        true => backend.step_lists(rows, batch, lists, RATE),
        false => backend.step(rows, batch, RATE),
    }
    .unwrap()
}

/// Takes the steps of an epoch with both, each of which is announced before; the mean loss is the same.
fn same_epoch<M: Interaction>(gpu: &mut Gpu<M>, cpu: &mut Cpu<M>, rows: &Rows, case: Case) {
    let order: Vec<u32> = (0..rows.len() as u32).map(|at| at * 211 % rows.len() as u32).collect();
    let [found, expected] = [&mut *gpu as &mut dyn Backend, &mut *cpu].map(|backend| {
        let mut learned = Learned::default();
        let mut coming = order.chunks(64).skip(1);
        for batch in order.chunks(64) {
            backend.announce(coming.next().unwrap_or_default());
            learned += take_step(backend, (rows, batch), case.loss);
        }
        learned += backend.finish().unwrap();
        learned.loss / learned.weight
    });
    assert!((found - expected).abs() <= 1e-4, "{case:?}: {found} {expected}");
}

/// Batches of other sizes, one of them of one row, and one so large that features have several pieces.
fn batches(rows: usize) -> Vec<Vec<u32>> {
    let rows = rows as u32;
    vec![(0..rows / 3).collect(), vec![5], (0..rows).rev().collect()]
}

fn check(case: Case) {
    check_with(case, devices());
}

fn check_with(case: Case, devices: Vec<Open>) {
    let check = match case.model.of {
        Kind::Linear => check_on::<Linear<Vec<f32>>>,
        Kind::Mf => check_on::<Mf<Vec<f32>>>,
        Kind::Fm => check_on::<Plain>,
        Kind::Ffm => check_on::<Ffm<Vec<f32>>>,
        Kind::Fwfm => check_on::<Fwfm<Vec<f32>>>,
        Kind::Dplr => check_on::<Dplr<Vec<f32>>>,
        Kind::Fmfm => check_on::<Fmfm<Vec<f32>>>,
        Kind::Hofm => check_on::<Hofm<Vec<f32>>>,
    };
    devices.into_iter().for_each(|open| check(open, case));
}

/// The two-way machine.
type Plain = Fm<Vec<f32>>;

fn check_on<M: Interaction>(open: Open, case: Case) {
    let rows = case.rows(400, 11);
    let (mut cpu, mut gpu) = case.both::<M>(&rows, open);
    gpu.enter(&rows).unwrap();
    for (at, batch) in batches(rows.len()).iter().enumerate() {
        let what = format!("{case:?} step {at}");
        same_step(&mut gpu, &mut cpu, (&rows, batch), case.loss, &what);
    }
    for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
        backend.learn_strengths(1.0).unwrap();
    }
    same_state(&mut gpu, &cpu, &format!("{case:?} strengths"));
    let scores = [gpu.scores(&rows).unwrap(), cpu.scores(&rows).unwrap()];
    alike(&scores[0], &scores[1], 1e-5, &format!("{case:?} scores"));
    same_epoch(&mut gpu, &mut cpu, &rows, case);
}

#[test]
fn a_step_is_that_of_the_cpu_under_every_loss() {
    for loss in Loss::ALL {
        let classes = if loss == Loss::Softmax { 3 } else { 1 };
        check(Case { loss, classes, ..Case::PLAIN });
        check(Case { loss, classes, valued: true, ..Case::PLAIN });
    }
}

#[test]
fn and_with_every_optimizer() {
    for optimizer in Optimizer::ALL {
        check(Case { optimizer, valued: true, ..Case::PLAIN });
        check(Case { optimizer, classes: 3, loss: Loss::Softmax, ..Case::PLAIN });
    }
}

#[test]
fn and_with_a_momentum() {
    let plain = Case { momentum: 0.9, ..Case::PLAIN };
    check(plain);
    check(Case { classes: 3, loss: Loss::Softmax, valued: true, ..plain });
    check(Case { momentum: 0.9, ..of_model(Kind::Fwfm) });
}

#[test]
fn and_for_vectors_of_all_widths() {
    for factors in [1, 4, 12, 16, 20, 40, 70] {
        check(Case { factors, valued: factors % 8 == 4, ..Case::PLAIN });
    }
}

#[test]
fn and_for_every_model() {
    let plain = Kind::ALL.iter().map(|&of| Model { of, order: 3, ..Case::PLAIN.model });
    let only = [4, 3].map(|order| Model { of: Kind::Hofm, order, lower_orders: false, rank: 0 });
    for model in plain.chain(only) {
        for factors in [8, 12] {
            check(Case { model, factors, valued: factors == 8, ..Case::PLAIN });
        }
        check(Case { model, classes: 3, loss: Loss::Softmax, ..Case::PLAIN });
        check(Case { model, optimizer: Optimizer::Ftrl, ..Case::PLAIN });
    }
    // Where all are moved, and there are no vectors.
    check(Case { optimizer: Optimizer::AdamDense, ..of_model(Kind::Linear) });
}

/// A case of a model.
fn of_model(of: Kind) -> Case {
    Case { model: Model { of, ..Case::PLAIN.model }, ..Case::PLAIN }
}

/// What a model has after some steps, bit by bit.
fn bits<M: Interaction>(open: Open, case: Case) -> Vec<u32> {
    let rows = case.rows(700, 12);
    let (_, mut gpu) = case.both::<M>(&rows, open);
    gpu.enter(&rows).unwrap();
    for batch in batches(rows.len()) {
        gpu.step(&rows, &batch, 0.1).unwrap();
    }
    gpu.sync().unwrap();
    let State { linear, factors, bias, shared, .. } = gpu.state();
    let floats = linear.floats().iter().chain(factors.floats()).chain(bias).chain(shared);
    floats.map(|x| x.to_bits()).collect()
}

#[test]
fn the_bits_are_the_same_from_run_to_run() {
    for open in devices() {
        for (bits, of) in
            [(bits::<Plain> as fn(Open, Case) -> _, Kind::Fm), (bits::<Fmfm<Vec<f32>>>, Kind::Fmfm)]
        {
            assert!(bits(open, of_model(of)) == bits(open, of_model(of)), "{of:?}");
        }
    }
}

/// A batch that has such a row.
fn not_finite<M: Interaction>(open: Open, case: Case) {
    let mut rows = case.rows(40, 13);
    rows.push(3, 3e38);
    rows.push(4, 3e38);
    rows.finish(1.0, 1.0);
    let (mut cpu, mut gpu) = case.both::<M>(&rows, open);
    gpu.enter(&rows).unwrap();
    gpu.step(&rows, &[1, 40, 2, 40], 0.1).unwrap();
    let done = gpu.finish();
    assert!(matches!(done, Err(NoStep::NotFinite(40))), "{done:?}");
    gpu.newer = Newer::Device;
    same_state(&mut gpu, &cpu, &format!("{case:?}"));
    if M::shared(&case.plan()) > 0 {
        // What has next to no gradient Adam moves by what was rounded.
        return;
    }
    // The device is told of the next step before it is asked for the last one: that is not taken either.
    let good: Vec<u32> = (0..30).collect();
    for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
        backend.step(&rows, &good, 0.1).unwrap();
    }
    gpu.step(&rows, &[2, 40], 0.1).unwrap();
    let done = gpu.step(&rows, &good, 0.1);
    assert!(matches!(done, Err(NoStep::NotFinite(40))), "{done:?}");
    assert_eq!(gpu.finish().unwrap(), Learned::default());
    same_state(&mut gpu, &cpu, &format!("{case:?}, after a good step"));
    for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
        backend.step(&rows, &good, 0.1).unwrap();
    }
    same_state(&mut gpu, &cpu, &format!("{case:?}, going on"));
}

#[test]
fn a_row_whose_loss_is_not_finite_changes_nothing() {
    let cases = devices().into_iter().flat_map(|open| Optimizer::ALL.map(|of| (open, of)));
    for (open, optimizer) in cases {
        not_finite::<Plain>(open, Case { optimizer, valued: true, ..Case::PLAIN });
        let of_fields = of_model(Kind::Fwfm);
        not_finite::<Fwfm<Vec<f32>>>(open, Case { optimizer, valued: true, ..of_fields });
    }
}

#[test]
fn rows_that_come_later_and_weights_that_are_put_back_are_taken_over() {
    let case = Case { valued: true, ..Case::PLAIN };
    let (first, second) = (case.rows(60, 14), Case::PLAIN.rows(90, 15));
    for open in devices() {
        let (mut cpu, mut gpu) = case.both::<Plain>(&first, open);
        let batch: Vec<u32> = (0..60).collect();
        for rows in [&first, &second, &first] {
            gpu.enter(rows).unwrap();
            for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
                backend.step(rows, &batch, 0.1).unwrap();
                backend.sync().unwrap();
                backend.state_mut().factors.floats_mut()[7] = 0.25;
                backend.step(rows, &batch, 0.1).unwrap();
                backend.count(&vec![1; FEATURES]);
            }
            same_state(&mut gpu, &cpu, "later");
        }
    }
}

/// As where training goes on from a checkpoint at the end of an epoch.
#[test]
fn strengths_may_be_learned_before_any_step() {
    let rows = Case::PLAIN.rows(60, 16);
    for open in devices() {
        let (mut cpu, mut gpu) = Case::PLAIN.both::<Plain>(&rows, open);
        for backend in [&mut gpu as &mut dyn Backend, &mut cpu] {
            backend.state_mut().factors.floats_mut()[8] = 3.0;
            backend.learn_strengths(1.0).unwrap();
        }
        same_state(&mut gpu, &cpu, "strengths");
    }
}

#[test]
fn batches_without_features_and_machines_without_biases_are_learned_from() {
    let mut rows = Rows::new();
    (0..5).for_each(|row| rows.finish((row % 2) as f32, 1.0));
    rows.push(7, 1.0);
    rows.finish(1.0, 1.0);
    for open in devices() {
        let (mut cpu, mut gpu) = Case::PLAIN.both::<Plain>(&rows, open);
        (cpu.settings().bias, cpu.settings().linear) = (false, false);
        (gpu.settings.bias, gpu.settings.linear) = (false, false);
        gpu.enter(&rows).unwrap();
        for batch in [vec![0, 3], vec![], vec![5, 1]] {
            let [found, expected] = [&mut gpu as &mut dyn Backend, &mut cpu].map(|backend| {
                let mut learned = backend.step(&rows, &batch, 0.1).unwrap();
                learned += backend.finish().unwrap();
                learned.loss
            });
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
            same_state(&mut gpu, &cpu, &format!("{batch:?}"));
        }
    }
}
