//! Training rows before their ids are known.
//!
//! Ids depend on the whole training set (minimum counts, quantiles), and which rows are training
//! rows may depend on the number of rows (a held-out tail). So a file is read once and interned:
//! each distinct value gets a provisional number, each number is kept as it is, and everything
//! else is decided afterwards, without a second pass over the text. That also lets standard input
//! be trained on.

mod cells;
mod labels;

pub(crate) use cells::InternedCells;
pub(crate) use labels::Labels;

use crate::encode::{Dictionary, parse_weight};
use crate::input::{Format, RawRow};
use crate::reading::RowLines;
use crate::schema::{Role, Schema};
use crate::{Error, Result, memory};
use std::collections::TryReserveError;

/// Bytes of growth between two looks at how much memory is left.
const LOOK: usize = 64 << 20;

/// Interned rows of one file.
#[derive(Debug, Clone, Default)]
pub struct Interned {
    /// Number of rows.
    pub(crate) rows: usize,
    /// The label cells.
    pub(crate) labels: Labels,
    /// Weights; empty if the schema has none.
    pub(crate) weights: Vec<f32>,
    /// Provisional numbers of the group cells; empty if the schema has none.
    pub(crate) groups: Vec<u32>,
    group_names: Dictionary,
    /// The lines that the rows begin in.
    pub(crate) lines: RowLines,
    /// The feature columns, in the order of the schema.
    pub(crate) columns: Vec<InternedColumn>,
    /// What the encoded rows may take, if not all that is free.
    pub(crate) most: Option<u128>,
    /// About the bytes taken since the last look at how much memory is left.
    grown: usize,
}

/// A feature column.
#[derive(Debug, Clone)]
pub(crate) struct InternedColumn {
    /// Number of the column in the schema.
    pub(crate) column: usize,
    /// Its cells.
    pub(crate) cells: InternedCells,
}

impl Interned {
    /// No rows of this schema.
    pub fn new(schema: &Schema) -> Self {
        let feature = |(column, role): (usize, Role)| {
            let cells = InternedCells::new(role);
            InternedColumn { column, cells }
        };
        let roles = schema.columns.iter().map(|c| c.role).enumerate();
        let columns = roles.filter(|(_, role)| role.is_feature()).map(feature).collect();
        let labels = Labels { positive: schema.positive.clone(), ..Labels::default() };
        Interned { columns, labels, ..Interned::default() }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`Error::Row`] for a cell that cannot be used, after which all is as it was before;
    /// [`Error::Memory`] if the row does not fit, or could not be encoded later.
    pub fn push(&mut self, schema: &Schema, raw: &RawRow) -> Result<()> {
        // A number takes 8 bytes, however short its text, and a pair more.
        self.grown += raw.record().len() + 8 * self.columns.len() + 16 * raw.pairs().len();
        if self.grown >= LOOK {
            self.grown = 0;
            self.check_memory()?;
        }
        let pushed = self.try_push(schema, raw);
        match pushed {
            Ok(()) => self.rows += 1,
            Err(_) => self.truncate(),
        }
        pushed
    }

    /// Refuses rows if what is left of the memory is too little to encode them, which they will be
    /// while all of them are still there.
    ///
    /// # Errors
    /// [`Error::Memory`] saying how much is needed and how much there is.
    pub(crate) fn check_memory(&self) -> Result<()> {
        let what = format!("encoding the {} rows read so far", self.rows);
        let need = self.most.map_or(self.encoded_bytes(), |most| self.encoded_bytes().min(most));
        memory::check(need, &what, memory::FEWER_ROWS)
    }

    /// Bytes that the encoded rows will take at the most.
    pub(crate) fn encoded_bytes(&self) -> u128 {
        let entries: usize = self.columns.iter().map(|column| column.cells.entries()).sum();
        let plain = |column: &InternedColumn| matches!(column.cells, InternedCells::Single { .. });
        let entry = if self.columns.iter().all(plain) { 4 } else { 8 };
        // Beside the entries of a row: its start, label and weight.
        entry * entries as u128 + 12 * self.rows as u128
    }

    fn try_push(&mut self, schema: &Schema, raw: &RawRow) -> Result<()> {
        self.labels.values.try_reserve(1).map_err(full(raw))?;
        self.weights.try_reserve(1).map_err(full(raw))?;
        self.groups.try_reserve(1).map_err(full(raw))?;
        // What may be refused comes first: the values of a row that is left out must not be
        // numbered, since the order of arrival decides between values that are equally frequent.
        self.push_columns(schema, raw, InternedCells::are_numbers)?;
        if let Some(cell) = schema.find(Role::Weight) {
            self.weights.push(parse_weight(raw, cell)?);
        }
        // The label comes last of these, since it alone cannot be taken back.
        if let Some(cell) = schema.find(Role::Label) {
            // One that has a name is rarely taken for another.
            let bare = matches!(schema.format, Format::Csv { header: false, .. });
            let guess = if bare { &schema.columns[cell].why } else { "" };
            self.labels.push(raw, cell, guess)?;
        }
        if let Some(cell) = schema.find(Role::Group) {
            self.groups.push(self.group_names.insert(raw.cell(cell))?);
        }
        self.push_columns(schema, raw, |cells| !cells.are_numbers())?;
        self.lines.push(self.rows, raw.line()).map_err(full(raw))
    }

    fn push_columns(
        &mut self,
        schema: &Schema,
        raw: &RawRow,
        these: impl Fn(&InternedCells) -> bool,
    ) -> Result<()> {
        for column in self.columns.iter_mut().filter(|column| these(&column.cells)) {
            column.cells.push(raw, column.column, &schema.columns[column.column])?;
        }
        Ok(())
    }

    /// Drops what a failed row has left behind.
    fn truncate(&mut self) {
        self.weights.truncate(self.rows);
        self.groups.truncate(self.rows);
        for column in &mut self.columns {
            column.cells.truncate(self.rows);
        }
    }
}

fn full(raw: &RawRow) -> impl Fn(TryReserveError) -> Error + Copy {
    let line = raw.line();
    move |_| memory::refused(&format!("the rows up to line {line}"), memory::FEWER_ROWS)
}
