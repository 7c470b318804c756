//! One row of input, in buffers that are used again for the next row.

use super::Format;
use super::number::parse_cell;
use crate::error::{Error, Place};
use memchr::{memchr_iter, memrchr};
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
}

/// One row of input. See the [module's text](super) for what cells and pairs are.
#[derive(Debug, Clone)]
pub struct RawRow {
    pub(super) file: Arc<str>,
    pub(super) line: u64,
    /// The line or record as read, followed by the text of cells that had doubled quotes.
    pub(super) text: Vec<u8>,
    /// How much of `text` is the record as read, without its line end.
    pub(super) record_len: usize,
    pub(super) cells: Vec<Range<usize>>,
    /// Cells whose text follows the record, by number, with where they start in the record.
    pub(super) moved: Vec<(usize, usize)>,
    pub(super) pairs: Vec<Pair>,
    /// Cells that are numbers alone.
    numbers: Vec<f64>,
    /// Whether it comes from no text: places in it are those of cells.
    is_typed: bool,
    pub(crate) format: Format,
}

/// From where ranges of cells are no places in the text, which never is as long, but in the numbers.
const NUMBERS: usize = isize::MAX as usize + 1;

impl RawRow {
    /// An empty row for `Reader::read` to fill.
    pub fn new() -> Self {
        RawRow {
            file: Arc::from(""),
            line: 0,
            text: Vec::new(),
            record_len: 0,
            cells: Vec::new(),
            moved: Vec::new(),
            pairs: Vec::new(),
            numbers: Vec::new(),
            is_typed: false,
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

    /// The text of cell `i`, unquoted; empty beyond the last, and for a cell that is a number alone.
    pub fn cell(&self, i: usize) -> &[u8] {
        self.cells.get(i).and_then(|range| self.text.get(range.clone())).unwrap_or_default()
    }

    /// The number in cell `i`, NaN if it is missing: of a cell that is a number alone that one, else what its
    /// text says; `None` if it is no finite number.
    pub fn number(&self, i: usize) -> Option<f64> {
        match self.cells.get(i).and_then(|range| range.start.checked_sub(NUMBERS)) {
            None => parse_cell(self.cell(i)),
            Some(at) => self.numbers.get(at).copied().filter(|number| !number.is_infinite()),
        }
    }

    /// The pairs, in the order of the line.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// Line of the file, counted from 1: the first one of a record that spans several. Of a table that is no
    /// text, the number of the row.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// An error about cell `i`.
    pub fn cell_error(&self, i: usize, message: impl Into<String>) -> Error {
        self.error_at(self.cell_offset(i), message)
    }

    /// Where the text of cell `i` starts.
    pub(crate) fn cell_place(&self, i: usize) -> Place {
        self.place(self.cell_offset(i))
    }

    /// Bytes of memory taken.
    pub(crate) fn bytes(&self) -> usize {
        let cells = self.cells.capacity() * size_of::<Range<usize>>();
        let numbers = self.numbers.capacity() * size_of::<f64>();
        self.text.capacity() + cells + numbers + self.pairs.capacity() * size_of::<Pair>()
    }

    /// Makes it a row that is not read from text, with neither cells nor pairs.
    pub(crate) fn begin(&mut self, file: &Arc<str>, line: u64, format: Format) {
        self.clear();
        (self.line, self.format) = (line, format);
        // Rows live on from one read to the next: no reference count is touched per row.
        if !Arc::ptr_eq(&self.file, file) {
            self.file = file.clone();
        }
    }

    /// The same for a row of a table that is no text: errors point to its cells by their numbers.
    pub(super) fn begin_typed(&mut self, file: &Arc<str>, line: u64, format: Format) {
        self.begin(file, line, format);
        self.is_typed = true;
    }

    /// Adds the cell whose text `write` appends to the bytes that it is given.
    pub(crate) fn add_cell<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        if !self.cells.is_empty() {
            self.text.push(b',');
        }
        let start = self.text.len();
        let written = write(&mut self.text);
        self.record_len = self.text.len();
        self.cells.push(start..self.record_len);
        written
    }

    /// The same with nothing between the texts of cells.
    pub(super) fn append_cell<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let start = self.text.len();
        let written = write(&mut self.text);
        self.record_len = self.text.len();
        self.cells.push(start..self.record_len);
        written
    }

