//! Matrices in memory as rows: dense ones, a column of numbers each, and compressed sparse rows, as libsvm has them.

use super::written::{write_number, write_whole};
use super::{Format, Kind, Pair, RawRow, Reader, quoted};
use crate::{Error, Result};
use ndarray::ArrayView2;
use std::ops::Range;
use std::sync::Arc;

/// A number of a matrix.
pub trait Number: Copy + Send + Sync {
    /// What the type tells of a column of such numbers.
    const KIND: Kind = Kind::Number;

    /// As a float; whole numbers beyond 2^53 are rounded.
    fn to_f64(self) -> f64;

    /// Writes its text, that of a float in 64 bits; nothing if it is missing.
    fn write(self, text: &mut Vec<u8>) {
        write_number(self.to_f64(), text);
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

    fn write(self, text: &mut Vec<u8>) {
        write_whole(self < 0, self.unsigned_abs(), text);
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
    let rows = 0..values.nrows();
    let columns = columns.into();
    Ok(Box::new(Dense { values, columns, bare, name: name.into(), rows }))
}

/// The next of so many rows, which are left out then.
fn take(rows: &mut Range<usize>, count: usize, each: usize) -> impl Iterator<Item = Range<usize>> {
    let all = rows.start..rows.end.min(rows.start.saturating_add(count * each));
    rows.start = all.end;
    all.clone().step_by(each.max(1)).map(move |from| from..all.end.min(from + each))
}

#[derive(Clone)]
struct Dense<'a, T> {
    values: ArrayView2<'a, T>,
    columns: Arc<[String]>,
    /// Whether the cells of a column need no text.
    bare: Vec<bool>,
    name: Arc<str>,
    /// What is to be read.
    rows: Range<usize>,
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

    fn parts(&mut self, count: usize, rows: usize) -> Result<Option<Vec<Box<dyn Reader + '_>>>> {
        let parts: Vec<_> = take(&mut self.rows, count, rows).collect();
        let part = |rows| Box::new(Dense { rows, ..self.clone() }) as Box<dyn Reader + '_>;
        Ok(Some(parts.into_iter().map(part).collect()))
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        let Some(number) = self.rows.next() else { return Ok(false) };
        row.begin_typed(&self.name, number as u64 + 1, self.format());
        let cells = self.values.row(number);
        for (at, (&value, &is_bare)) in cells.iter().zip(&self.bare).enumerate() {
            let number = value.to_f64();
            if number.is_infinite() {
                let name = quoted(&self.columns[at]);
                return Err(row.cell_error(at, format!("column {name}: an infinite number")));
            }
            match is_bare {
                true => row.add_number(number),
                false => row.append_cell(|text| value.write(text)),
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
    let to_read = 0..starts.len() - 1;
    Ok(Box::new(Compressed { rows, name: name.into(), to_read }))
}

struct Compressed<'a, I, T> {
    rows: Sparse<'a, I, T>,
    name: Arc<str>,
    to_read: Range<usize>,
}

impl<I: Index, T: Number> Reader for Compressed<'_, I, T> {
    fn format(&self) -> Format {
        Format::Libsvm
    }

    fn columns(&self) -> &[String] {
        &[]
    }

    fn parts(&mut self, count: usize, rows: usize) -> Result<Option<Vec<Box<dyn Reader + '_>>>> {
        let parts: Vec<_> = take(&mut self.to_read, count, rows).collect();
        let part = |to_read| {
            let part = Compressed { rows: self.rows, name: self.name.clone(), to_read };
            Box::new(part) as Box<dyn Reader + '_>
        };
        Ok(Some(parts.into_iter().map(part).collect()))
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        let Sparse { starts, indices, values } = self.rows;
        let Some(number) = self.to_read.next() else { return Ok(false) };
        row.begin_typed(&self.name, number as u64 + 1, Format::Libsvm);
        let place = |at: &I| at.get().map_or(0, |at| at as usize);
        let range = place(&starts[number])..place(&starts[number + 1]);
        for (index, value) in indices[range.clone()].iter().zip(&values[range]) {
            let value = value.to_f64() as f32;
            let Some(index) = index.get().filter(|_| value.is_finite()) else {
                let message = "a negative column, or a value that is not finite";
                return Err(row.cell_error(0, message));
            };
            row.add_pair(Pair { field: 0, index, value });
        }
        Ok(true)
    }
}
