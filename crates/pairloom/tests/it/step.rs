//! The training step of the CPU backend against the documented semantics, written down again in
//! `f64` and without any cleverness; and its promises: online learning, the same bits for any
//! number of threads, and no change at all by a batch that has a row with a loss that is not
//! finite. The update rules themselves are those of the library (`optimizers.rs` tests them).

use crate::common::{cost_of_list, near, random};
use pairloom::backend::{Backend, Cpu, Lists, NoStep, State, StepSettings};
use pairloom::batch::Rows;
use pairloom::encode::Target;
use pairloom::interaction::{Fm, Interaction, Plan};
use pairloom::loss::Loss;
use pairloom::model::Weights;
use pairloom::optimizer::{Moment, Optimizer, Penalty, Update};
use pairloom::parallel::Threads;
use pairloom::table::Table;
use rand::RngExt;
use rand::seq::SliceRandom;
use std::ops::Range;

const FACTORS: usize = 5;
const FEATURES: usize = 40;

/// What varies from case to case.
#[derive(Debug, Clone, Copy)]
struct Case {
    optimizer: Optimizer,
    momentum: f32,
    loss: Loss,
    weights: bool,
    values: bool,
    bias: bool,
    linear: bool,
    l2: f32,
}

impl Case {
    fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for optimizer in Optimizer::ALL {
            let momentum = if optimizer == Optimizer::Adagrad { 0.9 } else { 0.0 };
            // Scores of several classes are in `class_step.rs`.
            for loss in Loss::ALL.into_iter().filter(|loss| *loss != Loss::Softmax) {
                let plain = Case {
                    optimizer,
                    momentum: 0.0,
                    loss,
                    weights: false,
                    values: false,
                    bias: true,
                    linear: true,
                    l2: 0.0,
                };
                cases.extend([
                    plain,
                    Case { l2: 0.2, ..plain },
                    Case { weights: true, values: true, l2: 0.2, ..plain },
                    Case { values: true, bias: false, ..plain },
                    Case { momentum, values: true, l2: 0.2, ..plain },
                    Case { weights: true, linear: false, l2: 30.0, ..plain },
                ]);
            }
        }
        cases
    }

    fn penalty(&self) -> Penalty {
        Penalty { l1: 0.1 * self.l2, l2: self.l2 }
    }

    fn settings(&self, counts: Vec<u32>) -> StepSettings {
        StepSettings {
            loss: self.loss,
            target: match self.loss {
                Loss::Logistic => {
                    Target::Binary { negative: Some("0".into()), positive: "1".into() }
                }
                Loss::Poisson => Target::Count,
                loss if loss.is_ranking() => Target::Grade,
                _ => Target::Real { mean: 2.0, scale: 3.0 },
            },
            optimizer: self.optimizer,
            momentum: self.momentum,
            linear: self.linear,
            penalty_linear: self.penalty(),
            penalty_factors: self.penalty().times(2.0),
            learn_l2: false,
            bias: self.bias && !self.loss.is_ranking(),
            counts,
        }
    }

    fn backend(&self, weights: &Weights, threads: usize) -> Cpu<Fm<[f32; 8]>> {
        let threads = Threads::new(threads).unwrap();
        Cpu::new(Fm::new(&Plan::of(8)), weights, self.settings(counts(weights)), threads).unwrap()
    }

    fn rows(&self, rows: usize, features: usize, seed: u64) -> Rows {
        let mut random = random(seed);
        let mut all = Rows::new();
        for _ in 0..rows {
            let mut ids: Vec<u32> = (0..features as u32).collect();
            ids.shuffle(&mut random);
            for &id in &ids[..random.random_range(0..12)] {
                all.push(id, if self.values { random.random_range(-2.0..2.0) } else { 1.0 });
            }
            let label = match self.loss {
                Loss::Logistic => f32::from(random.random::<bool>()),
                Loss::Poisson => random.random_range(0..5) as f32,
                loss if loss.is_ranking() => random.random_range(0..3) as f32,
                _ => random.random_range(-4.0..9.0),
            };
            // One row in five weighs nothing.
            let weight = [0.0, 0.5, 1.0, 2.0, 3.25][random.random_range(0..5)];
            all.finish(label, if self.weights { weight } else { 1.0 });
        }
        all
    }

    /// A learning rate: the slopes of counts grow with the exponential of the score.
    fn rate(&self, rate: f32) -> f32 {
        let wild = self.loss == Loss::Poisson && self.optimizer == Optimizer::Sgd;
        if wild { 1e-3 * rate } else { rate }
    }

    /// Random weights; linear ones are 0 where they are not learned.
    fn weights(&self, features: usize, seed: u64) -> Weights {
        let mut random = random(seed);
        let [mut linear, mut factors] = [1, 8].map(|width| Table::new(features, width, 0).unwrap());
        for id in 0..features as u32 {
            for v in &mut factors.vector_mut(id)[..FACTORS] {
                *v = random.random_range(-0.5..0.5);
            }
            if self.linear {
                linear.vector_mut(id)[0] = random.random_range(-0.5..0.5);
            }
        }
        Weights::plain(0.125, linear, factors)
    }
}

