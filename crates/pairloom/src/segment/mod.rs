//! How good predictions are on the rows of each value of a column: a model may be right in the mean and
//! say too much of one kind of rows and too little of another.

mod cells;

pub(crate) use cells::Cells;

use crate::Result;
use crate::batch::Outcomes;
use crate::metric::{Measure, Metrics};

/// Segments of a column at the most unless the user says otherwise.
pub const DEFAULT_TOP: usize = 10;

/// A column, and rows by their cells in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Segments {
    /// The column.
    pub column: String,
    /// Values by falling weight and then all others; or ranges in their order and then the rows without a
    /// number. Those whose rows weigh nothing are left out.
    pub segments: Vec<Segment>,
}

/// Which rows a segment has.
#[derive(Debug, Clone, PartialEq)]
pub enum Which {
    /// Those with this cell; of bytes that are no UTF-8, what is like them.
    Value(String),
    /// Those with a number from the first of these to the second, both of which are there.
    Range(f64, f64),
    /// Those without a number where others have one.
    Missing,
    /// All others, of so many values.
    Others(usize),
}

/// Some rows, and how good their predictions are.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Which rows.
    pub which: Which,
    /// Weighted mean of the predictions, in the unit of the label.
    pub mean_prediction: f64,
    /// Weighted mean of the labels: of classes, the share of positives.
    pub mean_label: f64,
    /// All figures of these rows.
    pub metrics: Metrics,
}

impl Segment {
    /// Mean prediction over mean label: 1 is right, 2 is twice too much; `None` where that mean is 0.
    pub fn ratio(&self) -> Option<f64> {
        (self.mean_label != 0.0).then(|| self.mean_prediction / self.mean_label)
    }

    /// The figures as (name, value); the names are the JSON keys, and `None` stands for one that is
    /// undefined on these rows.
    pub fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        const QUALITY: &[&str] =
            &["log_loss", "normalized_entropy", "expected_calibration_error", "rmse"];
        let of = |wanted: &'static [&'static str]| {
            self.metrics.iter().filter(|(name, _)| wanted.contains(name))
        };
        let mut figures: Vec<_> = of(&["rows", "weight"]).collect();
        figures.push(("mean_prediction", Some(self.mean_prediction)));
        figures.push(("mean_label", Some(self.mean_label)));
        if matches!(self.metrics, Metrics::Binary(_)) {
            figures.push(("ratio", self.ratio()));
        }
        figures.extend(of(QUALITY));
        figures
    }
}

/// The rows of these numbers, if they have some weight.
fn measured(
    which: Which,
    rows: &[usize],
    predictions: &[f64],
    outcomes: &Outcomes,
    measure: &Measure,
) -> Result<Option<Segment>> {
    let predictions: Vec<f64> = rows.iter().map(|&row| predictions[row]).collect();
    let outcomes: Outcomes = rows.iter().map(|&row| outcomes.outcome(row)).collect();
    let (mut predicted, mut observed, mut total) = (0.0, 0.0, 0.0);
    for (prediction, (label, weight)) in predictions.iter().zip(outcomes.iter()) {
        let weight = f64::from(weight);
        predicted += weight * prediction;
        observed += weight * f64::from(label);
        total += weight;
    }
    if total <= 0.0 {
        return Ok(None);
    }
    let (mean_prediction, mean_label) = (predicted / total, observed / total);
    let metrics = measure.measure(&predictions, &outcomes)?;
    Ok(Some(Segment { which, mean_prediction, mean_label, metrics }))
}
