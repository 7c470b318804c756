//! The CPU backend: the reference for every other path.
//!
//! # One training step
//! 1. Forward: for each row of the batch its running sums, score, loss and slope (the derivative
//!    of the weighted loss by the score).
//! 2. Entries of the batch are sorted by (feature, place in the batch).
//! 3. Update: for each distinct feature, the gradients of its entries are summed in the order of
//!    the batch, its share of the L2 penalty is added, and the optimizer moves its weights once.
//!
//! The penalty `l2/2 ||vector||^2` belongs to the training set as a whole, and a feature pays it in
//! equal parts, one for each of its entries: a batch with `t` of a feature's `n` entries adds
//! `l2 t/n vector` to its gradient, whatever the size of the batch.
//!
//! Threads split the rows in 1 and the features in 2 and 3, so nothing is shared while it is written,
//! and every sum is taken in an order that does not depend on their number: the bits are the same
//! for any number of threads.

mod entries;
mod forward;
mod update;

use super::{Backend, State, StepSettings};
use crate::Result;
use crate::batch::Rows;
use crate::interaction::{Interaction, Lanes};
use crate::model::Weights;
use crate::optimizer::{Moment, Update};
use crate::parallel::Threads;
use crate::simd;
use crate::table::{Table, View};
use entries::{Entry, One, Value};
use forward::{Forward, Scores};
use std::mem;
use update::{Features, Piece, Sorted};

/// Bytes that an entry of a batch takes: where it is found, and twice to be sorted.
pub(crate) const ENTRY_BYTES: u128 = 3 * size_of::<Entry<f32>>() as u128;

/// A model in training on the CPU.
pub struct Cpu<M: Interaction> {
    interaction: M,
    settings: StepSettings,
    state: State,
    threads: Threads,
    /// Where each thread's features end; empty before the first step.
    bounds: Vec<u32>,
    scratch: Scratch<M>,
    ones: Lists<One>,
    valued: Lists<f32>,
}

/// What one step writes down on the way, kept to be used again.
struct Scratch<M: Interaction> {
    sums: Vec<M::Sums>,
    slopes: Vec<f32>,
    losses: Vec<f64>,
    /// A thread's gradient of one feature.
    gradients: Vec<M::Vector>,
}

/// The entries of a batch.
#[derive(Default)]
struct Lists<X> {
    /// What each thread of the first half has for each of the second.
    found: Vec<Vec<Entry<X>>>,
    /// What each thread of the second half has in all.
    sorted: Vec<Sorted<X>>,
}

impl<M: Interaction> Cpu<M> {
    /// Starts from `weights`, with fresh optimizer state.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the state does not fit.
    pub fn new(
        interaction: M,
        weights: &Weights,
        settings: StepSettings,
        threads: Threads,
    ) -> Result<Self> {
        let states = settings.optimizer.states();
        let mut bias = vec![0.0; 1 + states];
        bias[0] = weights.bias;
        let state = State {
            linear: weights.linear.with_states(states)?,
            factors: weights.factors.with_states(states)?,
            bias,
            time: 0,
        };
        let gradients = vec![M::Vector::zeros(interaction.width()); threads.count()];
        let (sums, slopes, losses) = (Vec::new(), Vec::new(), Vec::new());
        let scratch = Scratch { sums, slopes, losses, gradients };
        let (bounds, ones, valued) = (Vec::new(), Lists::default(), Lists::default());
        Ok(Cpu { interaction, settings, state, threads, bounds, scratch, ones, valued })
    }

    /// A step with these lists of entries.
    fn step_in<X: Value>(
        &mut self,
        lists: &mut Lists<X>,
        rows: &Rows,
        batch: &[u32],
        rate: f32,
    ) -> Result<f64, usize> {
        if self.bounds.is_empty() {
            let share = batch.len() as f64 / rows.len() as f64;
            self.bounds = bounds(&self.settings, share, self.threads.count());
        }
        let threads = self.threads.count();
        lists.found.resize_with(threads * threads, Vec::new);
        lists.sorted.resize_with(threads, Sorted::default);
        self.forward(&mut lists.found, rows, batch);
        if let Some(at) = self.scratch.losses.iter().position(|loss| !loss.is_finite()) {
            return Err(at);
        }
        self.state.time += 1;
        let now = Moment { rate, time: self.state.time };
        self.update(lists, now);
        if self.settings.bias {
            let slope: f64 = self.scratch.slopes.iter().map(|&s| f64::from(s)).sum();
            let (bias, state) = self.state.bias.split_at_mut(1);
            self.settings.optimizer.step(now, bias, state, &[slope as f32]);
        }
        Ok(self.scratch.losses.iter().sum())
    }

