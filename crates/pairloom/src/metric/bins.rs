//! Averages and counts by bin: calibration, histograms and predicted against actual.
//!
//! Only bins that hold weight are returned where a bin has a mean, so no division by zero has to
//! be represented. A bin holds its lower edge; the last one holds both.

use super::rows::{Rows, at, finite, same_length, total};
use super::{CALIBRATION_BINS, ratio};
use crate::{Error, Result};

/// One bin of a calibration (reliability) diagram.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationBin {
    /// Lowest probability of the bin.
    pub lower: f64,
    /// Probability at which the next bin starts.
    pub upper: f64,
    /// Weighted mean of the predicted probability.
    pub mean_probability: f64,
    /// Weighted share of positives.
    pub positive_rate: f64,
    /// Sum of the weights, above zero.
    pub weight: f64,
}

/// One bin of a predicted-against-actual plot.
#[derive(Debug, Clone, PartialEq)]
pub struct ActualBin {
    /// Lowest prediction of the bin.
    pub lower: f64,
    /// Highest prediction of the bin.
    pub upper: f64,
    /// Weighted mean of the prediction, in units of the target.
    pub mean_prediction: f64,
    /// Weighted mean of the target, in its units.
    pub mean_target: f64,
    /// Sum of the weights, above zero.
    pub weight: f64,
}

/// Weighted sums of one bin.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    score: f64,
    truth: f64,
    weight: f64,
}

impl Sums {
    fn add(&mut self, score: f64, truth: f64, weight: f64) {
        self.score += weight * score;
        self.truth += weight * truth;
        self.weight += weight;
    }
}

/// Mean probability and share of positives in `bins` equal-width bins over `[0, 1]`, empty bins
/// left out (DeGroot and Fienberg 1983).
///
/// # Errors
/// As [`Binary::measure`](super::Binary::measure), and [`Error::Usage`] for zero bins.
pub fn calibration(
    probability: &[f64],
    label: &[f32],
    weight: Option<&[f32]>,
    bins: usize,
) -> Result<Vec<CalibrationBin>> {
    some(bins)?;
    Ok(calibrate(&Rows::binary(probability, label, weight)?, bins))
}

fn calibrate(rows: &Rows<'_>, bins: usize) -> Vec<CalibrationBin> {
    let mut sums = vec![Sums::default(); bins];
    for (p, y, w) in rows.iter() {
        sums[bin(p, 0.0, 1.0, bins)].add(p, y, w);
    }
    let used = sums.iter().enumerate().filter(|(_, sum)| sum.weight > 0.0);
    used.map(|(index, sum)| CalibrationBin {
        lower: index as f64 / bins as f64,
        upper: (index + 1) as f64 / bins as f64,
        mean_probability: sum.score / sum.weight,
        positive_rate: sum.truth / sum.weight,
        weight: sum.weight,
    })
    .collect()
}

/// [`Binary::expected_calibration_error`](super::Binary::expected_calibration_error).
pub(super) fn calibration_error(rows: &Rows<'_>) -> f64 {
    let gap = |bin: &CalibrationBin| (bin.mean_probability - bin.positive_rate).abs() * bin.weight;
    calibrate(rows, CALIBRATION_BINS).iter().map(gap).sum::<f64>() / rows.total
}

/// Weight of the values in each of `bins` equal-width bins over `[lower, upper]`; values outside
/// count in the first or last bin. No values give zeros.
///
/// # Errors
/// [`Error::Diverged`] for a value that is not finite, [`Error::Data`] for a negative weight, and
/// [`Error::Usage`] for zero bins, an empty range or columns of different lengths.
pub fn histogram(
    values: &[f64],
    weight: Option<&[f32]>,
    (lower, upper): (f64, f64),
    bins: usize,
) -> Result<Vec<f64>> {
    range(lower, upper, bins)?;
    same_length(values, values.len(), weight)?;
    finite(values)?;
    total(weight, values.len())?;
    let mut counts = vec![0.0; bins];
    for (row, &value) in values.iter().enumerate() {
        counts[bin(value, lower, upper, bins)] += at(weight, row);
    }
    Ok(counts)
}

/// [`histogram`] of the probabilities of label 0 and, separately, of label 1.
///
/// # Errors
/// As [`Binary::measure`](super::Binary::measure) and [`histogram`].
pub fn score_histogram(
    probability: &[f64],
    label: &[f32],
    weight: Option<&[f32]>,
    (lower, upper): (f64, f64),
    bins: usize,
) -> Result<[Vec<f64>; 2]> {
    range(lower, upper, bins)?;
    let rows = Rows::binary(probability, label, weight)?;
    let mut counts = [vec![0.0; bins], vec![0.0; bins]];
    for (p, y, w) in rows.iter() {
        counts[usize::from(y == 1.0)][bin(p, lower, upper, bins)] += w;
    }
    Ok(counts)
}

/// Mean target against mean prediction in at most `bins` bins by rising prediction.
///
/// The bins hold equal weight rather than equal ranges of prediction, since a few far predictions
/// would leave all other rows in one range. Rows of equal prediction share a bin.
///
/// # Errors
/// As [`Regression::measure`](super::Regression::measure), and [`Error::Usage`] for zero bins.
pub fn predicted_actual(
    prediction: &[f64],
    target: &[f32],
    weight: Option<&[f32]>,
    bins: usize,
) -> Result<Vec<ActualBin>> {
    some(bins)?;
    let rows = Rows::regression(prediction, target, weight)?;
    let mut sorted: Vec<(f64, f64, f64)> = rows.iter().collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut done, mut result) = (0.0, Vec::with_capacity(bins));
    let mut open: Option<(f64, Sums)> = None;
    for (row, &(score, truth, weight)) in sorted.iter().enumerate() {
        let (lower, sums) = open.get_or_insert((score, Sums::default()));
        sums.add(score, truth, weight);
        done += weight;
        let filled = done * bins as f64 >= rows.total * (result.len() + 1) as f64;
        let next = sorted.get(row + 1).map(|row| row.0);
        if next.is_none() || filled && next != Some(score) {
            result.push(actual(*lower, score, *sums));
            open = None;
        }
    }
    Ok(result)
}

fn actual(lower: f64, upper: f64, sums: Sums) -> ActualBin {
    let mean = |sum: f64| ratio(sum, sums.weight).unwrap_or_default();
    ActualBin {
        lower,
        upper,
        mean_prediction: mean(sums.score),
        mean_target: mean(sums.truth),
        weight: sums.weight,
    }
}

/// Which bin a value falls into; the cast holds values outside at the ends.
fn bin(value: f64, lower: f64, upper: f64, bins: usize) -> usize {
    (((value - lower) / (upper - lower) * bins as f64) as usize).min(bins - 1)
}

fn some(bins: usize) -> Result<()> {
    if bins == 0 { Err(Error::usage("at least one bin is needed")) } else { Ok(()) }
}

fn range(lower: f64, upper: f64, bins: usize) -> Result<()> {
    some(bins)?;
    if (upper - lower).is_finite() && upper > lower {
        return Ok(());
    }
    Err(Error::usage(format!("bins from {lower} to {upper} have no width")))
}
