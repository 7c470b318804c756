//! The second half of a step: gradients summed per feature, one update each.

use super::exact::Exact;
use super::prepared::{Entry, Sorted, Value};
use crate::backend::{StepSettings, strengths};
use crate::interaction::{Fields, Interaction, Lanes};
use crate::optimizer::{Moment, Penalty, Update, faded};
use crate::precision::{Chance, Stored};
use crate::simd::{Work, prefetch, prefetch_to_write};
use std::ops::Range;

/// How many features ahead the rows of the tables are asked for.
const AHEAD: usize = 24;

/// Factors that a penalty has brought below this are 0, where products of many of them would be so small
/// that processors take a hundred times as long for each.
const TINY: f32 = 1e-12;

/// The rows of some features in a table.
pub(super) struct Piece<'a, T> {
    numbers: &'a mut [T],
    stride: usize,
    /// From one feature to the next: a row for each class.
    step: usize,
    /// Where the row of the class is that is being moved.
    first: usize,
}

impl<'a, T> Piece<'a, T> {
    /// Rows of this length, one for each of so many classes.
    pub(super) fn new(numbers: &'a mut [T], stride: usize, classes: usize) -> Self {
        Piece { numbers, stride, step: classes * stride, first: 0 }
    }

    #[inline(always)]
    fn row(&mut self, at: u32) -> &mut [T] {
        &mut self.numbers[at as usize * self.step + self.first..][..self.stride]
    }

    #[inline(always)]
    fn ask(&self, at: u32) {
        prefetch_to_write(self.numbers, at as usize * self.step + self.first, self.stride);
    }
}

/// A thread's features, and what moves them.
pub(super) struct Features<'a, M: Interaction, X, T> {
    pub(super) interaction: &'a M,
    pub(super) settings: &'a StepSettings,
    pub(super) classes: usize,
    /// The class that is being moved.
    pub(super) class: usize,
    pub(super) now: Moment,
    /// Passes over the training rows up to now.
    pub(super) passes: f32,
    /// The share that the batch has of the features of all training rows.
    pub(super) share: f32,
    pub(super) shared: &'a [f32],
    /// How many of these belong to each class.
    pub(super) each_shared: usize,
    pub(super) fields: &'a Fields,
    pub(super) strengths: &'a [f32],
    pub(super) sums: &'a [M::Sums],
    pub(super) slopes: &'a [f32],
    /// Labels and weights of the rows, if their slopes are without these and are to be summed in 64 bits.
    pub(super) exact: Option<&'a [(f32, f32)]>,
    pub(super) features: Range<u32>,
    pub(super) linear: Piece<'a, f32>,
    pub(super) factors: Piece<'a, T>,
    pub(super) sorted: &'a Sorted<X>,
    pub(super) gradient: &'a mut M::Vector,
    pub(super) spare: &'a mut [f32],
}

impl<M: Interaction, X: Value, T: Stored> Work for Features<'_, M, X, T> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let Features { classes, shared, each_shared, strengths, sums, slopes, .. } = self;
        for class in 0..classes {
            self.class = class;
            // An empty batch has no sums.
            self.sums = sums.get(class..).unwrap_or_default();
            self.slopes = slopes.get(class..).unwrap_or_default();
            self.shared = &shared[class * each_shared..][..each_shared];
            self.strengths = &strengths[class * strengths::each(self.interaction)..];
            self.linear.first = class * self.linear.stride;
            self.factors.first = class * self.factors.stride;
            self.move_all();
        }
    }
}

