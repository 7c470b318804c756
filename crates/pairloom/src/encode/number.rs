//! From numbers to features.

use super::quantile::{Knots, edges};
use super::{Dictionary, Scale, Spline, Vocabulary};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What is done to a numeric column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// The standardised number, and what the target does beside a straight line: a piecewise linear
    /// function, in which the number is shared by the two nearest of a number of knots at its
    /// quantiles, in proportion (B-splines of degree 1). A value as frequent as a whole bin has an id
    /// of its own. Where that tames the tails, the standardised `sign(v) ln(1 + |v|)` is taken.
    Piecewise,
    /// Cubic B-splines on knots at equal distances, once the number is mapped to the unit interval by
    /// its quantiles.
    Spline,
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
    pub const ALL: [Transform; 6] = [
        Transform::Piecewise,
        Transform::Spline,
        Transform::Quantile,
        Transform::Standard,
        Transform::Log,
        Transform::LogSquare,
    ];

    /// The name in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Transform::Piecewise => "piecewise",
            Transform::Spline => "spline",
            Transform::Quantile => "quantile",
            Transform::Standard => "standard",
            Transform::Log => "log",
            Transform::LogSquare => "log-square",
        }
    }

    /// Reads a name that may have a number of bins behind it, as in `quantile:64`.
    ///
    /// # Errors
    /// [`Error::Usage`] for what is no transform, or has no number of bins.
    pub fn with_bins(text: &str) -> Result<(Transform, Option<usize>)> {
        let (name, bins) = match text.split_once(':') {
            Some((name, bins)) => (name, Some(bins)),
            None => (text, None),
        };
        let found = Transform::ALL.into_iter().find(|transform| transform.name() == name);
        let names = Transform::ALL.map(Transform::name).join(", ");
        let how = found.ok_or_else(|| Error::usage(format!("'{name}' is none of {names}")))?;
        let Some(bins) = bins else { return Ok((how, None)) };
        let bins =
            bins.parse().map_err(|_| Error::usage(format!("'{bins}' is no number of bins")))?;
        match how {
            Transform::Piecewise | Transform::Spline | Transform::Quantile => Ok((how, Some(bins))),
            _ => Err(Error::usage(format!("{name} has no number of bins"))),
        }
    }

    /// The fewest bins, knots or functions that it works with.
    pub fn least_bins(self) -> usize {
        if self == Transform::Spline { Spline::LEAST } else { 2 }
    }
}

/// The limit of standardised values.
const LIMIT: f64 = 100.0;

/// The same of two classes where there are knots, which know more of what is far out. Where the
/// target is a number it may go on in a line.
const LIMIT_OF_CLASSES: f64 = 4.0;

/// A numeric field, learned. A missing value has an id of its own and the value 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "transform")]
pub enum Number {
    /// Id 0 is missing, id 1 is the value; the ids of [`Knots`] follow.
    Piecewise {
        /// Units of the value.
        value: Scale,
        /// Frequent values and knots.
        #[serde(flatten)]
        knots: Knots,
    },
    /// Id 0 is missing; the ids of [`Spline`] follow.
    Spline {
        /// The functions.
        #[serde(flatten)]
        spline: Spline,
    },
    /// Id 0 is missing; id `1 + b` is bin `b`, which ends with (and includes) `edges[b]`.
    Quantile {
        /// Upper ends of all bins but the last, ascending.
        edges: Vec<f64>,
    },
    /// Id 0 is the value, id 1 is missing.
    Value {
        /// Its units.
        #[serde(flatten)]
        scale: Scale,
    },
    /// Ids of buckets by name; missing is the empty name.
    LogSquare {
        /// The buckets.
        buckets: Vocabulary,
    },
}

