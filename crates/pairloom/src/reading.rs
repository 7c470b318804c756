//! Going through the rows of an input, with one policy for those that cannot be used.

use crate::data::{self, is_cache};
use crate::encode::Unseen;
use crate::error::OR_SKIP;
use crate::input::{
    self, Format, FormatName, OpenOptions, RawRow, Reader, TimePattern, parse_number, quoted,
};
use crate::parallel::Threads;
use crate::schema::{Role, Schema};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::TryReserveError;

/// What to do with a row that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// End with its error.
    #[default]
    Stop,
    /// Leave it out and count it.
    Skip,
}

/// Rows that were left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// How many.
    pub rows: u64,
    /// The errors of the first of them.
    pub first: Vec<String>,
}

impl Skipped {
    /// Errors kept.
    const SHOWN: usize = 5;

    pub(crate) fn add(&mut self, error: &Error) {
        self.rows += 1;
        if self.first.len() < Self::SHOWN {
            // Who skips rows need not be told to.
            self.first.push(error.to_string().replace(OR_SKIP, ""));
        }
    }

    /// Takes over what another input has left out.
    pub fn merge(&mut self, other: Skipped) {
        self.rows += other.rows;
        let room = Self::SHOWN.saturating_sub(self.first.len());
        self.first.extend(other.first.into_iter().take(room));
    }
}

/// What there is to tell of rows that were encoded.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Rows that were left out.
    pub skipped: Skipped,
    /// Columns most of whose values no training row had.
    pub unseen: Vec<Unseen>,
}

/// The line of each row that was taken, kept only where it is not the one after that of the row
/// before.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowLines {
    breaks: Vec<(usize, u64)>,
}

impl RowLines {
    /// Notes the line of the next row.
    pub(crate) fn push(&mut self, row: usize, line: u64) -> Result<(), TryReserveError> {
        let last = self.breaks.last();
        if last.is_none_or(|&(from, first)| first + (row - from) as u64 != line) {
            self.breaks.try_reserve(1)?;
            self.breaks.push((row, line));
        }
        Ok(())
    }

    /// All as numbers, two for each break.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.breaks.iter().flat_map(|&(row, line)| [row as u64, line])
    }

    /// What [`RowLines::numbers`] came from; `None` if that is none.
    pub(crate) fn of(numbers: &[u64]) -> Option<Self> {
        let breaks = numbers.as_chunks().0.iter();
        let breaks: Vec<(usize, u64)> = breaks.map(|&[row, line]| (row as usize, line)).collect();
        let is_sane = breaks.is_sorted_by(|a, b| a.0 < b.0) && breaks.iter().all(|b| b.1 < 1 << 62);
        is_sane.then_some(RowLines { breaks })
    }

    /// The line of row `row`, both counted as they are: rows from 0, lines from 1.
    pub fn line(&self, row: usize) -> Option<u64> {
        let before = self.breaks.partition_point(|&(from, _)| from <= row);
        let &(from, first) = self.breaks.get(before.checked_sub(1)?)?;
        Some(first + (row - from) as u64)
    }
}

/// Opens rows for a schema by which they are encoded: as they were converted, or text in its format,
/// unless another is asked for.
///
/// # Errors
/// As for [`input::open`]; of converted rows [`Error::Usage`] if a format is asked for, and
/// [`Error::Data`] if they do not hold what the schema needs.
pub fn open(path: &str, options: &OpenOptions, schema: &Schema) -> Result<Box<dyn Reader>> {
    match (is_cache(path), *options == OpenOptions::default()) {
        (true, true) => data::open(path, schema),
        (true, false) => Err(data::decided(path)),
        (false, true) if is_written_as(path, schema.format) => {
            prepared(input::open_as(path, schema.format)?, path, schema)
        }
        (false, is_unsaid) => {
            let mut options = OpenOptions { names: schema.own_names(), ..options.clone() };
            if is_unsaid && is_bare(schema.format) {
                options.header = Some(false);
            }
            prepared(input::open(path, &options)?, path, schema)
        }
    }
}

