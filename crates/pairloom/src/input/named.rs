//! Names for the columns of rows that have none.

use super::{Format, Kind, RawRow, Reader};
use crate::Result;

/// The same rows with other names of their columns.
pub(crate) fn named<'a>(
    reader: Box<dyn Reader + 'a>,
    columns: Vec<String>,
) -> Box<dyn Reader + 'a> {
    Box::new(Named { reader, columns })
}

struct Named<'a> {
    reader: Box<dyn Reader + 'a>,
    columns: Vec<String>,
}

impl Reader for Named<'_> {
    fn format(&self) -> Format {
        self.reader.format()
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn holds(&self, column: usize) -> bool {
        self.reader.holds(column)
    }

    fn is_split(&self) -> bool {
        self.reader.is_split()
    }

    fn kind(&self, column: usize) -> Kind {
        self.reader.kind(column)
    }

    fn without_text(&mut self, columns: &[usize]) {
        self.reader.without_text(columns);
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        self.reader.read(row)
    }
}