/// How many rows of an imagined training set carry each feature.
fn counts(weights: &Weights) -> Vec<u32> {
    (0..weights.linear.features() as u32).map(|id| 1 + id * 7 % 13).collect()
}

/// A vector and its optimizer state.
#[derive(Clone)]
struct Parameters {
    values: Vec<f32>,
    state: Vec<f32>,
}

/// The semantics of one step, in the order in which they are written down.
struct Plain {
    case: Case,
    /// The linear weight of each feature, and its factors.
    features: Vec<[Parameters; 2]>,
    counts: Vec<u32>,
    bias: Parameters,
    time: u64,
    /// Passes over the imagined training set.
    passes: f64,
}

impl Plain {
    fn new(case: Case, weights: &Weights) -> Self {
        let parameters = |values: &[f32]| Parameters {
            values: values.to_vec(),
            state: vec![0.0; values.len() * case.settings(Vec::new()).states()],
        };
        let vectors = weights.linear.vectors().zip(weights.factors.vectors::<f32>());
        let features = vectors.map(|(w, v)| [parameters(w), parameters(&v[..FACTORS])]).collect();
        let bias = parameters(&weights.bias);
        Plain { case, features, counts: counts(weights), bias, time: 0, passes: 0.0 }
    }

    fn value(&self, id: u32, f: usize) -> f64 {
        let [linear, factors] = &self.features[id as usize];
        f64::from(if f == 0 { linear.values[0] } else { factors.values[f - 1] })
    }

    fn score(&self, row: &[(u32, f64)]) -> f64 {
        let mut score = f64::from(self.bias.values[0]);
        for (i, &(a, x)) in row.iter().enumerate() {
            score += self.value(a, 0) * x;
            for &(b, y) in &row[i + 1..] {
                let product: f64 = (1..=FACTORS).map(|f| self.value(a, f) * self.value(b, f)).sum();
                score += product * x * y;
            }
        }
        score
    }

    /// The sum of the weighted losses, and its derivative by the score of each row; of lists by differences.
    fn slopes(&self, rows: &Rows, batch: &[u32]) -> (f64, Vec<f64>) {
        let Case { loss, .. } = self.case;
        let target = self.case.settings(Vec::new()).target;
        let mut scores: Vec<f64> = batch.iter().map(|&i| self.score(&plain_row(rows, i))).collect();
        let outcome = |(label, weight)| (target.standardize(label), f64::from(weight));
        let labels = batch.iter().map(|&i| rows.label(i as usize));
        let outcomes: Vec<(f64, f64)> = labels.map(outcome).collect();
        if !loss.is_ranking() {
            let each = || scores.iter().zip(&outcomes);
            let sum = each().map(|(&s, &(y, w))| w * loss.value(s, y)).sum();
            return (sum, each().map(|(&s, &(y, w))| w * loss.gradient(s, y)).collect());
        }
        let ends = ends(batch.len());
        let cost = |scores: &[f64]| {
            let begins = [0].iter().chain(&ends).zip(&ends);
            let lists = begins.map(|(&from, &to)| from as usize..to as usize);
            let cost =
                |list: Range<usize>| cost_of_list(loss, &scores[list.clone()], &outcomes[list]);
            lists.map(cost).sum::<f64>()
        };
        let sum = cost(&scores);
        let difference = |at: usize| {
            let score = scores[at];
            let [above, below] = [1e-6, -1e-6].map(|by| {
                scores[at] = score + by;
                cost(&scores)
            });
            scores[at] = score;
            (above - below) / 2e-6
        };
        let slopes = (0..batch.len()).map(difference).collect();
        (sum, slopes)
    }

