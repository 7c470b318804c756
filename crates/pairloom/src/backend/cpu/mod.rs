//! The CPU backend: the reference for every other path.
//!
//! # One training step
//! 0. The batch is laid out, and its entries are sorted by (feature, place in the batch).
//! 1. Forward: for each row of the batch its running sums, score, loss and slope (the derivative
//!    of the weighted loss by the score).
//! 2. Update: for each distinct feature, the gradients of its entries are summed in the order of
//!    the batch, its share of the L2 penalty is added, and the optimizer moves its weights once.
//! 3. What belongs to no feature, and the bias.
//!
//! The penalty `l2/2 ||vector||^2` belongs to the training set as a whole, and a feature pays it in
//! equal parts, one for each of its entries: a batch with `t` of a feature's `n` entries adds
//! `l2 t/n vector` to its gradient, whatever the size of the batch. An optimizer that
//! [takes penalties](crate::optimizer::Optimizer::takes_penalties) over is told with each step what is to
//! be paid up to then: as many times the penalty as there were passes over the training set.
//!
//! Of several threads some prepare the next batch meanwhile: they lay it out during 1 and sort it
//! during 2. The others split the rows in 1 and the features in 2, so nothing is shared while it is
//! written, and every sum is taken in an order that does not depend on their number: the bits are the
//! same for any number of threads.

mod entries;
mod exact;
mod forward;
mod halves;
mod parameters;
mod prepared;
mod scores;
mod update;

pub(crate) use halves::{Halves, Magnitude, halve_rows};
pub(crate) use parameters::Parameters;
pub(crate) use scores::{score_rows, score_single};

use super::{Backend, Learned, Lists, NoStep, State, StepSettings, ranked, strengths};
use crate::batch::Rows;
use crate::interaction::{Interaction, Lanes};
use crate::model::Weights;
use crate::optimizer::{Moment, Penalty, Update};
use crate::parallel::Threads;
use crate::precision::Stored;
use crate::simd::{self, Work};
use crate::{Error, Result};
use forward::Forward;
use prepared::{Entry, Layout, One, Prepared, Preparing, Value};
use std::marker::PhantomData;
use std::mem;
use update::{Features, Piece};

/// Bytes that an entry of a batch takes: in its row, and three times to be sorted, in the batch that
/// is learned from and in the one that is prepared.
pub(crate) const ENTRY_BYTES: u128 = 2 * (3 * size_of::<Entry<f32>>() as u128 + 8);

/// A model in training on the CPU, with its factors kept as `T`.
pub struct Cpu<M: Interaction, T = f32> {
    interaction: M,
    settings: StepSettings,
    state: State,
    /// Features of all training rows, each as often as it comes.
    all: u64,
    threads: Threads,
    /// Ends of the features of each thread that steps; empty before the first step.
    bounds: Vec<u32>,
    scratch: Scratch<M>,
    ones: Batches<One>,
    valued: Batches<f32>,
    /// The batch after the coming one.
    announced: Vec<u32>,
    stored: PhantomData<T>,
}

/// What one step writes down on the way, kept to be used again.
struct Scratch<M: Interaction> {
    /// Of each row those of each class.
    sums: Vec<M::Sums>,
    slopes: Vec<f32>,
    losses: Vec<f64>,
    /// A gradient for each thread that steps.
    gradients: Vec<M::Vector>,
    /// Factors and state of a feature for each of them.
    spares: Vec<Vec<f32>>,
    /// The gradient of what belongs to no feature.
    shared: Vec<f32>,
    /// That of the bias of each class.
    biases: Vec<f32>,
}

/// The batch to learn from, and the one after it.
#[derive(Default)]
struct Batches<X> {
    now: Prepared<X>,
    next: Prepared<X>,
}

/// What a thread does in half a step: it learns from one batch, or prepares the next.
enum Task<'a, F, X> {
    Step(F),
    Prepare(Preparing<'a, X>),
}

impl<F: Work, X: Value> Task<'_, F, X> {
    fn run(self) {
        match self {
            Task::Step(half) => {
                simd::run(half);
            }
            Task::Prepare(preparing) => preparing.run(),
        }
    }
}

/// How many of so many threads step; the others prepare, which is about as much work as two fifths.
fn steppers(threads: usize) -> usize {
    threads - if threads == 1 { 0 } else { (2 * threads / 5).max(1) }
}

