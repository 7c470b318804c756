//! Cells of text, row after row.

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

/// Cells as one key: their lengths are part of it, so that other cells make another one.
pub(super) fn key<'a>(cells: impl Iterator<Item = &'a [u8]>, key: &mut Vec<u8>) {
    key.clear();
    for cell in cells {
        key.extend_from_slice(&(cell.len() as u64).to_le_bytes());
        key.extend_from_slice(cell);
    }
}
