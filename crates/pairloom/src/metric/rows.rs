//! The columns of an evaluation, checked once so that nothing after has to think of NaN.

use crate::error::flagged;
use crate::{Error, Result};

/// What the error messages call the input; only the caller knows the file it came from.
pub(super) const PLACE: &str = "evaluation";

/// Names the file in errors of measuring its rows.
pub(crate) fn of_file(file: &str) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::Data { file: place, message } if place == PLACE => Error::data(file, message),
        error => error,
    }
}

/// Scores beyond this are as good as infinite; up to it no sum, square or ratio here overflows.
const LARGEST: f64 = 1e60;

/// A score and a truth for every row, of finite values and with a positive sum of weights.
pub(super) struct Rows<'a> {
    score: &'a [f64],
    truth: &'a [f32],
    weight: Option<&'a [f32]>,
    /// Sum of the weights, above zero.
    pub(super) total: f64,
}

impl<'a> Rows<'a> {
    /// Probabilities in `[0, 1]` and labels 0 or 1.
    pub(super) fn binary(
        probability: &'a [f64],
        label: &'a [f32],
        weight: Option<&'a [f32]>,
    ) -> Result<Self> {
        let rows = Self::regression(probability, label, weight)?;
        if let Some(row) = probability.iter().position(|p| !(0.0..=1.0).contains(p)) {
            return Err(bad(row, format!("probability {} is outside 0 to 1", probability[row])));
        }
        if let Some(row) = label.iter().position(|&y| y != 0.0 && y != 1.0) {
            return Err(bad(row, format!("label {} is neither 0 nor 1", label[row])));
        }
        Ok(rows)
    }

    /// Any finite predictions and targets.
    pub(super) fn regression(
        prediction: &'a [f64],
        target: &'a [f32],
        weight: Option<&'a [f32]>,
    ) -> Result<Self> {
        same_length(prediction, target.len(), weight)?;
        finite(prediction)?;
        if let Some(row) = target.iter().position(|y| !y.is_finite()) {
            return Err(bad(row, format!("target {} is not a finite number", target[row])));
        }
        let total = positive_total(target.len(), weight)?;
        Ok(Rows { score: prediction, truth: target, weight, total })
    }

    /// Number of rows, those of weight zero included.
    pub(super) fn len(&self) -> u64 {
        self.score.len() as u64
    }

    /// Score, truth and weight of every row whose weight is above zero.
    pub(super) fn iter(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let pairs = self.score.iter().zip(self.truth).enumerate();
        pairs
            .map(|(row, (&score, &truth))| (score, f64::from(truth), at(self.weight, row)))
            .filter(|row| row.2 > 0.0)
    }
}

/// Weight of a row, 1 where there are no weights.
pub(super) fn at(weight: Option<&[f32]>, row: usize) -> f64 {
    weight.map_or(1.0, |weight| f64::from(weight[row]))
}

/// Sum of the weights of `rows` rows, which must be above zero.
pub(super) fn positive_total(rows: usize, weight: Option<&[f32]>) -> Result<f64> {
    match total(weight, rows)? {
        total if total > 0.0 => Ok(total),
        _ => Err(Error::data(PLACE, "no rows with a weight above zero to measure")),
    }
}

/// Sum of the weights of `rows` rows.
pub(super) fn total(weight: Option<&[f32]>, rows: usize) -> Result<f64> {
    let Some(weight) = weight else { return Ok(rows as f64) };
    match weight.iter().position(|&weight| is_bad(weight)) {
        Some(row) => Err(bad_weight(row, weight[row])),
        None => Ok(weight.iter().map(|&w| f64::from(w)).sum()),
    }
}

pub(super) fn is_bad(weight: f32) -> bool {
    !weight.is_finite() || weight < 0.0
}

pub(super) fn bad_weight(row: usize, weight: f32) -> Error {
    bad(row, format!("weight {weight} is not a number from 0 up"))
}

/// Refuses columns of different lengths.
pub(super) fn same_length(score: &[f64], truth: usize, weight: Option<&[f32]>) -> Result<()> {
    let weights = weight.map_or(truth, <[f32]>::len);
    if score.len() == truth && weights == truth {
        return Ok(());
    }
    let scores = score.len();
    Err(Error::usage(format!("{scores} scores, {truth} truths and {weights} weights do not match")))
}

/// Refuses scores that are not finite, or all but: a model that gives them is broken.
pub(crate) fn finite(score: &[f64]) -> Result<()> {
    match score.iter().position(|s| !s.is_finite() || s.abs() > LARGEST) {
        Some(row) => Err(Error::Diverged(format!(
            "the prediction for row {} is not a finite number: lower {} and train again",
            row + 1,
            flagged("learning_rate")
        ))),
        None => Ok(()),
    }
}

pub(super) fn bad(row: usize, message: String) -> Error {
    Error::data(PLACE, format!("row {}: {message}", row + 1))
}