impl<M: Interaction, T: Stored> Cpu<M, T> {
    /// Starts from `weights`, with fresh optimizer state.
    ///
    /// # Errors
    /// [`Error::Usage`] if the weights are not kept as `T`;
    /// [`crate::Error::Memory`] if the state does not fit.
    pub fn new(
        interaction: M,
        weights: &Weights,
        settings: StepSettings,
        threads: Threads,
    ) -> Result<Self> {
        if weights.factors.precision() != T::PRECISION {
            let rule = format!("{} for these weights", weights.factors.precision().name());
            return Err(Error::setting("precision", &rule));
        }
        let all = settings.counts.iter().map(|&count| u64::from(count)).sum();
        let state = State::new(&interaction, weights, &settings)?;
        let classes = state.classes;
        let gradients = vec![M::Vector::zeros(interaction.width()); steppers(threads.count())];
        let spares = vec![vec![0.0; state.factors.stride()]; gradients.len()];
        let (sums, slopes, losses) = (Vec::new(), Vec::new(), Vec::new());
        let (shared, biases) = (vec![0.0; weights.shared.len()], vec![0.0; classes]);
        let scratch = Scratch { sums, slopes, losses, gradients, spares, shared, biases };
        let (bounds, announced) = (Vec::new(), Vec::new());
        let (ones, valued) = (Batches::default(), Batches::default());
        let stored = PhantomData;
        Ok(Cpu {
            interaction,
            settings,
            state,
            all,
            threads,
            bounds,
            scratch,
            ones,
            valued,
            announced,
            stored,
        })
    }

    /// What steps are taken by.
    #[cfg(test)]
    pub(super) fn settings(&mut self) -> &mut StepSettings {
        &mut self.settings
    }

    /// A step with these batches; the next one is `announced`, if it is to be prepared.
    fn step_in<X: Value>(
        &mut self,
        batches: &mut Batches<X>,
        rows: &Rows,
        batch: &[u32],
        announced: &[u32],
        lists: Lists<'_>,
        rate: f32,
    ) -> Result<Learned, NoStep> {
        if self.bounds.is_empty() {
            let share = batch.len() as f64 / rows.len() as f64;
            self.bounds = bounds(&self.settings, share, steppers(self.threads.count()));
        }
        let Batches { now, next } = batches;
        if now.layout.batch() != batch {
            self.prepare(now, rows, batch);
        }
        next.layout.clear();
        // One batch that is all rows: nothing of what comes depends on the order in which it is summed.
        let is_exact = batch.len() == rows.len() && !self.settings.loss.is_ranking();
        let exact = is_exact.then(|| now.layout.outcomes());
        self.forward(&now.layout, is_exact, rows, &mut next.layout, announced);
        let outcomes = now.layout.outcomes();
        let weight = match self.settings.loss {
            loss if loss.is_ranking() => {
                let Scratch { slopes, losses, .. } = &mut self.scratch;
                ranked::slopes(loss, outcomes, lists, (slopes, losses))
            }
            _ => outcomes.iter().map(|row| f64::from(row.1)).sum(),
        };
        if let Some(at) = self.scratch.losses.iter().position(|loss| !loss.is_finite()) {
            return Err(NoStep::NotFinite(batch[at] as usize));
        }
        self.state.time += 1;
        self.state.learned += now.layout.ids().len() as u64;
        let StepSettings { momentum, .. } = self.settings;
        let moment = Moment { rate, time: self.state.time, momentum, penalty: Penalty::default() };
        self.update(now, exact, next, moment);
        self.update_shared(exact, moment);
        if self.settings.bias {
            let (slopes, biases) = (&self.scratch.slopes, &mut self.scratch.biases);
            for (class, sum) in biases.iter_mut().enumerate() {
                let slopes = slopes[class.min(slopes.len())..].iter().step_by(self.state.classes);
                let slopes = slopes.map(|&slope| f64::from(slope));
                *sum = match exact {
                    Some(rows) => {
                        slopes.zip(rows).map(|(s, row)| s * f64::from(row.1)).sum::<f64>()
                    }
                    None => slopes.sum(),
                } as f32;
            }
            let (bias, state) = self.state.bias.split_at_mut(self.state.classes);
            self.settings.optimizer.step(moment, bias, state, biases);
        }
        mem::swap(now, next);
        Ok(Learned { loss: self.scratch.losses.iter().sum(), weight })
    }

