//! How good predictions are: the numbers a run reports and early stopping watches.
//!
//! Everything is computed in `f64` over whole columns rather than accumulated batch by batch,
//! because the exact area under the ROC curve needs all scores at once anyway, and one place that
//! sees every row is the only one that can promise that no NaN slips out. That promise is kept in
//! `rows`: a score that is not finite, a label other than 0 and 1, a bad weight or an evaluation
//! whose weights sum to zero is an error; a figure that is undefined for good data (the area under
//! the curve of a single class) is `None`.
//!
//! Weights count as repetitions: a row of weight 2 gives the same numbers as the row twice, and a
//! row of weight 0 the same as no row (only `rows` still counts it). The definitions follow
//! scikit-learn where it has one, so that figures can be compared with other people's.

mod again;
mod bins;
mod bootstrap;
mod classes;
mod constant;
mod rank;
pub(crate) mod ranking;
mod rows;

pub use bins::{
    ActualBin, CalibrationBin, calibration, histogram, predicted_actual, score_histogram,
};
pub(crate) use bootstrap::differences;
pub use bootstrap::{Bootstrap, Interval, LEAST_DRAWN, drawn_from};
pub use classes::{Classes, OfClass, of_classes, predicted_class, top_class};
pub use constant::Constant;
pub(crate) use constant::Tally;
pub use rank::roc_curve;
pub use ranking::{DEFAULT_AT, Ranking};
pub(crate) use rows::{finite, of_file};

use rows::Rows;
use serde::{Deserialize, Serialize};

use crate::batch::Outcomes;
use crate::loss::Loss;
use crate::schema::did_you_mean;
use crate::{Error, Result};

/// Number of equal-width bins behind [`Binary::expected_calibration_error`]: 15, as in Guo et al.,
/// "On Calibration of Modern Neural Networks", ICML 2017.
pub const CALIBRATION_BINS: usize = 15;

/// The probability from which a row counts as predicted positive unless the user says otherwise.
pub const DEFAULT_THRESHOLD: f64 = 0.5;

/// Figures for a model that predicts the probability of label 1.
///
/// Below, `w` is a row's weight, `W` the sum of them, `y` its label and `p` its probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Binary {
    /// Number of rows, those of weight zero included.
    pub rows: u64,
    /// Sum of the weights `W`; equals `rows` without weights.
    pub weight: f64,
    /// Mean negative log likelihood `-1/W sum w (y ln p + (1-y) ln(1-p))`, in nats, with the
    /// probability of the observed label clipped to `[eps, 1-eps]`, `eps = 2^-52`, as scikit-learn
    /// 1.9 clips `f64`.
    pub log_loss: f64,
    /// Area under the ROC curve: the weighted share of (positive, negative) pairs in the right
    /// order, ties counting half (Hanley and McNeil 1982). In `[0, 1]`; `None` with one class.
    pub auc: Option<f64>,
    /// Weighted share of rows on the right side of the threshold.
    pub accuracy: f64,
    /// Log loss divided by the entropy of the weighted base rate, so that 1 is what predicting the
    /// base rate for every row scores (He et al. 2014, "Practical Lessons from Predicting Clicks
    /// on Ads at Facebook"). `None` with one class.
    pub normalized_entropy: Option<f64>,
    /// `sum over bins (W_bin / W) |mean p - mean y|` over [`CALIBRATION_BINS`] equal-width bins
    /// (Guo et al. 2017). A probability, in `[0, 1]`.
    pub expected_calibration_error: f64,
    /// Mean squared error of the probability, `1/W sum w (p - y)^2` (Brier 1950).
    pub brier_score: f64,
    /// Weighted share of true positives among predicted positives; `None` if there are none.
    pub precision: Option<f64>,
    /// Weighted share of the positives that were predicted positive; `None` without positives.
    pub recall: Option<f64>,
    /// A row is predicted positive when `p >= threshold`.
    pub threshold: f64,
}

/// Figures for a model that predicts a number.
///
/// Below, `e = prediction - target`, `w` is a row's weight and `W` the sum of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Regression {
    /// Number of rows, those of weight zero included.
    pub rows: u64,
    /// Sum of the weights `W`; equals `rows` without weights.
    pub weight: f64,
    /// Root mean squared error `sqrt(1/W sum w e^2)`, in units of the target.
    pub rmse: f64,
    /// Mean absolute error `1/W sum w |e|`, in units of the target.
    pub mae: f64,
    /// Coefficient of determination `1 - sum w e^2 / sum w (target - mean)^2` with the weighted
    /// mean, as in scikit-learn. `None` when the target does not vary (scikit-learn then invents
    /// 0 or 1).
    pub r2: Option<f64>,
    /// Mean deviance `2/W sum w (y ln(y / p) - y + p)` of counts, under [`Loss::Poisson`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poisson_deviance: Option<f64>,
    /// Mean [`Loss::Huber`], in squared units of the target, if that is the loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub huber_loss: Option<f64>,
    /// Mean [`Loss::Quantile`], in units of the target, if that is the loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantile_loss: Option<f64>,
}