/// Whether rows are written as those were that a schema is from, if nothing else is said: a table says nothing of how
/// text is, and what is called TSV is no CSV.
fn is_written_as(path: &str, format: Format) -> bool {
    match (FormatName::from_path(path), format) {
        (_, Format::Parquet) => false,
        (Some(FormatName::Tsv), Format::Csv { delimiter, .. }) => delimiter == '\t',
        (Some(FormatName::Csv), Format::Csv { delimiter, .. }) => delimiter != '\t',
        _ => true,
    }
}

/// Rows of text as a schema has them: where a file has no header and the schema has names, with these; and with
/// columns for the parts of times. [`open`] gives them so; who opens them otherwise needs this. `path` is for
/// errors.
///
/// # Errors
/// [`Error::Data`] if rows without names are not of so many columns as the schema has, but for the label, and
/// [`Error::Usage`] for lists of which the schema says that their values are separated otherwise.
pub fn prepared<'a>(
    mut reader: Box<dyn Reader + 'a>,
    path: &str,
    schema: &Schema,
) -> Result<Box<dyn Reader + 'a>> {
    if [reader.format(), schema.format].into_iter().all(is_bare) && gives_names(schema) {
        let names = names_of_bare(reader.columns().len(), path, schema)?;
        reader = input::named(reader, names);
    }
    schema.check_lists(reader.columns(), |column| reader.kind(column))?;
    let times = schema.times(reader.columns());
    Ok(input::timed(reader, times))
}

fn is_bare(format: Format) -> bool {
    matches!(format, Format::Csv { header: false, .. })
}

/// Whether a schema for files without a header has names for their columns, or needs to know which they are.
fn gives_names(schema: &Schema) -> bool {
    schema.has_names() || schema.columns.iter().any(|column| column.time.is_some())
}

/// The names of so many columns without any.
fn names_of_bare(count: usize, path: &str, schema: &Schema) -> Result<Vec<String>> {
    let mut names = schema.own_names();
    let label = schema.find(Role::Label).map(|label| &schema.columns[label].name);
    let label = label.and_then(|label| names.iter().position(|name| name == label));
    match (count.cmp(&names.len()), label) {
        (Ordering::Equal, _) => Ok(names),
        (_, Some(label)) if count + 1 == names.len() => {
            names.remove(label);
            Ok(names)
        }
        _ => {
            let (wants, less) = (names.len(), names.len().saturating_sub(1));
            let message = format!(
                "it has {count} columns, and rows of this schema have {wants}, or {less} without the label \
                 (another --delimiter? --header, if the first line names them?)"
            );
            Err(Error::data(input::name(path), message))
        }
    }
}

/// Rows that are given to be read, not opened by their name.
pub enum Given<'a> {
    /// They may be read by another thread.
    Own(Box<dyn Reader>),
    /// The same of rows that [`open`] has prepared.
    Opened(Box<dyn Reader>),
    /// They live no longer than what they are read from.
    Lent(Box<dyn Reader + 'a>),
}

impl<'a> Given<'a> {
    /// The reader.
    pub fn reader(&mut self) -> &mut (dyn Reader + 'a) {
        match self {
            Given::Own(reader) | Given::Opened(reader) => &mut **reader,
            Given::Lent(reader) => &mut **reader,
        }
    }

    /// As [`prepared`].
    ///
    /// # Errors
    /// As for [`prepared`].
    pub fn prepared(self, name: &str, schema: &Schema) -> Result<Self> {
        Ok(match self {
            Given::Own(reader) => Given::Opened(prepared(reader, name, schema)?),
            Given::Opened(_) => self,
            Given::Lent(reader) => Given::Lent(prepared(reader, name, schema)?),
        })
    }

    /// For encoding by a schema: [`Given::prepared`] and [`Given::ahead`], and of numbers the numbers alone.
    ///
    /// # Errors
    /// As for these.
    pub fn encodable(
        self,
        name: &str,
        schema: &Schema,
        threads: &Threads,
    ) -> Result<Box<dyn Reader + 'a>> {
        let mut given = self.prepared(name, schema)?;
        given.without_text(schema);
        given.ahead(threads)
    }

    /// Asks for numbers alone where the schema has numbers.
    pub(crate) fn without_text(&mut self, schema: &Schema) {
        let reader = self.reader();
        let numbers = schema.numbers_among(reader.columns());
        reader.without_text(&numbers);
    }

    /// With columns for the parts of those that are times.
    pub(crate) fn timed(self, times: Vec<(usize, TimePattern)>) -> Self {
        match self {
            Given::Own(reader) => Given::Own(input::timed(reader, times)),
            Given::Opened(_) => self,
            Given::Lent(reader) => Given::Lent(input::timed(reader, times)),
        }
    }

    /// Read ahead, if they may be and there is a thread to spare.
    ///
    /// # Errors
    /// As for [`input::ahead`].
    pub fn ahead(self, threads: &Threads) -> Result<Box<dyn Reader + 'a>> {
        match self {
            Given::Own(reader) | Given::Opened(reader) => ahead(reader, threads),
            Given::Lent(reader) => Ok(reader),
        }
    }
}