    /// Returns the sum of the weighted losses before the step.
    fn step(&mut self, rows: &Rows, batch: &[u32], rate: f32) -> f64 {
        let Case { optimizer, linear, l2, .. } = self.case;
        let settings = self.case.settings(self.counts.clone());
        let mut gradients = vec![vec![0.0f64; 1 + FACTORS]; self.features.len()];
        let mut touched = vec![optimizer.is_dense(); self.features.len()];
        let mut times = vec![0.0f64; self.features.len()];
        let (loss, all) = self.slopes(rows, batch);
        let slopes: f64 = all.iter().sum();
        for (&i, slope) in batch.iter().zip(all) {
            let row = plain_row(rows, i);
            for &(a, x) in &row {
                touched[a as usize] = true;
                times[a as usize] += 1.0;
                let of_a = &mut gradients[a as usize];
                of_a[0] += if linear { slope * x } else { 0.0 };
                for (f, g) in of_a.iter_mut().enumerate().skip(1) {
                    let others = row.iter().filter(|&&(b, _)| b != a);
                    *g += slope * x * others.map(|&(b, y)| self.value(b, f) * y).sum::<f64>();
                }
            }
        }
        let of_all = times.iter().sum::<f64>() / self.counts.iter().sum::<u32>() as f64;
        self.passes += of_all;
        // Each entry of a feature pays its part of the penalty, but never more than the rate allows.
        let pays = |_: &_| !optimizer.takes_penalties();
        for (id, gradient) in (0..).zip(&mut gradients).filter(pays) {
            let share = times[id as usize] / f64::from(self.counts[id as usize]);
            for (f, g) in gradient.iter_mut().enumerate() {
                let l2 = if f == 0 { f64::from(l2) } else { f64::from(2.0 * l2) };
                *g += (share * l2).min(1.0 / f64::from(rate)) * self.value(id, f);
            }
        }
        self.time += 1;
        let momentum = self.case.momentum;
        let now = Moment { rate, time: self.time, momentum, penalty: Penalty::default() };
        let due = self.case.penalty().times(self.passes as f32);
        let all = self.features.iter_mut().zip(gradients).zip(touched).zip(&self.counts);
        for (((feature, gradient), _), &count) in all.filter(|((_, touched), _)| *touched) {
            // A feature that comes in one of so many batches keeps as much as is left after all of these.
            let batches = 1.0 / (of_all * f64::from(count)).min(1.0);
            let now = Moment { momentum: f64::from(momentum).powf(batches) as f32, ..now };
            let gradient: Vec<f32> = gradient.into_iter().map(|g| g as f32).collect();
            let parts = [(due, &gradient[..1]), (due.times(2.0), &gradient[1..])];
            for (of, (penalty, gradient)) in feature.iter_mut().zip(parts) {
                optimizer.step(Moment { penalty, ..now }, &mut of.values, &mut of.state, gradient);
            }
        }
        if settings.bias {
            let Parameters { values, state } = &mut self.bias;
            optimizer.step(now, values, state, &[slopes as f32]);
        }
        loss
    }

    fn check(&self, backend: &Cpu<Fm<[f32; 8]>>, what: &str) {
        let State { linear, factors, bias, time, .. } = backend.state();
        assert_eq!(*time, self.time, "{what}");
        let (found, expected) = (f64::from(bias[0]), f64::from(self.bias.values[0]));
        assert!(
            near(found, expected, 2e-5, expected.abs().max(1.0)),
            "{what}: bias {found} {expected}"
        );
        for (id, expected) in (0..).zip(&self.features) {
            let found = [linear.vector(id), factors.vector(id)].concat();
            for (f, _) in expected.iter().flat_map(|part| &part.values).enumerate() {
                let (found, expected) = (f64::from(found[f]), self.value(id, f));
                let scale = 1.0f64.max(expected.abs());
                assert!(
                    near(found, expected, 2e-5, scale),
                    "{what}: {id}, {f}: {found} {expected}"
                );
            }
            assert!(found[1 + FACTORS..].iter().all(|&x| x == 0.0), "{what}: padding of {id}");
        }
    }
}

fn plain_row(rows: &Rows, i: u32) -> Vec<(u32, f64)> {
    rows.row(i as usize).features().map(|(id, x)| (id, f64::from(x))).collect()
}

