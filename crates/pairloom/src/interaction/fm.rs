//! The two-way factorization machine (Rendle 2010, "Factorization Machines", equations 1 and 5).
//!
//! ```text
//! y(x) = w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j
//!      = w0 + sum_i w_i x_i + 1/2 sum_f [ (sum_i v_if x_i)^2 - sum_i (v_if x_i)^2 ]
//! ```
//!
//! The second line costs O(k nnz) where the first costs O(k nnz^2). Its gradient is
//! `dy/dv_if = x_i (S_f - v_if x_i)` with `S_f = sum_j v_jf x_j`.
//!
//! The pairs of a feature of a context with one of an item are `<S, S'>` of the sums of the two: what is left
//! of the second line for `S + S'`, where each side has its own pairs.

use super::lanes::{Width, exact};
use super::{Interaction, Lanes, Plan, Side, Sides, Vectors};
use crate::precision::Stored;

/// The pairs of a factorization machine, in vectors of the type `L`.
#[derive(Debug, Clone)]
pub struct Fm<L> {
    width: Width<L>,
}

impl<L: Lanes> Interaction for Fm<L> {
    type Vector = L;

    /// `sum_i v_i x_i` and `sum_i (v_i x_i)^2`.
    type Sums = [L; 2];

    fn new(plan: &Plan) -> Self {
        Fm { width: Width::new(plan) }
    }

    fn room(plan: &Plan) -> usize {
        2 * plan.width()
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
    fn absorb<T: Stored>(&self, vector: &[T], _field: usize, x: f32, [sum, squares]: &mut [L; 2]) {
        let lanes = sum.as_mut().iter_mut().zip(squares.as_mut());
        for ((s, q), v) in lanes.zip(&vector[..self.width()]) {
            let t = v.load() * x;
            *s += t;
            *q += t * t;
        }
    }

    #[inline(always)]
    fn score(&self, _shared: &[f32], [sum, squares]: &mut [L; 2]) -> f32 {
        // As in `lanes::dot`.
        let mut twice = [0.0; 8];
        for (s, q) in sum.as_ref().chunks(8).zip(squares.as_ref().chunks(8)) {
            for ((t, s), q) in twice.iter_mut().zip(s).zip(q) {
                *t += s * s - q;
            }
        }
        0.5 * twice.iter().sum::<f32>()
    }

    /// `<v_i, v_j>`.
    fn pair(&self, _shared: &[f32], one: Vectors<'_>, other: Vectors<'_>) -> f64 {
        exact(one.0, other.0)
    }

    fn half_width(&self, _sides: &Sides) -> usize {
        self.width()
    }

    /// `S`.
    #[inline(always)]
    fn half(
        &self,
        _shared: &[f32],
        _sides: &Sides,
        _side: Side,
        [sum, _]: &[L; 2],
        vector: &mut [f32],
    ) {
        vector.copy_from_slice(sum.as_ref());
    }

    /// `S`; the rest of the gradient is for all rows at once in [`Interaction::own`].
    #[inline(always)]
    fn pull<'a>(&self, _field: usize, [sum, _]: &'a [L; 2]) -> &'a [f32] {
        sum.as_ref()
    }

    #[inline(always)]
    fn own(
        &self,
        _shared: &[f32],
        vector: &[f32],
        _field: usize,
        squares: f32,
        gradient: &mut [f32],
    ) {
        let lanes = gradient[..self.width()].iter_mut().zip(&vector[..self.width()]);
        lanes.for_each(|(g, v)| *g -= squares * v);
    }
}