    /// Adds a cell that is a number alone, NaN if it is missing: it has no text.
    pub(crate) fn add_number(&mut self, number: f64) {
        let at = NUMBERS + self.numbers.len();
        self.numbers.push(number);
        self.cells.push(at..at);
    }

    /// Adds a cell that is made of another one, where errors point to.
    pub(crate) fn derive_cell(&mut self, of: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.moved.push((self.cells.len(), self.cell_offset(of)));
        let start = self.text.len();
        write(&mut self.text);
        self.cells.push(start..self.text.len());
    }

    /// Leaves these cells, in this order.
    pub(super) fn keep_cells(&mut self, kept: &[usize]) {
        let range = |&cell: &usize| self.cells.get(cell).cloned().unwrap_or_default();
        let cells = kept.iter().map(range).collect();
        let offset = |(at, &cell): (usize, &usize)| (at, self.cell_offset(cell));
        let moved = kept.iter().enumerate().map(offset).collect();
        (self.cells, self.moved) = (cells, moved);
    }

    /// Gives a cell another text; errors go on to point to where the old one is.
    pub(crate) fn replace_cell(&mut self, cell: usize, text: &[u8]) {
        let Some(range) = self.cells.get(cell).cloned() else { return };
        if range.start < self.record_len && !self.is_typed {
            self.moved.push((cell, range.start));
        }
        let start = self.text.len();
        self.text.extend_from_slice(text);
        self.cells[cell] = start..self.text.len();
    }

    /// Takes over another row, in the memory of this one.
    pub(crate) fn copy_from(&mut self, row: &RawRow) {
        self.begin(&row.file, row.line, row.format);
        self.text.extend_from_slice(&row.text);
        self.record_len = row.record_len;
        self.cells.extend_from_slice(&row.cells);
        self.moved.extend_from_slice(&row.moved);
        self.pairs.extend_from_slice(&row.pairs);
        self.numbers.extend_from_slice(&row.numbers);
        self.is_typed = row.is_typed;
    }

    /// Adds a pair.
    #[inline(always)]
    pub(crate) fn add_pair(&mut self, pair: Pair) {
        self.pairs.push(pair);
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.record_len = 0;
        self.cells.clear();
        self.moved.clear();
        self.pairs.clear();
        self.numbers.clear();
        self.is_typed = false;
    }

    /// The record as read, without its line end.
    pub(crate) fn record(&self) -> &[u8] {
        self.text.get(..self.record_len).unwrap_or_default()
    }

    pub(super) fn error_at(&self, offset: usize, message: impl Into<String>) -> Error {
        Error::Row { place: self.place(offset), message: message.into() }
    }

    /// The line and column of an offset in the record, which may span several lines; of a table that is no
    /// text, the numbers of row and cell.
    pub(super) fn place(&self, offset: usize) -> Place {
        if self.is_typed {
            return Place { file: self.file.clone(), line: self.line, column: offset + 1 };
        }
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = self.line + memchr_iter(b'\n', before).count() as u64;
        let start = memrchr(b'\n', before).map_or(0, |at| at + 1);
        Place { file: self.file.clone(), line, column: before.len() - start + 1 }
    }

    /// Where the text of cell `i` starts in the record; its end for a cell that is not there. Of a table that
    /// is no text, the number of the cell.
    pub(super) fn cell_offset(&self, i: usize) -> usize {
        let moved = self.moved.iter().find(|(cell, _)| *cell == i).map(|(_, start)| *start);
        let start = || match self.cells.get(i) {
            _ if self.is_typed => i,
            Some(range) if range.start < NUMBERS => range.start,
            _ => self.record_len,
        };
        moved.unwrap_or_else(start)
    }
}

impl Default for RawRow {
    fn default() -> Self {
        Self::new()
    }
}
