//! The cells of a feature column before they have ids.

use super::full;
use crate::Result;
use crate::encode::{Dictionary, number_error, parse_cell, split_values};
use crate::input::RawRow;
use crate::schema::{Column, Role};

/// The cells of a feature column.
#[derive(Debug, Clone)]
pub(crate) enum InternedCells {
    /// One value a row.
    Single {
        /// The distinct values.
        values: Dictionary,
        /// The value of each row.
        ids: Vec<u32>,
    },
    /// Any number of values a row, each with an `x`.
    Several {
        /// The distinct values. Those of pairs are field (4 bytes) and index (8), little-endian.
        values: Dictionary,
        /// Where each row starts in `ids`; one more entry than rows.
        starts: Vec<usize>,
        /// The values of each row.
        ids: Vec<u32>,
        /// The `x` of pairs, as long as `ids`; `None` for multi-valued columns.
        xs: Option<Vec<f32>>,
    },
    /// Numbers; NaN where a cell is missing.
    Numbers(Vec<f64>),
}

impl InternedCells {
    /// No cells of a column with this role.
    pub(super) fn new(role: Role) -> Self {
        let (values, ids) = (Dictionary::default(), Vec::new());
        match role {
            Role::Numeric => InternedCells::Numbers(Vec::new()),
            Role::Multi | Role::Pairs => {
                let xs = (role == Role::Pairs).then(Vec::new);
                InternedCells::Several { values, starts: vec![0], ids, xs }
            }
            _ => InternedCells::Single { values, ids },
        }
    }

    pub(super) fn are_numbers(&self) -> bool {
        matches!(self, InternedCells::Numbers(_))
    }

    /// Adds the cell of a row, in the column that `about` tells of.
    pub(super) fn push(&mut self, raw: &RawRow, cell: usize, about: &Column) -> Result<()> {
        let full = full(raw);
        match self {
            InternedCells::Numbers(numbers) => {
                let number = parse_cell(raw.cell(cell));
                numbers.try_reserve(1).map_err(full)?;
                numbers.push(number.ok_or_else(|| number_error(raw, cell, &about.name))?);
            }
            InternedCells::Single { values, ids } => {
                ids.try_reserve(1).map_err(full)?;
                ids.push(values.insert(raw.cell(cell))?);
            }
            InternedCells::Several { values, starts, ids, xs } => {
                starts.try_reserve(1).map_err(full)?;
                if let Some(xs) = xs {
                    ids.try_reserve(raw.pairs().len()).map_err(full)?;
                    xs.try_reserve(raw.pairs().len()).map_err(full)?;
                    for pair in raw.pairs() {
                        ids.push(values.insert(&join_pair(pair.field, pair.index))?);
                        xs.push(pair.value);
                    }
                } else {
                    for value in split_values(raw.cell(cell), about.value_separator()) {
                        ids.try_reserve(1).map_err(full)?;
                        ids.push(values.insert(value)?);
                    }
                }
                starts.push(ids.len());
            }
        }
        Ok(())
    }

    /// How many entries the encoded rows will have at the most.
    pub(super) fn entries(&self) -> usize {
        match self {
            InternedCells::Numbers(numbers) => 3 * numbers.len(),
            InternedCells::Single { ids, .. } | InternedCells::Several { ids, .. } => ids.len(),
        }
    }

    /// Drops what follows the first `rows` rows.
    pub(super) fn truncate(&mut self, rows: usize) {
        match self {
            InternedCells::Numbers(numbers) => numbers.truncate(rows),
            InternedCells::Single { ids, .. } => ids.truncate(rows),
            InternedCells::Several { starts, ids, xs, .. } => {
                starts.truncate(rows + 1);
                let end = starts.last().copied().unwrap_or(0);
                ids.truncate(end);
                if let Some(xs) = xs {
                    xs.truncate(end);
                }
            }
        }
    }
}

/// Field and index of a pair as one value.
fn join_pair(field: u32, index: u64) -> [u8; 12] {
    let mut value = [0; 12];
    value[..4].copy_from_slice(&field.to_le_bytes());
    value[4..].copy_from_slice(&index.to_le_bytes());
    value
}

/// Field and index from one value.
pub(crate) fn split_pair(value: &[u8]) -> (u32, u64) {
    let (field, index) = value.split_at(4);
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |n, &b| (n << 8) | u64::from(b));
    (number(field) as u32, number(index))
}
