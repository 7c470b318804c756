//! Delimited text, quoted by RFC 4180.
//!
//! A line without quotes, which is nearly every line of nearly every file, is cut by one search
//! for its delimiters; its cells are ranges of the line. A record with quotes is cut cell by
//! cell. Its cells are ranges too, but for those with doubled quotes inside, whose text is
//! written behind the record.
//!
//! What RFC 4180 leaves open is decided so that no cell is lost or made up in silence: text
//! behind a closing quote, a lone carriage return outside of quotes and a record of another
//! length are errors; a quote that is never closed ends the input, as nobody can tell where the
//! next record starts. A quote inside an unquoted cell (`5" screen`) is an ordinary character,
//! blanks belong to their cell, and empty lines are skipped, in files of one column too: there
//! an empty cell is written `""`.

use super::lines::{self, Lines, MAX_ITEMS};
use super::open::Source;
use super::shown::quoted;
use super::{Format, RawRow, Reader};
use crate::{Error, Result};
use memchr::{memchr, memchr_iter, memchr3};
use std::collections::HashMap;
use std::mem;

/// Records of any number of cells.
pub(super) struct Records {
    lines: Lines,
    delimiter: u8,
    format: Format,
}

impl Records {
    pub(super) fn new(source: Source, delimiter: char, header: bool) -> Result<Self> {
        let format = Format::Csv { delimiter, header };
        let delimiter = match u8::try_from(delimiter) {
            Ok(byte) if byte.is_ascii() && !b"\0\n\r\"".contains(&byte) => byte,
            _ => {
                let rule = format!("one ASCII character, no quote or line end, not {delimiter:?}");
                return Err(Error::setting("delimiter", &rule));
            }
        };
        Ok(Records { lines: Lines::new(source), delimiter, format })
    }

    /// Reads the next record that is not an empty line; `false` at the end.
    pub(super) fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        loop {
            if !self.lines.begin(row)? {
                return Ok(false);
            }
            if row.record_len > 0 {
                break;
            }
        }
        row.format = self.format;
        if memchr3(b'"', b'\r', 0, row.record()).is_none() {
            self.split(row)?;
        } else {
            self.scan(row)?;
            lines::refuse_nul(row)?;
        }
        Ok(true)
    }

    /// Cuts a line without quotes.
    fn split(&self, row: &mut RawRow) -> Result<()> {
        let mut start = 0;
        let record = row.text.get(..row.record_len).unwrap_or_default();
        for end in memchr_iter(self.delimiter, record) {
            if row.cells.len() >= MAX_ITEMS {
                return Err(too_many(row, start));
            }
            row.cells.push(start..end);
            start = end + 1;
        }
        row.cells.push(start..row.record_len);
        Ok(())
    }

    /// Cuts a record with quotes, reading on while one is open.
    fn scan(&mut self, row: &mut RawRow) -> Result<()> {
        let mut start = 0;
        loop {
            let end = match row.record().get(start) {
                Some(b'"') => self.quoted(row, start)?,
                _ => self.plain(row, start)?,
            };
            if end >= row.record_len {
                break;
            }
            start = end + 1;
            if row.cells.len() >= MAX_ITEMS {
                return Err(too_many(row, start));
            }
        }
        undouble(row);
        Ok(())
    }

    /// Takes the unquoted cell at `start` and returns where it ends.
    fn plain(&self, row: &mut RawRow, start: usize) -> Result<usize> {
        let rest = row.record().get(start..).unwrap_or_default();
        let cell = memchr(self.delimiter, rest).and_then(|len| rest.get(..len)).unwrap_or(rest);
        if let Some(at) = memchr(b'\r', cell) {
            return Err(lines::control_error(row, start + at));
        }
        let end = start + cell.len();
        row.cells.push(start..end);
        Ok(end)
    }

    /// Takes the cell whose quote opens at `open` and returns where it ends. A search goes on
    /// where the last one stopped, so that a cell of many lines takes linear time.
    fn quoted(&mut self, row: &mut RawRow, open: usize) -> Result<usize> {
        let mut from = open + 1;
        let mut doubled = false;
        let close = loop {
            match memchr(b'"', row.text.get(from..).unwrap_or_default()) {
                Some(at) if row.text.get(from + at + 1) == Some(&b'"') => {
                    doubled = true;
                    from += at + 2;
                }
                Some(at) => break from + at,
                None => {
                    from = row.text.len();
                    if !self.lines.append(row)? {
                        return Err(unclosed(row, open));
                    }
                }
            }
        };
        if doubled {
            row.moved.push((row.cells.len(), open + 1));
        }
        row.cells.push(open + 1..close);
        match row.record().get(close + 1) {
            Some(byte) if *byte != self.delimiter => Err(row.error_at(
                close + 1,
                "text after a closing quote: a quote inside a quoted cell is written twice",
            )),
            _ => Ok(close + 1),
        }
    }
}