/// Where lists end in a batch of so many rows: of three rows and four in turn.
fn ends(rows: usize) -> Vec<u32> {
    let ends = (1..).map(|list| list * 7 / 2).take_while(|&end| end < rows as u32);
    ends.chain([rows as u32]).collect()
}

/// A step as the loss of the case takes it.
fn learn(
    case: Case,
    backend: &mut Cpu<Fm<[f32; 8]>>,
    rows: &Rows,
    batch: &[u32],
    rate: f32,
) -> Result<f64, NoStep> {
    let lists = Lists { ends: &ends(batch.len()), each: 1.0 };
    if case.loss.is_ranking() {
        return Ok(backend.step_lists(rows, batch, lists, rate)?.loss);
    }
    Ok(backend.step(rows, batch, rate)?.loss)
}

fn copy(from: &State, to: &mut State) {
    let tables = [(&from.linear, &mut to.linear), (&from.factors, &mut to.factors)];
    tables.into_iter().for_each(|(from, to)| to.floats_mut().copy_from_slice(from.floats()));
    (to.bias, to.time, to.learned) = (from.bias.clone(), from.time, from.learned);
}

fn bits(state: &State) -> (Vec<u32>, Vec<u32>, u64) {
    let of = |floats: &[f32]| floats.iter().map(|x| x.to_bits()).collect();
    (of(&[state.linear.floats(), state.factors.floats()].concat()), of(&state.bias), state.time)
}

#[test]
fn a_step_is_what_it_is_documented_to_be() {
    for case in Case::all() {
        let rows = case.rows(48, FEATURES - 3, 5);
        let weights = case.weights(FEATURES, 6);
        let mut backend = case.backend(&weights, 1);
        let mut plain = Plain::new(case, &weights);
        // Batches of different sizes, out of order, the last one over rows that came before.
        let batches = [(0..20).rev().collect(), (20..48).collect(), vec![7, 3, 30, 11u32]];
        for (batch, rate) in batches.iter().zip([0.05, 0.05, 0.02].map(|rate| case.rate(rate))) {
            let expected = plain.step(&rows, batch, rate);
            let loss = learn(case, &mut backend, &rows, batch, rate).unwrap();
            assert!(near(loss, expected, 1e-4, expected.abs().max(1.0)), "{case:?}: {loss}");
            plain.check(&backend, &format!("{case:?}"));
        }
        if !case.bias || case.loss.is_ranking() {
            assert_eq!(backend.state().bias[..1], weights.bias);
        }
        if !case.linear {
            assert!(backend.state().linear.floats().iter().all(|&w| w == 0.0), "{case:?}");
        }
    }
}

#[test]
fn batches_of_one_row_are_online_learning() {
    for case in Case::all() {
        let rows = case.rows(30, FEATURES, 8);
        let weights = case.weights(FEATURES, 9);
        let mut backend = case.backend(&weights, 2);
        let mut plain = Plain::new(case, &weights);
        for i in 0..rows.len() as u32 {
            plain.step(&rows, &[i], case.rate(0.01));
            backend.step(&rows, &[i], case.rate(0.01)).unwrap();
        }
        plain.check(&backend, &format!("{case:?}"));
    }
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    const MANY: usize = 700;
    for case in Case::all() {
        let rows = case.rows(300, MANY, 3);
        let weights = case.weights(MANY, 4);
        let batches: Vec<Vec<u32>> = vec![(0..300).collect(), (0..150).rev().collect(), vec![9]];
        let mut expected = None;
        for threads in [1, 2, 3, 4, 8] {
            let mut backend = case.backend(&weights, threads);
            let losses: Vec<u64> = batches
                .iter()
                .map(|batch| {
                    learn(case, &mut backend, &rows, batch, case.rate(0.05)).unwrap().to_bits()
                })
                .collect();
            let scores: Vec<u32> =
                backend.scores(&rows).unwrap().iter().map(|s| s.to_bits()).collect();
            let found = (losses, scores, bits(backend.state()));
            assert!(*expected.get_or_insert_with(|| found.clone()) == found, "{case:?} {threads}");
        }
    }
}

