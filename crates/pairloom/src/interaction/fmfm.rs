//! The field-matrixed factorization machine (Sun, Pan, Zhang, Flores 2021, "FM^2: Field-matrixed
//! Factorization Machines for Recommender Systems", arXiv 2102.12994, equation 8).
//!
//! ```text
//! y(x) = w0 + sum_i w_i x_i + sum_{i<j, F(i)!=F(j)} <M_{F(i) F(j)} v_i, v_j> x_i x_j
//! ```
//!
//! A pair of fields has a matrix of `k` by `k`, which begins at the identity, where the model is a plain
//! factorization machine over different fields; pairs within a field do not count. With
//! `S_f = sum_{i in f} v_i x_i` it costs O(k nnz + k^2 fields^2).
//!
//! The pairs of a context with an item are `sum_f <S_f, P_f>` over the fields of one side, with
//! `P_f = sum_g M_fg S_g` from those of the other (`M_gf` is the transpose of `M_fg`): the side with fewer
//! fields has its `S_f` as its vector, the other its `P_f`.

use super::lanes::{Width, add, dot, exact};
use super::per_field::{PerField, Seen, pair_of};
use super::{Interaction, Lanes, Plan, Side, Sides, Vectors};
use crate::precision::Stored;

/// Pairs of features through a matrix for their fields.
#[derive(Debug, Clone)]
pub struct Fmfm<L> {
    fields: usize,
    width: Width<L>,
}

/// The place of the matrix of two different fields, among all.
#[inline(always)]
fn place(less: usize, more: usize) -> usize {
    more * (more - 1) / 2 + less
}

/// Pairs of different fields, `g < f`, and where their matrix of so many numbers begins.
#[inline(always)]
fn matrices(seen: &Seen, size: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    seen.pairs().map(move |(one, other)| {
        let (g, f) = if one < other { (one, other) } else { (other, one) };
        (g, f, place(g, f) * size)
    })
}

impl<L: Lanes> Interaction for Fmfm<L> {
    type Vector = L;
    type Sums = PerField<L>;

    const BY_FIELD: bool = true;

    fn new(plan: &Plan) -> Self {
        Fmfm { fields: plan.fields, width: Width::new(plan) }
    }

    fn room(plan: &Plan) -> usize {
        plan.fields * (2 * plan.width() + 1)
    }

    fn work(plan: &Plan) -> usize {
        plan.fields.saturating_mul(plan.width()).saturating_mul(plan.width())
    }

    fn shared(plan: &Plan) -> usize {
        // More than there can be is refused with the memory that it would take.
        let size = plan.width().saturating_mul(plan.width());
        place(0, plan.fields.max(1)).saturating_mul(size)
    }

    /// Identities, with zeros where vectors have padding.
    fn first(plan: &Plan, at: usize) -> f32 {
        let (row, column) = (at / plan.width() % plan.width(), at % plan.width());
        f32::from(row == column && column < plan.factors)
    }

    fn flaw(plan: &Plan) -> Option<String> {
        super::family::too_few_fields(plan)
    }

    #[inline(always)]
    fn width(&self) -> usize {
        self.width.get()
    }

    fn zero(&self) -> PerField<L> {
        PerField::zero(self.fields, self.width.zeros())
    }

    #[inline(always)]
    fn afresh(&self, used: &mut PerField<L>) -> PerField<L> {
        used.afresh()
    }

    #[inline(always)]
    fn absorb<T: Stored>(&self, vector: &[T], field: usize, x: f32, sums: &mut PerField<L>) {
        sums.absorb(&vector[..self.width()], field, x);
    }

    #[inline(always)]
    fn score(&self, shared: &[f32], sums: &mut PerField<L>) -> f32 {
        let (PerField { sums, pulls, seen }, width) = (sums, self.width());
        for (g, f, at) in matrices(seen, width * width) {
            let matrix = shared[at..][..width * width].chunks_exact(width);
            for (a, row) in matrix.enumerate() {
                pulls[f].as_mut()[a] += dot(row, sums[g].as_ref());
                add(pulls[g].as_mut(), sums[f].as_ref()[a], row);
            }
        }
        let of = |f: usize| dot(sums[f].as_ref(), pulls[f].as_ref());
        0.5 * seen.iter().map(of).sum::<f32>()
    }

    /// `<M_{F(i) F(j)} v_i, v_j>` of different fields; a matrix has a row for each factor of the later one.
    fn pair(&self, shared: &[f32], one: Vectors<'_>, other: Vectors<'_>) -> f64 {
        let ((w, g), (v, f)) = if one.1 < other.1 { (one, other) } else { (other, one) };
        if g == f {
            return 0.0;
        }
        let width = self.width();
        let rows = shared[place(g, f) * width * width..].chunks_exact(width);
        v.iter().zip(rows).map(|(v, row)| f64::from(*v) * exact(row, w)).sum()
    }

    /// `M(earlier field, later field)[factor of the later, factor of the earlier]`.
    fn shared_name(plan: &Plan, at: usize, field: &dyn Fn(usize) -> String) -> Option<String> {
        let (width, factors) = (plan.width(), plan.factors);
        let (row, column) = (at / width % width, at % width);
        let (less, before) = pair_of(at / (width * width));
        let names = [less, before + 1].map(field).join(", ");
        let is_padding = row >= factors || column >= factors;
        (!is_padding).then(|| format!("M({names})[{}, {}]", row + 1, column + 1))
    }

    fn half_width(&self, sides: &Sides) -> usize {
        sides.fields(sides.smaller()).len() * self.width()
    }

    /// `S_f` or `P_f` for the fields of the smaller side.
    #[inline(always)]
    fn half(
        &self,
        shared: &[f32],
        sides: &Sides,
        side: Side,
        sums: &PerField<L>,
        vector: &mut [f32],
    ) {
        let (smaller, width) = (sides.smaller(), self.width());
        for (part, &f) in vector.chunks_exact_mut(width).zip(sides.fields(smaller)) {
            if side == smaller {
                part.copy_from_slice(sums.sums[f].as_ref());
                continue;
            }
            part.fill(0.0);
            // A field of the smaller side has no matrix with itself, and is never among those seen.
            for (g, sum) in sums.seen().filter(|&(g, _)| g != f) {
                let matrix = &shared[place(f.min(g), f.max(g)) * width * width..][..width * width];
                for (a, row) in matrix.chunks_exact(width).enumerate() {
                    match g < f {
                        true => part[a] += dot(row, sum),
                        false => add(part, sum[a], row),
                    }
                }
            }
        }
    }

    /// `P_f = sum_g M_fg S_g`.
    #[inline(always)]
    fn pull<'a>(&self, field: usize, sums: &'a PerField<L>) -> &'a [f32] {
        sums.pulls[field].as_ref()
    }

    /// `S_f S_g^T`.
    #[inline(always)]
    fn backward_shared(
        &self,
        _shared: &[f32],
        sums: &PerField<L>,
        slope: f32,
        gradient: &mut [f32],
    ) {
        let (PerField { sums, seen, .. }, width) = (sums, self.width());
        for (g, f, at) in matrices(seen, width * width) {
            let matrix = gradient[at..][..width * width].chunks_exact_mut(width);
            for (row, s) in matrix.zip(sums[f].as_ref()) {
                add(row, slope * s, sums[g].as_ref());
            }
        }
    }
}
