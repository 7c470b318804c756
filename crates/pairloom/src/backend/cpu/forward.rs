//! The first half of a step: rows to scores, losses and slopes.

use super::Parameters;
use super::entries::Entry;
use crate::backend::{State, StepSettings};
use crate::batch::{Row, Rows};
use crate::interaction::Interaction;
use crate::simd::Work;

/// How many rows ahead their places are asked for, then their ids, then the vectors of these.
const PLACES_AHEAD: usize = 16;
const ROWS_AHEAD: usize = 8;
const VECTORS_AHEAD: usize = 2;

/// A thread's rows of a batch, and what comes of them.
pub(super) struct Forward<'a, M: Interaction> {
    pub(super) interaction: &'a M,
    pub(super) settings: &'a StepSettings,
    pub(super) state: &'a State,
    pub(super) rows: &'a Rows,
    pub(super) batch: &'a [u32],
    /// Place of the first row in the whole batch.
    pub(super) first: usize,
    pub(super) sums: &'a mut [M::Sums],
    pub(super) slopes: &'a mut [f32],
    pub(super) losses: &'a mut [f64],
    /// Where the entries go: one list for each thread of the second half, which has the features up
    /// to the bound beside it.
    pub(super) entries: &'a mut [Vec<Entry>],
    pub(super) bounds: &'a [u32],
}

impl<M: Interaction> Work for Forward<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let parameters = Parameters::of(self.state);
        let width = self.interaction.width();
        for (at, &i) in self.batch.iter().enumerate() {
            ask_ahead(self.rows, self.batch, at, parameters, width);
            let row = self.rows.row(i as usize);
            let score = score_row(self.interaction, parameters, row, &mut self.sums[at]);
            let (label, weight) = self.rows.label(i as usize);
            let label = self.settings.target.standardize(label);
            let (score, weight) = (f64::from(score), f64::from(weight));
            self.losses[at] = weight * self.settings.loss.value(score, label);
            self.slopes[at] = (weight * self.settings.loss.gradient(score, label)) as f32;
            let place = (self.first + at) as u32;
            match row.values.is_empty() {
                true => self.list(place, row.ones()),
                false => self.list(place, row.valued()),
            }
        }
    }
}

impl<M: Interaction> Forward<'_, M> {
    /// Hands the features of a row over to their threads.
    #[inline(always)]
    fn list(&mut self, row: u32, features: impl Iterator<Item = (u32, f32)>) {
        for (feature, x) in features {
            let owner = self.bounds.partition_point(|&bound| bound <= feature);
            self.entries[owner].push(Entry { feature, row, x });
        }
    }
}

/// Asks for the memory of coming rows of a batch.
#[inline(always)]
fn ask_ahead(rows: &Rows, batch: &[u32], at: usize, parameters: Parameters<'_>, width: usize) {
    if let Some(&i) = batch.get(at + PLACES_AHEAD) {
        rows.prefetch_place(i as usize);
    }
    if let Some(&i) = batch.get(at + ROWS_AHEAD) {
        rows.prefetch(i as usize);
    }
    if let Some(&i) = batch.get(at + VECTORS_AHEAD) {
        parameters.prefetch(rows.row(i as usize), width);
    }
}

/// The score of a row, and its sums.
#[inline(always)]
fn score_row<M: Interaction>(
    interaction: &M,
    parameters: Parameters<'_>,
    row: Row<'_>,
    sums: &mut M::Sums,
) -> f32 {
    // Local, and so in registers, where the width is known.
    let mut local = interaction.afresh(sums);
    let score = match row.values.is_empty() {
        true => score(interaction, parameters, row.ones(), &mut local),
        false => score(interaction, parameters, row.valued(), &mut local),
    };
    *sums = local;
    score
}

#[inline(always)]
fn score<M: Interaction>(
    interaction: &M,
    Parameters { linear, factors, bias }: Parameters<'_>,
    features: impl Iterator<Item = (u32, f32)>,
    sums: &mut M::Sums,
) -> f32 {
    let (mut weights, width) = (0.0, interaction.width());
    for (id, x) in features {
        weights += linear.vector(id, 1)[0] * x;
        interaction.absorb(factors.vector(id, width), x, sums);
    }
    bias + (weights + interaction.score(sums))
}

/// Scores of the rows from `first` on.
pub(super) struct Scores<'a, M> {
    pub(super) interaction: &'a M,
    pub(super) parameters: Parameters<'a>,
    pub(super) rows: &'a Rows,
    pub(super) first: usize,
    pub(super) scores: &'a mut [f32],
}

impl<M: Interaction> Work for Scores<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Scores { interaction, parameters, rows, first, .. } = self;
        let (mut sums, width) = (interaction.zero(), interaction.width());
        for (i, score) in (first..).zip(self.scores) {
            if i + VECTORS_AHEAD < rows.len() {
                parameters.prefetch(rows.row(i + VECTORS_AHEAD), width);
            }
            *score = score_row(interaction, parameters, rows.row(i), &mut sums);
        }
    }
}

/// The score of one row.
pub(super) struct Single<'a, M> {
    pub(super) interaction: &'a M,
    pub(super) parameters: Parameters<'a>,
    pub(super) row: Row<'a>,
}

impl<M: Interaction> Work for Single<'_, M> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        score_row(self.interaction, self.parameters, self.row, &mut self.interaction.zero())
    }
}
