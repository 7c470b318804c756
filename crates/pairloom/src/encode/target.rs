//! From label cells to numbers and back.

use crate::input::parse_number;
use serde::{Deserialize, Serialize};

/// What is predicted, learned from the labels of the training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "task")]
pub enum Target {
    /// One of two values.
    Binary {
        /// The value that counts as 0.
        negative: String,
        /// The value that counts as 1.
        positive: String,
    },
    /// A number. The model learns `(y - mean) / scale`, so that learning rates mean the same
    /// whatever the unit of `y`.
    Real {
        /// Weighted mean of the training labels; 0 for a model without bias.
        mean: f64,
        /// Their weighted standard deviation, or 1 if all are equal.
        scale: f64,
    },
}

impl Target {
    /// Whether there are two classes.
    pub fn is_binary(&self) -> bool {
        matches!(self, Target::Binary { .. })
    }

    /// Whether the parts make sense: those of a file may not.
    pub(super) fn is_usable(&self) -> bool {
        match self {
            Target::Binary { negative, positive } => negative != positive,
            Target::Real { mean, scale } => mean.is_finite() && scale.is_finite() && *scale > 0.0,
        }
    }

    /// The number of a label cell: 0 or 1 of a binary task, else the number itself. `Err` says
    /// what was expected.
    pub fn parse(&self, cell: &[u8]) -> Result<f32, String> {
        match self {
            Target::Binary { negative, positive } => {
                if same(cell, positive) {
                    return Ok(1.0);
                }
                if same(cell, negative) {
                    return Ok(0.0);
                }
                Err(format!("{} is neither '{positive}' nor '{negative}'", shown(cell)))
            }
            Target::Real { .. } => parse_number(cell)
                .map(|v| v as f32)
                .filter(|v| v.is_finite())
                .ok_or_else(|| format!("{} is not a number", shown(cell))),
        }
    }

    /// The label as the model learns it.
    pub fn standardize(&self, label: f32) -> f64 {
        match self {
            Target::Binary { .. } => f64::from(label),
            Target::Real { mean, scale } => (f64::from(label) - mean) / scale,
        }
    }

    /// The prediction in the label's own unit from one in the model's.
    pub fn restore(&self, prediction: f64) -> f64 {
        match self {
            Target::Binary { .. } => prediction,
            Target::Real { mean, scale } => mean + scale * prediction,
        }
    }
}

/// Whether a cell is this class: as numbers where both are ("1", "+1" and "1.0" are the same).
pub(super) fn same(cell: &[u8], class: &str) -> bool {
    let number = parse_number(class.as_bytes());
    cell.trim_ascii() == class.as_bytes() || (number.is_some() && parse_number(cell) == number)
}

/// A cell as it is shown in a message.
pub(super) fn shown(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(cell);
    match text.char_indices().nth(40) {
        _ if text.trim().is_empty() => "an empty cell".into(),
        None => format!("'{text}'"),
        Some((end, _)) => format!("'{}...'", &text[..end]),
    }
}
