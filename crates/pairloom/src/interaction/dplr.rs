//! The field-weighted factorization machine with a field matrix of low rank and a diagonal (Shtoff,
//! Viderman, Elberg, Raviv 2024, "Low Rank Field-Weighted Factorization Machines for Low Latency Item
//! Recommendation", arXiv 2408.00801, equations 5 and 6).
//!
//! The matrix of strengths is `R = U^T diag(e) U + diag(d)`, where `U` has `rank` rows and `d` is such
//! that the diagonal of `R` is 0: pairs within a field do not count. Then
//!
//! ```text
//! y(x) = w0 + sum_i w_i x_i + 1/2 [ sum_t e_t |T_t|^2 - sum_f c_f |S_f|^2 ]
//! ```
//!
//! with `S_f = sum_{i in f} v_i x_i`, `T_t = sum_f u_tf S_f` and `c_f = sum_t e_t u_tf^2`: O(k (nnz +
//! rank fields)) instead of the O(k fields^2) of the full matrix.
//!
//! Pairs of a context with an item are never within a field, so `d` has no part in them: they are
//! `sum_t e_t <T_t, T'_t>` of the two sides, vectors of `rank k` floats whatever the number of fields, which is
//! what the paper is about (its section 4).

use super::lanes::{Width, add, dot, exact};
use super::per_field::PerField;
use super::{Interaction, Lanes, Plan, Side, Sides, Vectors};
use crate::precision::Stored;

/// The pairs of a factorization machine, weighted by a matrix of low rank.
#[derive(Debug, Clone)]
pub struct Dplr<L> {
    fields: usize,
    width: Width<L>,
    rank: usize,
}

/// Running sums.
#[derive(Debug, Clone)]
pub struct Sums<L> {
    of: PerField<L>,
    /// `T_t`, once there is a score.
    low: Vec<L>,
}

/// `e`, and `U` row after row.
fn parts(shared: &[f32], rank: usize, fields: usize) -> (&[f32], impl Iterator<Item = &[f32]>) {
    let (e, u) = shared.split_at(rank);
    (e, u.chunks_exact(fields.max(1)).take(rank))
}

impl<L: Lanes> Interaction for Dplr<L> {
    type Vector = L;
    type Sums = Sums<L>;

    const BY_FIELD: bool = true;

    fn new(plan: &Plan) -> Self {
        let &Plan { fields, rank, .. } = plan;
        Dplr { fields, width: Width::new(plan), rank }
    }

    fn room(plan: &Plan) -> usize {
        plan.fields * (2 * plan.width() + 1) + plan.rank * plan.width()
    }

    fn work(plan: &Plan) -> usize {
        20 * plan.width()
    }

    fn shared(plan: &Plan) -> usize {
        plan.rank * (1 + plan.fields)
    }

    /// `e` is 1. The first row of `U` is 1, where all fields count alike; the others are waves of
    /// different lengths, so that each goes its own way.
    fn first(plan: &Plan, at: usize) -> f32 {
        let Some(place) = at.checked_sub(plan.rank).filter(|&place| place >= plan.fields) else {
            return 1.0;
        };
        let (t, f) = (place / plan.fields, (place % plan.fields) as f64 + 0.5);
        (0.1 * (std::f64::consts::PI * t as f64 * f / plan.fields as f64).cos()) as f32
    }

    fn flaw(plan: &Plan) -> Option<String> {
        super::family::too_few_fields(plan)
    }

    #[inline(always)]
    fn width(&self) -> usize {
        self.width.get()
    }

    fn zero(&self) -> Sums<L> {
        let low = vec![self.width.zeros(); self.rank];
        Sums { of: PerField::zero(self.fields, self.width.zeros()), low }
    }

    #[inline(always)]
    fn afresh(&self, used: &mut Sums<L>) -> Sums<L> {
        used.low.iter_mut().for_each(|low| *low = L::afresh(low));
        Sums { of: used.of.afresh(), low: std::mem::take(&mut used.low) }
    }

