//! Matrix factorization with biases (Koren, Bell, Volinsky 2009, "Matrix Factorization Techniques for
//! Recommender Systems", equation 4), over two fields such as users and items.
//!
//! ```text
//! y(x) = w0 + w_u + w_i + <v_u, v_i>
//! ```
//!
//! The biases are the linear weights. A field with several features in a row has their sum.

use super::lanes::{Width, dot, exact};
use super::{Interaction, Lanes, Plan, Side, Sides, Vectors};
use crate::precision::Stored;

/// The product of two fields, in vectors of the type `L`.
#[derive(Debug, Clone)]
pub struct Mf<L> {
    width: Width<L>,
}

impl<L: Lanes> Interaction for Mf<L> {
    type Vector = L;

    /// `sum_i v_i x_i` of each field.
    type Sums = [L; 2];

    const BY_FIELD: bool = true;

    fn new(plan: &Plan) -> Self {
        Mf { width: Width::new(plan) }
    }

    fn room(plan: &Plan) -> usize {
        2 * plan.width()
    }

    fn flaw(plan: &Plan) -> Option<String> {
        (plan.fields != 2).then(|| {
            format!(
                "takes two fields, such as users and items, and these rows have {}: leave the other \
                 columns out (--ignore)",
                plan.fields
            )
        })
    }

    #[inline(always)]
    fn width(&self) -> usize {
        self.width.get()
    }

    #[inline(always)]
    fn zero(&self) -> [L; 2] {
        [self.width.zeros(), self.width.zeros()]
    }

    #[inline(always)]
    fn afresh(&self, used: &mut [L; 2]) -> [L; 2] {
        used.each_mut().map(L::afresh)
    }

    #[inline(always)]
    fn absorb<T: Stored>(&self, vector: &[T], field: usize, x: f32, sums: &mut [L; 2]) {
        let lanes = sums[field & 1].as_mut().iter_mut().zip(&vector[..self.width()]);
        lanes.for_each(|(s, v)| *s += v.load() * x);
    }

    #[inline(always)]
    fn score(&self, _shared: &[f32], [one, other]: &mut [L; 2]) -> f32 {
        dot(one.as_ref(), other.as_ref())
    }

    /// `<v_u, v_i>` of the two fields.
    fn pair(&self, _shared: &[f32], one: Vectors<'_>, other: Vectors<'_>) -> f64 {
        if one.1 & 1 == other.1 & 1 { 0.0 } else { exact(one.0, other.0) }
    }

    fn half_width(&self, _sides: &Sides) -> usize {
        self.width()
    }

    /// The sum of the side's field.
    #[inline(always)]
    fn half(&self, _shared: &[f32], sides: &Sides, side: Side, sums: &[L; 2], vector: &mut [f32]) {
        for &field in sides.fields(side) {
            vector.copy_from_slice(sums[field & 1].as_ref());
        }
    }

    /// The sum of the other field.
    #[inline(always)]
    fn pull<'a>(&self, field: usize, sums: &'a [L; 2]) -> &'a [f32] {
        sums[1 - (field & 1)].as_ref()
    }
}
