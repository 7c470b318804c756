//! From numbers to features.

use super::quantile::{Knots, edges};
use super::{Dictionary, Vocabulary};
use crate::Result;
use serde::{Deserialize, Serialize};

/// What is done to a numeric column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// A piecewise linear function of the number: it is shared by the two nearest of a number of
    /// knots at its quantiles, in proportion (B-splines of degree 1). A value as frequent as a
    /// whole bin has an id of its own.
    Piecewise,
    /// One id for each of a number of bins with about as many training rows in each.
    Quantile,
    /// One feature with the value `(v - mean) / standard deviation`.
    Standard,
    /// One feature with the standardised `sign(v) ln(1 + |v|)`.
    Log,
    /// One id for each `floor(ln(v)^2)`, and one for each whole part of values up to 2: the
    /// bucketing of the winners of the Criteo challenge (Juan, Zhuang, Chin 2014).
    LogSquare,
}

impl Transform {
    /// All transforms, for help texts and tests.
    pub const ALL: [Transform; 5] = [
        Transform::Piecewise,
        Transform::Quantile,
        Transform::Standard,
        Transform::Log,
        Transform::LogSquare,
    ];

    /// The name in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Transform::Piecewise => "piecewise",
            Transform::Quantile => "quantile",
            Transform::Standard => "standard",
            Transform::Log => "log",
            Transform::LogSquare => "log-square",
        }
    }
}

/// Cells of a numeric column that mean "no value", beside the empty one.
pub(crate) const MISSING: [&str; 11] =
    ["NA", "N/A", "NaN", "nan", "NULL", "null", "None", "none", "\\N", "?", "-"];

/// Standardised values are kept within this many standard deviations: one wild cell can then neither
/// overflow a score nor drown the other features' part of it in rounding.
const LIMIT: f64 = 100.0;

/// A numeric field, learned. A missing value has an id of its own and the value 1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "transform")]
pub enum Number {
    /// Id 0 is missing; the ids of [`Knots`] follow.
    Piecewise {
        /// Frequent values and knots.
        #[serde(flatten)]
        knots: Knots,
    },
    /// Id 0 is missing; id `1 + b` is bin `b`, which ends with (and includes) `edges[b]`.
    Quantile {
        /// Upper ends of all bins but the last, ascending.
        edges: Vec<f64>,
    },
    /// Id 0 is the value, id 1 is missing.
    Standard {
        /// Mean of the training rows.
        mean: f64,
        /// Their standard deviation, or 1 if all are equal.
        scale: f64,
    },
    /// Id 0 is the value, id 1 is missing.
    Log {
        /// Mean of `sign(v) ln(1 + |v|)`.
        mean: f64,
        /// Its standard deviation, or 1.
        scale: f64,
    },
    /// Ids of buckets by name; missing is the empty name.
    LogSquare {
        /// The buckets.
        buckets: Vocabulary,
    },
}

impl Number {
    /// Learns a field from the training rows' values; NaN stands for missing. `tails` gives a
    /// piecewise field two more knots, far out.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the buckets do not fit.
    pub fn learn(
        values: impl Iterator<Item = f64> + Clone,
        transform: Transform,
        bins: usize,
        min_count: u32,
        tails: bool,
    ) -> Result<Self> {
        let present = values.clone().filter(|v| !v.is_nan());
        Ok(match transform {
            Transform::Piecewise => Number::Piecewise { knots: Knots::learn(present, bins, tails) },
            Transform::Quantile => Number::Quantile { edges: edges(present, bins) },
            Transform::Standard => {
                let (mean, scale) = mean_and_deviation(present);
                Number::Standard { mean, scale }
            }
            Transform::Log => {
                let (mean, scale) = mean_and_deviation(present.map(signed_log));
                Number::Log { mean, scale }
            }
            Transform::LogSquare => {
                Number::LogSquare { buckets: learn_buckets(values, min_count)? }
            }
        })
    }

