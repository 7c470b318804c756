//! The field-aware factorization machine (Juan, Zhuang, Chin, Lin 2016, "Field-aware Factorization
//! Machines for CTR Prediction", equation 4).
//!
//! ```text
//! y(x) = w0 + sum_i w_i x_i + sum_{i<j} <v_{i F(j)}, v_{j F(i)}> x_i x_j
//! ```
//!
//! A feature has a vector for each field. With `C_gf = sum_{j in g} v_{j f} x_j`, what the features of
//! field `g` say to those of field `f`, a feature `i` of field `f` adds
//!
//! ```text
//! x_i sum_g <v_{i g}, C_gf>
//! ```
//!
//! where `C_gf` holds the features before it. This costs O(k nnz fields) where the pairs cost O(k nnz^2).
//! The gradient of all vectors of a feature of field `f` is `x_i C_gf` for each `g`, in the end. What is
//! said to a field lies in one piece, so the vectors of a feature, the sums that they are multiplied by,
//! and their gradient are walked over from end to end. What a feature says is spread over all fields;
//! a row's features are absorbed several at once, so that this, too, is written piece after piece.
//!
//! The pairs of a context with an item are `sum <C_gf, C_fg>` over the fields `g` of the context and `f` of the
//! item: the vector of each side is what its fields say to those of the other.

use super::lanes::{Width, add, exact};
use super::per_field::Seen;
use super::{Feature, Interaction, Lanes, Plan, Side, Sides, Vectors};
use crate::precision::Stored;
use std::mem::take;
use std::ops::Range;

/// Features that are absorbed at once, at the most: measured.
const BLOCK: usize = 16;

/// Sums side by side, of widths that are multiples of 4: one after the other they would wait for each other.
const BESIDE: usize = 16;

/// Pairs of features through the vectors that they have for each other's fields.
#[derive(Debug, Clone)]
pub struct Ffm<L> {
    fields: usize,
    width: Width<L>,
}

/// Running sums.
#[derive(Debug, Clone)]
pub struct Sums {
    /// `C_gf` for the fields `g` that were seen, at `(f fields + g) width`; after the score for all.
    said: Vec<f32>,
    /// The pairs of the features up to now, to be added up.
    pairs: [f32; BESIDE],
    seen: Seen,
}

impl<L: Lanes> Ffm<L> {
    /// Adds features whose fields are new and follow each other.
    #[inline(always)]
    fn absorb_new<T: Stored>(&self, features: &[Feature<'_, T>], sums: &mut Sums) {
        let Some(&(_, first, _)) = features.first() else { return };
        let (part, width) = (self.part(), self.width());
        for (of, heard) in sums.said.chunks_exact_mut(width).enumerate() {
            let heard = heard[first * part..][..features.len() * part].chunks_exact_mut(part);
            for (heard, (vectors, _, x)) in heard.zip(features) {
                let vector = vectors[of * part..][..part].as_chunks::<4>().0;
                // Written as a whole, so that nothing is asked of what is read and written at once.
                let fours = heard.as_chunks_mut::<4>().0.iter_mut().zip(vector);
                fours.for_each(|(h, v)| *h = v.each_ref().map(|v| v.load() * x));
            }
        }
        for &(vectors, field, x) in features {
            self.add_pairs(vectors, field, x, first..field, sums);
        }
        sums.seen.extend(first..first + features.len());
    }

    /// Adds the pairs of a feature with all those of the fields that were seen, and of `others`.
    #[inline(always)]
    fn add_pairs<T: Stored>(
        &self,
        vectors: &[T],
        field: usize,
        x: f32,
        others: Range<usize>,
        sums: &mut Sums,
    ) {
        let (part, mut pairs) = (self.part(), sums.pairs);
        let heard = &sums.said[field * self.width()..][..self.width()];
        for run in sums.seen.runs().chain(std::iter::once(others)) {
            let floats = run.start * part..run.end * part;
            let (vectors, more) = vectors[floats.clone()].as_chunks::<BESIDE>();
            let (heard, rest) = heard[floats].as_chunks::<BESIDE>();
            for (vectors, heard) in vectors.iter().zip(heard) {
                let lanes = pairs.iter_mut().zip(vectors.iter().zip(heard));
                lanes.for_each(|(sum, (v, h))| *sum += v.load() * x * h);
            }
            for (four, heard) in more.as_chunks::<4>().0.iter().zip(rest.as_chunks::<4>().0) {
                let lanes = pairs.iter_mut().zip(four.iter().zip(heard));
                lanes.for_each(|(sum, (v, h))| *sum += v.load() * x * h);
            }
        }
        sums.pairs = pairs;
    }
}

impl<L: Lanes> Interaction for Ffm<L> {
    type Vector = Vec<f32>;
    type Sums = Sums;

    const BY_FIELD: bool = true;

    fn new(plan: &Plan) -> Self {
        Ffm { fields: plan.fields, width: Width::new(plan) }
    }

