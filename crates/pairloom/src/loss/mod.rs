//! Losses: what a score costs beside its label, and the way from a score to a prediction.
//!
//! A loss sees the scores of one row at a time, mostly one score, or those of a list ([`lists`]), and knows
//! nothing of models or rows.

pub mod lists;
pub mod softmax;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A loss `l(s, y)` of a score `s`, of one for each class, or of the scores of a list, and a label `y`. Labels
/// that are numbers are standardised, but for [`Loss::Poisson`] and where rows are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Loss {
    /// `ln(1 + e^s) - y s` for `y` in {0, 1}: the negative log-likelihood of a Bernoulli variable
    /// with `p = 1 / (1 + e^-s)`, in nats.
    Logistic,
    /// `(s - y)^2 / 2`.
    Squared,
    /// `e^s - y - y (s - ln y)` for counts `y`: half of the deviance of a Poisson variable with the mean
    /// `e^s` (McCullagh and Nelder 1989, "Generalized Linear Models", section 6.2).
    Poisson,
    /// `e^2 / 2` of an error `e = s - y` up to this, in standard deviations of the label, and beyond `d` a
    /// line, `d |e| - d^2 / 2` (Huber 1964, "Robust Estimation of a Location Parameter").
    Huber(f64),
    /// `q (y - s)` where the label is above the score, `(1 - q) (s - y)` where it is below: the score
    /// becomes the `q` quantile of the label (Koenker and Bassett 1978, "Regression Quantiles").
    Quantile(f64),
    /// `-ln p_y` of the class `y` among several, each of which has a score: see [`softmax`]. What is asked of
    /// one score beside a label is meant beside a second class with the score 0, which is [`Loss::Logistic`].
    Softmax,
    /// Bayesian personalised ranking, pair by pair: [`lists`].
    Bpr,
    /// Weighted approximate-rank pairwise, which is about the top of a list: [`lists`].
    Warp,
    /// A softmax over a list: [`lists`].
    Listwise,
}

impl Loss {
    /// All losses, for help texts and tests; those with a number have its default.
    pub const ALL: [Loss; 9] = [
        Loss::Logistic,
        Loss::Squared,
        Loss::Poisson,
        Loss::Huber(1.0),
        Loss::Quantile(0.5),
        Loss::Softmax,
        Loss::Bpr,
        Loss::Warp,
        Loss::Listwise,
    ];

    /// Those that are about one row at a time.
    pub fn pointwise() -> impl Iterator<Item = Loss> {
        Loss::ALL.into_iter().filter(|loss| !loss.is_ranking())
    }

    /// Those that rank.
    pub fn ranking() -> impl Iterator<Item = Loss> {
        Loss::ALL.into_iter().filter(|loss| loss.is_ranking())
    }

    /// Whether it is about the order of rows that belong together, and not about each of them.
    #[inline(always)]
    pub fn is_ranking(self) -> bool {
        matches!(self, Loss::Bpr | Loss::Warp | Loss::Listwise)
    }

