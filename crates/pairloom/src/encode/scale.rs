//! Numbers in units of their deviation.

use serde::{Deserialize, Serialize};

/// `(v - mean) / deviation`, or the same of `sign(v) ln(1 + |v|)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Whether the logarithm is taken first.
    pub log: bool,
    /// Mean of the training rows.
    pub mean: f64,
    /// Their standard deviation, or 1 if all are equal.
    pub deviation: f64,
    /// How far from 0 a value may be in these units: one wild cell can then neither overflow a score
    /// nor drown the other features' part of it in rounding.
    pub limit: f64,
}

impl Scale {
    /// Learns from values that are not NaN.
    pub(super) fn learn(values: impl Iterator<Item = f64>, log: bool, limit: f64) -> Self {
        let (mean, deviation) = mean_and_deviation(values.map(|v| if log { ln(v) } else { v }));
        Scale { log, mean, deviation, limit }
    }

    /// Learns from (value, label). Takes the logarithm if that halves the kurtosis, since durations,
    /// counts and prices have tails beside which all other values look the same; but not if a label
    /// that is a number follows the value itself more closely.
    pub(super) fn suitable(
        cells: impl Iterator<Item = (f64, f32)> + Clone,
        limit: f64,
        classes: bool,
    ) -> Self {
        let values = cells.clone().map(|(v, _)| v);
        let [plain, log] = [false, true].map(|log| Scale::learn(values.clone(), log, limit));
        let kurtosis =
            |scale: &Scale| values.clone().map(|v| scale.standardize(v).powi(4)).sum::<f64>();
        let follows = |scale: &Scale| {
            cells.clone().map(|(v, y)| scale.standardize(v) * f64::from(y)).sum::<f64>().abs()
        };
        let tames = 2.0 * kurtosis(&log) < kurtosis(&plain);
        if tames && (classes || follows(&log) >= follows(&plain)) { log } else { plain }
    }

    pub(super) fn is_usable(&self) -> bool {
        let is_positive = |x: f64| x.is_finite() && x > 0.0;
        self.mean.is_finite() && is_positive(self.deviation) && is_positive(self.limit)
    }

    /// A value in these units.
    pub(super) fn apply(&self, v: f64) -> f32 {
        self.standardize(v).clamp(-self.limit, self.limit) as f32
    }

    fn standardize(&self, v: f64) -> f64 {
        (if self.log { ln(v) } else { v } - self.mean) / self.deviation
    }
}

fn ln(v: f64) -> f64 {
    v.abs().ln_1p().copysign(v)
}

/// Running mean and deviation (Welford 1962), which cannot cancel. The deviation of equal or no
/// values is 1.
fn mean_and_deviation(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for v in values {
        n += 1.0;
        let delta = v - mean;
        mean += delta / n;
        squares += delta * (v - mean);
    }
    let deviation = f64::sqrt(squares / f64::max(n, 1.0));
    (mean, if deviation > 0.0 && deviation.is_finite() { deviation } else { 1.0 })
}
