//! Raw rows from files: text or tables in, [`RawRow`]s out. Nothing here knows a schema, an id or a model.
//!
//! A row has **cells** (text, one per named column) and, in the sparse formats, **pairs**
//! (`index:value`, or `field:index:value`). CSV, TSV, MovieLens, Parquet and the record batches of Arrow have
//! cells only; libsvm and libffm have
//! the two cells `label` and `qid` (empty where a line has none) and pairs.
//!
//! A reader fills one `RawRow` again and again, so reading allocates nothing per row.

mod ahead;
mod batches;
mod beside;
mod calendar;
mod csv;
mod detect;
mod fast;
mod gzip;
mod kind;
mod lines;
mod magic;
mod matrix;
mod missing;
mod movielens;
mod named;
mod number;
mod open;
mod options;
mod parquet;
mod pattern;
mod row;
mod shown;
mod sniff;
mod sparse;
mod spelled;
#[cfg(test)]
mod tests;
mod time;
mod timed;
mod written;

pub use ahead::ahead;
pub use batches::batches;
pub use beside::{Beside, beside};
pub use detect::{from_bytes, open, open_as};
pub use kind::{Kind, LIST_SEPARATOR};
pub(crate) use lines::MAX_RECORD;
pub(crate) use magic::CONVERTED;
pub use matrix::{Index, Number, Sparse, dense, sparse};
pub(crate) use missing::is_missing;
pub use movielens::{MovieLens, movielens_from_bytes};
pub(crate) use named::named;
pub(crate) use number::parse_cell;
pub use number::parse_number;
pub use open::name;
pub use options::{FormatName, OpenOptions};
pub use pattern::TimePattern;
pub use row::{Pair, RawRow};
pub(crate) use shown::{quoted, shown};
pub(crate) use spelled::{spelled, with_comma};
pub use time::TimePart;
pub(crate) use timed::timed;
pub(crate) use written::write_whole;

use crate::Result;
use serde::{Deserialize, Serialize};

/// A format of rows, with all that is needed to read more of the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "name")]
pub enum Format {
    /// Delimited text, quoted by RFC 4180. TSV is this with a tab.
    Csv {
        /// The character between cells: one ASCII character.
        delimiter: char,
        /// Whether the first line names the columns.
        header: bool,
    },
    /// `label [qid:q] index:value ...`, with `#` comments.
    Libsvm,
    /// `label field:index:value ...`
    Libffm,
    /// Ratings of MovieLens, joined with the files beside them.
    MovieLens {
        /// Which data set.
        edition: MovieLens,
    },
    /// Tables of Apache Parquet, whose columns have names and types.
    Parquet,
}

impl Format {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        let name = match self {
            Format::Csv { delimiter: '\t', .. } => FormatName::Tsv,
            Format::Csv { .. } => FormatName::Csv,
            Format::Libsvm => FormatName::Libsvm,
            Format::Libffm => FormatName::Libffm,
            Format::MovieLens { edition } => FormatName::MovieLens(edition),
            Format::Parquet => FormatName::Parquet,
        };
        name.name()
    }

    /// Whether rows have pairs behind a label.
    pub fn is_sparse(self) -> bool {
        matches!(self, Format::Libsvm | Format::Libffm)
    }

    /// Whether columns are called by names, and not by numbers.
    pub fn has_names(self) -> bool {
        matches!(
            self,
            Format::Csv { header: true, .. } | Format::MovieLens { .. } | Format::Parquet
        )
    }
}

/// A stream of raw rows.
pub trait Reader: Send {
    /// The reader whose rows these are with something done to them, if they are: what is not said here of their
    /// columns it says.
    fn inner(&self) -> Option<&dyn Reader> {
        None
    }

    /// The same, to be told of what is wanted.
    fn inner_mut(&mut self) -> Option<&mut dyn Reader> {
        None
    }

    /// The format being read.
    fn format(&self) -> Format;

    /// Names of the cells, in the order of [`RawRow::cell`]. Without a header: "0", "1", ...
    fn columns(&self) -> &[String];

    /// Whether it has what stands in the cells of a column; if not, they are empty.
    fn holds(&self, column: usize) -> bool {
        self.inner().is_none_or(|inner| inner.holds(column))
    }

    /// Whether rows of counts have become a row for what was positive and one for what was not.
    fn is_split(&self) -> bool {
        self.inner().is_some_and(|inner| inner.is_split())
    }

    /// What the type of a column tells of it.
    fn kind(&self, column: usize) -> Kind {
        self.inner().map_or(Kind::Unknown, |inner| inner.kind(column))
    }

    /// Says that of these columns only numbers are wanted ([`RawRow::number`]): from the next row on, cells of
    /// columns that are numbers by their types may have no text.
    fn without_text(&mut self, columns: &[usize]) {
        if let Some(inner) = self.inner_mut() {
            inner.without_text(columns);
        }
    }

    /// Readers of the next rows, `count` of them with up to `rows` rows each and in the order of the rows, which this one
    /// has read then; none at the end. `None` if rows can only be read one after the other.
    ///
    /// # Errors
    /// Those that end the input.
    fn parts(&mut self, _count: usize, _rows: usize) -> Result<Option<Vec<Box<dyn Reader + '_>>>> {
        Ok(None)
    }

    /// Reads the next row into `row`; `false` at the end of the input.
    ///
    /// # Errors
    /// [`crate::Error::Row`] for a row that cannot be parsed: reading may go on after it, with
    /// the next line. Every other error ends the input.
    fn read(&mut self, row: &mut RawRow) -> Result<bool>;
}
