//! The first half of a step: rows to scores, losses and slopes.

use super::Parameters;
use super::entries::{Entry, Value};
use crate::backend::{State, StepSettings};
use crate::batch::{Row, Rows};
use crate::interaction::Interaction;
use crate::simd::Work;

/// How many rows ahead their places are asked for, then their ids, then the vectors of these.
const PLACES_AHEAD: usize = 16;
const ROWS_AHEAD: usize = 8;
const VECTORS_AHEAD: usize = 1;

/// A thread's rows of a batch, and what comes of them.
pub(super) struct Forward<'a, M: Interaction, X> {
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
    pub(super) entries: &'a mut [Vec<Entry<X>>],
    pub(super) bounds: &'a [u32],
}

impl<M: Interaction, X: Value> Work for Forward<'_, M, X> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let parameters = Parameters::of(self.state);
        for (at, &i) in self.batch.iter().enumerate() {
            let coming = ask_ahead(self.rows, self.batch, at);
            let row = self.rows.row(i as usize);
            let sums = &mut self.sums[at];
            let score = score_row(self.interaction, parameters, row, coming, sums);
            let (label, weight) = self.rows.label(i as usize);
            let label = self.settings.target.standardize(label);
            let (loss, slope) = self.settings.loss.with_gradient(f64::from(score), label);
            self.losses[at] = f64::from(weight) * loss;
            self.slopes[at] = (f64::from(weight) * slope) as f32;
            let place = (self.first + at) as u32;
            match row.values.is_empty() {
                true => self.list(place, row.ones()),
                false => self.list(place, row.valued()),
            }
        }
    }
}

impl<M: Interaction, X: Value> Forward<'_, M, X> {
    /// Hands the features of a row over to their threads.
    #[inline(always)]
    fn list(&mut self, row: u32, features: impl Iterator<Item = (u32, f32)>) {
        let entries = features.map(|(feature, x)| Entry { feature, row, x: X::keep(x) });
        if let [entry_list] = &mut *self.entries {
            return entry_list.extend(entries);
        }
        for entry in entries {
            let owner = self.bounds.partition_point(|&bound| bound <= entry.feature);
            self.entries[owner].push(entry);
        }
    }
}

/// Asks for the memory of coming rows of a batch. Returns the features that are next.
#[inline(always)]
fn ask_ahead<'a>(rows: &'a Rows, batch: &[u32], at: usize) -> &'a [u32] {
    if let Some(&i) = batch.get(at + PLACES_AHEAD) {
        rows.prefetch_place(i as usize);
    }
    if let Some(&i) = batch.get(at + ROWS_AHEAD) {
        rows.prefetch(i as usize);
    }
    batch.get(at + VECTORS_AHEAD).map_or(&[], |&i| rows.row(i as usize).ids)
}

/// The score of a row, and its sums. Meanwhile the vectors of `coming` features are asked for, one
/// for each that is read: asked for at once they would wait for each other.
#[inline(always)]
fn score_row<M: Interaction>(
    interaction: &M,
    parameters: Parameters<'_>,
    row: Row<'_>,
    coming: &[u32],
    sums: &mut M::Sums,
) -> f32 {
    // Local, and so in registers, where the width is known.
    let mut local = interaction.afresh(sums);
    let score = match row.values.is_empty() {
        true => score(interaction, parameters, row.ones(), coming, &mut local),
        false => score(interaction, parameters, row.valued(), coming, &mut local),
    };
    *sums = local;
    score
}

#[inline(always)]
fn score<M: Interaction>(
    interaction: &M,
    parameters: Parameters<'_>,
    features: impl Iterator<Item = (u32, f32)>,
    coming: &[u32],
    sums: &mut M::Sums,
) -> f32 {
    let Parameters { linear, factors, bias } = parameters;
    let (mut weights, width) = (0.0, interaction.width());
    let mut coming = coming.iter();
    for (id, x) in features {
        if let Some(&next) = coming.next() {
            parameters.prefetch(next, width);
        }
        weights += linear.vector(id, 1)[0] * x;
        interaction.absorb(factors.vector(id, width), x, sums);
    }
    coming.for_each(|&next| parameters.prefetch(next, width));
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
        let mut sums = interaction.zero();
        for (i, score) in (first..).zip(self.scores) {
            let ahead = i + VECTORS_AHEAD;
            let coming = if ahead < rows.len() { rows.row(ahead).ids } else { &[] };
            *score = score_row(interaction, parameters, rows.row(i), coming, &mut sums);
        }
    }
}
