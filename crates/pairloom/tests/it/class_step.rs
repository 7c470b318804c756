//! The training step of several classes against the documented semantics, written down again in `f64`: each
//! class has a machine of its own, and softmax binds their scores together. And the promises of a step: the
//! same bits for any number of threads, and no change by a batch with a row that cannot be learned from.

#![allow(clippy::needless_range_loop)] // A class is a place in several lists at once.

use crate::common::{near, random};
use pairloom::backend::{Backend, Cpu, NoStep, State, StepSettings};
use pairloom::batch::Rows;
use pairloom::encode::Target;
use pairloom::interaction::{Fm, Interaction, Linear, Plan};
use pairloom::loss::Loss;
use pairloom::model::Weights;
use pairloom::optimizer::{Moment, Optimizer, Penalty, Update};
use pairloom::parallel::Threads;
use pairloom::precision::{Bf16, Precision};
use pairloom::table::Table;
use rand::RngExt;

const CLASSES: usize = 3;
const FACTORS: usize = 4;
const FEATURES: usize = 30;
const L2: f32 = 0.3;

fn settings(optimizer: Optimizer) -> StepSettings {
    let names = (0..CLASSES).map(|class| format!("c{class}")).collect();
    StepSettings {
        loss: Loss::Softmax,
        target: Target::Classes { names },
        optimizer,
        momentum: 0.0,
        linear: true,
        penalty_linear: Penalty { l1: 0.0, l2: L2 },
        penalty_factors: Penalty { l1: 0.0, l2: 2.0 * L2 },
        learn_l2: false,
        counts: (0..FEATURES as u32).map(|id| 1 + id * 7 % 13).collect(),
        bias: true,
    }
}

/// Rows of some features, of all classes, one in four without weight.
fn rows(seed: u64) -> Rows {
    let (mut random, mut rows) = (random(seed), Rows::new());
    for _ in 0..60 {
        let (first, step) = (random.random_range(0..FEATURES as u32), random.random_range(1..7));
        let count = random.random_range(0..6);
        let mut ids: Vec<u32> = (0..count).map(|i| (first + i * step) % FEATURES as u32).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.iter().for_each(|&id| rows.push(id, random.random_range(-1.5..1.5)));
        let weight = [0.0, 0.5, 1.0, 2.0][random.random_range(0..4)];
        rows.finish(random.random_range(0..CLASSES) as f32, weight);
    }
    rows
}

fn weights(precision: Precision) -> Weights {
    let mut random = random(8);
    let mut linear = Table::new(FEATURES * CLASSES, 1, 0).unwrap();
    let mut factors = Table::of(FEATURES * CLASSES, FACTORS, 0, precision).unwrap();
    for table in [&mut linear, &mut factors] {
        table.change(|_, v| v.iter_mut().for_each(|v| *v = random.random_range(-0.5..0.5)));
    }
    Weights { bias: vec![0.1, -0.3, 0.2], ..Weights::plain(0.0, linear, factors) }
}

fn backend(optimizer: Optimizer, threads: usize) -> Cpu<Fm<[f32; 4]>> {
    let (fm, threads) = (Fm::new(&Plan::of(FACTORS)), Threads::new(threads).unwrap());
    Cpu::new(fm, &weights(Precision::F32), settings(optimizer), threads).unwrap()
}

/// A vector and its optimizer state.
#[derive(Clone)]
struct Parameters {
    values: Vec<f32>,
    state: Vec<f32>,
}

/// The machine of each class: of each feature the linear weight and the factors; and the biases.
struct Plain {
    optimizer: Optimizer,
    features: Vec<[[Parameters; 2]; CLASSES]>,
    bias: Parameters,
    time: u64,
    passes: f64,
}

impl Plain {
    fn new(optimizer: Optimizer) -> Self {
        let parameters = |values: &[f32]| Parameters {
            values: values.to_vec(),
            state: vec![0.0; values.len() * optimizer.states()],
        };
        let weights = weights(Precision::F32);
        let of = |id: usize, class: usize| {
            let at = (id * CLASSES + class) as u32;
            [parameters(weights.linear.vector(at)), parameters(weights.factors.vector(at))]
        };
        let features = (0..FEATURES).map(|id| [0, 1, 2].map(|class| of(id, class))).collect();
        Plain { optimizer, features, bias: parameters(&weights.bias), time: 0, passes: 0.0 }
    }

    /// The linear weight, or a factor.
    fn value(&self, id: u32, class: usize, f: usize) -> f64 {
        let [linear, factors] = &self.features[id as usize][class];
        f64::from(if f == 0 { linear.values[0] } else { factors.values[f - 1] })
    }

    fn score(&self, row: &[(u32, f64)], class: usize) -> f64 {
        let mut score = f64::from(self.bias.values[class]);
        for (i, &(a, x)) in row.iter().enumerate() {
            score += self.value(a, class, 0) * x;
            for &(b, y) in &row[i + 1..] {
                let factors = 1..=FACTORS;
                let products = factors.map(|f| self.value(a, class, f) * self.value(b, class, f));
                score += products.sum::<f64>() * x * y;
            }
        }
        score
    }

