//! What the label says of a column of whole numbers: are they quantities or names?
//!
//! Rows with about the same quantity have as much in common as rows with the very same one; rows
//! with the same name have something in common, and those whose names happen to be neighbours
//! have not. So what the labels of one value's rows share with each other, their covariance, is
//! held against what they share with those of the two values beside it. Where there is nothing
//! to share, or each row has a value of its own, nothing is said and the column stays a quantity.

use super::{Role, Schema};
use crate::encode::same_label;
use crate::input::{RawRow, parse_number};
use std::collections::BTreeMap;

/// Names share less than this part of what they share with themselves with their neighbours.
const PART: f64 = 0.5;

/// The evidence in standard errors that is asked for: six where there are many values, as amounts
/// of money and the like come back by chance with the rows of one customer; less where fewer
/// values could not show as much. Chance alone gives 3 in one column of a few hundred.
const FEW_VALUES: f64 = 3.5;
const MANY_VALUES: f64 = 6.0;

/// The labels of the sample as numbers around their mean; NaN for those that are missing. Text
/// is 1 or 0: the positive label, or the first, and any other.
pub(super) fn labels(schema: &Schema, sample: &[&RawRow]) -> Vec<f64> {
    let Some(cell) = schema.find(Role::Label) else { return vec![f64::NAN; sample.len()] };
    let cells = || sample.iter().map(|row| row.cell(cell).trim_ascii());
    let filled = || cells().filter(|text| !text.is_empty());
    let class = match schema.positive.as_deref() {
        None if filled().all(|text| parse_number(text).is_some()) => None,
        positive => positive.or_else(|| str::from_utf8(filled().next()?).ok()),
    };
    let number = |text: &[u8]| match class {
        _ if text.is_empty() => f64::NAN,
        Some(class) => f64::from(u8::from(same_label(text, class))),
        None => parse_number(text).unwrap_or(f64::NAN),
    };
    let mut labels: Vec<f64> = cells().map(number).collect();
    centre(&mut labels);
    labels
}

/// Takes their mean from labels; NaN stays.
pub(crate) fn centre(labels: &mut [f64]) {
    let known = || labels.iter().filter(|label| !label.is_nan());
    let mean = known().sum::<f64>() / known().count().max(1) as f64;
    labels.iter_mut().for_each(|label| *label -= mean);
}

/// The labels of the rows with one value.
#[derive(Default, Clone, Copy)]
struct Value {
    rows: f64,
    sum: f64,
    squares: f64,
}

impl Value {
    /// What its rows share with each other, and with those of its neighbours; both times the
    /// number of other rows.
    fn shares(&self, neighbours: &[Value]) -> (f64, f64) {
        let rows: f64 = neighbours.iter().map(|value| value.rows).sum();
        let sum: f64 = neighbours.iter().map(|value| value.sum).sum();
        let itself = (self.sum * self.sum - self.squares) / self.rows;
        (itself, (self.rows - 1.0) * self.sum / self.rows * sum / rows)
    }
}

/// Whether the labels have whole numbers be names: a pair of both for each row, NaN where one is
/// missing.
pub(super) fn are_names(rows: impl Iterator<Item = (f64, f64)>) -> bool {
    let values = usual(by_value(rows));
    let (mut itself, mut near, mut squares, mut terms) = (0.0, 0.0, 0.0, 0.0f64);
    for triple in values.windows(3).filter(|triple| triple[1].rows > 1.0) {
        let (own, beside) = triple[1].shares(&[triple[0], triple[2]]);
        itself += own;
        near += beside;
        squares += (own - beside).powi(2);
        terms += 1.0;
    }
    let enough = (terms.sqrt() / 6.0).clamp(FEW_VALUES, MANY_VALUES);
    // A sum over the root of its squares: a few values that stand out cannot make it large.
    near < PART * itself && itself - near > enough * squares.sqrt()
}

fn by_value(rows: impl Iterator<Item = (f64, f64)>) -> BTreeMap<i64, Value> {
    let mut values: BTreeMap<i64, Value> = BTreeMap::new();
    for (number, label) in rows.filter(|(number, label)| !number.is_nan() && !label.is_nan()) {
        let value = values.entry(number as i64).or_default();
        value.rows += 1.0;
        value.sum += label;
        value.squares += label * label;
    }
    values
}

/// The values in their order, without the tenth with the most rows: zero, round numbers and
/// stand-ins for what is missing are unlike their neighbours in quantities too.
fn usual(values: BTreeMap<i64, Value>) -> Vec<Value> {
    let mut rows: Vec<f64> = values.values().map(|value| value.rows).collect();
    rows.sort_unstable_by(|a, b| b.total_cmp(a));
    let most = rows.get(rows.len() / 10).copied().unwrap_or(0.0);
    values.into_values().filter(|value| value.rows <= most).collect()
}