    /// The name in settings and on the command line, without a number.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Logistic => "logistic",
            Loss::Squared => "squared",
            Loss::Poisson => "poisson",
            Loss::Huber(_) => "huber",
            Loss::Quantile(_) => "quantile",
            Loss::Softmax => "softmax",
            Loss::Bpr => "bpr",
            Loss::Warp => "warp",
            Loss::Listwise => "listwise",
        }
    }

    /// `l(score, label)`. Logistic loss is written so that no `e^s` can overflow.
    pub fn value(self, score: f64, label: f64) -> f64 {
        self.with_gradient(score, label).0
    }

    /// `dl/ds`.
    pub fn gradient(self, score: f64, label: f64) -> f64 {
        self.with_gradient(score, label).1
    }

    /// `l(score, label)` and `dl/ds`, with one exponential for both. Nothing, where rows are ranked: a row
    /// alone is in its place.
    #[inline(always)]
    pub fn with_gradient(self, score: f64, label: f64) -> (f64, f64) {
        let error = score - label;
        match self {
            Loss::Logistic | Loss::Softmax => {
                let e = (-score.abs()).exp();
                let p = if score < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) };
                (score.max(0.0) + e.ln_1p() - label * score, p - label)
            }
            Loss::Squared => (0.5 * error * error, error),
            Loss::Poisson => {
                let mean = score.exp();
                let log = if label > 0.0 { score - label.ln() } else { 0.0 };
                (mean - label - label * log, mean - label)
            }
            Loss::Huber(most) => {
                let slope = error.clamp(-most, most);
                (slope * (error - 0.5 * slope), slope)
            }
            Loss::Quantile(level) => {
                let slope = match error {
                    e if e < 0.0 => -level,
                    e if e > 0.0 => 1.0 - level,
                    _ => 0.0,
                };
                (slope * error, slope)
            }
            Loss::Bpr | Loss::Warp | Loss::Listwise => (0.0, 0.0),
        }
    }

    /// What a single score stands for: the probability of label 1, the mean of counts, or itself.
    pub fn inverse_link(self, score: f64) -> f64 {
        match self {
            Loss::Logistic | Loss::Softmax => 1.0 / (1.0 + (-score).exp()),
            Loss::Poisson => score.exp(),
            _ => score,
        }
    }

    /// The score whose prediction is `mean`: where an untrained bias starts.
    pub fn link(self, mean: f64) -> f64 {
        match self {
            Loss::Logistic | Loss::Softmax => (mean / (1.0 - mean)).ln(),
            Loss::Poisson => mean.ln(),
            _ => mean,
        }
    }

    /// The variance of a label beside its prediction, over what the loss takes it to be, where the loss is
    /// this in the mean: that of classes and counts follows from their mean, of squares it is twice their
    /// mean, of a quantile the scale of a Laplace distribution.
    pub fn dispersion(self, mean: f64) -> f64 {
        match self {
            Loss::Squared | Loss::Huber(_) => 2.0 * mean,
            Loss::Quantile(_) => mean,
            _ => 1.0,
        }
    }

    /// A mean loss in units of the label, which is `scale` times what the model learns: log loss in nats, the
    /// mean squared error, the mean deviance, or the mean loss.
    pub fn in_unit(self, mean: f64, scale: f64) -> f64 {
        match self {
            Loss::Squared => 2.0 * mean * scale * scale,
            Loss::Poisson => 2.0 * mean,
            Loss::Huber(_) => mean * scale * scale,
            Loss::Quantile(_) => mean * scale,
            _ => mean,
        }
    }

    /// That as it is shown: of squares its root.
    pub fn shown(self, in_unit: f64) -> f64 {
        if self == Loss::Squared { in_unit.sqrt() } else { in_unit }
    }

    /// What [`Loss::shown`] is called among the metrics.
    pub fn figure(self) -> &'static str {
        match self {
            Loss::Logistic | Loss::Softmax => "log_loss",
            Loss::Squared => "rmse",
            Loss::Poisson => "poisson_deviance",
            Loss::Huber(_) => "huber_loss",
            Loss::Quantile(_) => "quantile_loss",
            Loss::Bpr | Loss::Warp | Loss::Listwise => "loss",
        }
    }
}

/// The name, and a number behind a colon.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::Huber(number) | Loss::Quantile(number) => write!(f, "{}:{number}", self.name()),
            _ => f.write_str(self.name()),
        }
    }
}

impl FromStr for Loss {
    type Err = String;

    /// What [`Loss`] displays; the number may be left out.
    fn from_str(text: &str) -> Result<Loss, String> {
        let (name, number) = match text.split_once(':') {
            None => (text, None),
            Some((name, number)) => (name, Some(number)),
        };
        let Some(loss) = Loss::ALL.into_iter().find(|loss| loss.name() == name) else {
            return Err(format!("it is one of {}", Loss::ALL.map(Loss::name).join(", ")));
        };
        let Some(number) = number else { return Ok(loss) };
        let number: f64 = number.parse().map_err(|_| format!("'{number}' is no number"))?;
        match loss {
            Loss::Huber(_) if number > 0.0 && number.is_finite() => Ok(Loss::Huber(number)),
            Loss::Huber(_) => Err("the number behind huber: is more than 0".into()),
            Loss::Quantile(_) if number > 0.0 && number < 1.0 => Ok(Loss::Quantile(number)),
            Loss::Quantile(_) => Err("the number behind quantile: is between 0 and 1".into()),
            _ => Err(format!("{name} takes no number")),
        }
    }
}

impl TryFrom<String> for Loss {
    type Error = String;

    fn try_from(text: String) -> Result<Loss, String> {
        text.parse()
    }
}

impl From<Loss> for String {
    fn from(loss: Loss) -> String {
        loss.to_string()
    }
}