    fn step(&mut self, rows: &Rows, batch: &[u32], rate: f32) -> f64 {
        let settings = settings(self.optimizer);
        let mut gradients = vec![[[0.0f64; 1 + FACTORS]; CLASSES]; FEATURES];
        let (mut times, mut loss) = (vec![0.0f64; FEATURES], 0.0);
        let mut of_bias = [0.0f64; CLASSES];
        for &i in batch {
            let row = rows.row(i as usize);
            let row: Vec<(u32, f64)> = row.features().map(|(id, x)| (id, f64::from(x))).collect();
            let (label, weight) = rows.label(i as usize);
            let scores = [0, 1, 2].map(|class| self.score(&row, class));
            let sum: f64 = scores.iter().map(|s| s.exp()).sum();
            loss -= f64::from(weight) * (scores[label as usize].exp() / sum).ln();
            row.iter().for_each(|&(a, _)| times[a as usize] += 1.0);
            for class in 0..CLASSES {
                let own = f64::from(u8::from(label as usize == class));
                let slope = f64::from(weight) * (scores[class].exp() / sum - own);
                of_bias[class] += slope;
                for &(a, x) in &row {
                    let of_a = &mut gradients[a as usize][class];
                    of_a[0] += slope * x;
                    for (f, g) in of_a.iter_mut().enumerate().skip(1) {
                        let others = row.iter().filter(|&&(b, _)| b != a);
                        let others = others.map(|&(b, y)| self.value(b, class, f) * y);
                        *g += slope * x * others.sum::<f64>();
                    }
                }
            }
        }
        self.passes += times.iter().sum::<f64>() / settings.counts.iter().sum::<u32>() as f64;
        self.time += 1;
        let now = Moment { rate, time: self.time, momentum: 0.0, penalty: Penalty::default() };
        let touched = |times: f64| times > 0.0 || self.optimizer.is_dense();
        for id in (0..FEATURES).filter(|&id| touched(times[id])) {
            let share = times[id] / f64::from(settings.counts[id]);
            for class in 0..CLASSES {
                let [linear, factors] = [settings.penalty_linear, settings.penalty_factors];
                let gradient = |f: usize| {
                    let l2 = f64::from(if f == 0 { linear.l2 } else { factors.l2 });
                    let pays = if self.optimizer.takes_penalties() { 0.0 } else { share * l2 };
                    let most = 1.0 / f64::from(rate);
                    (gradients[id][class][f] + pays.min(most) * self.value(id as u32, class, f))
                        as f32
                };
                let gradient: Vec<f32> = (0..=FACTORS).map(gradient).collect();
                let parts = [(linear, &gradient[..1]), (factors, &gradient[1..])];
                for (of, (penalty, gradient)) in self.features[id][class].iter_mut().zip(parts) {
                    let penalty = penalty.times(self.passes as f32);
                    let Parameters { values, state } = of;
                    self.optimizer.step(Moment { penalty, ..now }, values, state, gradient);
                }
            }
        }
        let Parameters { values, state } = &mut self.bias;
        self.optimizer.step(now, values, state, &of_bias.map(|g| g as f32));
        loss
    }

    fn check(&self, state: &State, what: &str) {
        let State { linear, factors, bias, .. } = state;
        let same = |found: f32, expected: f64| {
            let scale = expected.abs().max(1.0);
            assert!(near(f64::from(found), expected, 3e-5, scale), "{what}: {found} {expected}");
        };
        for class in 0..CLASSES {
            same(bias[class], f64::from(self.bias.values[class]));
            for id in 0..FEATURES as u32 {
                let at = id * CLASSES as u32 + class as u32;
                same(linear.vector(at)[0], self.value(id, class, 0));
                for f in 1..=FACTORS {
                    same(factors.vector(at)[f - 1], self.value(id, class, f));
                }
            }
        }
    }
}

fn batches() -> [Vec<u32>; 4] {
    [(0..25).rev().collect(), (25..60).collect(), vec![7, 3, 30, 11], vec![5]]
}

#[test]
fn a_step_is_that_of_a_machine_for_each_class() {
    let rows = rows(5);
    for optimizer in Optimizer::ALL {
        let (mut found, mut plain) = (backend(optimizer, 2), Plain::new(optimizer));
        for batch in batches() {
            let expected = plain.step(&rows, &batch, 0.05);
            let loss = found.step(&rows, &batch, 0.05).unwrap().loss;
            assert!(near(loss, expected, 1e-5, expected.max(1.0)), "{optimizer:?} {loss}");
            plain.check(found.state(), &format!("{optimizer:?}"));
        }
        let scores = found.scores(&rows).unwrap();
        assert_eq!(scores.len(), rows.len() * CLASSES);
        for (i, scores) in scores.chunks(CLASSES).enumerate() {
            let row = rows.row(i);
            let row: Vec<(u32, f64)> = row.features().map(|(id, x)| (id, f64::from(x))).collect();
            for (class, &score) in scores.iter().enumerate() {
                assert!(near(score.into(), plain.score(&row, class), 1e-4, 1.0), "{i} {class}");
            }
        }
    }
}

