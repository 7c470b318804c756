//! Names for the columns of rows that have none.

use super::{Format, RawRow, Reader};
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
        &self.columns
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        self.reader.read(row)
    }
}
