//! What was found to be important.

use crate::metric::Metrics;
use crate::reading::Outcome;

/// By how much a figure is worse after an exchange: less than 0 if it is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worse {
    /// The mean over the repeats.
    pub mean: f64,
    /// Their standard deviation; 0 for one repeat.
    pub deviation: f64,
}

impl Worse {
    pub(super) fn of(found: &[f64]) -> Self {
        let count = found.len() as f64;
        let mean = found.iter().sum::<f64>() / count;
        let squares = found.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
        let deviation = if found.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
        Worse { mean, deviation }
    }
}

/// A field of [`crate::encode::Encoding::fields`]. What it adds is in units of the score; of several classes it is
/// less its mean over the classes, and means are over rows and classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldImportance {
    /// Which.
    pub field: usize,
    /// Mean absolute contribution of its features alone and with each other.
    pub own: f64,
    /// Mean absolute contribution of all its pairs with other fields together.
    pub pairs: f64,
    /// Standard deviation over the rows of both together: 0 where it adds the same to all.
    pub spread: f64,
    /// The loss, if its features are exchanged among the rows.
    pub loss: Worse,
    /// The figure beside the loss ([`Importance::quality`]).
    pub quality: Option<Worse>,
}

/// Two fields together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairImportance {
    /// Which, ascending.
    pub fields: [usize; 2],
    /// Mean absolute contribution of the pairs of a feature of the one and a feature of the other.
    pub weight: f64,
    /// Standard deviation of that contribution over the rows.
    pub spread: f64,
    /// The loss, if that contribution is exchanged among the rows; nothing for pairs that add little.
    pub loss: Option<Worse>,
    /// The figure beside the loss.
    pub quality: Option<Worse>,
}

/// Products of more than two features.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProductImportance {
    /// Of how many.
    pub order: usize,
    /// Mean absolute contribution of all of them together.
    pub weight: f64,
}

/// Two values that rows have together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValuePair {
    /// The features, ascending.
    pub ids: [u32; 2],
    /// What they add, as the mean over the rows that have both; of several classes without its sign.
    pub contribution: f64,
    /// Mean absolute contribution over all rows: what they are sorted by.
    pub weight: f64,
    /// How many rows have both.
    pub rows: u64,
}

/// What is important on the rows of a file.
#[derive(Debug, Clone)]
pub struct Importance {
    /// Rows that were looked at.
    pub rows: usize,
    /// Rows that the file has; the others were left out by chance.
    pub of: u64,
    /// How good predictions are if nothing is exchanged.
    pub metrics: Metrics,
    /// The name of the loss among the metrics.
    pub loss: &'static str,
    /// The name of the figure that is compared beside it.
    pub quality: Option<&'static str>,
    /// All fields, those first whose exchange raises the loss most.
    pub fields: Vec<FieldImportance>,
    /// All pairs of fields that add something, those first that add most.
    pub pairs: Vec<PairImportance>,
    /// Products of more than two features.
    pub products: Vec<ProductImportance>,
    /// Pairs of values, those first that add most in all.
    pub values: Vec<ValuePair>,
    /// Rows left out because they cannot be used, and values unseen.
    pub outcome: Outcome,
}
