//! The CPU backend: the reference for every other path.
//!
//! # One training step
//! 1. Forward: for each row of the batch its running sums, score, loss and slope (the derivative
//!    of the weighted loss by the score).
//! 2. Entries of the batch are sorted by (feature, place in the batch).
//! 3. Update: for each distinct feature, the gradients of its entries are summed in the order of
//!    the batch, its share of the L2 penalty is added, and the optimizer moves its vector once.
//!
//! The penalty `l2/2 ||vector||^2` belongs to the training set as a whole, and a feature pays it in
//! equal parts, one for each of its entries: a batch with `t` of a feature's `n` entries adds
//! `l2 t/n vector` to its gradient, whatever the size of the batch.
//!
//! Threads split the rows in 1 and the features in 3, so nothing is shared while it is written,
//! and every sum is taken in an order that does not depend on their number: the bits are the same
//! for any number of threads.

use super::{Backend, State, StepSettings};
use crate::Result;
use crate::batch::Rows;
use crate::interaction::Interaction;
use crate::model::Weights;
use crate::optimizer::{Moment, Update};
use crate::parallel::Threads;
use crate::table::Table;
use std::ops::Range;

/// A model in training on the CPU.
pub struct Cpu<M> {
    interaction: M,
    settings: StepSettings,
    /// L2 strength of each lane.
    l2: Vec<f32>,
    state: State,
    threads: Threads,
    scratch: Scratch,
}

/// What one step writes down on the way, kept to be used again.
#[derive(Default)]
struct Scratch {
    sums: Vec<f32>,
    slopes: Vec<f32>,
    losses: Vec<f64>,
    entries: Vec<Entry>,
    /// `feature << 32 | entry`, sorted.
    order: Vec<u64>,
}

/// One feature of one row of the batch.
#[derive(Clone, Copy)]
struct Entry {
    row: u32,
    x: f32,
}

/// A thread's rows of a batch, and where their sums, slopes and losses go.
struct RowPart<'a> {
    batch: &'a [u32],
    sums: &'a mut [f32],
    slopes: &'a mut [f32],
    losses: &'a mut [f64],
}

/// A thread's features of the table, and the entries of the batch that concern them.
struct TablePart<'a> {
    floats: &'a mut [f32],
    features: Range<u32>,
    order: &'a [u64],
}

impl<M: Interaction> Cpu<M> {
    /// Bytes of memory that a batch takes for each of its entries.
    pub(crate) const ENTRY_BYTES: u128 = (size_of::<Entry>() + size_of::<u64>()) as u128;

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
        let table = weights.table.with_states(settings.optimizer.states())?;
        let mut l2 = vec![settings.l2_factors; interaction.width()];
        l2[0] = settings.l2_linear;
        let mut bias = vec![0.0; 1 + settings.optimizer.states()];
        bias[0] = weights.bias;
        let state = State { table, bias, time: 0 };
        Ok(Cpu { interaction, settings, l2, state, threads, scratch: Scratch::default() })
    }

    fn forward(&mut self, rows: &Rows, batch: &[u32]) {
        let width = self.interaction.sums();
        let Scratch { sums, slopes, losses, .. } = &mut self.scratch;
        sums.resize(batch.len() * width, 0.0);
        slopes.resize(batch.len(), 0.0);
        losses.resize(batch.len(), 0.0);
        let share = self.threads.share(batch.len());
        let parts = batch.chunks(share).zip(sums.chunks_mut(share * width));
        let parts = parts.zip(slopes.chunks_mut(share)).zip(losses.chunks_mut(share));
        let parts =
            parts.map(|(((batch, sums), slopes), losses)| RowPart { batch, sums, slopes, losses });
        let (interaction, state, settings) = (&self.interaction, &self.state, &self.settings);
        self.threads.each(parts.collect(), |part| {
            let outputs = part.slopes.iter_mut().zip(part.losses);
            let sums = part.sums.chunks_exact_mut(width);
            for ((&i, sums), (slope, cost)) in part.batch.iter().zip(sums).zip(outputs) {
                let i = i as usize;
                let score = state.bias[0] + score_row(interaction, &state.table, rows, i, sums);
                let (label, weight) = rows.label(i);
                let (label, weight) = (settings.target.standardize(label), f64::from(weight));
                *cost = weight * settings.loss.value(f64::from(score), label);
                *slope = (weight * settings.loss.gradient(f64::from(score), label)) as f32;
            }
        });
    }

    fn sort_entries(&mut self, rows: &Rows, batch: &[u32]) {
        let Scratch { entries, order, .. } = &mut self.scratch;
        entries.clear();
        order.clear();
        for (row, &i) in batch.iter().enumerate() {
            for (id, x) in rows.row(i as usize).features() {
                order.push((u64::from(id) << 32) | entries.len() as u64);
                entries.push(Entry { row: row as u32, x });
            }
        }
        self.threads.sort(order);
    }

    fn update(&mut self, now: Moment) {
        let stride = self.state.table.stride();
        let bounds = self.bounds();
        let mut floats = self.state.table.floats_mut();
        let mut order = &self.scratch.order[..];
        let mut parts = Vec::with_capacity(bounds.len());
        let mut from = 0;
        for to in bounds {
            let (mine, others) = floats.split_at_mut((to - from) as usize * stride);
            let (now, later) = order.split_at(order.partition_point(|&key| feature(key) < to));
            parts.push(TablePart { floats: mine, features: from..to, order: now });
            (floats, order, from) = (others, later, to);
        }
        let update = Updating {
            interaction: &self.interaction,
            settings: &self.settings,
            l2: &self.l2,
            scratch: &self.scratch,
            stride,
            now,
        };
        self.threads.each(parts, |part| update.part(part));
    }

    /// Ends of the parts of the table, one for each thread: as many entries in each as can be
    /// without a feature in two parts, or as many features if the optimizer steps all of them.
    fn bounds(&self) -> Vec<u32> {
        let (order, threads) = (&self.scratch.order, self.threads.count());
        let features = self.state.table.features() as u32;
        let cut = |part: usize| {
            if self.settings.optimizer.is_dense() {
                (u64::from(features) * part as u64 / threads as u64) as u32
            } else {
                order.get(order.len() * part / threads).map_or(features, |&key| feature(key))
            }
        };
        (1..threads).map(cut).chain([features]).collect()
    }
}

