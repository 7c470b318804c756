//! Scores of rows.

use super::Parameters;
use crate::batch::{Row, Rows};
use crate::interaction::Interaction;
use crate::precision::Stored;
use crate::simd::Work;

/// How many rows ahead their vectors are asked for.
const VECTORS_AHEAD: usize = 1;

/// The score of a row, and its sums. Meanwhile the vectors of `coming` features are asked for, one
/// for each that is read: asked for at once they would wait for each other.
#[inline(always)]
fn score_row<M: Interaction, T: Stored>(
    interaction: &M,
    parameters: Parameters<'_, T>,
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
pub(super) fn score<M: Interaction, T: Stored>(
    interaction: &M,
    parameters: Parameters<'_, T>,
    features: impl Iterator<Item = (u32, f32)>,
    coming: &[u32],
    sums: &mut M::Sums,
) -> f32 {
    let Parameters { linear, factors, bias, shared, fields } = parameters;
    let (mut weights, width, mut fields) = (0.0, interaction.width(), fields.walk());
    let mut coming = coming.iter();
    let features = features.map(|(id, x)| {
        if let Some(&next) = coming.next() {
            parameters.prefetch(next, width);
        }
        weights += linear.vector(id, 1)[0] * x;
        let field = if M::BY_FIELD { fields.field(id) } else { 0 };
        (factors.vector(id, width), field, x)
    });
    interaction.absorb_row(features, sums);
    coming.for_each(|&next| parameters.prefetch(next, width));
    bias + (weights + interaction.score(shared, sums))
}

/// Scores of the rows from `first` on.
pub(super) struct Scores<'a, M, T> {
    pub(super) interaction: &'a M,
    pub(super) parameters: Parameters<'a, T>,
    pub(super) rows: &'a Rows,
    pub(super) first: usize,
    pub(super) scores: &'a mut [f32],
}

impl<M: Interaction, T: Stored> Work for Scores<'_, M, T> {
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

/// The score of one row.
pub(super) struct Single<'a, M, T> {
    pub(super) interaction: &'a M,
    pub(super) parameters: Parameters<'a, T>,
    pub(super) row: Row<'a>,
}

impl<M: Interaction, T: Stored> Work for Single<'_, M, T> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        score_row(self.interaction, self.parameters, self.row, &[], &mut self.interaction.zero())
    }
}
