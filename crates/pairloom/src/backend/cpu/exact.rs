//! Sums of gradients in 64 bits, where a batch is all the rows that there are.
//!
//! A row of weight 2 is then the same as two rows, and the order of the rows says nothing: slopes come
//! without the weights, so that equal rows have equal gradients of 32 bits, whose products with the weights
//! and whose sums lose nothing that is left when they are rounded.

use super::prepared::{Entry, Value};
use crate::interaction::Interaction;

/// The rows of the batch: of each what its forward pass left, its slopes without its weight, and its label and
/// weight.
pub(super) struct Exact<'a, S> {
    pub(super) sums: &'a [S],
    pub(super) slopes: &'a [f32],
    pub(super) outcomes: &'a [(f32, f32)],
    /// How many sums and slopes a row has.
    pub(super) classes: usize,
}

impl<S> Exact<'_, S> {
    /// Adds the gradients of a feature's entries to that of its penalty. Returns the gradient of its vectors, and the
    /// sums of `slope x` and of `slope x^2`.
    // Seldom taken, and in a place of its own: the usual sum is in registers.
    #[cold]
    #[inline(never)]
    pub(super) fn feature<M: Interaction<Sums = S>, X: Value>(
        &self,
        interaction: &M,
        (vector, field): (&[f32], usize),
        entries: &[Entry<X>],
        mut gradient: M::Vector,
    ) -> (M::Vector, f32, f32) {
        let mut total: Vec<f64> = gradient.as_ref().iter().copied().map(f64::from).collect();
        let (mut slope_of_w, mut squares) = (0.0, 0.0);
        for &Entry { row, x, .. } in entries {
            let (at, x) = (row as usize * self.classes, x.x());
            let (slope, weight) = (self.slopes[at], f64::from(self.outcomes[row as usize].1));
            gradient.as_mut().fill(0.0);
            interaction.backward(vector, field, x, &self.sums[at], slope, gradient.as_mut());
            add(&mut total, weight, gradient.as_ref());
            let pull = weight * f64::from(slope * x);
            slope_of_w += pull;
            squares += pull * f64::from(x);
        }
        round(&total, gradient.as_mut());
        (gradient, slope_of_w as f32, squares as f32)
    }
}

/// Adds the gradient of a row.
pub(super) fn add(total: &mut [f64], weight: f64, gradient: &[f32]) {
    total.iter_mut().zip(gradient).for_each(|(sum, &g)| *sum += weight * f64::from(g));
}

/// What has been summed, in 32 bits.
pub(super) fn round(total: &[f64], gradient: &mut [f32]) {
    gradient.iter_mut().zip(total).for_each(|(g, &total)| *g = total as f32);
}