    fn forward<X: Value>(&mut self, found: &mut [Vec<Entry<X>>], rows: &Rows, batch: &[u32]) {
        let Scratch { sums, slopes, losses, .. } = &mut self.scratch;
        sums.resize(batch.len(), self.interaction.zero());
        slopes.resize(batch.len(), 0.0);
        losses.resize(batch.len(), 0.0);
        found.iter_mut().for_each(Vec::clear);
        let share = self.threads.share(batch.len());
        let outputs = sums.chunks_mut(share).zip(slopes.chunks_mut(share));
        let outputs = outputs.zip(losses.chunks_mut(share));
        let parts = batch.chunks(share).zip(found.chunks_mut(self.threads.count())).zip(outputs);
        let part = |(number, ((batch, entries), ((sums, slopes), losses)))| Forward {
            interaction: &self.interaction,
            settings: &self.settings,
            state: &self.state,
            rows,
            batch,
            first: number * share,
            sums,
            slopes,
            losses,
            entries,
            bounds: &self.bounds,
        };
        self.threads.each(parts.enumerate().map(part).collect(), simd::run);
    }

    fn update<X: Value>(&mut self, lists: &mut Lists<X>, now: Moment) {
        let State { linear, factors, .. } = &mut self.state;
        let strides = [linear.stride(), factors.stride()];
        let (mut weights, mut vectors) = (linear.floats_mut(), factors.floats_mut());
        let Scratch { sums, slopes, gradients, .. } = &mut self.scratch;
        let (mut parts, mut from) = (Vec::with_capacity(self.bounds.len()), 0);
        let scratch = lists.sorted.iter_mut().zip(gradients);
        for ((thread, &to), (sorted, gradient)) in self.bounds.iter().enumerate().zip(scratch) {
            let count = (to - from) as usize;
            let (linear, others) = weights.split_at_mut(count * strides[0]);
            let (factors, more) = vectors.split_at_mut(count * strides[1]);
            (weights, vectors) = (others, more);
            parts.push(Features {
                interaction: &self.interaction,
                settings: &self.settings,
                now,
                sums,
                slopes,
                features: from..to,
                linear: Piece { floats: linear, stride: strides[0] },
                factors: Piece { floats: factors, stride: strides[1] },
                found: &lists.found[thread..],
                every: self.bounds.len(),
                sorted,
                gradient,
            });
            from = to;
        }
        self.threads.each(parts, simd::run);
    }
}

/// Ends of the threads' features: the work on those before each is as much as can be. `share` of the
/// rows are in a batch.
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

impl<M: Interaction> Backend for Cpu<M> {
    /// A place among the entries is half of a word.
    fn most_entries(&self) -> usize {
        u32::MAX as usize
    }

    fn step(&mut self, rows: &Rows, batch: &[u32], rate: f32) -> Result<f64, usize> {
        if !batch.iter().any(|&i| rows.has_values(i as usize)) {
            let mut lists = mem::take(&mut self.ones);
            let done = self.step_in(&mut lists, rows, batch, rate);
            self.ones = lists;
            return done;
        }
        let mut lists = mem::take(&mut self.valued);
        let done = self.step_in(&mut lists, rows, batch, rate);
        self.valued = lists;
        done
    }

    fn scores(&self, rows: &Rows) -> Vec<f32> {
        score_rows(&self.interaction, Parameters::of(&self.state), rows, &self.threads)
    }

    fn state(&self) -> &State {
        &self.state
    }

    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

/// What scores are made with.
#[derive(Clone, Copy)]
pub(crate) struct Parameters<'a> {
    linear: View<'a>,
    factors: View<'a>,
    bias: f32,
}

impl<'a> Parameters<'a> {
    pub(crate) fn new(linear: &'a Table, factors: &'a Table, bias: f32) -> Self {
        Parameters { linear: linear.view(), factors: factors.view(), bias }
    }

    fn of(state: &'a State) -> Self {
        Parameters::new(&state.linear, &state.factors, state.bias[0])
    }

    /// Asks for the memory of what a score needs of a feature.
    #[inline(always)]
    fn prefetch(self, feature: u32, width: usize) {
        self.linear.prefetch(feature, 1);
        self.factors.prefetch(feature, width);
    }
}

/// Scores of rows.
pub(crate) fn score_rows<M: Interaction>(
    interaction: &M,
    parameters: Parameters<'_>,
    rows: &Rows,
    threads: &Threads,
) -> Vec<f32> {
    let mut scores = vec![0.0; rows.len()];
    let share = threads.share(rows.len());
    let part =
        |(part, scores)| Scores { interaction, parameters, rows, first: part * share, scores };
    threads.each(scores.chunks_mut(share).enumerate().map(part).collect(), simd::run);
    scores
}
