//! Rows of one file: its lines cut into parts, or a CSV.

use super::edition::{GENRES, ITEM, MovieLens, RATING, Table, USER};
use crate::input::csv::{Csv, Records};
use crate::input::lines::{self, Lines};
use crate::input::open::Source;
use crate::input::shown::quoted;
use crate::input::{Format, RawRow, Reader};
use crate::{Error, Result};
use memchr::{memmem, memrchr_iter};
use std::sync::Arc;

/// Genres of the latest data sets that stand for none.
const NO_GENRES: &[u8] = b"(no genres listed)";

/// A reader of one file, with the columns of [`USER`], [`ITEM`] or [`RATING`].
pub(super) struct TableRows {
    pub(super) table: Table,
    pub(super) columns: Vec<String>,
    pub(super) file: Arc<str>,
    edition: MovieLens,
    rows: Rows,
}

enum Rows {
    Lines(Lines),
    Csv(Box<Csv>),
}

impl TableRows {
    pub(super) fn open(source: Source, edition: MovieLens) -> Result<Self> {
        if edition == MovieLens::Latest {
            return Self::csv(source);
        }
        let file = source.name().clone();
        let table = edition.table(&file);
        let columns = match table {
            Table::Ratings => &RATING[..],
            Table::Users => &USER,
            Table::Items => &ITEM,
        };
        let columns = columns.iter().copied().map(String::from).collect();
        Ok(TableRows { table, columns, file, edition, rows: Rows::Lines(Lines::new(source)) })
    }

    /// Its first line tells which file it is.
    fn csv(source: Source) -> Result<Self> {
        let file = source.name().clone();
        let csv = Box::new(Csv::new(Records::new(source, ',', true)?)?);
        let name = |column: &String| match column.as_str() {
            "userId" => "user".to_string(),
            "movieId" => "item".to_string(),
            _ => column.clone(),
        };
        let mut columns: Vec<String> = csv.columns().iter().map(name).collect();
        let has = |name: &str| columns.iter().any(|column| column == name);
        let table = match (has("user"), has("item")) {
            (true, true) => Table::Ratings,
            (true, false) => Table::Users,
            (false, true) if has("title") && has("genres") => Table::Items,
            _ => {
                let message = "the first line must name the columns: userId,movieId,rating,timestamp of \
                               ratings, or movieId,title,genres of movies";
                return Err(Error::data(&*file, message));
            }
        };
        let made = match table {
            Table::Items => &["year"][..],
            Table::Ratings => &ITEM[1..],
            Table::Users => &[],
        };
        if let Some(name) = made.iter().find(|name| has(name)) {
            let message = format!("column '{name}' is there already: say --format csv");
            return Err(Error::data(&*file, message));
        }
        columns.extend((table == Table::Items).then(|| "year".to_string()));
        Ok(TableRows { table, columns, file, edition: MovieLens::Latest, rows: Rows::Csv(csv) })
    }

    /// Number of the column with this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    pub(super) fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        let is_there = match &mut self.rows {
            Rows::Csv(csv) => csv.read(row)?,
            Rows::Lines(lines) => read_line(lines, self.edition, self.table, row)?,
        };
        if is_there {
            match (self.edition, self.table) {
                (MovieLens::Small, Table::Items) => flagged_item(row)?,
                (MovieLens::Million, Table::Items) => {
                    add_year(row, 1);
                    row.keep_cells(&[0, 1, 3, 2]);
                }
                (MovieLens::Million, Table::Users) => row.keep_cells(&[0, 2, 1, 3, 4]),
                (MovieLens::Latest, Table::Items) => self.listed_item(row),
                _ => {}
            }
        }
        Ok(is_there)
    }

    fn listed_item(&self, row: &mut RawRow) {
        if let Some(title) = self.find("title") {
            add_year(row, title);
        }
        let genres = self.find("genres").filter(|&genres| row.cell(genres) == NO_GENRES);
        if let Some(genres) = genres {
            row.replace_cell(genres, b"");
        }
    }
}