fn bits(state: &State) -> Vec<u32> {
    let State { linear, factors, bias, .. } = state;
    let floats = linear.floats().iter().chain(factors.floats()).chain(bias);
    floats.map(|x| x.to_bits()).collect()
}

#[test]
fn the_bits_do_not_depend_on_threads_or_on_what_is_announced() {
    let rows = rows(6);
    for optimizer in Optimizer::ALL {
        let after = |threads: usize, announce: bool| {
            let mut backend = backend(optimizer, threads);
            let batches = batches();
            for (at, batch) in batches.iter().enumerate() {
                if let Some(next) = batches.get(at + 1).filter(|_| announce) {
                    backend.announce(next);
                }
                backend.step(&rows, batch, 0.05).unwrap();
            }
            bits(backend.state())
        };
        let expected = after(1, false);
        for threads in [1, 2, 3, 8] {
            assert!(after(threads, true) == expected, "{optimizer:?} {threads}");
        }
    }
}

#[test]
fn bfloat16_goes_the_same_way() {
    let rows = rows(7);
    let mut whole = backend(Optimizer::Adagrad, 1);
    let fm = Fm::<[f32; 4]>::new(&Plan::of(FACTORS));
    let (settings, threads) = (settings(Optimizer::Adagrad), Threads::new(1).unwrap());
    let weights = weights(Precision::Bf16);
    let mut half = Cpu::<_, Bf16>::new(fm, &weights, settings, threads).unwrap();
    for batch in batches() {
        let losses = [&mut whole as &mut dyn Backend, &mut half]
            .map(|backend| backend.step(&rows, &batch, 0.05).unwrap().loss);
        assert!(near(losses[0], losses[1], 0.01, losses[0].max(1.0)), "{losses:?}");
    }
    let scores = [whole.scores(&rows).unwrap(), half.scores(&rows).unwrap()];
    for (one, other) in scores[0].iter().zip(&scores[1]) {
        assert!(near(f64::from(*one), f64::from(*other), 0.03, f64::from(one.abs()).max(1.0)));
    }
}

#[test]
fn a_row_that_cannot_be_learned_from_changes_nothing() {
    for (label, x) in [(3.0, 1.0), (0.5, 1.0), (-1.0, 1.0), (f32::NAN, 1.0), (1.0, 3e38)] {
        let mut rows = rows(9);
        rows.push(3, x);
        rows.push(4, x);
        rows.finish(label, 1.0);
        let mut backend = backend(Optimizer::Adagrad, 2);
        let before = bits(backend.state());
        let done = backend.step(&rows, &[1, 60, 2], 0.1);
        assert!(matches!(done, Err(NoStep::NotFinite(60))), "{label} {x}: {done:?}");
        assert!(bits(backend.state()) == before);
    }
}

/// Two classes are logistic regression of the difference of their scores: both sides move, so it learns as
/// fast as logistic regression at twice the rate.
#[test]
fn two_classes_are_logistic_regression_of_the_difference() {
    let (mut rows, source) = (Rows::new(), rows(11));
    for i in 0..source.len() {
        source.row(i).features().for_each(|(id, x)| rows.push(id, x));
        let (label, weight) = source.label(i);
        rows.finish(f32::from(label > 0.0), weight);
    }
    let train = |target: Target, rate: f32| {
        let (loss, classes) = (target.usual_loss(), target.classes());
        let none = Penalty::default();
        let settings = StepSettings {
            loss,
            target,
            penalty_linear: none,
            penalty_factors: none,
            ..settings(Optimizer::Sgd)
        };
        let tables = [1, 0].map(|width| Table::new(FEATURES * classes, width, 0).unwrap());
        let [linear, factors] = tables;
        let weights = Weights { bias: vec![0.0; classes], ..Weights::plain(0.0, linear, factors) };
        let kernel = Linear::<Vec<f32>>::new(&Plan::of(0));
        let threads = Threads::new(1).unwrap();
        let mut backend = Cpu::<_, f32>::new(kernel, &weights, settings, threads).unwrap();
        let batch: Vec<u32> = (0..rows.len() as u32).collect();
        let losses: Vec<f64> =
            (0..20).map(|_| backend.step(&rows, &batch, rate).unwrap().loss).collect();
        (losses, backend.scores(&rows).unwrap())
    };
    let names = vec!["0".into(), "1".into()];
    let (losses, scores) = train(Target::Classes { names }, 0.02);
    let target = Target::Binary { negative: Some("0".into()), positive: "1".into() };
    let (expected, logits) = train(target, 0.04);
    assert!(losses.iter().zip(&expected).all(|(a, b)| near(*a, *b, 1e-5, *b)));
    assert!(losses[19] < 0.9 * losses[0]);
    for (scores, logit) in scores.chunks(2).zip(logits) {
        assert!(near((scores[1] - scores[0]).into(), logit.into(), 1e-5, 1.0));
    }
}