    #[inline(always)]
    fn absorb<T: Stored>(&self, vector: &[T], field: usize, x: f32, sums: &mut Sums<L>) {
        sums.of.absorb(&vector[..self.width()], field, x);
    }

    #[inline(always)]
    fn score(&self, shared: &[f32], sums: &mut Sums<L>) -> f32 {
        let Sums { of: PerField { sums, pulls, seen }, low } = sums;
        let mut twice = 0.0;
        let (e, u) = parts(shared, self.rank, self.fields);
        for ((low, &e), u) in low.iter_mut().zip(e).zip(u) {
            for f in seen.iter() {
                add(low.as_mut(), u[f], sums[f].as_ref());
            }
            for f in seen.iter() {
                let pull = pulls[f].as_mut();
                add(pull, e * u[f], low.as_ref());
                add(pull, -e * u[f] * u[f], sums[f].as_ref());
            }
        }
        for f in seen.iter() {
            twice += dot(sums[f].as_ref(), pulls[f].as_ref());
        }
        0.5 * twice
    }

    /// `(U^T diag(e) U)_{F(i) F(j)} <v_i, v_j>` of different fields.
    fn pair(&self, shared: &[f32], (v, f): Vectors<'_>, (w, g): Vectors<'_>) -> f64 {
        let (e, u) = parts(shared, self.rank, self.fields);
        let of = |(&e, u): (&f32, &[f32])| f64::from(e) * f64::from(u[f]) * f64::from(u[g]);
        if f == g { 0.0 } else { e.iter().zip(u).map(of).sum::<f64>() * exact(v, w) }
    }

    fn shared_name(plan: &Plan, at: usize, field: &dyn Fn(usize) -> String) -> Option<String> {
        let of_u = |at: usize| format!("u{}({})", at / plan.fields + 1, field(at % plan.fields));
        Some(at.checked_sub(plan.rank).map_or_else(|| format!("e{}", at + 1), of_u))
    }

    fn half_width(&self, _sides: &Sides) -> usize {
        self.rank * self.width()
    }

    /// `T_t` of an item, `e_t T_t` of a context.
    #[inline(always)]
    fn half(&self, shared: &[f32], _sides: &Sides, side: Side, sums: &Sums<L>, vector: &mut [f32]) {
        let (e, u) = parts(shared, self.rank, self.fields);
        for ((part, &e), u) in vector.chunks_exact_mut(self.width()).zip(e).zip(u) {
            let factor = if side == Side::Context { e } else { 1.0 };
            part.fill(0.0);
            sums.of.seen().for_each(|(f, sum)| add(part, factor * u[f], sum));
        }
    }

    /// `P_f = sum_t e_t u_tf T_t - c_f S_f`.
    #[inline(always)]
    fn pull<'a>(&self, field: usize, sums: &'a Sums<L>) -> &'a [f32] {
        sums.of.pulls[field].as_ref()
    }

    /// `(|T_t|^2 - sum_f u_tf^2 |S_f|^2) / 2` by `e_t`, `e_t (<T_t, S_f> - u_tf |S_f|^2)` by `u_tf`.
    #[inline(always)]
    fn backward_shared(&self, shared: &[f32], sums: &Sums<L>, slope: f32, gradient: &mut [f32]) {
        let (by_e, by_u) = gradient.split_at_mut(self.rank);
        let by_u = by_u.chunks_exact_mut(self.fields.max(1)).zip(by_e);
        let (e, u) = parts(shared, self.rank, self.fields);
        for (((low, &e), u), (by_u, by_e)) in sums.low.iter().zip(e).zip(u).zip(by_u) {
            let mut twice = dot(low.as_ref(), low.as_ref());
            for (f, sum) in sums.of.seen() {
                let square = dot(sum, sum);
                twice -= u[f] * u[f] * square;
                by_u[f] += slope * e * (dot(low.as_ref(), sum) - u[f] * square);
            }
            *by_e += slope * 0.5 * twice;
        }
    }
}