impl<M: Interaction, X: Value, T: Stored> Features<'_, M, X, T> {
    /// Moves the weights of a class, of all features.
    #[inline(always)]
    fn move_all(&mut self) {
        let Range { start, end } = self.features;
        let (entries, runs) = (self.sorted.entries(), self.sorted.runs());
        let (mut next, mut fields) = (start, self.fields.walk());
        for (number, run) in runs.windows(2).enumerate() {
            if let Some(&coming) = runs.get(number + AHEAD) {
                self.ask(entries.get(coming as usize));
            }
            let entries = &entries[run[0] as usize..run[1] as usize];
            let feature = entries[0].feature;
            self.untouched(next..feature);
            let field = fields.field(feature);
            self.update(feature, field, entries);
            next = feature + 1;
        }
        self.untouched(next..end);
    }

    /// Asks for the memory that a coming entry's feature needs.
    #[inline(always)]
    fn ask(&self, entry: Option<&Entry<X>>) {
        if let Some(&Entry { feature, .. }) = entry {
            let at = feature - self.features.start;
            self.linear.ask(at);
            self.factors.ask(at);
            prefetch(&self.settings.counts, feature as usize, 1);
        }
    }

    /// Which bits are rounded up in the numbers of a feature.
    #[inline(always)]
    fn chance(&self, feature: u32) -> Chance {
        let (classes, class) = (self.classes as u32, self.class as u32);
        Chance::new(self.now.time, feature.wrapping_mul(classes).wrapping_add(class))
    }

    /// Sums the gradients of one feature's entries and moves its weights.
    #[inline(always)]
    fn update(&mut self, feature: u32, field: usize, entries: &[Entry<X>]) {
        let StepSettings { counts, optimizer, linear, momentum, .. } = self.settings;
        let count = counts[feature as usize].max(1) as f32;
        let share = entries.len() as f32 / count;
        if *momentum > 0.0 {
            self.now.momentum = faded(*momentum, count * self.share);
        }
        let at = feature - self.features.start;
        let strengths = field * self.classes * strengths::each(self.interaction);
        let strengths = &self.strengths[strengths..];
        let (now, pays) = self.penalise(self.settings.penalty_factors, share);
        let (mut slope_of_w, mut squares) = (0.0, 0.0);
        let opened = T::open(self.factors.row(at), self.spare);
        let (vector, state) = opened.split_at_mut(self.interaction.width());
        let mut gradient = M::Vector::afresh(self.gradient);
        let part = self.interaction.part();
        if part == vector.len() {
            let l2 = pays(strengths[1]);
            gradient.as_mut().iter_mut().zip(&*vector).for_each(|(g, v)| *g = l2 * v);
        } else {
            let parts = gradient.as_mut().chunks_exact_mut(part).zip(vector.chunks_exact(part));
            for ((gradient, vector), &l2) in parts.zip(&strengths[1..]) {
                let l2 = pays(l2);
                gradient.iter_mut().zip(vector).for_each(|(g, v)| *g = l2 * v);
            }
        }
        if let Some(outcomes) = self.exact {
            let Features { interaction, sums, slopes, classes, .. } = *self;
            let exact = Exact { sums, slopes, outcomes, classes };
            (gradient, slope_of_w, squares) =
                exact.feature(interaction, (vector, field), entries, gradient);
        } else {
            for &Entry { row, x, .. } in entries {
                let row = row as usize * self.classes;
                let (x, sums, slope) = (x.x(), &self.sums[row], self.slopes[row]);
                self.interaction.backward(vector, field, x, sums, slope, gradient.as_mut());
                slope_of_w += slope * x;
                squares += slope * x * x;
            }
        }
        self.interaction.own(self.shared, vector, field, squares, gradient.as_mut());
        // Only here does the gradient need a place in memory: a vector of known length that nobody points
        // to has been summed in registers.
        *self.gradient = gradient;
        optimizer.step(now, vector, state, self.gradient.as_ref());
        if M::DEEP {
            vector.iter_mut().filter(|v| v.abs() < TINY).for_each(|v| *v = 0.0);
        }
        let chance = self.chance(feature);
        T::close(self.factors.row(at), self.spare, chance);
        if *linear {
            let (now, pays) = self.penalise(self.settings.penalty_linear, share);
            let (w, state) = self.linear.row(at).split_at_mut(1);
            optimizer.step(now, w, state, &[slope_of_w + pays(strengths[0]) * w[0]]);
        }
    }

    /// A step with this penalty: what the optimizer has of it, and what is left for the gradient of a
    /// feature that pays this share of an L2 strength.
    #[inline(always)]
    fn penalise(
        &self,
        penalty: Penalty,
        share: f32,
    ) -> (Moment, impl Fn(f32) -> f32 + use<M, X, T>) {
        // Never more than what takes a weight to zero at this rate: rare features with a strong
        // penalty would overshoot.
        let most = 1.0 / self.now.rate;
        let (now, share) = match self.settings.optimizer.takes_penalties() {
            true => (Moment { penalty: penalty.times(self.passes), ..self.now }, 0.0),
            false => (self.now, share),
        };
        (now, move |l2| (share * l2).min(most))
    }

    /// A dense optimizer also steps the features that the batch does not touch.
    #[inline(always)]
    fn untouched(&mut self, features: Range<u32>) {
        let StepSettings { optimizer, linear, .. } = self.settings;
        if !optimizer.is_dense() {
            return;
        }
        let zeros = M::Vector::afresh(self.gradient);
        for feature in features {
            let (at, chance) = (feature - self.features.start, self.chance(feature));
            let opened = T::open(self.factors.row(at), self.spare);
            let (vector, state) = opened.split_at_mut(self.interaction.width());
            optimizer.step(self.now, vector, state, zeros.as_ref());
            T::close(self.factors.row(at), self.spare, chance);
            if *linear {
                let (w, state) = self.linear.row(at).split_at_mut(1);
                optimizer.step(self.now, w, state, &[0.0]);
            }
        }
        *self.gradient = zeros;
    }
}
