//! Columns made of the parts of a time.

use super::missing::is_missing;
use super::pattern::TimePattern;
use super::shown::quoted;
use super::time::{Time, TimePart};
use super::{Format, Kind, RawRow, Reader};
use crate::Result;

/// The same rows, with a column for each part of some columns that are times: behind the others, called as
/// [`TimePart::column`] says. Where a time is missing, so are its parts.
pub(crate) fn timed<'a>(
    reader: Box<dyn Reader + 'a>,
    times: Vec<(usize, TimePattern)>,
) -> Box<dyn Reader + 'a> {
    if times.is_empty() {
        return reader;
    }
    let mut columns = reader.columns().to_vec();
    for (of, pattern) in &times {
        let name = columns[*of].clone();
        columns.extend(pattern.parts().map(|part| part.column(&name)));
    }
    let part = |(of, pattern): (usize, TimePattern)| {
        let parts = pattern.parts().collect();
        Source { of, pattern, parts }
    };
    Box::new(Timed { times: times.into_iter().map(part).collect(), reader, columns })
}

struct Timed<'a> {
    reader: Box<dyn Reader + 'a>,
    times: Vec<Source>,
    columns: Vec<String>,
}

/// A column that is a time.
struct Source {
    of: usize,
    pattern: TimePattern,
    parts: Vec<TimePart>,
}

impl Source {
    fn read(&self, row: &RawRow, names: &[String]) -> Result<Option<Time>> {
        let text = row.cell(self.of).trim_ascii();
        if is_missing(text) {
            return Ok(None);
        }
        self.pattern.read(text).map(Some).map_err(|what| {
            let (text, name, pattern) = (quoted(text), &names[self.of], self.pattern.as_str());
            let message = format!("column '{name}': {text} is no time written {pattern}: {what}");
            row.cell_error(self.of, message)
        })
    }
}

impl Reader for Timed<'_> {
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

    fn holds(&self, column: usize) -> bool {
        column >= self.reader.columns().len() || self.reader.holds(column)
    }

    fn kind(&self, column: usize) -> Kind {
        match column < self.reader.columns().len() {
            true => self.reader.kind(column),
            false => Kind::Unknown,
        }
    }

    /// A time is read from its text.
    fn without_text(&mut self, columns: &[usize]) {
        let is_time = |column: &usize| self.times.iter().any(|time| time.of == *column);
        let columns: Vec<usize> = columns.iter().copied().filter(|c| !is_time(c)).collect();
        self.reader.without_text(&columns);
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        if !self.reader.read(row)? {
            return Ok(false);
        }
        for source in &self.times {
            let time = source.read(row, &self.columns)?;
            for &part in &source.parts {
                row.derive_cell(source.of, |text| {
                    if let Some(time) = time {
                        time.write(part, text);
                    }
                });
            }
        }
        Ok(true)
    }
}
