//! Figures for a model that predicts the probability of each of several classes.

use super::rank::{self, Order};
use super::rows::{self, Rows};
use super::{bins, entropy_of, ratio};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Figures for a model that predicts the probability of each of several classes.
///
/// Below, `w` is a row's weight, `W` the sum of them, `y` its class and `p_c` its probability of class `c`; the
/// predicted class is the one with the greatest, and the first of several such.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classes {
    /// Number of rows, those of weight zero included.
    pub rows: u64,
    /// Sum of the weights `W`; equals `rows` without weights.
    pub weight: f64,
    /// Mean negative log likelihood `-1/W sum w ln p_y`, in nats, clipped as in
    /// [`Binary::log_loss`](super::Binary::log_loss).
    pub log_loss: f64,
    /// Mean over the classes of the area under the ROC curve of `p_c` for class `c` against the rest; `None` if
    /// no class has both rows of its own and others.
    pub auc: Option<f64>,
    /// Weighted share of rows whose class is predicted.
    pub accuracy: f64,
    /// Mean of the recall of each class that has rows.
    pub balanced_accuracy: f64,
    /// Mean over the classes that have rows or are predicted of `2 hits / (rows + predictions)`.
    pub macro_f1: f64,
    /// Log loss divided by the entropy of the weighted shares of the classes. `None` with one class.
    pub normalized_entropy: Option<f64>,
    /// The gap between the probability of the predicted class and how often it is right, over
    /// [`CALIBRATION_BINS`](super::CALIBRATION_BINS) equal-width bins of this probability (Guo et al. 2017).
    pub expected_calibration_error: f64,
    /// Mean squared error of all probabilities together, `1/W sum w sum_c (p_c - [c = y])^2`, in `[0, 2]`
    /// (Brier 1950).
    pub brier_score: f64,
}

/// How well one class is told from the others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OfClass {
    /// Weighted share of its rows among those that it was predicted for; `None` if there are none.
    pub precision: Option<f64>,
    /// Weighted share of its rows that it was predicted for; `None` without rows.
    pub recall: Option<f64>,
    /// `2 hits / (rows + predictions)`; `None` with neither.
    pub f1: Option<f64>,
    /// Weight of its rows.
    pub weight: f64,
}

/// Weights of the rows of a class, of those that it was predicted for, and of those that are both.
#[derive(Debug, Clone, Copy, Default)]
struct Hits {
    rows: f64,
    predicted: f64,
    both: f64,
}

impl Hits {
    fn f1(&self) -> Option<f64> {
        ratio(2.0 * self.both, self.rows + self.predicted)
    }
}

/// Probabilities of classes, `[rows, classes]`, beside the classes of the rows.
#[derive(Clone, Copy)]
struct Table<'a> {
    probability: &'a [f64],
    label: &'a [f32],
    weight: Option<&'a [f32]>,
    classes: usize,
    /// Sum of the weights, above zero.
    total: f64,
}

impl<'a> Table<'a> {
    fn new(probability: &'a [f64], label: &'a [f32], weight: Option<&'a [f32]>) -> Result<Self> {
        let classes = probability.len() / label.len().max(1);
        let [probabilities, rows] = [probability.len(), label.len()];
        let weights = weight.map_or(rows, <[f32]>::len);
        if probabilities != classes * rows || weights != rows {
            let sizes = format!("{probabilities} probabilities, {rows} rows and {weights} weights");
            return Err(Error::usage(format!("{sizes} do not match")));
        }
        rows::finite(probability)?;
        if let Some(at) = probability.iter().position(|p| !(0.0..=1.0).contains(p)) {
            let message = format!("probability {} is outside 0 to 1", probability[at]);
            return Err(rows::bad(at / classes.max(1), message));
        }
        let is_class = |y: f32| y >= 0.0 && y.fract() == 0.0 && (y as usize) < classes;
        if let Some(row) = label.iter().position(|&y| !is_class(y)) {
            return Err(rows::bad(
                row,
                format!("label {} is none of {classes} classes", label[row]),
            ));
        }
        let total = rows::positive_total(label.len(), weight)?;
        Ok(Table { probability, label, weight, classes, total })
    }