/// The next line that is not empty, cut into its parts; `false` at the end.
fn read_line(
    lines: &mut Lines,
    edition: MovieLens,
    table: Table,
    row: &mut RawRow,
) -> Result<bool> {
    loop {
        if !lines.begin(row)? {
            return Ok(false);
        }
        if row.record_len > 0 {
            break;
        }
    }
    row.format = Format::MovieLens { edition };
    lines::refuse_controls(row)?;
    if table != Table::Ratings {
        to_utf8(row);
    }
    let (separator, wanted, what) = edition.line(table);
    cut(row, separator, wanted);
    if (edition, table) == (MovieLens::Million, Table::Items) && row.len() > wanted {
        whole_title(row, separator);
    }
    let (found, parts) = (row.len(), if row.len() == 1 { "part" } else { "parts" });
    if found == wanted {
        return Ok(true);
    }
    let found_parts = if found > wanted { "more parts".into() } else { format!("{found} {parts}") };
    let message = format!("{found_parts}, expected {wanted}: {what}");
    Err(row.cell_error(wanted.min(found), message))
}

/// Cuts a line into the parts that are wanted; if there are more, into one more.
fn cut(row: &mut RawRow, separator: &[u8], wanted: usize) {
    let RawRow { text, record_len, cells, .. } = row;
    let record = text.get(..*record_len).unwrap_or_default();
    let mut start = 0;
    for at in memmem::find_iter(record, separator).take(wanted) {
        cells.push(start..at);
        start = at + separator.len();
    }
    cells.push(start..*record_len);
}

/// A title may have in it what separates the parts.
fn whole_title(row: &mut RawRow, separator: &[u8]) {
    let Some(last) = memmem::rfind(row.record(), separator) else { return };
    let (end, start) = (row.record_len, row.cell_offset(1));
    row.cells.truncate(1);
    row.cells.extend([start..last, last + separator.len()..end]);
}

/// The files of older data sets are in ISO-8859-1, where each byte is a character. What is UTF-8 already
/// stays: text of the other kind is hardly ever taken for it.
fn to_utf8(row: &mut RawRow) {
    let record = row.record();
    if record.is_ascii() || std::str::from_utf8(record).is_ok() {
        return;
    }
    let text: String = record.iter().map(|&byte| char::from(byte)).collect();
    row.record_len = text.len();
    row.text = text.into_bytes();
}

/// Adds the year that a title ends with: of `Alien (1979)`, 1979.
fn add_year(row: &mut RawRow, title: usize) {
    let text = row.cell(title);
    let year = |open: usize| {
        let (year, rest) = text.get(open + 1..)?.split_at_checked(4)?;
        let is_whole = rest.first().is_some_and(|next| !next.is_ascii_alphanumeric());
        (is_whole && year.iter().all(u8::is_ascii_digit)).then(|| year.to_vec())
    };
    let year = memrchr_iter(b'(', text).find_map(year).unwrap_or_default();
    row.derive_cell(title, |text| text.extend_from_slice(&year));
}

/// An item of 100K, whose genres are flags.
fn flagged_item(row: &mut RawRow) -> Result<()> {
    let mut genres = Vec::new();
    let first = row.len() - GENRES.len();
    for (at, genre) in (first..).zip(GENRES) {
        match row.cell(at) {
            b"0" => {}
            b"1" => {
                genres.extend((!genres.is_empty()).then_some(b'|'));
                genres.extend_from_slice(genre.as_bytes());
            }
            other => {
                let message = format!("{} is no flag of {genre}, which is 0 or 1", quoted(other));
                return Err(row.cell_error(at, message));
            }
        }
    }
    add_year(row, 1);
    row.derive_cell(first, |text| text.extend_from_slice(&genres));
    row.keep_cells(&[0, 1, first + GENRES.len(), first + GENRES.len() + 1]);
    Ok(())
}
