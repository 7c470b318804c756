//! Vectors whose length the compiler knows.

use super::Plan;
use crate::precision::Stored;
use std::marker::PhantomData;

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

/// How wide vectors of the type `L` are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Width<L> {
    floats: usize,
    lanes: PhantomData<L>,
}

impl<L: Lanes> Width<L> {
    pub(super) fn new(plan: &Plan) -> Self {
        Width { floats: plan.width(), lanes: PhantomData }
    }

    /// In floats, which the compiler may know.
    #[inline(always)]
    pub(super) fn get(&self) -> usize {
        L::width(self.floats)
    }

    #[inline(always)]
    pub(super) fn zeros(&self) -> L {
        L::zeros(self.floats)
    }
}

/// Floats that a vector of so many factors takes: whole vector registers.
pub fn padded(factors: usize) -> usize {
    if factors <= 4 { factors.next_multiple_of(4) } else { factors.next_multiple_of(8) }
}

/// `<a, b>`, as eight sums side by side: one after the other they would wait for each other.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// `<a, b>` in 64 bits, as it is written.
pub(super) fn exact(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// `to += factor * from`.
#[inline(always)]
pub(super) fn add<T: Stored>(to: &mut [f32], factor: f32, from: &[T]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from.load());
}