/// The figures of any task; in JSON one flat object, without a tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Metrics {
    /// A model that predicts the probability of label 1.
    Binary(Binary),
    /// A model that predicts a number.
    Regression(Regression),
    /// A model that predicts the probability of each of several classes.
    Classes(Classes),
    /// A model that ranks the rows of groups.
    Ranking(Ranking),
}

impl Binary {
    /// Measures probabilities against labels.
    ///
    /// # Errors
    /// [`Error::Diverged`] for a probability that is not finite, [`Error::Data`] for one outside
    /// `[0, 1]`, a label other than 0 and 1, a negative weight or no weight at all, and
    /// [`Error::Usage`] for columns of different lengths or a threshold outside `[0, 1]`.
    pub fn measure(
        probability: &[f64],
        label: &[f32],
        weight: Option<&[f32]>,
        threshold: f64,
    ) -> Result<Self> {
        if !(0.0..=1.0).contains(&threshold) {
            return Err(Error::setting("threshold", "from 0 to 1"));
        }
        let rows = Rows::binary(probability, label, weight)?;
        let area = rank::area(&rows);
        Ok(Binary::of(&rows, threshold, area))
    }

    /// The same of checked rows, with the area under the curve.
    fn of(rows: &Rows<'_>, threshold: f64, auc: Option<f64>) -> Self {
        let sums = BinarySums::over(rows, threshold);
        let log_loss = sums.log_loss / rows.total;
        let entropy = entropy(sums.positive / rows.total);
        Binary {
            rows: rows.len(),
            weight: rows.total,
            log_loss,
            auc,
            accuracy: sums.right / rows.total,
            normalized_entropy: (entropy > 0.0).then(|| log_loss / entropy),
            expected_calibration_error: bins::calibration_error(rows),
            brier_score: sums.square / rows.total,
            precision: ratio(sums.hit, sums.predicted),
            recall: ratio(sums.hit, sums.positive),
            threshold,
        }
    }
}

/// What one pass over the rows adds up.
#[derive(Default)]
struct BinarySums {
    log_loss: f64,
    square: f64,
    positive: f64,
    predicted: f64,
    hit: f64,
    right: f64,
}

impl BinarySums {
    fn over(rows: &Rows<'_>, threshold: f64) -> Self {
        let mut sums = BinarySums::default();
        for (p, y, w) in rows.iter() {
            let positive = y == 1.0;
            let predicted = p >= threshold;
            let observed = if positive { p } else { 1.0 - p };
            sums.log_loss -= w * observed.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
            sums.square += w * (p - y) * (p - y);
            sums.positive += w * y;
            sums.predicted += if predicted { w } else { 0.0 };
            sums.hit += if predicted && positive { w } else { 0.0 };
            sums.right += if predicted == positive { w } else { 0.0 };
        }
        sums
    }
}

/// Entropy in nats of a coin that shows 1 with this probability.
fn entropy(rate: f64) -> f64 {
    if rate <= 0.0 || rate >= 1.0 {
        return 0.0;
    }
    -rate * rate.ln() - (1.0 - rate) * (1.0 - rate).ln()
}

