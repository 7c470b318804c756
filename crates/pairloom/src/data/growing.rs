//! The block of rows that is being filled.

use super::head::Head;
use super::values::{InternedColumn, Values};
use super::{cells, full};
use crate::encode::{Short, number_error, split_values};
use crate::input::RawRow;
use crate::pieces::CHECKSUM;
use crate::schema::{Column, Role, Schema};
use crate::{Result, memory};

/// A block of rows that is being filled.
#[derive(Debug, Default)]
pub(super) struct Growing {
    pub(super) head: Head,
    columns: Vec<GrowingCells>,
    /// What was asked for of the row that is added.
    asked: Vec<Short>,
}

/// The cells of a column; which of the lists are in use depends on its role.
#[derive(Debug)]
struct GrowingCells {
    role: Role,
    /// Where each row ends in `ids`.
    ends: Vec<u32>,
    ids: Vec<u32>,
    xs: Vec<f32>,
    numbers: Vec<f64>,
}

impl Growing {
    /// No rows of columns with these roles.
    pub(super) fn new(roles: impl Iterator<Item = Role>) -> Self {
        let column = |role| {
            let (ends, ids, xs, numbers) = Default::default();
            GrowingCells { role, ends, ids, xs, numbers }
        };
        let columns: Vec<GrowingCells> = roles.map(column).collect();
        Growing { head: Head::default(), asked: vec![Short::default(); columns.len()], columns }
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.head.labels.len()
    }

    /// Asks for the memory that the values of a row will be looked up in, of all columns at once.
    pub(super) fn ask(&mut self, columns: &[InternedColumn], schema: &Schema, raw: &RawRow) {
        for (short, column) in self.asked.iter_mut().zip(columns) {
            match &column.values {
                Values::Texts(texts) => *short = texts.ask(raw.cell(column.column)),
                Values::Pairs(pairs) => {
                    let about = &schema.columns[column.column];
                    let ask = |pair| pairs.prefetch(about.field_of(pair), pair.index);
                    raw.pairs().iter().for_each(ask);
                }
                Values::Numbers | Values::NumbersOf(_) => {}
            }
        }
    }

    /// Adds the cell of a row to a column that `about` tells of.
    pub(super) fn push(
        &mut self,
        at: usize,
        column: &mut InternedColumn,
        raw: &RawRow,
        about: &Column,
    ) -> Result<()> {
        self.columns[at].push(&mut column.values, self.asked[at], raw, column.column, about)
    }

    /// How many entries the encoded rows will have at the most, if no number is a spline.
    pub(super) fn entries(&self) -> usize {
        self.columns.iter().map(|column| column.ids.len() + 3 * column.numbers.len()).sum()
    }

    /// Drops what follows the first `rows` rows.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.head.labels.truncate(rows);
        self.head.weights.truncate(rows);
        self.head.groups.truncate(rows);
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
    }

    /// All cells as words.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub(super) fn write(&self) -> Result<Vec<u32>> {
        let most =
            |c: &GrowingCells| 4 + c.ends.len() + c.ids.len() + c.xs.len() + 2 * c.numbers.len();
        let most: usize = self.columns.iter().map(most).sum();
        let mut words = Vec::new();
        let full = |_| memory::refused("a block of rows", memory::FEWER_ROWS);
        words.try_reserve_exact(most + CHECKSUM).map_err(full)?;
        for GrowingCells { role, ends, ids, xs, numbers } in &self.columns {
            match role {
                Role::Numeric => cells::write_numbers(numbers, &mut words),
                Role::Multi => cells::write_several(ends, ids, &mut words),
                Role::Pairs => cells::write_pairs(ends, ids, xs, &mut words),
                _ => cells::write_single(ids, &mut words),
            }
        }
        words.shrink_to(words.len() + CHECKSUM);
        Ok(words)
    }
}

impl GrowingCells {
    fn push(
        &mut self,
        values: &mut Values,
        asked: Short,
        raw: &RawRow,
        cell: usize,
        about: &Column,
    ) -> Result<()> {
        let full = full(raw);
        match values {
            Values::Texts(texts) if self.role == Role::Multi => {
                self.ends.try_reserve(1).map_err(full)?;
                for value in split_values(raw.cell(cell), about.value_separator()) {
                    self.ids.try_reserve(1).map_err(full)?;
                    self.ids.push(texts.insert(value)?);
                }
                self.end(raw)?;
            }
            Values::Texts(texts) => {
                self.ids.try_reserve(1).map_err(full)?;
                self.ids.push(texts.insert_asked(asked, raw.cell(cell))?);
            }
            Values::Pairs(pairs) => {
                self.ends.try_reserve(1).map_err(full)?;
                self.ids.try_reserve(raw.pairs().len()).map_err(full)?;
                self.xs.try_reserve(raw.pairs().len()).map_err(full)?;
                for pair in raw.pairs() {
                    self.ids.push(pairs.insert(about.field_of(pair), pair.index)?);
                    self.xs.push(pair.value);
                }
                self.end(raw)?;
            }
            Values::Numbers | Values::NumbersOf(_) => {
                let number = raw.number(cell);
                self.numbers.try_reserve(1).map_err(full)?;
                self.numbers.push(number.ok_or_else(|| number_error(raw, cell, &about.name))?);
            }
        }
        Ok(())
    }

    fn end(&mut self, raw: &RawRow) -> Result<()> {
        let end = u32::try_from(self.ids.len());
        self.ends
            .push(end.map_err(|_| raw.cell_error(0, "more values than fit in a block of rows"))?);
        Ok(())
    }

    fn truncate(&mut self, rows: usize) {
        self.numbers.truncate(rows);
        if matches!(self.role, Role::Multi | Role::Pairs) {
            self.ends.truncate(rows);
            let end = self.ends.last().map_or(0, |&end| end as usize);
            self.ids.truncate(end);
            self.xs.truncate(end);
        } else {
            self.ids.truncate(rows);
        }
    }
}