    /// Number of ids.
    pub fn len(&self) -> u64 {
        match self {
            Number::Piecewise { knots } => 1 + knots.len() as u64,
            Number::Quantile { edges } => 2 + edges.len() as u64,
            Number::Standard { .. } | Number::Log { .. } => 2,
            Number::LogSquare { buckets } => buckets.len(),
        }
    }

    /// Never: every field has an id for missing values.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether the parts make sense: those of a file may not.
    pub(super) fn is_usable(&self) -> bool {
        match self {
            Number::Piecewise { knots } => knots.is_usable(),
            Number::Quantile { edges } => edges.is_sorted_by(|a, b| a < b),
            Number::Standard { mean, scale } | Number::Log { mean, scale } => {
                mean.is_finite() && scale.is_finite() && *scale > 0.0
            }
            Number::LogSquare { buckets } => buckets.is_usable(),
        }
    }

    /// Gives the one or two (id, x) of a number to `push`; NaN stands for missing.
    pub fn features(&self, v: f64, mut push: impl FnMut(u32, f32)) {
        match self {
            Number::Piecewise { .. } | Number::Quantile { .. } if v.is_nan() => push(0, 1.0),
            Number::Piecewise { knots } => knots.features(v, |id, x| push(1 + id, x)),
            Number::Quantile { edges } => {
                push(1 + edges.partition_point(|&edge| edge < v) as u32, 1.0)
            }
            Number::Standard { .. } | Number::Log { .. } if v.is_nan() => push(1, 1.0),
            Number::Standard { mean, scale } => push(0, standardize(v, *mean, *scale)),
            Number::Log { mean, scale } => push(0, standardize(signed_log(v), *mean, *scale)),
            Number::LogSquare { buckets } => push(buckets.id(bucket(v).as_bytes()), 1.0),
        }
    }

    /// What an id stands for, in words.
    pub fn describe(&self, id: u32) -> String {
        let missing = || "missing".to_string();
        match self {
            Number::Piecewise { .. } | Number::Quantile { .. } if id == 0 => missing(),
            Number::Piecewise { knots } => knots.describe(id - 1),
            Number::Quantile { edges } => {
                let edge = |at: usize| edges.get(at).map(f64::to_string);
                let low = (id as usize).checked_sub(2).and_then(edge);
                match (low, edge(id as usize - 1)) {
                    (None, None) => "any".into(),
                    (None, Some(high)) => format!("<= {high}"),
                    (Some(low), None) => format!("> {low}"),
                    (Some(low), Some(high)) => format!("({low}, {high}]"),
                }
            }
            Number::Standard { .. } | Number::Log { .. } if id == 0 => "value".into(),
            Number::Standard { .. } | Number::Log { .. } => missing(),
            Number::LogSquare { buckets } => match buckets.value(id) {
                None => "other".into(),
                Some(b"") => missing(),
                Some(name) => String::from_utf8_lossy(name).into_owned(),
            },
        }
    }
}

fn signed_log(v: f64) -> f64 {
    v.abs().ln_1p().copysign(v)
}

fn standardize(v: f64, mean: f64, scale: f64) -> f32 {
    ((v - mean) / scale).clamp(-LIMIT, LIMIT) as f32
}

/// The name of a number's log-square bucket: `b<n>` above 2, `s<n>` for the small ones.
fn bucket(v: f64) -> String {
    if v.is_nan() {
        String::new()
    } else if v > 2.0 {
        format!("b{}", v.ln().powi(2).floor())
    } else {
        format!("s{}", v.trunc() + 0.0)
    }
}

fn learn_buckets(values: impl Iterator<Item = f64>, min_count: u32) -> Result<Vocabulary> {
    let (mut names, mut counts) = (Dictionary::default(), Vec::new());
    for v in values {
        let number = names.insert(bucket(v).as_bytes())? as usize;
        counts.resize(counts.len().max(number + 1), 0);
        counts[number] += 1;
    }
    Vocabulary::learn(&names, &counts, min_count, None)
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
