//! Models as pure functions of small arrays: one file, one paper.
//!
//! A feature owns one or several vectors of `k` factors, each padded to whole vector registers; its
//! linear weight is not part of them. A model reads the vectors of an example's features into running
//! sums, turns the sums into a score, and gives each vector its gradient. It knows neither the table
//! that holds the vectors, nor the loss, nor the optimizer. Absorbing features one by one, some first and the
//! rest later, gives the same score to the bit.
//!
//! Some models look at the field of a feature (its column, or the field number of libffm), and some
//! have numbers that belong to no feature, which are called shared.
//!
//! # Two sides
//! Where a row is a context and an item, which have no field in common, its score is a sum of three:
//!
//! ```text
//! y(context, item) = y(context) + [y(item) - w0] + <a(context), b(item)>
//! ```
//!
//! Every pair (or longer product) of features is of one side alone, which the first two have, or of both;
//! the last is a sum over products of something of the context and something of the item, which each model
//! writes down as one inner product ([`Interaction::half`]). The best items of a context are then found
//! with a product of matrices.

mod dplr;
mod family;
mod ffm;
mod fields;
mod fm;
mod fmfm;
mod fwfm;
mod hofm;
mod lanes;
mod linear;
mod mf;
mod per_field;
mod sides;

pub use dplr::Dplr;
pub use family::Kind;
pub(crate) use family::{
    Naming, Sizes, WithInteraction, degrees, first_shared, kind, with_interaction,
    with_slow_interaction,
};
pub use ffm::Ffm;
pub use fields::Fields;
pub use fm::Fm;
pub use fmfm::Fmfm;
pub use fwfm::Fwfm;
pub use hofm::Hofm;
pub use lanes::{Lanes, padded};
pub use linear::Linear;
pub use mf::Mf;
pub use sides::{Side, Sides};

use crate::precision::Stored;

/// What decides the sizes of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Number of fields.
    pub fields: usize,
    /// Length `k` of a vector, without padding.
    pub factors: usize,
    /// Order of the highest interaction.
    pub order: usize,
    /// Whether there are interactions of the lower orders beside it.
    pub lower_orders: bool,
    /// Rank of what is learned of pairs of fields.
    pub rank: usize,
}

impl Plan {
    /// Vectors of so many factors, and nothing said of the rest.
    pub fn of(factors: usize) -> Self {
        Plan { fields: 0, factors, order: 2, lower_orders: true, rank: 0 }
    }

    /// Floats of a vector with its padding.
    pub fn width(&self) -> usize {
        padded(self.factors)
    }
}

/// The vectors of a feature, its field, and its `x`.
pub type Feature<'a, T> = (&'a [T], usize, f32);

/// The vectors of a feature, with their padding, and its field.
pub type Vectors<'a> = (&'a [f32], usize);

/// A model over feature vectors.
pub trait Interaction: Send + Sync + Sized {
    /// All vectors of a feature, or their gradient.
    type Vector: Lanes;

    /// Running sums of an example.
    type Sums: Clone + Send + Sync;

    /// Whether it matters which field a feature is of; if not, any may be said.
    const BY_FIELD: bool = false;

    /// Whether scores have products of more than two factors.
    const DEEP: bool = false;

    /// The model of these sizes.
    fn new(plan: &Plan) -> Self;

    /// How many vectors a feature has.
    fn parts(_plan: &Plan) -> usize {
        1
    }

    /// About how many floats the running sums of an example are.
    fn room(plan: &Plan) -> usize;

    /// About how much longer training takes for a feature than with [`Fm`], beyond its longer vectors: as much as so
    /// many more floats of these would (measured with 10 to 64 fields).
    fn work(_plan: &Plan) -> usize {
        0
    }

    /// How many vectors make up each product that one of the vectors of a feature is in.
    fn degree(_plan: &Plan, _part: usize) -> usize {
        2
    }

    /// How many shared numbers there are.
    fn shared(_plan: &Plan) -> usize {
        0
    }

    /// What a shared number is before training.
    fn first(_plan: &Plan, _at: usize) -> f32 {
        0.0
    }

    /// What keeps the model from working with these sizes.
    fn flaw(_plan: &Plan) -> Option<String> {
        None
    }

