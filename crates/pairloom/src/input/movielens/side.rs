//! What is known of users, or of items, by their numbers.

use super::edition::{MovieLens, Table};
use super::lines::TableRows;
use crate::input::RawRow;
use crate::input::number::parse_u64;
use crate::input::open::Source;
use crate::input::shown::quoted;
use crate::{Error, Result, memory};
use std::collections::{HashMap, TryReserveError};
use std::io::ErrorKind;

/// The cells of each user or item, one after the other.
pub(super) struct Side {
    /// The names of the cells.
    pub(super) columns: Vec<String>,
    rows: HashMap<u64, usize>,
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// Reads the file of users or items that lies beside one of ratings; `None` if the data set has none.
pub(super) fn open(
    edition: MovieLens,
    table: Table,
    ratings: Option<&str>,
) -> Result<Option<Side>> {
    let Some(file) = edition.file(table) else { return Ok(None) };
    let joined = format!("rows of {} are joined with {file}", edition.name());
    let Some((path, ratings)) = ratings.and_then(|path| Some((edition.beside(path, table)?, path)))
    else {
        let message =
            format!("{joined}, which lies beside a file: standard input has nothing beside it");
        return Err(Error::usage(message));
    };
    match Source::open(&path.to_string_lossy()) {
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            let path = path.to_string_lossy();
            let message = format!("{joined}, which is not there: put {path} beside it");
            Err(Error::data(
                ratings,
                message + ", or say --format csv of rows that have its columns",
            ))
        }
        source => Side::read(TableRows::open(source?, edition)?, table).map(Some),
    }
}

impl Side {
    /// Reads all rows of a file.
    pub(super) fn read(mut rows: TableRows, table: Table) -> Result<Self> {
        let id = if table == Table::Users { "user" } else { "item" };
        let columns: Vec<String> =
            rows.columns.iter().filter(|name| *name != id).cloned().collect();
        let mut side = Side { columns, rows: HashMap::new(), text: Vec::new(), ends: Vec::new() };
        let mut row = RawRow::new();
        let cell = match rows.find(id) {
            Some(cell) if rows.table == table => cell,
            _ => {
                let message = format!("it has no columns of {id}s: the first line must name them");
                return Err(Error::data(&*rows.file, message));
            }
        };
        while rows.read(&mut row)? {
            let number = number(&row, cell, id)?;
            let full =
                |_| memory::refused(&format!("what is known of each {id}"), memory::FREE_SOME);
            side.push(&row, cell).map_err(full)?;
            if side.rows.insert(number, side.rows.len()).is_some() {
                return Err(row.cell_error(cell, format!("{id} {number} was there before")));
            }
        }
        Ok(side)
    }

    fn push(&mut self, row: &RawRow, id: usize) -> Result<(), TryReserveError> {
        self.rows.try_reserve(1)?;
        self.ends.try_reserve(row.len())?;
        for cell in (0..row.len()).filter(|&cell| cell != id) {
            self.text.try_reserve(row.cell(cell).len())?;
            self.text.extend_from_slice(row.cell(cell));
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    /// Adds the cells of the user or item that a cell names; empty ones, if nothing is known of it.
    pub(super) fn join(&self, row: &mut RawRow, id: usize, what: &str) -> Result<()> {
        let at = self.rows.get(&number(row, id, what)?);
        for cell in 0..self.columns.len() {
            let range = at.map(|row| row * self.columns.len() + cell).map(|end| {
                end.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[end]
            });
            let known = range.and_then(|range| self.text.get(range)).unwrap_or_default();
            row.derive_cell(id, |text| text.extend_from_slice(known));
        }
        Ok(())
    }
}

fn number(row: &RawRow, cell: usize, what: &str) -> Result<u64> {
    let text = row.cell(cell);
    parse_u64(text).ok_or_else(|| {
        row.cell_error(cell, format!("{what}: {} is no number of one", quoted(text)))
    })
}