fn too_many(row: &RawRow, offset: usize) -> Error {
    row.error_at(offset, format!("more than {MAX_ITEMS} cells in one record"))
}

fn unclosed(row: &RawRow, open: usize) -> Error {
    Error::data(row.place(open).to_string(), "this quote is never closed: all that follows is lost")
}

/// Writes the cells that have doubled quotes behind the record, with single ones.
fn undouble(row: &mut RawRow) {
    row.text.truncate(row.record_len);
    for &(cell, _) in &row.moved {
        let Some(range) = row.cells.get_mut(cell) else { continue };
        let start = row.text.len();
        let mut from = range.start;
        while let Some(at) = memchr(b'"', row.text.get(from..range.end).unwrap_or_default()) {
            row.text.extend_from_within(from..from + at + 1);
            from += at + 2;
        }
        row.text.extend_from_within(from..range.end);
        *range = start..row.text.len();
    }
}

/// Records of equal length with named columns.
pub(super) struct Csv {
    records: Records,
    columns: Vec<String>,
    /// The line that fixed the number of cells.
    first_line: u64,
    /// The first row of a file without a header, read to count its cells.
    first: Option<RawRow>,
}

impl Csv {
    /// Reads the header; where there is none, the first row, and numbers the columns.
    pub(super) fn new(mut records: Records) -> Result<Self> {
        let Format::Csv { header, .. } = records.format else {
            return Err(Error::usage("not a delimited format"));
        };
        let mut row = RawRow::new();
        if !records.read(&mut row)? {
            return Err(Error::data(&**records.lines.name(), "no rows: the file is empty"));
        }
        let first_line = row.line;
        if header {
            return Ok(Csv { columns: names(&row)?, records, first_line, first: None });
        }
        let columns = (0..row.len()).map(|column| column.to_string()).collect();
        Ok(Csv { records, columns, first_line, first: Some(row) })
    }

    fn ragged(&self, row: &RawRow) -> Error {
        let count = if row.len() == 1 { "1 cell".into() } else { format!("{} cells", row.len()) };
        let (expected, line) = (self.columns.len(), self.first_line);
        row.cell_error(expected, format!("{count}, expected {expected} as in line {line}"))
    }
}

impl Reader for Csv {
    fn format(&self) -> Format {
        self.records.format
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        if let Some(mut first) = self.first.take() {
            mem::swap(row, &mut first);
            return Ok(true);
        }
        if !self.records.read(row)? {
            return Ok(false);
        }
        if row.len() == self.columns.len() { Ok(true) } else { Err(self.ragged(row)) }
    }
}

/// The names in a header: none empty, none twice.
fn names(row: &RawRow) -> Result<Vec<String>> {
    let mut seen = HashMap::with_capacity(row.len());
    let mut names = Vec::with_capacity(row.len());
    for i in 0..row.len() {
        let Ok(name) = std::str::from_utf8(row.cell(i).trim_ascii()) else {
            return Err(row.cell_error(
                i,
                "a column name that is not UTF-8: save the file as UTF-8, as with iconv -f LATIN1 \
                     -t UTF-8",
            ));
        };
        // pandas leaves the column of its index without one.
        let name = if name.is_empty() { i.to_string() } else { name.to_owned() };
        if let Some(other) = seen.insert(name.clone(), i + 1) {
            let message = format!(
                "columns {other} and {} are both named {}: give each a name of its own, or say \
                 --no-header if this is no header",
                i + 1,
                quoted(&name)
            );
            return Err(row.cell_error(i, message));
        }
        names.push(name);
    }
    Ok(names)
}
