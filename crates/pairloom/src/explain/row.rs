//! Why a row has its score.

use super::parts::Parts;
use crate::Result;
use crate::batch::Row;
use crate::loss::{Loss, softmax};
use crate::metric::predicted_class;
use crate::model::Model;

/// A score as a sum of its parts, all in units of the score: log-odds, logarithms of counts, or standard
/// deviations of a label that is a number.
///
/// `bias`, `values`, `pairs`, `products` and `rounding` add up to `score` but for the rounding of a sum in 64 bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Which class the score is of, if each of several has one.
    pub class: Option<usize>,
    /// The score as [`Model::scores`] has it.
    pub score: f32,
    /// `w0`.
    pub bias: f64,
    /// Each feature of the row alone.
    pub values: Vec<Value>,
    /// The pairs of features that add something.
    pub pairs: Vec<Pair>,
    /// What products of more than two features add, as (order, sum).
    pub products: Vec<(usize, f64)>,
    /// The score less all of these: what rounding to 32 bits has made of the sum.
    pub rounding: f64,
    /// The way from the score to the prediction.
    pub steps: Steps,
}

/// A feature and what it adds alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    /// The feature.
    pub id: u32,
    /// Its `x`.
    pub x: f32,
    /// `w_i x_i`.
    pub contribution: f64,
}

/// A pair of features and what it adds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The features, in the order of the row.
    pub ids: [u32; 2],
    /// What they add.
    pub contribution: f64,
}

/// From a score to a prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    /// The score, corrected for negatives that were sampled: [`Model::corrected`]. Of classes, the score.
    pub corrected: f64,
    /// The probability (of the class) or the number that follows from it, before calibration.
    pub uncalibrated: f64,
    /// What is predicted: the same after calibration, if there is one.
    pub prediction: f64,
}

impl Model {
    /// Takes the score of an encoded row apart: of several classes, that of `class`, or if none is asked for of the
    /// one that is predicted.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if there is no room for all pairs of the row.
    pub fn explain(&self, row: Row<'_>, class: Option<usize>) -> Result<Explanation> {
        let mut scores = vec![0.0; self.outputs()];
        self.class_scores(row, &mut scores);
        let is_several = self.config.resolved_loss() == Loss::Softmax;
        let probabilities: Vec<f64> =
            if is_several { softmax::probabilities(&scores).collect() } else { Vec::new() };
        let class = is_several.then(|| class.unwrap_or_else(|| predicted_class(&probabilities)));
        let place = class.unwrap_or(0);
        let parts = Parts::of(self, row, place)?;
        let score = scores[place];
        let features: Vec<(u32, f32)> = row.features().collect();
        let value = |(&(id, x), &contribution): (&(u32, f32), &f64)| Value { id, x, contribution };
        let pair = |(i, j, contribution): (usize, usize, f64)| Pair {
            ids: [features[i].0, features[j].0],
            contribution,
        };
        Ok(Explanation {
            class,
            score,
            bias: parts.bias,
            values: features.iter().zip(&parts.values).map(value).collect(),
            pairs: parts.pairs().filter(|pair| pair.2 != 0.0).map(pair).collect(),
            rounding: f64::from(score) - parts.sum(),
            products: parts.products,
            steps: match probabilities.get(place) {
                Some(&p) => Steps { corrected: score.into(), uncalibrated: p, prediction: p },
                None => self.steps(score),
            },
        })
    }

    fn steps(&self, score: f32) -> Steps {
        let corrected = self.corrected(score);
        let loss = self.config.resolved_loss();
        let uncalibrated = self.encoding.target.restore(loss.inverse_link(corrected));
        Steps { corrected, uncalibrated, prediction: self.prediction(score) }
    }
}

impl Explanation {
    /// The sum of all parts without their signs, but for the rounding: what that may be a share of.
    pub fn absolute(&self) -> f64 {
        let values = self.values.iter().map(|value| value.contribution);
        let pairs = self.pairs.iter().map(|pair| pair.contribution);
        let products = self.products.iter().map(|part| part.1);
        let parts = std::iter::once(self.bias).chain(values).chain(pairs).chain(products);
        parts.map(f64::abs).sum()
    }
}