/// The same rows, read ahead if there is a thread to spare for that.
///
/// # Errors
/// As for [`input::ahead`].
pub fn ahead(reader: Box<dyn Reader>, threads: &Threads) -> Result<Box<dyn Reader>> {
    if threads.count() > 1 { input::ahead(reader) } else { Ok(reader) }
}

/// Gives every row to `take`, those of counts as the rows that they stand for. Returns what was left out.
///
/// # Errors
/// [`Error::Row`] from the reader or from `take` if rows are not to be skipped, and every other
/// error.
pub(crate) fn for_each_row(
    reader: &mut dyn Reader,
    mut counts: Option<Counts>,
    on_error: OnError,
    mut take: impl FnMut(&RawRow) -> Result<()>,
) -> Result<Skipped> {
    let mut row = RawRow::new();
    let mut skipped = Skipped::default();
    loop {
        let taken = match (reader.read(&mut row), &mut counts) {
            (Ok(false), _) => return Ok(skipped),
            (Ok(true), None) => take(&row),
            (Ok(true), Some(counts)) => counts.each(&row, &mut take),
            (Err(error), _) => Err(error),
        };
        match taken {
            Err(error @ Error::Row { .. }) if on_error == OnError::Skip => skipped.add(&error),
            taken => taken?,
        }
    }
}

/// What is said of rows of counts of which none is left.
pub(crate) const UNTRIED: &str = ": nothing was ever tried";

/// Rows of counts: so many of so many trials were positive. Each stands for a row of label 1, whose weight is
/// how many were, and one of label 0 for the others, so that losses and metrics are those of a row for each
/// trial: `n` times `ln(1 + e^s) - (c/n) s` is `c` times the loss of label 1 and `n - c` times that of 0.
#[derive(Clone)]
pub(crate) struct Counts {
    label: usize,
    trials: usize,
    row: RawRow,
}

impl Counts {
    /// Those of a file that has them by this schema, unless it has the rows that they stand for.
    pub(crate) fn of(schema: &Schema, reader: &dyn Reader) -> Option<Self> {
        let positions = schema.positions(reader.columns());
        let cell = |role| positions[schema.find(role)?];
        let (label, trials) = (cell(Role::Label)?, cell(Role::Trials)?);
        (!reader.is_split()).then(|| Counts { label, trials, row: RawRow::new() })
    }

    /// Gives those of a row to `take`.
    ///
    /// # Errors
    /// [`Error::Row`] for what are no counts, and those of `take`.
    pub(crate) fn each(
        &mut self,
        row: &RawRow,
        take: &mut impl FnMut(&RawRow) -> Result<()>,
    ) -> Result<()> {
        let count = |cell: usize, name: &str| {
            let text = row.cell(cell);
            let count = parse_number(text).filter(|n| *n >= 0.0 && (*n as f32).is_finite());
            count.ok_or_else(|| {
                let text = quoted(text);
                row.cell_error(cell, format!("{name}: {text} is no count: a number of at least 0"))
            })
        };
        let (positive, trials) = (count(self.label, "label")?, count(self.trials, "trials")?);
        if positive > trials {
            let message = format!("label: {positive} of {trials} trials: more than there were");
            return Err(row.cell_error(self.label, message));
        }
        for (label, count) in [(b"1", positive), (b"0", trials - positive)] {
            if count > 0.0 {
                self.row.copy_from(row);
                self.row.replace_cell(self.label, label);
                self.row.replace_cell(self.trials, count.to_string().as_bytes());
                take(&self.row)?;
            }
        }
        Ok(())
    }
}
