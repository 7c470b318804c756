//! Cells of text, row after row.

use crate::Result;
use crate::input::RawRow;

/// As many cells in each row.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    columns: usize,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    /// None yet, of so many columns.
    pub(super) fn new(columns: usize) -> Self {
        Texts { columns, ..Texts::default() }
    }

    /// Adds the cells of a row.
    pub(super) fn push<'a>(&mut self, cells: impl Iterator<Item = &'a [u8]>) {
        for cell in cells {
            self.bytes.extend_from_slice(cell);
            self.ends.push(self.bytes.len());
        }
    }

    /// The cells of a row.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = &[u8]> {
        (0..self.columns).map(move |column| self.cell(row, column))
    }

    /// A cell of a row.
    pub(super) fn cell(&self, row: usize, column: usize) -> &[u8] {
        let at = row * self.columns + column;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[at]]
    }

    /// Removes all rows.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Checks that a row says whose it is: of each of these lists of cells one must have a text.
///
/// # Errors
/// [`crate::Error::Row`] for a list of empty cells.
pub(super) fn check_context(raw: &RawRow, lists: &[Vec<usize>]) -> Result<()> {
    let is_empty = |cell: &usize| raw.cell(*cell).trim_ascii().is_empty();
    let empty = lists.iter().filter_map(|cells| Some((cells, cells.first()?)));
    match empty.into_iter().find(|(cells, _)| cells.iter().all(is_empty)) {
        None => Ok(()),
        Some((_, &cell)) => {
            let message = "context: an empty cell: say whose row this is, or leave it out";
            Err(raw.cell_error(cell, message))
        }
    }
}

/// Cells as one key: their lengths are part of it, so that other cells make another one.
pub(super) fn key<'a>(cells: impl Iterator<Item = &'a [u8]>, key: &mut Vec<u8>) {
    key.clear();
    for cell in cells {
        key.extend_from_slice(&(cell.len() as u64).to_le_bytes());
        key.extend_from_slice(cell);
    }
}
