//! Rows of one side, as vectors: see [`crate::interaction`] on the two sides of a row.

use super::parameters::{OfClass, Parameters};
use crate::batch::{Row, Rows};
use crate::interaction::{Interaction, Side, Sides};
use crate::parallel::Threads;
use crate::precision::Stored;
use crate::simd::{self, Work};

/// What stands for rows of one side.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Halves {
    /// Floats of a vector.
    pub(crate) width: usize,
    /// The vectors, row after row: `b` and what an item adds to the score alone, or `a` and 1.
    pub(crate) vectors: Vec<f32>,
    /// What a context has as its score alone, bias included; 0 for items.
    pub(crate) scores: Vec<f32>,
    /// How large what a row is added up from is.
    pub(crate) sizes: Vec<Magnitude>,
}

/// How large what is added up to a score is, signs aside: rounding is a share of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Magnitude {
    /// What a side adds alone.
    pub(crate) alone: f64,
    /// The length of its vector; the product of the two sides is at most that of their lengths.
    pub(crate) length: f64,
    /// Features of the row.
    pub(crate) features: usize,
}

impl Magnitude {
    /// One that is no less than either.
    pub(crate) fn or(self, other: Self) -> Self {
        Magnitude {
            alone: self.alone.max(other.alone),
            length: self.length.max(other.length),
            features: self.features.max(other.features),
        }
    }
}

/// What stands for rows of one side, in a model of one score.
pub(crate) fn halve_rows<M: Interaction, T: Stored>(
    interaction: &M,
    parameters: Parameters<'_, T>,
    (sides, side): (&Sides, Side),
    rows: &Rows,
    threads: &Threads,
) -> Halves {
    let (parameters, width) = (parameters.class(0), interaction.half_width(sides) + 1);
    let (mut vectors, mut scores) = (vec![0.0; rows.len() * width], vec![0.0; rows.len()]);
    let mut sizes = vec![Magnitude::default(); rows.len()];
    let share = threads.share(rows.len());
    let parts = vectors.chunks_mut(share * width).zip(scores.chunks_mut(share));
    let part = |(part, ((vectors, scores), sizes))| {
        let first = part * share;
        Half { interaction, parameters, sides, side, rows, first, width, vectors, scores, sizes }
    };
    threads.each(parts.zip(sizes.chunks_mut(share)).enumerate().map(part).collect(), simd::run);
    Halves { width, vectors, scores, sizes }
}

/// Some of the rows of one side, and where what stands for them goes.
struct Half<'a, M, T> {
    interaction: &'a M,
    parameters: OfClass<'a, T>,
    sides: &'a Sides,
    side: Side,
    rows: &'a Rows,
    first: usize,
    width: usize,
    vectors: &'a mut [f32],
    scores: &'a mut [f32],
    sizes: &'a mut [Magnitude],
}

impl<M: Interaction, T: Stored> Work for Half<'_, M, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Half { interaction, parameters, sides, side, rows, first, width, .. } = self;
        let OfClass { linear, factors, bias, shared, fields } = parameters;
        let mut sums = interaction.zero();
        let mut absolute = Absolute::new(interaction, shared, width - 1);
        let places = self.vectors.chunks_exact_mut(width).zip(self.scores).zip(self.sizes);
        for (i, ((vector, score), size)) in (first..).zip(places) {
            if i + 1 < rows.len() {
                let coming = rows.row(i + 1).ids.iter();
                coming.for_each(|&id| parameters.prefetch(id, interaction.width()));
            }
            let row = rows.row(i);
            sums = interaction.afresh(&mut sums);
            let (mut weights, mut walk) = (0.0, fields.walk());
            let features = row.features().map(|(id, x)| {
                weights += linear.vector(id, 1)[0] * x;
                (factors.vector(id, interaction.width()), walk.field(id), x)
            });
            interaction.absorb_row(features, &mut sums);
            let (vector, alone) = vector.split_at_mut(width - 1);
            interaction.half(shared, sides, side, &sums, vector);
            let own = weights + interaction.score(shared, &mut sums);
            *size = absolute.of(interaction, parameters, sides, side, row);
            match side {
                Side::Item => alone[0] = own,
                Side::Context => {
                    alone[0] = 1.0;
                    *score = bias + own;
                    size.alone += f64::from(bias.abs());
                }
            }
        }
    }
}

/// The same kernels over absolute values, from which follows how far rounding may go.
struct Absolute<S> {
    sums: S,
    shared: Vec<f32>,
    feature: Vec<f32>,
    vectors: [Vec<f32>; 2],
}

impl<S> Absolute<S> {
    #[inline(always)]
    fn new<M: Interaction<Sums = S>>(interaction: &M, shared: &[f32], width: usize) -> Self {
        Absolute {
            sums: interaction.zero(),
            shared: shared.iter().map(|x| x.abs()).collect(),
            feature: vec![0.0; interaction.width()],
            vectors: [vec![0.0; width], vec![0.0; width]],
        }
    }

    /// Each feature counts twice, since kernels also add up what a feature makes with itself, and take it
    /// away again; and so does the side with itself, for what they do so with a field.
    #[inline(always)]
    fn of<M: Interaction<Sums = S>, T: Stored>(
        &mut self,
        interaction: &M,
        OfClass { linear, factors, fields, .. }: OfClass<'_, T>,
        sides: &Sides,
        side: Side,
        row: Row<'_>,
    ) -> Magnitude {
        let Absolute { sums, shared, feature, vectors } = self;
        *sums = interaction.afresh(sums);
        let (mut weights, mut walk) = (0.0f64, fields.walk());
        for (id, x) in row.features() {
            weights += f64::from((linear.vector(id, 1)[0] * x).abs());
            let numbers = factors.vector(id, interaction.width());
            feature.iter_mut().zip(numbers).for_each(|(to, v)| *to = v.load().abs());
            let field = walk.field(id);
            for _ in 0..2 {
                interaction.absorb(feature, field, x.abs(), sums);
            }
        }
        let [own, other] = vectors;
        interaction.half(shared, sides, side, sums, own);
        interaction.half(shared, sides, side.other(), sums, other);
        let product = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let itself = product(own, other) + f64::from(interaction.score(shared, sums));
        let (alone, length) = (weights + itself, product(own, own).sqrt());
        // Beyond what floats hold, nothing is known.
        let known = |x: f64| if x.is_nan() { f64::INFINITY } else { x };
        Magnitude { alone: known(alone), length: known(length), features: row.ids.len() }
    }
}