    /// A step, of lists or of rows one by one.
    fn learn(
        &mut self,
        rows: &Rows,
        batch: &[u32],
        lists: Lists<'_>,
        rate: f32,
    ) -> Result<Learned, NoStep> {
        let mut announced = mem::take(&mut self.announced);
        let has_values = |batch: &[u32]| batch.iter().any(|&i| rows.has_values(i as usize));
        let valued = has_values(batch);
        if self.threads.count() == 1 || has_values(&announced) != valued {
            announced.clear();
        }
        if valued {
            let mut batches = mem::take(&mut self.valued);
            let done = self.step_in(&mut batches, rows, batch, &announced, lists, rate);
            self.valued = batches;
            return done;
        }
        let mut batches = mem::take(&mut self.ones);
        let done = self.step_in(&mut batches, rows, batch, &announced, lists, rate);
        self.ones = batches;
        done
    }

    /// Prepares a batch that nobody has announced.
    fn prepare<X: Value>(&self, prepared: &mut Prepared<X>, rows: &Rows, batch: &[u32]) {
        prepared.layout.fill(rows, batch);
        self.threads.each(prepared.sorting(&self.bounds).collect(), Preparing::run);
    }

    fn forward<X: Value>(
        &mut self,
        layout: &Layout<X>,
        is_exact: bool,
        rows: &Rows,
        next: &mut Layout<X>,
        announced: &[u32],
    ) {
        let (batch, steppers) = (layout.batch().len(), self.bounds.len());
        let (interaction, Scratch { sums, slopes, losses, .. }) =
            (&self.interaction, &mut self.scratch);
        let classes = self.state.classes;
        sums.resize_with(batch * classes, || interaction.zero());
        slopes.resize(batch * classes, 0.0);
        losses.resize(batch, 0.0);
        let share = batch.div_ceil(steppers).max(1);
        let outputs = sums.chunks_mut(share * classes).zip(slopes.chunks_mut(share * classes));
        let outputs = outputs.zip(losses.chunks_mut(share)).enumerate();
        let part = |(number, ((sums, slopes), losses))| {
            Task::Step(Forward {
                interaction: &self.interaction,
                settings: &self.settings,
                parameters: Parameters::<T>::of(&self.state),
                layout,
                weighted: !is_exact,
                first: number * share,
                sums,
                slopes,
                losses,
            })
        };
        let mut tasks: Vec<_> = outputs.map(part).collect();
        if !announced.is_empty() {
            tasks.push(Task::Prepare(Preparing::LayOut(next, rows, announced)));
        }
        self.threads.each(tasks, Task::run);
    }

    fn update<X: Value>(
        &mut self,
        now: &Prepared<X>,
        exact: Option<&[(f32, f32)]>,
        next: &mut Prepared<X>,
        moment: Moment,
    ) {
        let passes = self.passes();
        let State { linear, factors, shared, fields, strengths, classes, .. } = &mut self.state;
        let (shared, classes) = (&shared[..self.scratch.shared.len()], *classes);
        let strides = [linear.stride(), factors.stride()];
        let (mut weights, mut vectors) = (linear.floats_mut(), factors.numbers_mut::<T>());
        let Scratch { sums, slopes, gradients, spares, .. } = &mut self.scratch;
        let (mut tasks, mut from) = (Vec::with_capacity(2 * self.bounds.len()), 0);
        let pieces = self.bounds.iter().zip(&now.sorted).zip(gradients.iter_mut().zip(spares));
        for ((&to, sorted), (gradient, spare)) in pieces {
            let count = (to - from) as usize;
            let (linear, others) = weights.split_at_mut(count * classes * strides[0]);
            let (factors, more) = vectors.split_at_mut(count * classes * strides[1]);
            (weights, vectors) = (others, more);
            tasks.push(Task::Step(Features {
                interaction: &self.interaction,
                settings: &self.settings,
                classes,
                class: 0,
                now: moment,
                passes,
                share: now.layout.ids().len() as f32 / self.all.max(1) as f32,
                shared,
                each_shared: shared.len() / classes,
                fields,
                strengths,
                sums,
                slopes,
                exact,
                features: from..to,
                linear: Piece::new(linear, strides[0], classes),
                factors: Piece::new(factors, strides[1], classes),
                sorted,
                gradient,
                spare,
            }));
            from = to;
        }
        if !next.layout.batch().is_empty() {
            tasks.extend(next.sorting(&self.bounds).map(Task::Prepare));
        }
        self.threads.each(tasks, Task::run);
    }

    /// Passes over the training rows up to now.
    fn passes(&self) -> f32 {
        (self.state.learned as f64 / self.all.max(1) as f64) as f32
    }

