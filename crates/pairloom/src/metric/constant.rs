//! What a model has to beat: the best prediction that is the same for every row.

use super::{entropy, entropy_of, rows};
use crate::{Error, Result};

/// The mean label, and how good it is as the prediction for every row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constant {
    /// Weighted mean of the labels: of 0 and 1, the share of positives; of several classes, the share of the
    /// most frequent.
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

    /// Measures rows of (class, weight), the shares of so many classes being what is predicted.
    ///
    /// # Errors
    /// As for [`Constant::measure`].
    pub fn of_classes(outcomes: impl Iterator<Item = (f32, f32)>, classes: usize) -> Result<Self> {
        let (mut tally, mut sums) = (Tally::default(), vec![0.0; classes]);
        outcomes.for_each(|(label, weight)| {
            tally.add(label, weight);
            if let Some(sum) = sums.get_mut(label as usize) {
                *sum += f64::from(weight);
            }
        });
        tally.shares(&sums)
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
        self.check()?;
        let (mean, variance) = (self.mean, self.squares / self.weight);
        Ok(Constant { mean, loss: if binary { entropy(mean) } else { variance.sqrt() } })
    }

    /// That of classes with these weights.
    pub(crate) fn shares(&self, weights: &[f64]) -> Result<Constant> {
        self.check()?;
        let shares = weights.iter().map(|weight| weight / self.weight);
        let mean = shares.clone().fold(0.0, f64::max);
        Ok(Constant { mean, loss: entropy_of(shares) })
    }

    fn check(&self) -> Result<()> {
        if let Some((row, weight)) = self.bad {
            return Err(rows::bad_weight(row, weight));
        }
        if self.weight <= 0.0 {
            return Err(Error::data(rows::PLACE, "no rows with a weight above zero to measure"));
        }
        Ok(())
    }
}
