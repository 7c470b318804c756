//! The first half of a step: rows to scores, losses and slopes.

use super::parameters::Parameters;
use super::prepared::{Layout, Value};
use super::scores::score;
use crate::backend::StepSettings;
use crate::interaction::Interaction;
use crate::loss::{Loss, softmax};
use crate::precision::Stored;
use crate::simd::Work;

/// How many features ahead the vectors are asked for.
const AHEAD: usize = 40;

/// A thread's rows of a batch, and what comes of them.
pub(super) struct Forward<'a, M: Interaction, X, T> {
    pub(super) interaction: &'a M,
    pub(super) settings: &'a StepSettings,
    pub(super) parameters: Parameters<'a, T>,
    pub(super) layout: &'a Layout<X>,
    /// Whether slopes are to have the weights of rows in them.
    pub(super) weighted: bool,
    /// Place of the first row in the whole batch.
    pub(super) first: usize,
    /// Of each row those of each class, and their slopes.
    pub(super) sums: &'a mut [M::Sums],
    pub(super) slopes: &'a mut [f32],
    pub(super) losses: &'a mut [f64],
}

impl<M: Interaction, X: Value, T: Stored> Work for Forward<'_, M, X, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Forward { interaction, settings, parameters, layout, weighted, first, .. } = self;
        let StepSettings { loss, target, .. } = settings;
        let classes = parameters.classes();
        let last = layout.range(first + self.losses.len() - 1).end;
        let ids = &layout.ids()[..last];
        let start = layout.range(first).start;
        for class in 0..classes {
            let parameters = parameters.class(class);
            let soon = &ids[start..(start + AHEAD).min(last)];
            soon.iter().for_each(|&id| parameters.prefetch(id, interaction.width()));
            let sums = self.sums[class..].iter_mut().step_by(classes);
            let scores = self.slopes[class..].iter_mut().step_by(classes);
            for (at, (sums, slot)) in (first..).zip(sums.zip(scores)) {
                let range = layout.range(at);
                let coming = (range.start + AHEAD).min(last)..(range.end + AHEAD).min(last);
                // Local, and so in registers, where the width is known.
                let mut local = interaction.afresh(sums);
                let features = layout.features(range);
                *slot = score(interaction, parameters, features, &ids[coming], &mut local);
                *sums = local;
            }
        }
        if loss.is_ranking() {
            // What a row costs depends on others.
            return;
        }
        // What were scores becomes slopes.
        let scores = self.slopes.chunks_exact_mut(classes);
        for (at, (scores, cost)) in (first..).zip(scores.zip(self.losses)) {
            let (label, weight) = layout.outcome(at);
            let (label, weight) = (target.standardize(label), f64::from(weight));
            let times = if weighted { weight } else { 1.0 };
            *cost = weight
                * match (loss, &mut *scores) {
                    (Loss::Softmax, scores) => softmax::to_slopes(scores, label, times),
                    (loss, [score, ..]) => {
                        let (value, slope) = loss.with_gradient(f64::from(*score), label);
                        *score = (times * slope) as f32;
                        value
                    }
                    (_, []) => 0.0,
                };
        }
    }
}
