//! The higher-order factorization machine (Blondel, Fujino, Ueda, Ishihata 2016, "Higher-Order
//! Factorization Machines", arXiv 1607.07195, equations 4 and 6).
//!
//! ```text
//! y(x) = w0 + sum_i w_i x_i + sum_{t=2..order} sum_f A^t(v^t_f, x),
//! A^t(v, x) = sum_{i1 < ... < it} v_i1 x_i1 ... v_it x_it
//! ```
//!
//! The ANOVA kernel `A^t` of some features and of one more is `A^t + v x A^{t-1}` (their equation 7):
//! O(k nnz t) for the score. What a feature is multiplied with, `A^{t-1}` of all others, follows from the
//! same equation turned round, `A^t_others = A^t - v x A^{t-1}_others` from `A^0 = 1` on: O(k t) a
//! feature for the gradient, and no table of partial sums as in their algorithm 2. Each order has factors
//! of its own; without the lower orders there is only the last.
//!
//! A product of `t` features of a context and an item has `m` of the item and `t - m` of the context, so
//! `A^t` of both is `sum_m A^{t-m} A'^m`: what goes beyond the two alone are the terms of `m` from 1 to `t - 1`.

use super::lanes::{Width, add, exact};
use super::{Feature, Interaction, Lanes, Plan, Side, Sides, Vectors};
use crate::precision::Stored;
use std::mem::take;

/// Products of up to `order` features.
#[derive(Debug, Clone)]
pub struct Hofm<L> {
    width: Width<L>,
    order: usize,
    lower: bool,
}

fn orders(order: usize, lower: bool) -> std::ops::RangeInclusive<usize> {
    if lower { 2..=order } else { order..=order }
}

impl<L: Lanes> Hofm<L> {
    fn orders(&self) -> std::ops::RangeInclusive<usize> {
        orders(self.order, self.lower)
    }
}

impl<L: Lanes> Interaction for Hofm<L> {
    type Vector = Vec<f32>;

    /// `A^1` to `A^t` of the factors of each order `t`, one after the other.
    type Sums = Vec<L>;

    const DEEP: bool = true;

    fn new(plan: &Plan) -> Self {
        let &Plan { order, lower_orders: lower, .. } = plan;
        Hofm { width: Width::new(plan), order, lower }
    }

    fn parts(plan: &Plan) -> usize {
        orders(plan.order, plan.lower_orders).count()
    }

    fn degree(plan: &Plan, part: usize) -> usize {
        orders(plan.order, plan.lower_orders).start() + part
    }

    fn room(plan: &Plan) -> usize {
        orders(plan.order, plan.lower_orders).sum::<usize>() * plan.width()
    }

    fn work(plan: &Plan) -> usize {
        16 * plan.width()
    }

    #[inline(always)]
    fn width(&self) -> usize {
        self.orders().count() * self.part()
    }

    #[inline(always)]
    fn part(&self) -> usize {
        self.width.get()
    }

    fn zero(&self) -> Vec<L> {
        vec![self.width.zeros(); self.orders().sum()]
    }

    #[inline(always)]
    fn afresh(&self, used: &mut Vec<L>) -> Vec<L> {
        used.iter_mut().for_each(|sum| *sum = L::afresh(sum));
        take(used)
    }

    #[inline(always)]
    fn absorb<T: Stored>(&self, vector: &[T], _field: usize, x: f32, sums: &mut Vec<L>) {
        let (vectors, mut sums) = (&vector[..self.width()], &mut sums[..]);
        for (order, v) in self.orders().zip(vectors.chunks_exact(self.part())) {
            let (mine, others) = take(&mut sums).split_at_mut(order);
            sums = others;
            // From the highest on: each needs the one below as it was before.
            for t in (1..order).rev() {
                let (below, above) = mine.split_at_mut(t);
                let lanes = above[0].as_mut().iter_mut().zip(below[t - 1].as_ref()).zip(v);
                lanes.for_each(|((above, below), v)| *above += v.load() * x * below);
            }
            let lanes = mine[0].as_mut().iter_mut().zip(v);
            lanes.for_each(|(sum, v)| *sum += v.load() * x);
        }
    }