    fn update_shared(&mut self, exact: Option<&[(f32, f32)]>, now: Moment) {
        let Scratch { sums, slopes, shared: gradient, .. } = &mut self.scratch;
        if gradient.is_empty() {
            return;
        }
        let (numbers, state) = self.state.shared.split_at_mut(gradient.len());
        let (interaction, settings) = (&self.interaction, &self.settings);
        let classes = self.state.classes;
        simd::run(Shared {
            interaction,
            settings,
            classes,
            now,
            sums,
            slopes,
            exact,
            numbers,
            state,
            gradient,
        });
    }
}

/// The step of what belongs to no feature.
struct Shared<'a, M: Interaction> {
    interaction: &'a M,
    settings: &'a StepSettings,
    classes: usize,
    now: Moment,
    sums: &'a [M::Sums],
    slopes: &'a [f32],
    exact: Option<&'a [(f32, f32)]>,
    numbers: &'a mut [f32],
    state: &'a mut [f32],
    gradient: &'a mut [f32],
}

impl<M: Interaction> Work for Shared<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Shared { interaction, settings, exact, numbers, gradient, .. } = self;
        gradient.fill(0.0);
        let each = numbers.len() / self.classes;
        let mut total = exact.map(|_| vec![0.0; gradient.len()]);
        let rows = self.sums.chunks_exact(self.classes).zip(self.slopes.chunks_exact(self.classes));
        for (row, (sums, slopes)) in rows.enumerate() {
            let of_classes = numbers.chunks_exact(each).zip(gradient.chunks_exact_mut(each));
            for ((numbers, gradient), (sums, &slope)) in of_classes.zip(sums.iter().zip(slopes)) {
                interaction.backward_shared(numbers, sums, slope, gradient);
            }
            if let (Some(total), Some(rows)) = (&mut total, exact) {
                exact::add(total, f64::from(rows[row].1), gradient);
                gradient.fill(0.0);
            }
        }
        if let Some(total) = total {
            exact::round(&total, gradient);
        }
        settings.optimizer.step(self.now, numbers, self.state, gradient);
    }
}

/// Ends of the threads' features, so that each has about as much work. `share` of the rows are in a
/// batch.
fn bounds(settings: &StepSettings, share: f64, threads: usize) -> Vec<u32> {
    /// What the step of a feature costs beside the sorting and adding up of one entry: measured.
    const STEP: f64 = 3.0;
    let StepSettings { counts, optimizer, .. } = settings;
    let cost = |&count: &u32| {
        let entries = f64::from(count) * share;
        // At least one entry is in a batch so often, if they are spread by chance.
        let steps = if optimizer.is_dense() { 1.0 } else { 1.0 - (-entries).exp() };
        entries + STEP * steps
    };
    let all: f64 = counts.iter().map(cost).sum();
    let (mut bounds, mut before) = (Vec::with_capacity(threads), 0.0);
    for (feature, count) in (0..).zip(counts) {
        while bounds.len() + 1 < threads
            && before >= all * (bounds.len() + 1) as f64 / threads as f64
        {
            bounds.push(feature);
        }
        before += cost(count);
    }
    bounds.resize(threads, counts.len() as u32);
    bounds
}

impl<M: Interaction, T: Stored> Backend for Cpu<M, T> {
    /// A place among the entries is half of a word.
    fn most_entries(&self) -> usize {
        u32::MAX as usize
    }

    fn count(&mut self, more: &[u32]) -> bool {
        self.all += more.iter().map(|&more| u64::from(more)).sum::<u64>();
        self.bounds.clear();
        self.settings.count(more)
    }

    fn announce(&mut self, batch: &[u32]) {
        self.announced.clear();
        self.announced.extend_from_slice(batch);
    }

    fn step(&mut self, rows: &Rows, batch: &[u32], rate: f32) -> Result<Learned, NoStep> {
        self.learn(rows, batch, Lists::NONE, rate)
    }

    fn step_lists(
        &mut self,
        rows: &Rows,
        batch: &[u32],
        lists: Lists<'_>,
        rate: f32,
    ) -> Result<Learned, NoStep> {
        self.learn(rows, batch, lists, rate)
    }

    fn learn_strengths(&mut self, dispersion: f64) -> Result<()> {
        if self.settings.learn_l2 {
            let passes = self.passes();
            let Cpu { interaction, settings, state, threads, .. } = self;
            strengths::learn::<M, T>(interaction, settings, state, threads, passes, dispersion);
        }
        Ok(())
    }

    fn scores(&mut self, rows: &Rows) -> Result<Vec<f32>> {
        let parameters = Parameters::<T>::of(&self.state);
        Ok(score_rows(&self.interaction, parameters, rows, &self.threads))
    }

    fn state(&self) -> &State {
        &self.state
    }

    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
}