    /// Floats of all vectors of a feature, padding included.
    fn width(&self) -> usize;

    /// Floats of one of the vectors of a feature, padding included.
    #[inline(always)]
    fn part(&self) -> usize {
        self.width()
    }

    /// The sums of no features.
    fn zero(&self) -> Self::Sums;

    /// The sums of no features in the memory of `used`, whose figures are lost.
    fn afresh(&self, used: &mut Self::Sums) -> Self::Sums;

    /// Adds a feature of a field with value `x` to the running sums.
    fn absorb<T: Stored>(&self, vector: &[T], field: usize, x: f32, sums: &mut Self::Sums);

    /// Adds features to the running sums, one after the other or, where that is faster, several at once.
    #[inline(always)]
    fn absorb_row<'a, T: Stored>(
        &self,
        features: impl Iterator<Item = Feature<'a, T>>,
        sums: &mut Self::Sums,
    ) {
        for (vector, field, x) in features {
            self.absorb(vector, field, x, sums);
        }
    }

    /// What the factors add to the score. It may leave in the sums what [`Interaction::backward`] asks
    /// for; nothing can be absorbed then.
    fn score(&self, shared: &[f32], sums: &mut Self::Sums) -> f32;

    /// What two different features add to the score for each `x_i x_j`, written as the paper writes it and in
    /// 64 bits: for explanations and as a check of [`Interaction::score`], not for speed.
    fn pair(&self, _shared: &[f32], _one: Vectors<'_>, _other: Vectors<'_>) -> f64 {
        0.0
    }

    /// What the products of more than two of a row's features add to the score, as (order, sum), in 64 bits.
    fn products(&self, _row: &[Feature<'_, f32>]) -> Vec<(usize, f64)> {
        Vec::new()
    }

    /// What a vector of a feature is called beside the others that it has; nothing, if it has one only.
    fn part_name(_plan: &Plan, _part: usize, _field: &dyn Fn(usize) -> String) -> String {
        String::new()
    }

    /// What a shared number is called; nothing, if it is padding.
    fn shared_name(_plan: &Plan, _at: usize, _field: &dyn Fn(usize) -> String) -> Option<String> {
        None
    }

    /// Floats of the vectors `a` and `b` of the two sides of a row.
    fn half_width(&self, _sides: &Sides) -> usize {
        0
    }

    /// Writes the vector of one side: `a` of a context, `b` of an item. The sums are those of the features
    /// of that side alone, and there is no score of them yet. `<a, b>` is what the factors add to the score
    /// of both sides together beyond what they add to that of each.
    fn half(
        &self,
        _shared: &[f32],
        _sides: &Sides,
        _side: Side,
        _sums: &Self::Sums,
        _vector: &mut [f32],
    ) {
    }

    /// What all vectors of a field are pulled by: `d score / d vector` over `x`, where `sums` are those that
    /// [`Interaction::score`] left, but for what [`Interaction::own`] adds. Nothing, if the vectors of a
    /// field are not all pulled alike.
    #[inline(always)]
    fn pull<'a>(&self, _field: usize, _sums: &'a Self::Sums) -> &'a [f32] {
        &[]
    }

    /// Adds `slope * d score / d vector` to `gradient`, but for what [`Interaction::own`] adds: `slope x`
    /// times [`Interaction::pull`], where it is not something else.
    #[inline(always)]
    fn backward(
        &self,
        _vector: &[f32],
        field: usize,
        x: f32,
        sums: &Self::Sums,
        slope: f32,
        gradient: &mut [f32],
    ) {
        lanes::add(&mut gradient[..self.width()], slope * x, self.pull(field, sums));
    }

    /// Adds the part of the gradient that is a multiple of `squares`, the sum of `slope x^2` over all
    /// examples with the feature: what pairs of the feature with itself have added to the sums.
    fn own(
        &self,
        _shared: &[f32],
        _vector: &[f32],
        _field: usize,
        _squares: f32,
        _gradient: &mut [f32],
    ) {
    }

    /// Adds `slope * d score / d shared` to `gradient`.
    fn backward_shared(
        &self,
        _shared: &[f32],
        _sums: &Self::Sums,
        _slope: f32,
        _gradient: &mut [f32],
    ) {
    }
}