/// Batches that are announced, those that are announced and do not come, and those that come
/// unannounced.
#[test]
fn what_is_announced_changes_nothing() {
    const MANY: usize = 700;
    for case in Case::all() {
        let mut rows = case.rows(300, MANY, 3);
        rows.push(5, 0.5);
        rows.finish(1.0, 1.0);
        let weights = case.weights(MANY, 4);
        let batches: [&[u32]; 6] = [&[1, 2, 3], &[7, 300, 4], &[5, 6, 7], &[8], &[], &[9, 10]];
        let announced: [&[u32]; 6] = [batches[1], batches[2], &[77], batches[4], batches[5], &[]];
        let after = |threads, announce: bool| {
            let mut backend = case.backend(&weights, threads);
            for (batch, next) in batches.iter().zip(announced) {
                if announce {
                    backend.announce(next);
                }
                learn(case, &mut backend, &rows, batch, case.rate(0.05)).unwrap();
            }
            bits(backend.state())
        };
        let expected = after(1, false);
        for threads in [1, 2, 3, 8] {
            assert!(after(threads, true) == expected, "{case:?} {threads}");
        }
    }
}

#[test]
fn one_feature_in_every_row_is_no_trouble_for_many_threads() {
    let case = Case::all()[0];
    let mut rows = Rows::new();
    for i in 0..100 {
        rows.push(2, 1.0);
        rows.finish(f32::from(i % 3 == 0), 1.0);
    }
    rows.finish(1.0, 1.0); // A row without features moves the bias alone.
    let weights = case.weights(5, 1);
    let batch: Vec<u32> = (0..101).collect();
    let after = |threads| {
        let mut backend = case.backend(&weights, threads);
        assert!([&batch[..], &[100]].iter().all(|of| backend.step(&rows, of, 0.1).is_ok()));
        bits(backend.state())
    };
    assert!([2, 3, 8].into_iter().all(|threads| after(threads) == after(1)));
}

#[test]
fn a_row_that_is_not_finite_is_named_and_changes_nothing() {
    for case in Case::all().into_iter().filter(|case| case.values) {
        let mut rows = case.rows(40, FEATURES, 12);
        rows.push(0, 1e30);
        rows.push(1, 1e30);
        rows.finish(1.0, 1.0);
        let weights = case.weights(FEATURES, 13);
        let good: Vec<u32> = (0..20).collect();
        let bad = vec![5, 9, 40, 3];
        for threads in [1, 3] {
            let (mut met, mut spared) =
                (case.backend(&weights, threads), case.backend(&weights, 1));
            learn(case, &mut met, &rows, &good, case.rate(0.05)).unwrap();
            learn(case, &mut spared, &rows, &good, case.rate(0.05)).unwrap();
            let done = learn(case, &mut met, &rows, &bad, case.rate(0.05));
            assert!(matches!(done, Err(NoStep::NotFinite(40))), "{case:?}: {done:?}");
            assert!(
                met.is_finite().unwrap() && bits(met.state()) == bits(spared.state()),
                "{case:?}"
            );
            learn(case, &mut met, &rows, &good[..3], case.rate(0.05)).unwrap();
            learn(case, &mut spared, &rows, &good[..3], case.rate(0.05)).unwrap();
            assert!(bits(met.state()) == bits(spared.state()), "{case:?}: the step after");
        }
    }
}

#[test]
fn what_is_restored_goes_on_to_the_same_bits() {
    for case in Case::all() {
        let rows = case.rows(40, FEATURES, 21);
        let weights = case.weights(FEATURES, 22);
        let batch: Vec<u32> = (0..40).collect();
        let mut straight = case.backend(&weights, 1);
        learn(case, &mut straight, &rows, &batch, case.rate(0.05)).unwrap();
        let mut resumed = case.backend(&case.weights(FEATURES, 99), 2);
        copy(straight.state(), resumed.state_mut());
        learn(case, &mut straight, &rows, &batch, case.rate(0.05)).unwrap();
        learn(case, &mut resumed, &rows, &batch, case.rate(0.05)).unwrap();
        assert!(bits(straight.state()) == bits(resumed.state()), "{case:?}");
        let copy = straight.weights().unwrap();
        assert_eq!(copy.bias, straight.state().bias[..1]);
        assert!(copy.linear.vectors::<f32>().eq(straight.state().linear.vectors::<f32>()));
        assert!(copy.factors.vectors::<f32>().eq(straight.state().factors.vectors::<f32>()));
    }
}
