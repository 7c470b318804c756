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
}

impl Scale {
    /// Learns from values that are not NaN.
    pub(super) fn learn(values: impl Iterator<Item = f64>, log: bool) -> Self {
        let (mean, deviation) = mean_and_deviation(values.map(|v| if log { ln(v) } else { v }));
        Scale { log, mean, deviation }
    }

    /// Takes the logarithm if that halves the kurtosis: durations, counts and prices have tails
    /// beside which all other values look the same.
    pub(super) fn suitable(values: impl Iterator<Item = f64> + Clone) -> Self {
        let [plain, log] = [false, true].map(|log| Scale::learn(values.clone(), log));
        let kurtosis =
            |scale: &Scale| values.clone().map(|v| scale.standardize(v).powi(4)).sum::<f64>();
        if 2.0 * kurtosis(&log) < kurtosis(&plain) { log } else { plain }
    }

    pub(super) fn is_usable(&self) -> bool {
        self.mean.is_finite() && self.deviation.is_finite() && self.deviation > 0.0
    }

    /// A value in these units, at most `limit` from 0.
    pub(super) fn apply(&self, v: f64, limit: f64) -> f32 {
        self.standardize(v).clamp(-limit, limit) as f32
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
