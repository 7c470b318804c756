//! What a model has to beat: the best prediction that is the same for every row.

use super::{entropy, rows};
use crate::{Error, Result};

/// The mean label, and how good it is as the prediction for every row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constant {
    /// Weighted mean of the labels: of 0 and 1, the share of positives.
    pub mean: f64,
    /// Its loss: the log loss in nats, or the root mean squared error, which is the deviation of
    /// the labels.
    pub loss: f64,
}

impl Constant {
    /// Measures rows of (label, weight); `binary` if the labels are 0 and 1.
    ///
    /// # Errors
    /// [`Error::Data`] for a bad weight, or if the rows weigh nothing.
    pub fn measure(outcomes: impl Iterator<Item = (f32, f32)>, binary: bool) -> Result<Self> {
        let mut tally = Tally::default();
        outcomes.for_each(|(label, weight)| tally.add(label, weight));
        tally.constant(binary)
    }
}

/// Labels that come one by one, in one pass: West, "Updating mean and variance estimates",
/// Communications of the ACM 22, 1979.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    rows: usize,
    /// Sum of the weights.
    pub(crate) weight: f64,
    mean: f64,
    squares: f64,
    /// The first row with a weight that is none, and this.
    bad: Option<(usize, f32)>,
}

impl Tally {
    pub(crate) fn add(&mut self, label: f32, weight: f32) {
        if rows::is_bad(weight) {
            self.bad = self.bad.or(Some((self.rows, weight)));
        }
        self.rows += 1;
        if weight > 0.0 {
            let weight = f64::from(weight);
            self.weight += weight;
            let away = f64::from(label) - self.mean;
            self.mean += away * weight / self.weight;
            self.squares += weight * away * (f64::from(label) - self.mean);
        }
    }

    pub(crate) fn constant(&self, binary: bool) -> Result<Constant> {
        if let Some((row, weight)) = self.bad {
            return Err(rows::bad_weight(row, weight));
        }
        if self.weight <= 0.0 {
            return Err(Error::data(rows::PLACE, "no rows with a weight above zero to measure"));
        }
        let (mean, variance) = (self.mean, self.squares / self.weight);
        Ok(Constant { mean, loss: if binary { entropy(mean) } else { variance.sqrt() } })
    }
}
