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
    /// Measures the labels of rows; `binary` if they are 0 and 1.
    ///
    /// # Errors
    /// [`Error::Data`] for a bad weight, or if the rows weigh nothing.
    pub fn measure(label: &[f32], weight: Option<&[f32]>, binary: bool) -> Result<Self> {
        let total = rows::total(weight, label.len())?;
        if total <= 0.0 {
            return Err(Error::data(rows::PLACE, "no rows with a weight above zero to measure"));
        }
        let labels = || label.iter().enumerate().map(|(i, &y)| (f64::from(y), rows::at(weight, i)));
        let mean = labels().map(|(y, w)| w * y).sum::<f64>() / total;
        let square = || labels().map(|(y, w)| w * (y - mean) * (y - mean)).sum::<f64>() / total;
        Ok(Constant { mean, loss: if binary { entropy(mean) } else { square().sqrt() } })
    }
}
