//! From the probabilities that a model gives to those that are observed.
//!
//! A model may rank rows well and still say 30 % where 10 % are positive: after training with weights of
//! classes, on sampled rows, for too long, or on rows of another time. A calibration is a function of one
//! number, learned from rows that the model was not trained on, which puts that right. All of them rise
//! or stay level and never fall, so no two rows change places (but for ties).
//!
//! They read log-odds `s = ln(p / (1 - p))`, which keep digits where probabilities are all but 1. Weights of
//! rows count as repetitions. The labels of two of the methods are smoothed, as Platt has it: those of the
//! positives are `(N+ + 1) / (N+ + 2)` and those of the negatives `1 / (N- + 2)`, where `N+` and `N-` are the
//! weights of all positives and negatives, so that rows which can be told apart without error do not lead to
//! parameters without bounds. The third is held between the same two numbers.

mod beta;
mod fit;
mod isotonic;
mod logistic;
mod platt;

pub use fit::Calibrated;
pub(crate) use fit::{HOLD_OUT, OTHER_FILE, check_rows};

use crate::loss::Loss;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The ways to calibrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// [`Calibration::Platt`].
    Platt,
    /// [`Calibration::Isotonic`].
    Isotonic,
    /// [`Calibration::Beta`].
    Beta,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 3] = [Method::Platt, Method::Isotonic, Method::Beta];

    /// The name in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Method::Platt => "platt",
            Method::Isotonic => "isotonic",
            Method::Beta => "beta",
        }
    }
}

/// A calibration that was learned. In what follows `s` are log-odds and `p = 1 / (1 + e^-s)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "method", deny_unknown_fields)]
pub enum Calibration {
    /// `1 / (1 + e^-(slope s + intercept))` (Platt 1999, "Probabilistic Outputs for Support Vector Machines
    /// and Comparisons to Regularized Likelihood Methods").
    Platt {
        /// Of at least 0; 1 leaves the spread of the log-odds.
        slope: f64,
        /// What is added to them.
        intercept: f64,
    },
    /// The rising function with the least squared error (Zadrozny and Elkan 2002, "Transforming Classifier
    /// Scores into Accurate Multiclass Probability Estimates"): lines between the knots, and level outside.
    Isotonic {
        /// Probabilities that the model gives, ascending.
        knots: Vec<f64>,
        /// What becomes of each, never less than of the one before; more than 0 and less than 1.
        values: Vec<f64>,
    },
    /// The log-odds `a ln p - b ln(1 - p) + c`: the ratio of two beta distributions (Kull, Silva Filho and
    /// Flach 2017, "Beta calibration: a well-founded and easily implemented improvement on logistic
    /// calibration for binary classifiers").
    Beta {
        /// Of at least 0: how much low probabilities are drawn apart.
        a: f64,
        /// Of at least 0: how much high probabilities are drawn apart.
        b: f64,
        /// What is added to the log-odds.
        c: f64,
    },
}

impl Calibration {
    /// How it was learned.
    pub fn method(&self) -> Method {
        match self {
            Calibration::Platt { .. } => Method::Platt,
            Calibration::Isotonic { .. } => Method::Isotonic,
            Calibration::Beta { .. } => Method::Beta,
        }
    }

    /// The probability where a model has these log-odds; NaN of NaN.
    pub fn apply(&self, log_odds: f64) -> f64 {
        match self {
            Calibration::Platt { slope, intercept } => probability(slope * log_odds + intercept),
            Calibration::Isotonic { knots, values } => {
                isotonic::interpolate(knots, values, probability(log_odds))
            }
            Calibration::Beta { a, b, c } => {
                let [low, high] = beta::logarithms(log_odds);
                probability(a * low - b * high + c)
            }
        }
    }

    /// What is wrong with one that was read from a file.
    pub(crate) fn flaw(&self) -> Option<&'static str> {
        let at_least_0 = |x: &f64| x.is_finite() && *x >= 0.0;
        let is_sound = match self {
            Calibration::Platt { slope, intercept } => at_least_0(slope) && intercept.is_finite(),
            Calibration::Isotonic { knots, values } => isotonic::is_sound(knots, values),
            Calibration::Beta { a, b, c } => at_least_0(a) && at_least_0(b) && c.is_finite(),
        };
        (!is_sound).then_some("its calibration is damaged")
    }
}

/// The method and its formula, with four digits.
impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Calibration::Platt { slope, intercept } => {
                write!(f, "platt, log-odds {slope:.4} s {intercept:+.4}")
            }
            Calibration::Isotonic { knots, .. } => {
                write!(f, "isotonic, lines between {} knots", knots.len())
            }
            Calibration::Beta { a, b, c } => {
                write!(f, "beta, log-odds {a:.4} ln p - {b:.4} ln(1 - p) {c:+.4}")
            }
        }
    }
}

/// The probability of log-odds.
fn probability(log_odds: f64) -> f64 {
    Loss::Logistic.inverse_link(log_odds)
}
