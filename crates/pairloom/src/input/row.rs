//! One row of input, in buffers that are used again for the next row.

use super::Format;
use crate::error::{Error, Place};
use std::ops::Range;
use std::sync::Arc;

/// One `index:value` or `field:index:value` of a sparse row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The field; 0 in libsvm.
    pub field: u32,
    /// The feature's index as written: any unsigned 64-bit number.
    pub index: u64,
    /// The value: always finite.
    pub value: f32,
    /// Where the pair starts in its line, in bytes from 0.
    pub offset: u32,
}

/// One row of input. See the [module's text](super) for what cells and pairs are.
#[derive(Debug, Clone)]
pub struct RawRow {
    pub(super) file: Arc<str>,
    pub(super) line: u64,
    /// The line or record as read, followed by the unquoted text of cells that were quoted.
    pub(super) text: Vec<u8>,
    /// How much of `text` is the record as read.
    pub(super) record_len: usize,
    pub(super) cells: Vec<Range<usize>>,
    pub(super) pairs: Vec<Pair>,
    pub(super) format: Format,
}

impl RawRow {
    /// An empty row for `Reader::read` to fill.
    pub fn new() -> Self {
        RawRow {
            file: Arc::from(""),
            line: 0,
            text: Vec::new(),
            record_len: 0,
            cells: Vec::new(),
            pairs: Vec::new(),
            format: Format::Libsvm,
        }
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether the row has no cells.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The text of cell `i`, unquoted; empty beyond the last.
    pub fn cell(&self, i: usize) -> &[u8] {
        self.cells.get(i).map_or(&[], |range| &self.text[range.clone()])
    }

    /// The pairs, in the order of the line.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// Line of the file, counted from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// An error about cell `i`.
    pub fn cell_error(&self, i: usize, message: impl Into<String>) -> Error {
        self.error_at(self.cell_offset(i), message)
    }

    /// An error about a pair.
    pub fn pair_error(&self, pair: &Pair, message: impl Into<String>) -> Error {
        self.error_at(pair.offset as usize, message)
    }

    pub(super) fn error_at(&self, offset: usize, message: impl Into<String>) -> Error {
        let place = Place { file: self.file.clone(), line: self.line, column: offset + 1 };
        Error::Row { place, message: message.into() }
    }

    /// Where cell `i` starts in its record. Cells that were quoted lie elsewhere in `text`, so the
    /// record is scanned once more: only errors pay for this.
    fn cell_offset(&self, i: usize) -> usize {
        let start = self.cells.get(i).map_or(0, |range| range.start);
        let Format::Csv { delimiter, .. } = self.format else {
            return start;
        };
        if start < self.record_len {
            return start;
        }
        let record = &self.text[..self.record_len];
        let mut quoted = false;
        let mut starts = record.iter().enumerate().filter_map(|(at, &byte)| {
            quoted ^= byte == b'"';
            (!quoted && byte == delimiter as u8).then_some(at + 1)
        });
        if i == 0 { 0 } else { starts.nth(i - 1).unwrap_or(0) }
    }
}

impl Default for RawRow {
    fn default() -> Self {
        Self::new()
    }
}
