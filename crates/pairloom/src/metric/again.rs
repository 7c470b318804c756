//! The same predictions measured again and again, with other weights of the rows: what does not depend on weights is
//! found once.

use super::classes::orders;
use super::rank::Order;
use super::ranking::Lists;
use super::rows::Rows;
use super::{Binary, Classes, Measure, Metrics};
use crate::Result;
use crate::batch::Outcomes;
use crate::loss::Loss;

/// Predictions that are measured by a measure.
pub(super) struct Again<'a> {
    measure: &'a Measure,
    predictions: &'a [f64],
    known: Known,
}

/// What is known of them.
enum Known {
    Order(Order),
    Orders(Vec<Order>),
    Lists(Lists),
    Nothing,
}

impl<'a> Again<'a> {
    /// Predictions of these rows.
    ///
    /// # Errors
    /// Those of [`Measure::measure`]; [`crate::Error::Memory`] for more rows than there is memory for.
    pub(super) fn new(
        measure: &'a Measure,
        predictions: &'a [f64],
        rows: &Outcomes,
    ) -> Result<Self> {
        measure.measure(predictions, rows)?;
        let Measure { loss, at, .. } = *measure;
        let known = match loss {
            _ if u32::try_from(rows.len()).is_err() => Known::Nothing,
            Loss::Logistic => Known::Order(Order::new(predictions)?),
            Loss::Softmax => Known::Orders(orders(predictions, rows.labels())?),
            // Rows of a group may be drawn apart if it has no name.
            loss if loss.is_ranking() && !rows.groups().is_empty() => {
                Known::Lists(Lists::new(predictions, rows, Some(loss), at))
            }
            _ => Known::Nothing,
        };
        Ok(Again { measure, predictions, known })
    }

    /// As [`Measure::measure`], of the same rows with other weights; those of a group are all 0 or none is that was
    /// not.
    pub(super) fn measure(&self, rows: &Outcomes) -> Result<Metrics> {
        let (labels, weights, predictions) = (rows.labels(), rows.weights(), self.predictions);
        Ok(match &self.known {
            Known::Order(order) => {
                let checked = Rows::binary(predictions, labels, weights)?;
                let area = order.area(weights, |row| labels[row] == 1.0);
                Metrics::Binary(Binary::of(&checked, self.measure.threshold, area))
            }
            Known::Orders(orders) => {
                Metrics::Classes(Classes::measure_in(orders, predictions, labels, weights)?)
            }
            Known::Lists(lists) => Metrics::Ranking(lists.measure(rows)?),
            Known::Nothing => self.measure.measure(predictions, rows)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uneven rows with ties, in five groups, of which the last has equal labels.
    fn rows(weight: impl Fn(u32) -> f32, classes: u32) -> (Vec<f64>, Outcomes) {
        let label = |i: u32| (i * 7 % 5 % classes) as f32;
        let mut rows = Outcomes::default();
        for i in 0..80 {
            rows.push_in(Some(i / 16), if i >= 64 { 1.0 } else { label(i) }, weight(i));
        }
        ((0..80).map(|i| f64::from(i * 11 % 17) / 20.0).collect(), rows)
    }

    /// The slow way is measuring anew. Weights that are multiples of a quarter add up without rounding.
    #[test]
    fn again_is_as_anew() {
        let weights = |i: u32| if i % 9 == 4 { 0.0 } else { 0.25 * (1 + i % 3) as f32 };
        let losses = [Loss::Logistic, Loss::Softmax, Loss::Squared];
        for loss in losses.into_iter().chain(Loss::ranking()) {
            let (mut predictions, rows) = rows(weights, if loss == Loss::Logistic { 2 } else { 3 });
            if loss == Loss::Softmax {
                predictions =
                    predictions.iter().flat_map(|p| [p * 0.5, p * 0.5, 1.0 - p]).collect();
            }
            let measure = Measure::new(loss, 1.0);
            let again = Again::new(&measure, &predictions, &rows).unwrap();
            for sample in 0..20 {
                let drawn = rows
                    .weighing(|row, weight| weight * ((row as u32 / 16 * 5 + sample) % 4) as f32);
                let anew = measure.measure(&predictions, &drawn).ok();
                assert_eq!(again.measure(&drawn).ok(), anew, "{loss} {sample}");
            }
        }
    }
}
