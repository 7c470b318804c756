//! Scores of rows.

use super::parameters::{OfClass, Parameters};
use crate::batch::{Row, Rows};
use crate::interaction::Interaction;
use crate::parallel::Threads;
use crate::precision::Stored;
use crate::simd::{self, Work};

/// How many rows ahead their vectors are asked for.
const VECTORS_AHEAD: usize = 1;

/// The score of a row for one class, and its sums. Meanwhile the vectors of `coming` features are asked for, one
/// for each that is read: asked for at once they would wait for each other.
#[inline(always)]
fn score_row<M: Interaction, T: Stored>(
    interaction: &M,
    parameters: OfClass<'_, T>,
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
    parameters: OfClass<'_, T>,
    features: impl Iterator<Item = (u32, f32)>,
    coming: &[u32],
    sums: &mut M::Sums,
) -> f32 {
    let OfClass { linear, factors, bias, shared, fields } = parameters;
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

/// Scores of the rows from `first` on, of each those of all classes.
struct Scores<'a, M, T> {
    interaction: &'a M,
    parameters: Parameters<'a, T>,
    rows: &'a Rows,
    first: usize,
    scores: &'a mut [f32],
}

impl<M: Interaction, T: Stored> Work for Scores<'_, M, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Scores { interaction, parameters, rows, first, .. } = self;
        let mut sums = interaction.zero();
        for (i, scores) in (first..).zip(self.scores.chunks_exact_mut(parameters.classes())) {
            let ahead = i + VECTORS_AHEAD;
            let coming = if ahead < rows.len() { rows.row(ahead).ids } else { &[] };
            for (class, score) in scores.iter_mut().enumerate() {
                let of_class = parameters.class(class);
                *score = score_row(interaction, of_class, rows.row(i), coming, &mut sums);
            }
        }
    }
}

/// The scores of one row.
struct Single<'a, M, T> {
    interaction: &'a M,
    parameters: Parameters<'a, T>,
    row: Row<'a>,
    scores: &'a mut [f32],
}

impl<M: Interaction, T: Stored> Work for Single<'_, M, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Single { interaction, parameters, row, scores } = self;
        let mut sums = interaction.zero();
        for (class, score) in scores.iter_mut().enumerate() {
            *score = score_row(interaction, parameters.class(class), row, &[], &mut sums);
        }
    }
}

/// Scores of rows, of each those of all classes.
pub(crate) fn score_rows<M: Interaction, T: Stored>(
    interaction: &M,
    parameters: Parameters<'_, T>,
    rows: &Rows,
    threads: &Threads,
) -> Vec<f32> {
    let classes = parameters.classes();
    let mut scores = vec![0.0; rows.len() * classes];
    let share = threads.share(rows.len());
    let part =
        |(part, scores)| Scores { interaction, parameters, rows, first: part * share, scores };
    threads.each(scores.chunks_mut(share * classes).enumerate().map(part).collect(), simd::run);
    scores
}

/// The scores of one row, as many as there is room for.
pub(crate) fn score_single<M: Interaction, T: Stored>(
    interaction: &M,
    parameters: Parameters<'_, T>,
    row: Row<'_>,
    scores: &mut [f32],
) {
    simd::run(Single { interaction, parameters, row, scores });
}
