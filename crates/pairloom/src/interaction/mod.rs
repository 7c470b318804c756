//! Models as pure functions of small arrays: one file, one paper.
//!
//! A feature owns one vector of [`Interaction::width`] floats (its factors and padding); its linear
//! weight is not part of it. A model reads the vectors of an example's features into running sums,
//! turns the sums into a score, and gives each vector its gradient. It knows neither the table that
//! holds the vectors, nor the loss, nor the optimizer. Absorbing some features first and the rest
//! later gives the same score to the bit.

mod fm;

pub use fm::Fm;

use crate::precision::Stored;

/// A model over feature vectors.
pub trait Interaction: Send + Sync {
    /// A vector, or its gradient.
    type Vector: Lanes;

    /// Running sums of an example.
    type Sums: Clone + Send + Sync;

    /// Floats in a feature's vector, padding included.
    fn width(&self) -> usize;

    /// The sums of no features.
    fn zero(&self) -> Self::Sums;

    /// The sums of no features in the memory of `used`, whose figures are lost.
    fn afresh(&self, used: &mut Self::Sums) -> Self::Sums;

    /// Adds a feature with value `x` to the running sums.
    fn absorb<T: Stored>(&self, vector: &[T], x: f32, sums: &mut Self::Sums);

    /// What the factors add to the score.
    fn score(&self, sums: &Self::Sums) -> f32;

    /// Adds `slope * d score / d vector` to `gradient`, where `sums` are those of the whole example,
    /// but for what [`Interaction::own`] adds.
    fn backward(&self, vector: &[f32], x: f32, sums: &Self::Sums, slope: f32, gradient: &mut [f32]);

    /// Adds the part of the gradient that is a multiple of `squares`, the sum of `slope x^2` over all
    /// examples with the feature: what pairs of the feature with itself have added to the sums.
    fn own(&self, vector: &[f32], squares: f32, gradient: &mut [f32]);
}

/// A vector whose length the compiler knows, which makes kernels two to four times as fast, or a
/// `Vec` where it cannot.
pub trait Lanes: AsRef<[f32]> + AsMut<[f32]> + Clone + Send + Sync {
    /// `width` zeros.
    fn zeros(width: usize) -> Self;

    /// As many zeros as there are floats in `used`, in its memory where it has some.
    fn afresh(used: &mut Self) -> Self;

    /// The number of zeros in `zeros(width)`, which the compiler may know.
    fn width(width: usize) -> usize;
}

impl<const N: usize> Lanes for [f32; N] {
    #[inline(always)]
    fn zeros(_width: usize) -> Self {
        [0.0; N]
    }

    #[inline(always)]
    fn afresh(_used: &mut Self) -> Self {
        [0.0; N]
    }

    #[inline(always)]
    fn width(_width: usize) -> usize {
        N
    }
}

impl Lanes for Vec<f32> {
    #[inline(always)]
    fn zeros(width: usize) -> Self {
        vec![0.0; width]
    }

    #[inline(always)]
    fn afresh(used: &mut Self) -> Self {
        used.fill(0.0);
        std::mem::take(used)
    }

    #[inline(always)]
    fn width(width: usize) -> usize {
        width
    }
}
