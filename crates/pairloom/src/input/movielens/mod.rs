//! The data sets of MovieLens, as they are downloaded: ratings, joined with what the files beside them say
//! of users and items.
//!
//! A row has the columns `user`, `item`, `rating` and `timestamp`, those of the user (`age`, `gender`,
//! `occupation`, `zip`; not in the latest data sets), and `title`, `year` and `genres` of the item, several
//! with `|` between them. Users and items of which nothing is known have empty cells. The file of users or items
//! itself has a row for each of them, with the same names of columns.

mod edition;
mod lines;
mod side;
#[cfg(test)]
mod tests;

pub use edition::MovieLens;

use super::open::Source;
use super::{Format, RawRow, Reader};
use crate::Result;
use edition::Table;
use lines::TableRows;
use side::Side;

/// Rows of a file, joined with others.
pub(super) struct Joined {
    edition: MovieLens,
    rows: TableRows,
    columns: Vec<String>,
    /// What rows are joined with: the cell that names it, what that is, and what is known of all.
    sides: Vec<(usize, &'static str, Side)>,
}

/// Opens a file of a data set. `path` is where it is, `None` if it lies in memory.
pub(super) fn open(
    source: Source,
    edition: MovieLens,
    path: Option<&str>,
) -> Result<Box<dyn Reader>> {
    let rows = TableRows::open(source, edition)?;
    join(rows, edition, |table| side::open(edition, table, path))
}

/// Ratings of a data set joined with its users and items, all in memory; of the latest there are no users.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) and [`Error::Row`](crate::Error::Row) for a file that cannot be used.
pub fn movielens_from_bytes(
    edition: MovieLens,
    ratings: impl Into<Vec<u8>>,
    users: impl Into<Vec<u8>>,
    items: impl Into<Vec<u8>>,
) -> Result<Box<dyn Reader>> {
    let rows = TableRows::open(Source::from_bytes("ratings", ratings.into())?, edition)?;
    let (users, items) = (users.into(), items.into());
    join(rows, edition, |table| {
        let bytes = if table == Table::Users { &users } else { &items };
        let side = |name| {
            let rows = TableRows::open(Source::from_bytes(name, bytes.clone())?, edition)?;
            Side::read(rows, table)
        };
        edition.file(table).map(side).transpose()
    })
}

fn join(
    rows: TableRows,
    edition: MovieLens,
    side: impl Fn(Table) -> Result<Option<Side>>,
) -> Result<Box<dyn Reader>> {
    let (mut columns, mut sides) = (rows.columns.clone(), Vec::new());
    if rows.table == Table::Ratings {
        for (table, id) in [(Table::Users, "user"), (Table::Items, "item")] {
            if let (Some(cell), Some(side)) = (rows.find(id), side(table)?) {
                columns.extend_from_slice(&side.columns);
                sides.push((cell, id, side));
            }
        }
    }
    Ok(Box::new(Joined { edition, rows, columns, sides }))
}

impl Reader for Joined {
    fn format(&self) -> Format {
        Format::MovieLens { edition: self.edition }
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        if !self.rows.read(row)? {
            return Ok(false);
        }
        self.sides.iter().try_for_each(|(cell, what, side)| side.join(row, *cell, what))?;
        Ok(true)
    }
}
