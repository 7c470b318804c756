//! Cells that lie beside rows, in memory: labels and weights of rows that come without them.

use super::written::write_number;
use super::{Format, RawRow, Reader};
use crate::{Error, Result};
use std::sync::Arc;

/// A column of cells in memory, one for each row.
#[derive(Debug, Clone)]
pub enum Beside {
    /// Numbers; NaN is a missing one.
    Numbers(Vec<f64>),
    /// Places in a list of texts.
    Texts(Vec<u32>, Vec<String>),
}

impl Beside {
    /// Number of cells.
    pub fn len(&self) -> usize {
        match self {
            Beside::Numbers(numbers) => numbers.len(),
            Beside::Texts(places, _) => places.len(),
        }
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the cell of a row; that it has none is told by `false`.
    fn write(&self, row: usize, text: &mut Vec<u8>) -> bool {
        match self {
            Beside::Numbers(numbers) => {
                let found = numbers.get(row).copied();
                found.inspect(|&number| write_number(number, text)).is_some()
            }
            Beside::Texts(places, texts) => {
                let found = places.get(row).and_then(|&place| texts.get(place as usize));
                found.inspect(|found| text.extend_from_slice(found.as_bytes())).is_some()
            }
        }
    }
}

/// The same rows with these columns after their own. `name` is what the rows are called in errors.
///
/// # Errors
/// [`Error::Usage`] for a column of a name that is there.
pub fn beside<'a>(
    reader: Box<dyn Reader + 'a>,
    columns: Vec<(String, Arc<Beside>)>,
    name: &str,
) -> Result<Box<dyn Reader + 'a>> {
    if columns.is_empty() {
        return Ok(reader);
    }
    let mut names = reader.columns().to_vec();
    for (column, _) in &columns {
        if names.contains(column) {
            let message = format!("column '{column}' is there already: give it once");
            return Err(Error::usage(format!("{name}: {message}")));
        }
        names.push(column.clone());
    }
    let cells = columns.into_iter().map(|(_, cells)| cells).collect();
    Ok(Box::new(WithBeside { reader, cells, names, name: name.into(), read: 0 }))
}

struct WithBeside<'a> {
    reader: Box<dyn Reader + 'a>,
    cells: Vec<Arc<Beside>>,
    names: Vec<String>,
    name: String,
    /// Rows that were read.
    read: usize,
}

impl WithBeside<'_> {
    fn other_length(&self, cells: usize) -> Error {
        let rows = if self.read < cells { "" } else { "at least " };
        let rows = format!("{rows}{}", if self.read < cells { self.read } else { self.read + 1 });
        let message = format!("there are {rows} rows and {cells} labels or weights of rows");
        Error::data(&*self.name, message)
    }
}

impl Reader for WithBeside<'_> {
    fn inner(&self) -> Option<&dyn Reader> {
        Some(&*self.reader)
    }

    fn inner_mut(&mut self) -> Option<&mut dyn Reader> {
        Some(&mut *self.reader)
    }

    fn format(&self) -> Format {
        self.reader.format()
    }

    fn columns(&self) -> &[String] {
        &self.names
    }

    fn holds(&self, column: usize) -> bool {
        column >= self.reader.columns().len() || self.reader.holds(column)
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        let read = self.reader.read(row);
        // A row that cannot be used has its cells too.
        self.read += usize::from(matches!(read, Err(Error::Row { .. })));
        let more = read?;
        for cells in &self.cells {
            let fits = match more {
                true => row.add_cell(|text| cells.write(self.read, text)),
                false => cells.len() == self.read,
            };
            if !fits {
                return Err(self.other_length(cells.len()));
            }
        }
        self.read += usize::from(more);
        Ok(more)
    }
}