impl<M: Interaction> Backend for Cpu<M> {
    /// An entry is named by half of a sorted key.
    fn most_entries(&self) -> usize {
        u32::MAX as usize
    }

    fn step(&mut self, rows: &Rows, batch: &[u32], rate: f32) -> Result<f64, usize> {
        self.forward(rows, batch);
        if let Some(at) = self.scratch.losses.iter().position(|loss| !loss.is_finite()) {
            return Err(at);
        }
        self.sort_entries(rows, batch);
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
        let State { table, bias, .. } = &self.state;
        score_rows(&self.interaction, table, bias[0], rows, &self.threads)
    }

    fn state(&self) -> &State {
        &self.state
    }

    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

/// What the update of a feature reads.
struct Updating<'a, M> {
    interaction: &'a M,
    settings: &'a StepSettings,
    l2: &'a [f32],
    scratch: &'a Scratch,
    stride: usize,
    now: Moment,
}

impl<M: Interaction> Updating<'_, M> {
    fn part(&self, part: TablePart<'_>) {
        let mut gradient = vec![0.0; self.l2.len()];
        let base = part.features.start;
        let mut next = base;
        for entries in part.order.chunk_by(|&a, &b| feature(a) == feature(b)) {
            let id = feature(entries[0]);
            self.untouched(part.floats, next - base..id - base, &mut gradient);
            let row = &mut part.floats[(id - base) as usize * self.stride..][..self.stride];
            self.feature(row, entries, &mut gradient);
            next = id + 1;
        }
        self.untouched(part.floats, next - base..part.features.end - base, &mut gradient);
    }

    /// Sums the gradients of one feature's entries and moves its vector.
    fn feature(&self, row: &mut [f32], entries: &[u64], gradient: &mut [f32]) {
        let (vector, state) = row.split_at_mut(self.l2.len());
        let total = self.settings.counts[feature(entries[0]) as usize];
        let share = entries.len() as f32 / total.max(1) as f32;
        // Never more than what takes the vector to zero at this rate: rare features with a strong
        // penalty would overshoot.
        let most = 1.0 / self.now.rate;
        for ((g, p), l2) in gradient.iter_mut().zip(&*vector).zip(self.l2) {
            *g = (share * l2).min(most) * p;
        }
        let width = self.interaction.sums();
        for &key in entries {
            let Entry { row, x } = self.scratch.entries[(key & u64::from(u32::MAX)) as usize];
            let sums = &self.scratch.sums[row as usize * width..][..width];
            let slope = self.scratch.slopes[row as usize];
            self.interaction.backward(vector, x, sums, slope, gradient);
        }
        self.settings.optimizer.step(self.now, vector, state, gradient);
    }

    /// A dense optimizer also steps the features that the batch does not touch.
    fn untouched(&self, floats: &mut [f32], features: Range<u32>, gradient: &mut [f32]) {
        if !self.settings.optimizer.is_dense() {
            return;
        }
        gradient.fill(0.0);
        let range = features.start as usize * self.stride..features.end as usize * self.stride;
        for row in floats[range].chunks_exact_mut(self.stride) {
            let (vector, state) = row.split_at_mut(self.l2.len());
            self.settings.optimizer.step(self.now, vector, state, gradient);
        }
    }
}

/// The feature of a sorted key.
fn feature(key: u64) -> u32 {
    (key >> 32) as u32
}

/// Scores of rows: the score of each plus `bias`.
pub(crate) fn score_rows<M: Interaction>(
    interaction: &M,
    table: &Table,
    bias: f32,
    rows: &Rows,
    threads: &Threads,
) -> Vec<f32> {
    let mut scores = vec![0.0; rows.len()];
    let share = threads.share(rows.len());
    let parts = scores.chunks_mut(share).enumerate().collect();
    threads.each(parts, |(part, scores): (usize, &mut [f32])| {
        let mut sums = vec![0.0; interaction.sums()];
        for (i, score) in (part * share..).zip(scores) {
            *score = bias + score_row(interaction, table, rows, i, &mut sums);
        }
    });
    scores
}

/// The score of row `i` without the bias; `sums` is overwritten.
fn score_row<M: Interaction>(
    interaction: &M,
    table: &Table,
    rows: &Rows,
    i: usize,
    sums: &mut [f32],
) -> f32 {
    sums.fill(0.0);
    for (id, x) in rows.row(i).features() {
        interaction.absorb(table.vector(id), x, sums);
    }
    interaction.score(sums)
}
