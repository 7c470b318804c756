//! What scores are made with, in training and after.

use crate::backend::State;
use crate::interaction::Fields;
use crate::model::Weights;
use crate::precision::Stored;
use crate::table::View;

/// What the scores of all classes are made with, or the only one.
#[derive(Clone, Copy)]
pub(crate) struct Parameters<'a, T> {
    linear: View<'a, f32>,
    factors: View<'a, T>,
    /// One a class.
    biases: &'a [f32],
    /// As many for each class.
    shared: &'a [f32],
    fields: &'a Fields,
}

impl<'a, T: Stored> Parameters<'a, T> {
    pub(crate) fn new(weights: &'a Weights) -> Self {
        let Weights { bias, linear, factors, shared, fields } = weights;
        Parameters { linear: linear.view(), factors: factors.view(), biases: bias, shared, fields }
    }

    pub(super) fn of(state: &'a State) -> Self {
        let State { linear, factors, fields, .. } = state;
        let (biases, shared) = state.dense();
        Parameters { linear: linear.view(), factors: factors.view(), biases, shared, fields }
    }

    /// How many classes there are; 1 where there is only one score.
    #[inline(always)]
    pub(super) fn classes(self) -> usize {
        self.biases.len()
    }

    /// Those of one class.
    #[inline(always)]
    pub(super) fn class(self, class: usize) -> OfClass<'a, T> {
        let Parameters { linear, factors, biases, shared, fields } = self;
        if biases.len() == 1 {
            return OfClass { linear, factors, bias: biases[0], shared, fields };
        }
        let [classes, each] = [biases.len(), shared.len() / biases.len()];
        OfClass {
            linear: linear.of_class(class, classes),
            factors: factors.of_class(class, classes),
            bias: biases[class],
            shared: &shared[class * each..][..each],
            fields,
        }
    }
}

/// What the score of one class is made with.
#[derive(Clone, Copy)]
pub(super) struct OfClass<'a, T> {
    pub(super) linear: View<'a, f32>,
    pub(super) factors: View<'a, T>,
    pub(super) bias: f32,
    pub(super) shared: &'a [f32],
    pub(super) fields: &'a Fields,
}

impl<T: Stored> OfClass<'_, T> {
    /// Asks for the memory of what a score needs of a feature.
    #[inline(always)]
    pub(super) fn prefetch(self, feature: u32, width: usize) {
        self.linear.prefetch(feature, 1);
        self.factors.prefetch(feature, width);
    }
}