    #[inline(always)]
    fn score(&self, _shared: &[f32], sums: &mut Vec<L>) -> f32 {
        let (mut total, mut at) = (self.width.zeros(), 0);
        for order in self.orders() {
            at += order;
            add(total.as_mut(), 1.0, sums[at - 1].as_ref());
        }
        total.as_ref().iter().sum()
    }

    /// `<v^2_i, v^2_j>`, if there is an order of two.
    fn pair(&self, _shared: &[f32], one: Vectors<'_>, other: Vectors<'_>) -> f64 {
        let is_first = *self.orders().start() == 2;
        let [one, other] = [one.0, other.0].map(|vectors| &vectors[..self.part()]);
        if is_first { exact(one, other) } else { 0.0 }
    }

    /// `sum_f A^t(v^t_f, x)` for `t` from 3 on, by their equation 7 factor for factor.
    fn products(&self, row: &[Feature<'_, f32>]) -> Vec<(usize, f64)> {
        let of_factor = |at: usize, order: usize| {
            let mut sums = vec![0.0; order + 1];
            sums[0] = 1.0;
            for (vectors, _, x) in row {
                let term = f64::from(vectors[at]) * f64::from(*x);
                (1..=order).rev().for_each(|t| sums[t] += term * sums[t - 1]);
            }
            sums[order]
        };
        let orders = self.orders().enumerate().filter(|&(_, order)| order > 2);
        let of_order = |(part, order)| {
            let factors = part * self.part()..(part + 1) * self.part();
            (order, factors.map(|at| of_factor(at, order)).sum())
        };
        orders.map(of_order).collect()
    }

    /// The order of the products that it is for.
    fn part_name(plan: &Plan, part: usize, _field: &dyn Fn(usize) -> String) -> String {
        format!("for products of {}", Self::degree(plan, part))
    }

    fn half_width(&self, _sides: &Sides) -> usize {
        self.orders().map(|order| order - 1).sum::<usize>() * self.part()
    }

    /// For each order `t` and each `m` from 1 to `t - 1`: `A^m` of an item, `A^{t-m}` of a context.
    #[inline(always)]
    fn half(&self, _shared: &[f32], _sides: &Sides, side: Side, sums: &Vec<L>, vector: &mut [f32]) {
        let (mut parts, mut from) = (vector.chunks_exact_mut(self.part()), 0);
        for order in self.orders() {
            let mine = &sums[from..from + order - 1];
            for (m, part) in (0..order - 1).zip(&mut parts) {
                let sum = if side == Side::Item { m } else { order - 2 - m };
                part.copy_from_slice(mine[sum].as_ref());
            }
            from += order;
        }
    }

    /// `slope x A^{t-1}` of all other features.
    #[inline(always)]
    fn backward(
        &self,
        vector: &[f32],
        _field: usize,
        x: f32,
        sums: &Vec<L>,
        slope: f32,
        gradient: &mut [f32],
    ) {
        let parts = vector.chunks_exact(self.part()).zip(gradient.chunks_exact_mut(self.part()));
        let mut sums = &sums[..];
        for (order, (v, gradient)) in self.orders().zip(parts) {
            let (mine, rest) = sums.split_at(order);
            sums = rest;
            // Eight at once, for what is of a width that the compiler does not know.
            let lanes = v.chunks(8).zip(gradient.chunks_mut(8));
            for (at, (v, gradient)) in (0..).step_by(8).zip(lanes) {
                let mut others = [1.0; 8];
                for all in &mine[..order - 1] {
                    let lanes = others.iter_mut().zip(&all.as_ref()[at..]).zip(v);
                    lanes.for_each(|((others, all), v)| *others = all - v * x * *others);
                }
                add(gradient, slope * x, &others);
            }
        }
    }
}
