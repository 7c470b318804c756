//! Matrices in memory as rows: dense ones, a column of numbers each, and compressed sparse rows, as libsvm has them.

use super::{Format, Kind, Pair, RawRow, Reader, quoted};
use crate::{Error, Result};
use ndarray::ArrayView2;
use std::io::Write;
use std::sync::Arc;

/// A number of a matrix.
pub trait Number: Copy + Send + Sync {
    /// What the type tells of a column of such numbers.
    const KIND: Kind = Kind::Number;

    /// As a float; whole numbers beyond 2^53 are rounded.
    fn to_f64(self) -> f64;

    /// Writes its text, that of a float in 64 bits.
    ///
    /// # Errors
    /// Those of `text`.
    fn write(self, text: &mut Vec<u8>) -> std::io::Result<()> {
        write!(text, "{}", self.to_f64())
    }
}

impl Number for f32 {
    fn to_f64(self) -> f64 {
        self.into()
    }
}

impl Number for f64 {
    fn to_f64(self) -> f64 {
        self
    }
}

impl Number for i64 {
    // They may be names.
    const KIND: Kind = Kind::Unknown;

    fn to_f64(self) -> f64 {
        self as f64
    }

    fn write(self, text: &mut Vec<u8>) -> std::io::Result<()> {
        write!(text, "{self}")
    }
}

/// The rows of a matrix `[rows, columns]`, read where they lie. NaN is a missing value. `columns` are their names and
/// `name` is what the matrix is called in errors.
///
/// # Errors
/// [`Error::Usage`] unless there is a name for each column.
pub fn dense<'a, T: Number>(
    values: ArrayView2<'a, T>,
    columns: Vec<String>,
    name: &str,
) -> Result<Box<dyn Reader + 'a>> {
    if columns.len() != values.ncols() {
        let (names, has) = (columns.len(), values.ncols());
        return Err(Error::usage(format!("{name}: {names} names for {has} columns")));
    }
    let bare = vec![false; columns.len()];
    Ok(Box::new(Dense { values, columns, bare, name: name.into(), read: 0 }))
}

struct Dense<'a, T> {
    values: ArrayView2<'a, T>,
    columns: Vec<String>,
    /// Whether the cells of a column need no text.
    bare: Vec<bool>,
    name: Arc<str>,
    read: usize,
}

impl<T: Number> Reader for Dense<'_, T> {
    fn format(&self) -> Format {
        Format::Csv { delimiter: ',', header: true }
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn kind(&self, _column: usize) -> Kind {
        T::KIND
    }

    fn without_text(&mut self, columns: &[usize]) {
        for &column in columns {
            if let Some(bare) = self.bare.get_mut(column) {
                *bare = true;
            }
        }
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        if self.read == self.values.nrows() {
            return Ok(false);
        }
        row.begin_typed(&self.name, self.read as u64 + 1, self.format());
        self.read += 1;
        for (at, (&value, &is_bare)) in
            self.values.row(self.read - 1).iter().zip(&self.bare).enumerate()
        {
            let number = value.to_f64();
            if number.is_infinite() {
                let name = quoted(&self.columns[at]);
                return Err(row.cell_error(at, format!("column {name}: an infinite number")));
            }
            match is_bare {
                true => row.add_number(number),
                false => row.append_cell(|text| {
                    if !number.is_nan() {
                        // Writing to a Vec cannot fail.
                        let _ = value.write(text);
                    }
                }),
            }
        }
        Ok(true)
    }
}

/// Compressed sparse rows: row `r` has the pairs `starts[r]..starts[r + 1]` of `indices` and `values`.
#[derive(Debug, Clone, Copy)]
pub struct Sparse<'a, I, T> {
    /// `[rows + 1]`, ascending from 0.
    pub starts: &'a [I],
    /// The column of each value.
    pub indices: &'a [I],
    /// The values, which are finite.
    pub values: &'a [T],
}

/// An index of a compressed sparse row.
pub trait Index: Copy + Send + Sync {
    /// As an unsigned number; `None` for a negative one.
    fn get(self) -> Option<u64>;
}

impl Index for i32 {
    fn get(self) -> Option<u64> {
        self.try_into().ok()
    }
}

impl Index for i64 {
    fn get(self) -> Option<u64> {
        self.try_into().ok()
    }
}

/// The rows of a sparse matrix as libsvm writes them, columns being indices, but without labels. `name` is what the
/// matrix is called in errors.
///
/// # Errors
/// [`Error::Data`] if the parts do not fit together.
pub fn sparse<'a, I: Index, T: Number>(
    rows: Sparse<'a, I, T>,
    name: &str,
) -> Result<Box<dyn Reader + 'a>> {
    let Sparse { starts, indices, values } = rows;
    let start = |at: &I| at.get().filter(|&at| at <= indices.len() as u64);
    let ascend =
        starts.iter().map(start).is_sorted() && starts.iter().all(|at| start(at).is_some());
    let ends = [starts.first(), starts.last()].map(|at| at.and_then(|at| at.get()));
    if !ascend || ends != [Some(0), Some(indices.len() as u64)] || indices.len() != values.len() {
        let message = "it is no matrix of compressed sparse rows: its parts do not fit together";
        return Err(Error::data(name, message));
    }
    Ok(Box::new(Compressed { rows, name: name.into(), read: 0 }))
}

struct Compressed<'a, I, T> {
    rows: Sparse<'a, I, T>,
    name: Arc<str>,
    read: usize,
}

impl<I: Index, T: Number> Reader for Compressed<'_, I, T> {
    fn format(&self) -> Format {
        Format::Libsvm
    }

    fn columns(&self) -> &[String] {
        &[]
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        let Sparse { starts, indices, values } = self.rows;
        let Some([from, to]) = starts.get(self.read..).and_then(|rest| rest.first_chunk()) else {
            return Ok(false);
        };
        row.begin_typed(&self.name, self.read as u64 + 1, Format::Libsvm);
        let place = |at: &I| at.get().map_or(0, |at| at as usize);
        let range = place(from)..place(to);
        for (index, value) in indices[range.clone()].iter().zip(&values[range]) {
            let value = value.to_f64() as f32;
            let Some(index) = index.get().filter(|_| value.is_finite()) else {
                let message = "a negative column, or a value that is not finite";
                return Err(row.cell_error(0, message));
            };
            row.add_pair(Pair { field: 0, index, value });
        }
        self.read += 1;
        Ok(true)
    }
}
