//! Rows of tables whose columns have types: the record batches of Arrow. A cell has the text that a CSV of
//! the same table would have; of columns that are numbers it may have the number alone.

mod caught;
mod cells;
#[cfg(test)]
mod tests;
mod types;

pub(super) use caught::caught;

use super::{Format, Kind, MAX_RECORD, RawRow, Reader, parquet, quoted};
use crate::{Error, Result};
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, Field};
use cells::{Cells, Fault};
use std::collections::HashSet;
use std::sync::Arc;

/// Reads record batches as rows. `name` is what errors call them, and `format` what the rows say they are of.
///
/// Missing values and NaN are empty cells. Whole numbers, strings, `true` and `false` are plain text, floats the
/// shortest text that has their bits as 64-bit floats, times what ISO 8601 has for them, dictionaries their
/// values, and lists their values with [`LIST_SEPARATOR`](super::LIST_SEPARATOR) between them.
///
/// # Errors
/// [`Error::Data`] for a table without columns, with two of one name, or with one whose type no cell can hold:
/// structs, maps, unions, bytes. Reading the rows gives [`Error::Row`] for an infinite number and for a list
/// with a value that has the separator in it, and [`Error::Data`] for batches that cannot be read.
pub fn batches(
    reader: Box<dyn RecordBatchReader + Send>,
    name: &str,
    format: Format,
) -> Result<Box<dyn Reader>> {
    let schema = reader.schema();
    let kinds = kinds(name, schema.fields().iter().map(Arc::as_ref))?;
    let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
    let bare = vec![false; kinds.len()];
    let (name, cells) = (Arc::from(name), Vec::new());
    Ok(Box::new(Batches {
        reader: Some(reader),
        name,
        format,
        columns,
        kinds,
        bare,
        cells,
        next: 0,
        rows: 0,
        line: 0,
    }))
}

/// What the types of columns tell of them.
fn kinds<'a>(name: &str, fields: impl Iterator<Item = &'a Field>) -> Result<Vec<Kind>> {
    let (mut kinds, mut names) = (Vec::new(), HashSet::new());
    for field in fields {
        let (called, data_type) = (quoted(field.name()), field.data_type());
        if !names.insert(field.name()) {
            let message = format!("two columns are named {called}: give one another name");
            return Err(Error::data(name, message));
        }
        kinds.push(types::kind(data_type).ok_or_else(|| {
            let advice = types::advice(data_type);
            let message = format!("column {called} is of type {data_type}: {advice}");
            Error::data(name, message)
        })?);
    }
    if kinds.is_empty() {
        return Err(Error::data(name, "a table without columns"));
    }
    Ok(kinds)
}

struct Batches {
    /// Until its end, or an error.
    reader: Option<Box<dyn RecordBatchReader + Send>>,
    name: Arc<str>,
    format: Format,
    columns: Vec<String>,
    kinds: Vec<Kind>,
    /// Whether the cells of a column need no text.
    bare: Vec<bool>,
    /// The columns of the batch, its next row, and how many it has.
    cells: Vec<Column>,
    next: usize,
    rows: usize,
    /// Rows that were read.
    line: u64,
}

/// A column of the batch.
struct Column {
    cells: Cells,
    is_bare: bool,
}

impl Batches {
    /// Goes on to the next batch with rows in it; `false` at the end.
    fn next_batch(&mut self) -> Result<bool> {
        // Its memory, before that of the next one is taken.
        self.cells.clear();
        loop {
            let Some(reader) = &mut self.reader else { return Ok(false) };
            // Both may panic over what a damaged file made of columns.
            let batch = caught(|| reader.next());
            let laid = batch.and_then(|batch| {
                caught(|| batch.map(|batch| batch.and_then(|batch| self.lay(&batch))))
            });
            match laid.unwrap_or_else(|panic| Some(Err(ArrowError::ParquetError(panic)))) {
                Some(Ok((cells, rows))) if rows > 0 => {
                    (self.cells, self.rows, self.next) = (cells, rows, 0);
                    return Ok(true);
                }
                Some(Ok(_)) => {}
                None => self.reader = None,
                Some(Err(error)) => {
                    self.reader = None;
                    return Err(self.broken(error));
                }
            }
        }
    }

    fn lay(&self, batch: &RecordBatch) -> Result<(Vec<Column>, usize), ArrowError> {
        if batch.num_columns() != self.columns.len() {
            let message = "a batch of rows has other columns than the table".into();
            return Err(ArrowError::SchemaError(message));
        }
        let column = |(array, &is_bare)| {
            let cells = Cells::of(array)?;
            let is_bare = is_bare && cells.are_numbers();
            Ok(Column { cells, is_bare })
        };
        let cells: Result<_, ArrowError> =
            batch.columns().iter().zip(&self.bare).map(column).collect();
        Ok((cells?, batch.num_rows()))
    }

    fn broken(&self, error: ArrowError) -> Error {
        let message = match error {
            ArrowError::IoError(_, error) => return Error::io(&*self.name, error),
            ArrowError::ParquetError(message) => message,
            error => error.to_string(),
        };
        match self.format {
            Format::Parquet => parquet::damaged(&self.name, &message),
            _ => Error::data(&*self.name, format!("its rows cannot be read: {message}")),
        }
    }

    /// Adds the cells of a row of the batch. What is wrong with a cell, and where it is.
    fn fill(&self, at: usize, row: &mut RawRow) -> Result<(), (usize, Fault)> {
        for (place, column) in self.cells.iter().enumerate() {
            let added = match column.is_bare {
                true => column.cells.number(at).map(|number| row.add_number(number)),
                false => row.append_cell(|text| column.cells.write(at, text)),
            };
            added.map_err(|fault| (place, fault))?;
            // A few bytes of a dictionary may be the text of many cells.
            if row.text.len() > MAX_RECORD {
                return Err((place, Fault::Long));
            }
        }
        Ok(())
    }
}

impl Reader for Batches {
    fn format(&self) -> Format {
        self.format
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn kind(&self, column: usize) -> Kind {
        self.kinds.get(column).copied().unwrap_or_default()
    }

    fn without_text(&mut self, columns: &[usize]) {
        for &column in columns {
            if let Some(bare) = self.bare.get_mut(column) {
                *bare = true;
            }
        }
        for (column, bare) in self.cells.iter_mut().zip(&self.bare) {
            column.is_bare = *bare && column.cells.are_numbers();
        }
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        if self.next == self.rows && !self.next_batch()? {
            return Ok(false);
        }
        self.line += 1;
        self.next += 1;
        row.begin_typed(&self.name, self.line, self.format);
        self.fill(self.next - 1, row).map_err(|(place, fault)| {
            let name = quoted(&self.columns[place]);
            row.cell_error(place, format!("column {name}: {}", fault.message()))
        })?;
        Ok(true)
    }
}