    fn parts(plan: &Plan) -> usize {
        plan.fields
    }

    fn room(plan: &Plan) -> usize {
        plan.fields * (plan.fields * plan.width() + 1)
    }

    fn work(plan: &Plan) -> usize {
        3 * plan.fields * plan.width() / 2
    }

    fn flaw(plan: &Plan) -> Option<String> {
        super::family::too_few_fields(plan)
    }

    #[inline(always)]
    fn width(&self) -> usize {
        self.fields * self.part()
    }

    #[inline(always)]
    fn part(&self) -> usize {
        self.width.get()
    }

    fn zero(&self) -> Sums {
        let said = vec![0.0; self.fields * self.width()];
        Sums { said, pairs: [0.0; BESIDE], seen: Seen::default() }
    }

    #[inline(always)]
    fn afresh(&self, used: &mut Sums) -> Sums {
        // What a field said is forgotten when it is seen again.
        Sums { said: take(&mut used.said), pairs: [0.0; BESIDE], seen: used.seen.afresh() }
    }

    #[inline(always)]
    fn absorb<T: Stored>(&self, vector: &[T], field: usize, x: f32, sums: &mut Sums) {
        let vectors = &vector[..self.width()];
        if !sums.seen.has(field) {
            return self.absorb_new(&[(vectors, field, x)], sums);
        }
        self.add_pairs(vectors, field, x, 0..0, sums);
        let (part, said) = (self.part(), sums.said.chunks_exact_mut(self.width()));
        for (heard, vector) in said.zip(vectors.chunks_exact(part)) {
            add(&mut heard[field * part..][..part], x, vector);
        }
    }

    #[inline(always)]
    fn absorb_row<'a, T: Stored>(
        &self,
        features: impl Iterator<Item = Feature<'a, T>>,
        sums: &mut Sums,
    ) {
        let mut block: [Feature<'a, T>; BLOCK] = [(&[], 0, 0.0); BLOCK];
        let mut count = 0;
        for feature in features {
            let (vectors, field, x) = feature;
            let follows = (1..BLOCK).contains(&count)
                && field == block[count - 1].1 + 1
                && !sums.seen.has(field);
            if !follows {
                self.absorb_new(&block[..count], sums);
                count = 0;
            }
            if follows || !sums.seen.has(field) {
                block[count] = feature;
                count += 1;
            } else {
                self.absorb(vectors, field, x, sums);
            }
        }
        self.absorb_new(&block[..count], sums);
    }

    #[inline(always)]
    fn score(&self, _shared: &[f32], sums: &mut Sums) -> f32 {
        let (part, width) = (self.part(), self.width());
        if sums.seen.len() < self.fields {
            // Nobody has spoken for the others.
            let Sums { said, seen, .. } = sums;
            seen.sort_runs();
            let gaps = seen.gaps(self.fields);
            for f in seen.iter() {
                let heard = &mut said[f * width..][..width];
                gaps.clone().for_each(|gap| heard[gap.start * part..gap.end * part].fill(0.0));
            }
        }
        sums.pairs.iter().sum()
    }

    /// `<v_{i F(j)}, v_{j F(i)}>`.
    fn pair(&self, _shared: &[f32], (v, f): Vectors<'_>, (u, g): Vectors<'_>) -> f64 {
        let part = self.part();
        exact(&v[g * part..][..part], &u[f * part..][..part])
    }

    /// The field that it is for.
    fn part_name(_plan: &Plan, part: usize, field: &dyn Fn(usize) -> String) -> String {
        format!("for {}", field(part))
    }

    fn half_width(&self, sides: &Sides) -> usize {
        sides.pairs().count() * self.part()
    }

    /// What the fields of the side say to those of the other: those that were not seen, nothing.
    #[inline(always)]
    fn half(&self, _shared: &[f32], sides: &Sides, side: Side, sums: &Sums, vector: &mut [f32]) {
        let part = self.part();
        for (to, (context, item)) in vector.chunks_exact_mut(part).zip(sides.pairs()) {
            let (says, hears) =
                if side == Side::Context { (context, item) } else { (item, context) };
            match sums.seen.has(says) {
                true => {
                    to.copy_from_slice(&sums.said[hears * self.width() + says * part..][..part])
                }
                false => to.fill(0.0),
            }
        }
    }

    /// `C_gf` for the vectors of all fields `g`.
    #[inline(always)]
    fn pull<'a>(&self, field: usize, sums: &'a Sums) -> &'a [f32] {
        &sums.said[field * self.width()..][..self.width()]
    }

    #[inline(always)]
    fn own(
        &self,
        _shared: &[f32],
        vector: &[f32],
        field: usize,
        squares: f32,
        gradient: &mut [f32],
    ) {
        let own = field * self.part()..(field + 1) * self.part();
        add(&mut gradient[own.clone()], -squares, &vector[own]);
    }
}
