//! The field-weighted factorization machine (Pan et al. 2018, "Field-weighted Factorization Machines
//! for Click-Through Rate Prediction in Display Advertising", equation 6).
//!
//! ```text
//! y(x) = w0 + sum_i w_i x_i + sum_{i<j} r_{F(i) F(j)} <v_i, v_j> x_i x_j
//!      = w0 + sum_i w_i x_i + 1/2 sum_f [ <S_f, P_f> - r_ff sum_{i in f} |v_i x_i|^2 ]
//! ```
//!
//! with `S_f = sum_{i in f} v_i x_i` and `P_f = sum_g r_fg S_g`: O(k (nnz + fields^2)). The strengths
//! `r` begin at 1, where the model is a plain factorization machine.
//!
//! The pairs of a context with an item are `sum_f <S_f, P_f>` over the fields of one side, with `P_f` from
//! those of the other: the side with fewer fields has its `S_f` as its vector, the other its `P_f`.

use super::lanes::{Width, add, dot, exact};
use super::per_field::{PerField, pair, pair_of};
use super::{Interaction, Lanes, Plan, Side, Sides, Vectors};
use crate::precision::Stored;

/// The pairs of a factorization machine, weighted by their fields.
#[derive(Debug, Clone)]
pub struct Fwfm<L> {
    fields: usize,
    width: Width<L>,
}

/// Running sums.
#[derive(Debug, Clone)]
pub struct Sums<L> {
    of: PerField<L>,
    /// `sum_{i in f} |v_i x_i|^2`.
    squares: Vec<f32>,
}

impl<L: Lanes> Interaction for Fwfm<L> {
    type Vector = L;
    type Sums = Sums<L>;

    const BY_FIELD: bool = true;

    fn new(plan: &Plan) -> Self {
        Fwfm { fields: plan.fields, width: Width::new(plan) }
    }

    fn room(plan: &Plan) -> usize {
        plan.fields * (2 * plan.width() + 2)
    }

    fn work(plan: &Plan) -> usize {
        5 * plan.fields * plan.width() / 4
    }

    fn shared(plan: &Plan) -> usize {
        pair(plan.fields, 0)
    }

    fn flaw(plan: &Plan) -> Option<String> {
        super::family::too_few_fields(plan)
    }

    fn first(_plan: &Plan, _at: usize) -> f32 {
        1.0
    }

    #[inline(always)]
    fn width(&self) -> usize {
        self.width.get()
    }

    fn zero(&self) -> Sums<L> {
        let of = PerField::zero(self.fields, self.width.zeros());
        Sums { of, squares: vec![0.0; self.fields] }
    }

    #[inline(always)]
    fn afresh(&self, used: &mut Sums<L>) -> Sums<L> {
        used.squares.fill(0.0);
        Sums { of: used.of.afresh(), squares: std::mem::take(&mut used.squares) }
    }

    #[inline(always)]
    fn absorb<T: Stored>(&self, vector: &[T], field: usize, x: f32, sums: &mut Sums<L>) {
        let vector = &vector[..self.width()];
        sums.of.absorb(vector, field, x);
        let mut squares = [0.0; 4];
        for four in vector.chunks_exact(4) {
            for (sum, v) in squares.iter_mut().zip(four) {
                *sum += v.load() * x * (v.load() * x);
            }
        }
        sums.squares[field] += squares.iter().sum::<f32>();
    }

    #[inline(always)]
    fn score(&self, shared: &[f32], sums: &mut Sums<L>) -> f32 {
        let Sums { of: PerField { sums, pulls, seen }, squares } = sums;
        let mut twice = 0.0;
        for f in seen.iter() {
            let mut pull = L::afresh(&mut pulls[f]);
            for g in seen.iter() {
                add(pull.as_mut(), shared[pair(f, g)], sums[g].as_ref());
            }
            twice += dot(sums[f].as_ref(), pull.as_ref()) - shared[pair(f, f)] * squares[f];
            pulls[f] = pull;
        }
        0.5 * twice
    }

    /// `r_{F(i) F(j)} <v_i, v_j>`.
    fn pair(&self, shared: &[f32], one: Vectors<'_>, other: Vectors<'_>) -> f64 {
        f64::from(shared[pair(one.1, other.1)]) * exact(one.0, other.0)
    }

    fn shared_name(_plan: &Plan, at: usize, field: &dyn Fn(usize) -> String) -> Option<String> {
        let (less, more) = pair_of(at);
        Some(format!("r({}, {})", field(less), field(more)))
    }

    fn half_width(&self, sides: &Sides) -> usize {
        sides.fields(sides.smaller()).len() * self.width()
    }

    /// `S_f` or `P_f` for the fields of the smaller side.
    #[inline(always)]
    fn half(&self, shared: &[f32], sides: &Sides, side: Side, sums: &Sums<L>, vector: &mut [f32]) {
        let smaller = sides.smaller();
        let parts = vector.chunks_exact_mut(self.width());
        for (part, &f) in parts.zip(sides.fields(smaller)) {
            if side == smaller {
                part.copy_from_slice(sums.of.sums[f].as_ref());
                continue;
            }
            part.fill(0.0);
            sums.of.seen().for_each(|(g, sum)| add(part, shared[pair(f, g)], sum));
        }
    }

    /// `P_f`.
    #[inline(always)]
    fn pull<'a>(&self, field: usize, sums: &'a Sums<L>) -> &'a [f32] {
        sums.of.pulls[field].as_ref()
    }

    #[inline(always)]
    fn own(
        &self,
        shared: &[f32],
        vector: &[f32],
        field: usize,
        squares: f32,
        gradient: &mut [f32],
    ) {
        add(gradient, -shared[pair(field, field)] * squares, &vector[..self.width()]);
    }

    /// `<S_f, S_g>` by `r_fg`; by `r_ff` half of what pairs within the field add up to twice.
    #[inline(always)]
    fn backward_shared(&self, _shared: &[f32], sums: &Sums<L>, slope: f32, gradient: &mut [f32]) {
        let Sums { of, squares } = sums;
        for (f, sum) in of.seen() {
            gradient[pair(f, f)] += slope * 0.5 * (dot(sum, sum) - squares[f]);
        }
        for (f, g) in of.seen.pairs() {
            gradient[pair(f, g)] += slope * dot(of.sums[f].as_ref(), of.sums[g].as_ref());
        }
    }
}
