//! Losses: what a score costs beside its label, and the way from a score to a prediction.
//!
//! A loss sees one score at a time and knows nothing of models or rows.

use serde::{Deserialize, Serialize};

/// A pointwise loss `l(s, y)` of a score `s` and a label `y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// `ln(1 + e^s) - y s` for `y` in {0, 1}: the negative log-likelihood of a Bernoulli variable
    /// with `p = 1 / (1 + e^-s)`, in nats.
    Logistic,
    /// `(s - y)^2 / 2`.
    Squared,
}

impl Loss {
    /// All losses, for help texts and tests.
    pub const ALL: [Loss; 2] = [Loss::Logistic, Loss::Squared];

    /// The name in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Logistic => "logistic",
            Loss::Squared => "squared",
        }
    }

    /// `l(score, label)`. Logistic loss is written so that no `e^s` can overflow.
    pub fn value(self, score: f64, label: f64) -> f64 {
        match self {
            Loss::Logistic => score.max(0.0) + (-score.abs()).exp().ln_1p() - label * score,
            Loss::Squared => 0.5 * (score - label) * (score - label),
        }
    }

    /// `l(score, label)` and `dl/ds`, with one exponential for both.
    #[inline(always)]
    pub fn with_gradient(self, score: f64, label: f64) -> (f64, f64) {
        match self {
            Loss::Logistic => {
                let e = (-score.abs()).exp();
                let p = if score < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) };
                (score.max(0.0) + e.ln_1p() - label * score, p - label)
            }
            Loss::Squared => (self.value(score, label), self.gradient(score, label)),
        }
    }

    /// `dl/ds`.
    pub fn gradient(self, score: f64, label: f64) -> f64 {
        self.inverse_link(score) - label
    }

    /// The mean of the label that the score stands for: a probability under logistic loss, the
    /// score itself under squared loss.
    pub fn inverse_link(self, score: f64) -> f64 {
        match self {
            Loss::Logistic => 1.0 / (1.0 + (-score).exp()),
            Loss::Squared => score,
        }
    }

    /// The score whose prediction is `mean`: where an untrained bias starts.
    pub fn link(self, mean: f64) -> f64 {
        match self {
            Loss::Logistic => (mean / (1.0 - mean)).ln(),
            Loss::Squared => mean,
        }
    }
}