/// Entropy in nats of classes with these shares.
fn entropy_of(shares: impl Iterator<Item = f64>) -> f64 {
    let terms = shares.filter(|&share| share > 0.0).map(|share| -share * share.ln());
    // One class alone has none, and not less.
    terms.sum::<f64>().max(0.0)
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

impl Regression {
    /// Measures predictions against targets.
    ///
    /// # Errors
    /// [`Error::Diverged`] for a prediction that is not finite or beyond 1e60, [`Error::Data`] for
    /// a target that is not finite, a negative weight or no weight at all, and [`Error::Usage`] for
    /// columns of different lengths.
    pub fn measure(prediction: &[f64], target: &[f32], weight: Option<&[f32]>) -> Result<Self> {
        Ok(Regression::of(&Rows::regression(prediction, target, weight)?))
    }

    fn of(rows: &Rows<'_>) -> Self {
        let (mut square, mut absolute, mut sum) = (0.0, 0.0, 0.0);
        for (prediction, target, w) in rows.iter() {
            let error = prediction - target;
            square += w * error * error;
            absolute += w * error.abs();
            sum += w * target;
        }
        let mean = sum / rows.total;
        let spread: f64 = rows.iter().map(|(_, y, w)| w * (y - mean) * (y - mean)).sum();
        // The mean of equal targets may miss them by a rounding error; that is not a spread.
        let first = rows.iter().next().map(|row| row.1);
        let varies = rows.iter().any(|row| Some(row.1) != first);
        Regression {
            rows: rows.len(),
            weight: rows.total,
            rmse: (square / rows.total).sqrt(),
            mae: absolute / rows.total,
            r2: ratio(square, spread).filter(|_| varies).map(|share| 1.0 - share),
            poisson_deviance: None,
            huber_loss: None,
            quantile_loss: None,
        }
    }

    /// The same with the mean of the loss, where that is none of these; a target is `scale` times what was
    /// learned.
    fn measure_loss(
        loss: Loss,
        scale: f64,
        prediction: &[f64],
        target: &[f32],
        weight: Option<&[f32]>,
    ) -> Result<Self> {
        let rows = Rows::regression(prediction, target, weight)?;
        let mut found = Regression::of(&rows);
        let mean = |loss: Loss, score: fn(f64) -> f64| {
            let sum: f64 = rows.iter().map(|(p, y, w)| w * loss.value(score(p), y)).sum();
            sum / rows.total
        };
        match loss {
            Loss::Poisson => found.poisson_deviance = Some(2.0 * mean(loss, f64::ln)),
            Loss::Huber(most) => {
                found.huber_loss = Some(mean(Loss::Huber(most * scale), |p| p));
            }
            Loss::Quantile(_) => found.quantile_loss = Some(mean(loss, |p| p)),
            _ => {}
        }
        Ok(found)
    }

    /// The loss, if it is none of the other figures, and its name.
    fn loss(&self) -> Option<(&'static str, f64)> {
        let named = [
            ("poisson_deviance", self.poisson_deviance),
            ("huber_loss", self.huber_loss),
            ("quantile_loss", self.quantile_loss),
        ];
        named.into_iter().find_map(|(name, value)| Some((name, value?)))
    }
}

/// What predictions are measured by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// The loss that they were learned by.
    pub loss: Loss,
    /// How much a label is for 1 of what was learned: [`crate::encode::Target::scale`].
    pub scale: f64,
    /// The probability from which a row counts as predicted positive.
    pub threshold: f64,
    /// The place at which ranked lists end: [`Ranking::at`].
    pub at: usize,
}

impl Measure {
    /// As usual.
    pub fn new(loss: Loss, scale: f64) -> Self {
        Measure { loss, scale, threshold: DEFAULT_THRESHOLD, at: DEFAULT_AT }
    }

    /// Measures predictions beside the labels of rows; of classes there are as many for each row.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a prediction is not finite, [`Error::Data`] if the rows weigh nothing, or if
    /// there is nothing to rank.
    pub fn measure(&self, predictions: &[f64], rows: &Outcomes) -> Result<Metrics> {
        let Measure { loss, scale, threshold, at } = *self;
        let (labels, weights) = (rows.labels(), rows.weights());
        Ok(match loss {
            Loss::Logistic => {
                Metrics::Binary(Binary::measure(predictions, labels, weights, threshold)?)
            }
            Loss::Softmax => Metrics::Classes(Classes::measure(predictions, labels, weights)?),
            loss if loss.is_ranking() => {
                Metrics::Ranking(Ranking::measure(predictions, rows, Some(loss), at)?)
            }
            loss => Metrics::Regression(Regression::measure_loss(
                loss,
                scale,
                predictions,
                labels,
                weights,
            )?),
        })
    }
}

/// Whether less is better of the figure with this name.
pub fn is_loss(name: &str) -> bool {
    const LOSSES: [&str; 10] = [
        "log_loss",
        "normalized_entropy",
        "expected_calibration_error",
        "brier_score",
        "rmse",
        "mae",
        "poisson_deviance",
        "huber_loss",
        "quantile_loss",
        "loss",
    ];
    LOSSES.contains(&name)
}

/// The figures that models can be compared by, as [`Metrics::iter`] calls them.
const FIGURES: [&str; 22] = [
    "log_loss",
    "auc",
    "normalized_entropy",
    "expected_calibration_error",
    "brier_score",
    "accuracy",
    "precision",
    "recall",
    "balanced_accuracy",
    "macro_f1",
    "rmse",
    "mae",
    "r2",
    "poisson_deviance",
    "huber_loss",
    "quantile_loss",
    "ndcg",
    "map",
    "mrr",
    "hit_rate",
    "grouped_auc",
    "loss",
];