impl Number {
    /// Learns a field from values of training rows, where NaN stands for missing, and labels.
    /// Where these are `classes` and no numbers, less is made of what is far out. Buckets are not
    /// learned here, but by [`Buckets`].
    pub(super) fn learn(
        cells: &[(f64, f32)],
        transform: Transform,
        bins: usize,
        classes: bool,
    ) -> Self {
        let cells = cells.iter().copied().filter(|(v, _)| !v.is_nan());
        let present = cells.clone().map(|(v, _)| v);
        let limit = if classes { LIMIT_OF_CLASSES } else { LIMIT };
        match transform {
            Transform::Spline => Number::Spline { spline: Spline::learn(present, bins) },
            Transform::Quantile => Number::Quantile { edges: edges(present, bins) },
            Transform::Standard => Number::Value { scale: Scale::learn(present, false, LIMIT) },
            Transform::Log => Number::Value { scale: Scale::learn(present, true, LIMIT) },
            Transform::Piecewise | Transform::LogSquare => Number::Piecewise {
                value: Scale::suitable(cells, limit, classes),
                knots: Knots::learn(present, bins, !classes),
            },
        }
    }

    /// Number of ids.
    pub fn len(&self) -> u64 {
        match self {
            Number::Piecewise { knots, .. } => 2 + knots.len() as u64,
            Number::Spline { spline } => 1 + spline.len() as u64,
            Number::Quantile { edges } => 2 + edges.len() as u64,
            Number::Value { .. } => 2,
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
            Number::Piecewise { value, knots } => value.is_usable() && knots.is_usable(),
            Number::Spline { spline } => spline.is_usable(),
            Number::Quantile { edges } => edges.is_sorted_by(|a, b| a < b),
            Number::Value { scale } => scale.is_usable(),
            Number::LogSquare { buckets } => buckets.is_usable(),
        }
    }

    /// Gives the one to four (id, x) of a number to `push`; NaN stands for missing.
    pub fn features(&self, v: f64, mut push: impl FnMut(u32, f32)) {
        match self {
            Number::Piecewise { .. } | Number::Spline { .. } | Number::Quantile { .. }
                if v.is_nan() =>
            {
                push(0, 1.0)
            }
            Number::Spline { spline } => spline.features(v, |id, x| push(1 + id, x)),
            Number::Piecewise { value, knots } => {
                push(1, value.apply(v));
                knots.features(v, |id, x| push(2 + id, x));
            }
            Number::Quantile { edges } => {
                push(1 + edges.partition_point(|&edge| edge < v) as u32, 1.0)
            }
            Number::Value { .. } if v.is_nan() => push(1, 1.0),
            Number::Value { scale } => push(0, scale.apply(v)),
            Number::LogSquare { buckets } => push(buckets.id(bucket(v).as_bytes()), 1.0),
        }
    }

    /// How many (id, x) a number has at the most.
    pub(super) fn most(&self) -> usize {
        match self {
            Number::Piecewise { .. } => 3,
            Number::Spline { .. } => Spline::LEAST,
            Number::Quantile { .. } | Number::Value { .. } | Number::LogSquare { .. } => 1,
        }
    }

    /// What an id stands for, in words.
    pub fn describe(&self, id: u32) -> String {
        let (missing, value) = (|| "missing".to_string(), || "value".to_string());
        match self {
            Number::Piecewise { .. } | Number::Spline { .. } | Number::Quantile { .. }
                if id == 0 =>
            {
                missing()
            }
            Number::Spline { spline } => format!("spline {id} of {}", spline.len()),
            Number::Piecewise { .. } if id == 1 => value(),
            Number::Piecewise { knots, .. } => knots.describe(id - 2),
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
            Number::Value { .. } if id == 0 => value(),
            Number::Value { .. } => missing(),
            Number::LogSquare { buckets } => buckets.describe(id),
        }
    }
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

/// The log-square buckets of a column that is being learned. All rows count, since a bucket may be
/// too rare to keep.
#[derive(Default)]
pub(super) struct Buckets {
    names: Dictionary,
    counts: Vec<u32>,
}

impl Buckets {
    /// Adds a number of so many rows.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if there is no room for its bucket.
    pub(super) fn add(&mut self, v: f64, rows: u32) -> Result<()> {
        let number = self.names.insert(bucket(v).as_bytes())? as usize;
        self.counts.resize(self.counts.len().max(number + 1), 0);
        self.counts[number] = self.counts[number].saturating_add(rows);
        Ok(())
    }

    /// The field.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the buckets do not fit.
    pub(super) fn learn(&self, min_count: u32) -> Result<Number> {
        let buckets = Vocabulary::learn(&self.names, &self.counts, min_count, None)?;
        Ok(Number::LogSquare { buckets })
    }
}
