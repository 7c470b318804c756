//! The first half of a step: rows to scores, losses and slopes.

use super::Parameters;
use super::prepared::{Layout, Value};
use super::scores::score;
use crate::backend::StepSettings;
use crate::interaction::Interaction;
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
    /// Place of the first row in the whole batch.
    pub(super) first: usize,
    pub(super) sums: &'a mut [M::Sums],
    pub(super) slopes: &'a mut [f32],
    pub(super) losses: &'a mut [f64],
}

impl<M: Interaction, X: Value, T: Stored> Work for Forward<'_, M, X, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Forward { interaction, settings, parameters, layout, first, .. } = self;
        let StepSettings { loss, target, .. } = settings;
        let last = layout.range(first + self.sums.len() - 1).end;
        let ids = &layout.ids()[..last];
        let soon = layout.range(first).start..(layout.range(first).start + AHEAD).min(last);
        ids[soon].iter().for_each(|&id| parameters.prefetch(id, interaction.width()));
        for (at, sums) in self.sums.iter_mut().enumerate() {
            let range = layout.range(first + at);
            let coming = (range.start + AHEAD).min(last)..(range.end + AHEAD).min(last);
            // Local, and so in registers, where the width is known.
            let mut local = interaction.afresh(sums);
            let features = layout.features(range);
            let score = score(interaction, parameters, features, &ids[coming], &mut local);
            *sums = local;
            if loss.is_ranking() {
                // What it costs depends on others.
                self.slopes[at] = score;
                continue;
            }
            let (label, weight) = layout.outcome(first + at);
            let (value, slope) = loss.with_gradient(f64::from(score), target.standardize(label));
            self.losses[at] = f64::from(weight) * value;
            self.slopes[at] = (f64::from(weight) * slope) as f32;
        }
    }
}
