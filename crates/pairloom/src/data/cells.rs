//! The cells of a feature column before they have ids.

use super::full;
use crate::Result;
use crate::encode::{Dictionary, Pairs, number_error, parse_cell, split_values};
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
    /// Any number of values a row.
    Several {
        /// The distinct values.
        values: Dictionary,
        /// Where each row starts in `ids`; one more entry than rows.
        starts: Vec<usize>,
        /// The values of each row.
        ids: Vec<u32>,
    },
    /// The pairs of sparse rows.
    Pairs {
        /// The distinct fields and indices.
        values: Pairs,
        /// Where each row starts in `ids`; one more entry than rows.
        starts: Vec<usize>,
        /// The pairs of each row.
        ids: Vec<u32>,
        /// Their `x`.
        xs: Vec<f32>,
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
            Role::Multi => InternedCells::Several { values, starts: vec![0], ids },
            Role::Pairs => {
                let (values, xs) = (Pairs::default(), Vec::new());
                InternedCells::Pairs { values, starts: vec![0], ids, xs }
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
            InternedCells::Several { values, starts, ids } => {
                starts.try_reserve(1).map_err(full)?;
                for value in split_values(raw.cell(cell), about.value_separator()) {
                    ids.try_reserve(1).map_err(full)?;
                    ids.push(values.insert(value)?);
                }
                starts.push(ids.len());
            }
            InternedCells::Pairs { values, starts, ids, xs } => {
                starts.try_reserve(1).map_err(full)?;
                ids.try_reserve(raw.pairs().len()).map_err(full)?;
                xs.try_reserve(raw.pairs().len()).map_err(full)?;
                for pair in raw.pairs() {
                    ids.push(values.insert(pair.field, pair.index)?);
                    xs.push(pair.value);
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
            InternedCells::Single { ids, .. }
            | InternedCells::Several { ids, .. }
            | InternedCells::Pairs { ids, .. } => ids.len(),
        }
    }

    /// Drops what follows the first `rows` rows.
    pub(super) fn truncate(&mut self, rows: usize) {
        match self {
            InternedCells::Numbers(numbers) => numbers.truncate(rows),
            InternedCells::Single { ids, .. } => ids.truncate(rows),
            InternedCells::Several { starts, ids, .. } => {
                starts.truncate(rows + 1);
                ids.truncate(starts.last().copied().unwrap_or(0));
            }
            InternedCells::Pairs { starts, ids, xs, .. } => {
                starts.truncate(rows + 1);
                ids.truncate(starts.last().copied().unwrap_or(0));
                xs.truncate(ids.len());
            }
        }
    }
}
