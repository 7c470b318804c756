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
    /// Measures rows of (label, weight) in one pass (West, "Updating mean and variance estimates",
    /// Communications of the ACM 22, 1979); `binary` if the labels are 0 and 1.
    ///
    /// # Errors
    /// [`Error::Data`] for a bad weight, or if the rows weigh nothing.
    pub fn measure(outcomes: impl Iterator<Item = (f32, f32)>, binary: bool) -> Result<Self> {
        let (mut total, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for (row, (y, w)) in outcomes.enumerate() {
            rows::check_weight(row, w)?;
            let (y, w) = (f64::from(y), f64::from(w));
            if w > 0.0 {
                total += w;
                let away = y - mean;
                mean += away * w / total;
                squares += w * away * (y - mean);
            }
        }
        if total <= 0.0 {
            return Err(Error::data(rows::PLACE, "no rows with a weight above zero to measure"));
        }
        let loss = if binary { entropy(mean) } else { (squares / total).sqrt() };
        Ok(Constant { mean, loss })
    }
}
