//! The L2 strengths of each field, learned from its weights (empirical Bayes).
//!
//! A strength `l2` says that the weights of a field are expected to have the variance `d / l2`, where
//! `d` is the dispersion of the labels (1 for classes). What training has made of a weight `w` about
//! which the rows say `h` (the second derivative of their loss) is drawn towards 0: if its true value
//! has that variance, then `w^2` is on average `r d / l2` with `r = h / (h + l2)`. So
//!
//! ```text
//! d / l2 = sum r w^2 / sum r^2
//! ```
//!
//! over the field's weights, each of which counts as much as the rows know of it, is where the strength
//! of the field stays as it is; taken again after each epoch, it comes there soon. AdaGrad's sums of
//! squared gradients are `h d` for each pass over the rows (Fisher's information). Some weights that are
//! made up, with the variance that settings expect, hold a field with few features near these.
//!
//! The same idea, for networks: MacKay 1992, "A practical Bayesian framework for backpropagation
//! networks", section 3.

use super::State;
use crate::backend::StepSettings;
use crate::interaction::{Fields, Interaction};
use crate::parallel::Threads;
use crate::precision::Stored;
use crate::simd::{self, Work};
use crate::table::View;
use std::ops::Range;

/// How many weights the strength of the settings counts for: measured.
const MADE_UP: f64 = 10.0;

/// Features that are summed in one go; sums do not depend on the number of threads.
const GO: u32 = 1 << 14;

/// How many strengths a field has for a class.
#[inline(always)]
pub(super) fn each<M: Interaction>(interaction: &M) -> usize {
    1 + interaction.width().checked_div(interaction.part()).unwrap_or(1).max(1)
}

/// What they are before anything is learned.
pub(super) fn first<M: Interaction>(
    interaction: &M,
    settings: &StepSettings,
    fields: &Fields,
    classes: usize,
) -> Vec<f32> {
    let [linear, factors] = [settings.penalty_linear.l2, settings.penalty_factors.l2];
    let all = (0..fields.len().max(1) * classes).flat_map(|_| 0..each(interaction));
    all.map(|at| if at == 0 { linear } else { factors }).collect()
}

/// Learns them after so many passes over the rows.
pub(super) fn learn<M: Interaction, T: Stored>(
    interaction: &M,
    settings: &StepSettings,
    state: &mut State,
    threads: &Threads,
    passes: f32,
    dispersion: f64,
) {
    let State { linear, factors, fields, strengths, classes, .. } = &*state;
    let (each, classes) = (each(interaction), *classes);
    let parts = parts(fields, factors.features() / classes, classes, GO);
    let sums = threads.map(parts, |(place, features)| {
        let (strengths, class) = (&strengths[place * each..][..each], place % classes);
        let linear = linear.view().of_class(class, classes);
        let factors = factors.view().of_class(class, classes);
        let known = Known::<M, T> { interaction, linear, factors, features, passes, strengths };
        (place, simd::run(known))
    });
    take(interaction, settings, state, sums, dispersion);
}

/// Parts of up to `most` features that have the same strengths: which these are, counted field by field and of a field
/// class by class, and the features.
pub(super) fn parts(
    fields: &Fields,
    features: usize,
    classes: usize,
    most: u32,
) -> Vec<(usize, Range<u32>)> {
    let fields = fields.ranges(features as u32).enumerate();
    let ranges = fields.flat_map(|(field, all)| {
        (field * classes..(field + 1) * classes).map(move |place| (place, all.clone()))
    });
    ranges
        .flat_map(|(place, all)| {
            let starts = all.clone().step_by(most as usize);
            starts.map(move |start| (place, start..all.end.min(start.saturating_add(most))))
        })
        .collect()
}

/// Takes the strengths over that follow from what is known of parts of the features: for each of the strengths of a
/// part `sum r w^2` and `sum r^2`.
pub(super) fn take<M: Interaction>(
    interaction: &M,
    settings: &StepSettings,
    state: &mut State,
    known: impl IntoIterator<Item = (usize, Vec<[f64; 2]>)>,
    dispersion: f64,
) {
    // Labels that are all alike leave nothing to be learned.
    let dispersion = dispersion.max(f64::from(f32::MIN_POSITIVE));
    let State { fields, strengths, classes, .. } = state;
    let each = each(interaction);
    let mut totals = vec![[0.0; 2]; strengths.len()];
    for (place, sums) in known {
        for (total, sums) in totals[place * each..].iter_mut().zip(sums) {
            *total = [0, 1].map(|at| total[at] + sums[at]);
        }
    }
    let expected = first(interaction, settings, fields, *classes).into_iter().map(f64::from);
    for ((strength, [squares, known]), first) in strengths.iter_mut().zip(totals).zip(expected) {
        if first > 0.0 {
            let variance = (squares + MADE_UP * dispersion / first) / (known + MADE_UP);
            *strength = (dispersion / variance) as f32;
        }
    }
}

/// What is known of some features of a field, for a class.
struct Known<'a, M, T> {
    interaction: &'a M,
    linear: View<'a, f32>,
    factors: View<'a, T>,
    features: Range<u32>,
    passes: f32,
    strengths: &'a [f32],
}

impl<M: Interaction, T: Stored> Work for Known<'_, M, T> {
    /// `sum r w^2` and `sum r^2` for each strength.
    type Output = Vec<[f64; 2]>;

    #[inline(always)]
    fn run(self) -> Vec<[f64; 2]> {
        let Known { interaction, linear, factors, passes, strengths, .. } = self;
        let (width, part) = (interaction.width(), interaction.part().max(1));
        let mut sums = vec![[0.0; 2]; strengths.len()];
        for id in self.features {
            let (w, squares) = linear.vector(id, 2).split_at(1);
            add(&mut sums[0], w, squares, passes * strengths[0]);
            let (vectors, squares) = factors.vector(id, 2 * width).split_at(width);
            let parts = vectors.chunks_exact(part).zip(squares.chunks_exact(part));
            for ((sums, l2), (v, squares)) in sums.iter_mut().zip(strengths).skip(1).zip(parts) {
                add(sums, v, squares, passes * l2);
            }
        }
        sums
    }
}

/// Adds what is known of one vector.
#[inline(always)]
fn add<T: Stored>(sums: &mut [f64; 2], vector: &[T], squares: &[T], l2: f32) {
    let mut lanes = [[0.0f32; 2]; 8];
    for (v, h) in vector.chunks(8).zip(squares.chunks(8)) {
        for (lane, (v, h)) in lanes.iter_mut().zip(v.iter().zip(h)) {
            let (w, h) = (v.load(), h.load());
            // A feature that no row has is not known at all, whatever the strength.
            let r = if h > 0.0 { h / (h + l2) } else { 0.0 };
            lane[0] += r * w * w;
            lane[1] += r * r;
        }
    }
    for lane in lanes {
        sums[0] += f64::from(lane[0]);
        sums[1] += f64::from(lane[1]);
    }
}
