//! Rows of one side as vectors, and both sides as a row again.

use crate::backend::{Halves, Parameters, halve_rows};
use crate::batch::{Row, Rows};
use crate::interaction::{
    Interaction, Side, Sides, WithInteraction, with_interaction, with_slow_interaction,
};
use crate::model::Model;
use crate::parallel::Threads;
use crate::precision::Stored;

/// Makes vectors of the rows of one side.
struct Halve<'a> {
    model: &'a Model,
    sides: &'a Sides,
    side: Side,
    rows: &'a Rows,
    threads: &'a Threads,
}

impl WithInteraction for Halve<'_> {
    type Output = Halves;

    fn with<M: Interaction, T: Stored>(self, interaction: M) -> Halves {
        let Halve { model, sides, side, rows, threads } = self;
        let parameters = Parameters::<T>::new(&model.weights);
        halve_rows(&interaction, parameters, (sides, side), rows, threads)
    }
}

/// Counts the floats of a vector.
struct Width<'a>(&'a Sides);

impl WithInteraction for Width<'_> {
    type Output = usize;

    fn with<M: Interaction, T: Stored>(self, interaction: M) -> usize {
        interaction.half_width(self.0) + 1
    }
}

/// The vectors of rows of one side.
pub(super) fn halves(
    model: &Model,
    sides: &Sides,
    side: Side,
    rows: &Rows,
    threads: &Threads,
) -> Halves {
    let merged = merged(model, rows);
    let rows = merged.as_ref().unwrap_or(rows);
    let what = Halve { model, sides, side, rows, threads };
    with_interaction(&model.config, &model.weights.fields, what)
}

/// Floats of the vector of an item.
pub(super) fn width(model: &Model, sides: &Sides) -> usize {
    with_slow_interaction(&model.config, &model.weights.fields, Width(sides))
}

/// The same rows with each feature once, if they may have one several times.
fn merged(model: &Model, rows: &Rows) -> Option<Rows> {
    let several = model.schema.columns.iter().any(|column| column.separator.is_some());
    several.then(|| {
        let mut merged = Rows::new();
        for i in 0..rows.len() {
            rows.row(i).features().for_each(|(id, x)| merged.push(id, x));
            merged.merge_duplicates(|id| model.encoding.is_default(id));
            merged.finish(0.0, 1.0);
        }
        merged
    })
}

/// Puts rows together from their sides, and scores them.
pub(super) struct Whole<'a> {
    model: &'a Model,
    row: Rows,
}

impl<'a> Whole<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        Whole { model, row: Rows::new() }
    }

    /// The score of a context with an item, to the bit that of a row with the cells of both.
    pub(super) fn score(&mut self, context: Row<'_>, item: Row<'_>) -> f32 {
        self.row.clear();
        // Ids ascend from field to field, and a field is of one side: the lesser id is of the earlier field.
        let (mut context, mut item) = (context.features().peekable(), item.features().peekable());
        loop {
            let next = match (context.peek(), item.peek()) {
                (Some((c, _)), Some((i, _))) if i < c => item.next(),
                (Some(_), _) => context.next(),
                (None, _) => item.next(),
            };
            let Some((id, x)) = next else { break };
            self.row.push(id, x);
        }
        self.row.merge_duplicates(|id| self.model.encoding.is_default(id));
        self.row.finish(0.0, 1.0);
        self.model.score(self.row.row(0))
    }
}
