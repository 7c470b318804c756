//! Explaining rows of a file.

use super::Explanation;
use crate::batch::Rows;
use crate::encode::RowEncoder;
use crate::error::Place;
use crate::input::{RawRow, Reader};
use crate::model::Model;
use crate::reading::{OnError, Skipped};
use crate::schema::Role;
use crate::{Error, Result};
use std::collections::BTreeSet;

/// Which rows to explain, and how.
#[derive(Debug, Clone)]
pub struct ExplainOptions {
    /// Rows of the file, counted from 1 without a header.
    pub rows: Vec<u64>,
    /// The class whose score is explained; the one that is predicted, if none is asked for.
    pub class: Option<usize>,
    /// What to do with rows that cannot be used.
    pub on_error: OnError,
}

impl Default for ExplainOptions {
    fn default() -> Self {
        ExplainOptions { rows: vec![1], class: None, on_error: OnError::default() }
    }
}

/// A row of a file, explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// Which row of the file, from 1.
    pub row: u64,
    /// The line that it begins on, from 1.
    pub line: u64,
    /// The text of the label, if the file has that column.
    pub label: Option<String>,
    /// What each field of the model ([`crate::encode::Encoding::fields`]) has in this row as text.
    pub cells: Vec<String>,
    /// The score and its parts.
    pub explanation: Explanation,
}

impl Model {
    /// Explains rows of `reader` (called `file` in errors), in their order there, and says what was left out. The
    /// rows after the last of them are not read.
    ///
    /// # Errors
    /// [`Error::Usage`] for a row or a column that is not there, [`Error::Row`] for a
    /// row that cannot be used, [`Error::Memory`] if there is no room for all pairs of a row.
    pub fn explain_rows(
        &self,
        reader: &mut dyn Reader,
        file: &str,
        options: &ExplainOptions,
    ) -> Result<(Vec<Explained>, Skipped)> {
        if options.rows.contains(&0) {
            return Err(Error::usage("there is no row 0: rows are counted from 1"));
        }
        self.schema.check_format(reader.format(), file)?;
        let names = reader.columns().to_vec();
        let mut bound = Bound {
            model: self,
            file,
            class: options.class,
            positions: self.schema.positions(&names),
            encoder: RowEncoder::bind(&self.encoding, &self.schema, file, &names, false)?,
        };
        let mut wanted: BTreeSet<u64> = options.rows.iter().copied().collect();
        let (mut explained, mut skipped) = (Vec::new(), Skipped::default());
        let (mut raw, mut row) = (RawRow::new(), 0);
        while let Some(&next) = wanted.first() {
            row += 1;
            let taken = match reader.read(&mut raw) {
                Ok(false) => return Err(beyond(next, row - 1, file)),
                Ok(true) if row == next => bound.explain(&raw, row).map(Some),
                Ok(true) => Ok(None),
                Err(error) => Err(error),
            };
            match taken {
                Err(error @ Error::Row { .. }) if options.on_error == OnError::Skip => {
                    skipped.add(&error)
                }
                taken => explained.extend(taken?),
            }
            wanted.retain(|&wanted| wanted > row);
        }
        Ok((explained, skipped))
    }
}

/// A row that was asked for, and how many there are.
fn beyond(row: u64, rows: u64, file: &str) -> Error {
    let message = match rows {
        1 => format!("{file} has 1 row"),
        rows => format!("{file} has {rows} rows"),
    };
    Error::usage(format!("there is no row {row}: {message}"))
}

/// What explaining a row of a file needs.
struct Bound<'a> {
    model: &'a Model,
    file: &'a str,
    class: Option<usize>,
    /// The cells of the schema's columns.
    positions: Vec<Option<usize>>,
    encoder: RowEncoder<'a>,
}

impl Bound<'_> {
    fn explain(&mut self, raw: &RawRow, row: u64) -> Result<Explained> {
        let mut rows = Rows::new();
        self.encoder.encode(raw, &mut rows)?;
        let explanation = self.model.explain(rows.row(0), self.class)?;
        if !explanation.score.is_finite() || !explanation.steps.prediction.is_finite() {
            return Err(not_finite(self.file, raw.line()));
        }
        let label = self.model.schema.find(Role::Label).and_then(|column| self.positions[column]);
        let label = label.map(|cell| text(raw.cell(cell)));
        let fields = 0..self.model.encoding.fields.len();
        let cells = fields.map(|field| self.cell(raw, field)).collect();
        Ok(Explained { row, line: raw.line(), label, cells, explanation })
    }

    /// What a field has in a row.
    fn cell(&self, raw: &RawRow, field: usize) -> String {
        let field = &self.model.encoding.fields[field];
        let column = &self.model.schema.columns[field.column];
        if column.role != Role::Pairs {
            return self.positions[field.column].map_or(String::new(), |cell| text(raw.cell(cell)));
        }
        let mine = raw.pairs().iter().filter(|pair| column.field_of(pair) == field.number);
        let pairs = mine.map(|pair| format!("{}:{}", pair.index, pair.value));
        pairs.collect::<Vec<_>>().join(" ")
    }
}

/// The error of a row whose score is not finite.
pub(super) fn not_finite(file: &str, line: u64) -> Error {
    let place = Place { file: file.into(), line, column: 1 };
    let message = "the score of this row is not finite: its values are too large";
    Error::Row { place, message: message.into() }
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).into_owned()
}