/// Checks that some models have a figure of this name that they can be compared by.
///
/// # Errors
/// [`Error::Usage`].
pub(crate) fn check_figure(name: &str) -> Result<()> {
    if FIGURES.contains(&name) {
        return Ok(());
    }
    let meant = did_you_mean(name, FIGURES.into_iter());
    let message = format!("no figure is '{name}'{meant}: models are compared by");
    Err(Error::usage(format!("{message} {}", FIGURES.join(", "))))
}

impl Metrics {
    /// The number early stopping watches, lower is better: the loss, as [`Loss::in_unit`] has it.
    pub fn loss(&self) -> f64 {
        match self {
            Metrics::Binary(m) => m.log_loss,
            Metrics::Classes(m) => m.log_loss,
            Metrics::Regression(m) => m.loss().map_or(m.rmse * m.rmse, |(_, loss)| loss),
            Metrics::Ranking(m) => m.loss.unwrap_or(1.0 - m.ndcg),
        }
    }

    /// The name of the figure that models are compared by where nothing is said: the loss, and of ranking NDCG.
    pub fn main(&self) -> &'static str {
        match self {
            Metrics::Ranking(_) => "ndcg",
            _ => self.iter().next().map_or("loss", |(name, _)| name),
        }
    }

    /// The name of the figure that models are compared by: this one, if one is said.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is none of this name, or it is none to compare by, as the number of rows.
    pub fn chosen<'a>(&self, name: Option<&'a str>) -> Result<&'a str> {
        let Some(name) = name else { return Ok(self.main()) };
        let names = self.iter().map(|(name, _)| name);
        let names: Vec<&str> = names.filter(|name| FIGURES.contains(name)).collect();
        match names.contains(&name) {
            true => Ok(name),
            false => {
                Err(Error::usage(format!("no figure is '{name}': there are {}", names.join(", "))))
            }
        }
    }

    /// A figure by its name; `None` if it is undefined, or if there is none of this name.
    pub fn find(&self, name: &str) -> Option<f64> {
        self.iter().find(|(known, _)| *known == name)?.1
    }

    /// Whether predicting the mean label for every row would have been as good.
    pub fn is_no_better_than_constant(&self) -> bool {
        match self {
            Metrics::Binary(Binary { normalized_entropy, .. })
            | Metrics::Classes(Classes { normalized_entropy, .. }) => {
                normalized_entropy.is_some_and(|entropy| entropy >= 1.0)
            }
            // A quantile is no mean.
            Metrics::Regression(m) => m.quantile_loss.is_none() && m.r2.is_some_and(|r2| r2 <= 0.0),
            Metrics::Ranking(m) => m.grouped_auc.is_some_and(|area| area <= 0.5),
        }
    }

    /// The figures as (name, value), the loss first; the names are the JSON keys, and `None`
    /// stands for a figure that is undefined on these rows.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Option<f64>)> + use<> {
        let pairs = match self {
            Metrics::Binary(m) => vec![
                ("log_loss", Some(m.log_loss)),
                ("auc", m.auc),
                ("normalized_entropy", m.normalized_entropy),
                ("expected_calibration_error", Some(m.expected_calibration_error)),
                ("brier_score", Some(m.brier_score)),
                ("accuracy", Some(m.accuracy)),
                ("precision", m.precision),
                ("recall", m.recall),
                ("threshold", Some(m.threshold)),
                ("rows", Some(m.rows as f64)),
                ("weight", Some(m.weight)),
            ],
            Metrics::Classes(m) => vec![
                ("log_loss", Some(m.log_loss)),
                ("auc", m.auc),
                ("normalized_entropy", m.normalized_entropy),
                ("expected_calibration_error", Some(m.expected_calibration_error)),
                ("brier_score", Some(m.brier_score)),
                ("accuracy", Some(m.accuracy)),
                ("balanced_accuracy", Some(m.balanced_accuracy)),
                ("macro_f1", Some(m.macro_f1)),
                ("rows", Some(m.rows as f64)),
                ("weight", Some(m.weight)),
            ],
            Metrics::Regression(m) => {
                let loss = m.loss().map(|(name, value)| (name, Some(value)));
                let others = [
                    ("rmse", Some(m.rmse)),
                    ("mae", Some(m.mae)),
                    ("r2", m.r2),
                    ("rows", Some(m.rows as f64)),
                    ("weight", Some(m.weight)),
                ];
                loss.into_iter().chain(others).collect()
            }
            Metrics::Ranking(m) => m.iter().collect(),
        };
        pairs.into_iter()
    }
}
