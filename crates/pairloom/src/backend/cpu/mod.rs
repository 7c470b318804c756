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
use crate::batch::{Row, Rows};
use crate::interaction::Interaction;
use crate::model::Weights;
use crate::optimizer::{Moment, Update};
use crate::parallel::Threads;
use crate::simd;
use crate::table::{Table, View};
use entries::Entry;
use forward::{Forward, Scores, Single};
use update::{Features, Piece, Sorted};

/// Bytes that an entry of a batch takes: where it is found, and twice to be sorted.
pub(crate) const ENTRY_BYTES: u128 = 3 * size_of::<Entry>() as u128;

/// A model in training on the CPU.
pub struct Cpu<M: Interaction> {
    interaction: M,
    settings: StepSettings,
    state: State,
    threads: Threads,
    /// Where each thread's features end.
    bounds: Vec<u32>,
    scratch: Scratch<M>,
}

/// What one step writes down on the way, kept to be used again.
struct Scratch<M: Interaction> {
    sums: Vec<M::Sums>,
    slopes: Vec<f32>,
    losses: Vec<f64>,
    /// What each thread of the first half has for each of the second.
    found: Vec<Vec<Entry>>,
    /// What each thread of the second half has in all.
    sorted: Vec<Sorted<M::Vector>>,
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
        let bounds = bounds(&settings, threads.count());
        let scratch = Scratch {
            sums: Vec::new(),
            slopes: Vec::new(),
            losses: Vec::new(),
            found: vec![Vec::new(); threads.count() * threads.count()],
            sorted: vec![Sorted::new(interaction.width()); threads.count()],
        };
        Ok(Cpu { interaction, settings, state, threads, bounds, scratch })
    }

    fn forward(&mut self, rows: &Rows, batch: &[u32]) {
        let Scratch { sums, slopes, losses, found, .. } = &mut self.scratch;
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

    fn update(&mut self, now: Moment) {
        let State { linear, factors, .. } = &mut self.state;
        let strides = [linear.stride(), factors.stride()];
        let (mut weights, mut vectors) = (linear.floats_mut(), factors.floats_mut());
        let Scratch { sums, slopes, found, sorted, .. } = &mut self.scratch;
        let (mut parts, mut from) = (Vec::with_capacity(self.bounds.len()), 0);
        for ((thread, &to), sorted) in self.bounds.iter().enumerate().zip(sorted) {
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
                found: &found[thread..],
                every: self.bounds.len(),
                scratch: sorted,
            });
            from = to;
        }
        self.threads.each(parts, simd::run);
    }
}

/// Ends of the threads' features: as many entries of the training rows before each as can be, or as
/// many features if the optimizer steps all of them.
fn bounds(settings: &StepSettings, threads: usize) -> Vec<u32> {
    let counts = &settings.counts;
    let weight = |count: &u32| if settings.optimizer.is_dense() { 1 } else { u64::from(*count) };
    let all: u64 = counts.iter().map(weight).sum();
    let (mut bounds, mut before) = (Vec::with_capacity(threads), 0);
    for (feature, count) in (0..).zip(counts) {
        while bounds.len() + 1 < threads
            && before >= all * (bounds.len() as u64 + 1) / threads as u64
        {
            bounds.push(feature);
        }
        before += weight(count);
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
        self.forward(rows, batch);
        if let Some(at) = self.scratch.losses.iter().position(|loss| !loss.is_finite()) {
            return Err(at);
        }
        self.state.time += 1;
        let now = Moment { rate, time: self.state.time };
        self.update(now);
        if self.settings.bias {
            let slope: f64 = self.scratch.slopes.iter().map(|&s| f64::from(s)).sum();
            let (bias, state) = self.state.bias.split_at_mut(1);
            self.settings.optimizer.step(now, bias, state, &[slope as f32]);
        }
        Ok(self.scratch.losses.iter().sum())
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

    /// Asks for the memory of all that a row's score needs.
    #[inline(always)]
    fn prefetch(self, row: Row<'_>, width: usize) {
        for &id in row.ids {
            self.linear.prefetch(id, 1);
            self.factors.prefetch(id, width);
        }
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

/// The score of one row. Nothing is allocated where the compiler knows the width.
pub(crate) fn score_single<M: Interaction>(
    interaction: &M,
    parameters: Parameters<'_>,
    row: Row<'_>,
) -> f32 {
    simd::run(Single { interaction, parameters, row })
}