    /// Probabilities, class and weight of every row whose weight is above zero.
    fn iter(self) -> impl Iterator<Item = (&'a [f64], usize, f64)> {
        let rows = self.probability.chunks_exact(self.classes.max(1)).zip(self.label).enumerate();
        let of = move |(row, (p, &y)): (usize, (&'a [f64], &f32))| {
            (p, y as usize, rows::at(self.weight, row))
        };
        rows.map(of).filter(|(_, _, weight)| *weight > 0.0)
    }

    fn hits(self) -> Vec<Hits> {
        let mut hits = vec![Hits::default(); self.classes];
        for (p, class, w) in self.iter() {
            let predicted = predicted_class(p);
            hits[class].rows += w;
            hits[predicted].predicted += w;
            hits[class].both += if predicted == class { w } else { 0.0 };
        }
        hits
    }

    /// The probability of a class for each row.
    fn of_class(self, class: usize) -> Vec<f64> {
        self.probability.iter().skip(class).step_by(self.classes).copied().collect()
    }

    /// The mean area under the curve of each class against the rest, by the orders of the classes if they are known.
    fn area(self, orders: Option<&[Order]>) -> Result<Option<f64>> {
        let mut areas = Vec::new();
        for class in 0..self.classes {
            if let Some(orders) = orders {
                let is = |row: usize| self.label[row] as usize == class;
                areas.extend(orders.get(class).and_then(|order| order.area(self.weight, is)));
                continue;
            }
            let probability = self.of_class(class);
            let is = |&y: &f32| f32::from(y as usize == class);
            let label: Vec<f32> = self.label.iter().map(is).collect();
            areas.extend(rank::area(&Rows::binary(&probability, &label, self.weight)?));
        }
        Ok(ratio(areas.iter().sum(), areas.len() as f64))
    }

    /// How far the probability of the predicted class is from how often it is right.
    fn calibration_error(self) -> Result<f64> {
        let (probability, right) = top_class(self.probability, self.label);
        Ok(bins::calibration_error(&Rows::binary(&probability, &right, self.weight)?))
    }
}

/// The class that is predicted from the probabilities of all: the greatest, and the first of several such.
pub fn predicted_class(probabilities: &[f64]) -> usize {
    let better =
        |best: usize, at: usize| if probabilities[at] > probabilities[best] { at } else { best };
    (0..probabilities.len()).reduce(better).unwrap_or(0)
}

/// Of each row the probability of the predicted class, and whether it is right: 1 or 0.
pub fn top_class(probability: &[f64], label: &[f32]) -> (Vec<f64>, Vec<f32>) {
    let classes = probability.len() / label.len().max(1);
    let rows = probability.chunks_exact(classes.max(1)).zip(label).map(|(p, &y)| {
        let top = predicted_class(p);
        (p[top], f32::from(top == y as usize))
    });
    rows.unzip()
}

impl Classes {
    /// Measures the probabilities of classes, `[rows, classes]`, against the classes of the rows, which are
    /// counted from 0.
    ///
    /// # Errors
    /// [`Error::Diverged`] for a probability that is not finite, [`Error::Data`] for one outside
    /// `[0, 1]`, a label that is no class, a negative weight or no weight at all, and
    /// [`Error::Usage`] for columns of different lengths.
    pub fn measure(probability: &[f64], label: &[f32], weight: Option<&[f32]>) -> Result<Self> {
        Classes::of(Table::new(probability, label, weight)?, None)
    }

    /// The same by the order of the rows for each class, see [`orders`].
    pub(super) fn measure_in(
        orders: &[Order],
        probability: &[f64],
        label: &[f32],
        weight: Option<&[f32]>,
    ) -> Result<Self> {
        Classes::of(Table::new(probability, label, weight)?, Some(orders))
    }

    fn of(table: Table<'_>, orders: Option<&[Order]>) -> Result<Self> {
        let (mut loss, mut square) = (0.0, 0.0);
        for (p, class, w) in table.iter() {
            loss -= w * p[class].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
            let error = |(at, p): (usize, &f64)| (p - f64::from(u8::from(at == class))).powi(2);
            square += w * p.iter().enumerate().map(error).sum::<f64>();
        }
        let (hits, total) = (table.hits(), table.total);
        let log_loss = loss / total;
        let entropy = entropy_of(hits.iter().map(|class| class.rows / total));
        let recalls = hits.iter().filter_map(|class| ratio(class.both, class.rows));
        Ok(Classes {
            rows: table.label.len() as u64,
            weight: total,
            log_loss,
            auc: table.area(orders)?,
            accuracy: hits.iter().map(|class| class.both).sum::<f64>() / total,
            balanced_accuracy: mean(recalls),
            macro_f1: mean(hits.iter().filter_map(Hits::f1)),
            normalized_entropy: (entropy > 0.0).then(|| log_loss / entropy),
            expected_calibration_error: table.calibration_error()?,
            brier_score: square / total,
        })
    }
}

/// The order of the rows by the probability of each class.
pub(super) fn orders(probability: &[f64], label: &[f32]) -> Result<Vec<Order>> {
    let table = Table::new(probability, label, None)?;
    (0..table.classes).map(|class| Order::new(&table.of_class(class))).collect()
}

/// How well each class is told from the others.
///
/// # Errors
/// As [`Classes::measure`].
pub fn of_classes(
    probability: &[f64],
    label: &[f32],
    weight: Option<&[f32]>,
) -> Result<Vec<OfClass>> {
    let of = |hits: Hits| OfClass {
        precision: ratio(hits.both, hits.predicted),
        recall: ratio(hits.both, hits.rows),
        f1: hits.f1(),
        weight: hits.rows,
    };
    Ok(Table::new(probability, label, weight)?.hits().into_iter().map(of).collect())
}

/// The mean of some figures; there is one at least.
fn mean(figures: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = figures.fold((0.0, 0.0), |(sum, count), figure| (sum + figure, count + 1.0));
    sum / f64::max(count, 1.0)
}
