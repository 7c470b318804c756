//! Models as pure functions of small arrays: one file, one paper.
//!
//! A feature owns one vector of [`Interaction::width`] floats: `[w, v1 .. vk, padding]`. A model
//! reads the vectors of an example's features into running sums, turns the sums into a score, and
//! gives each vector its gradient. It knows neither the table that holds the vectors, nor the
//! loss, nor the optimizer. Absorbing some features first and the rest later gives the same score
//! to the bit.

mod fm;

pub use fm::Fm;

/// Vectors are padded with zeros to a multiple of this many floats (one 256-bit register).
pub const LANES: usize = 8;

/// A model over feature vectors.
pub trait Interaction: Sync {
    /// Floats in a feature's vector, padding included: a multiple of [`LANES`].
    fn width(&self) -> usize;

    /// Floats in the running sums of one example.
    fn sums(&self) -> usize;

    /// Adds a feature with value `x` to the running sums.
    fn absorb(&self, vector: &[f32], x: f32, sums: &mut [f32]);

    /// The score without the bias.
    fn score(&self, sums: &[f32]) -> f32;

    /// Adds `slope * d score / d vector` to `gradient`, where `sums` are those of the whole example.
    fn backward(&self, vector: &[f32], x: f32, sums: &[f32], slope: f32, gradient: &mut [f32]);
}
