//! Training rows before their ids are known.
//!
//! Ids depend on the whole training set (minimum counts, quantiles), and which rows are training
//! rows may depend on the number of rows (a held-out tail). So a file is read once and interned:
//! each distinct value gets a provisional number, each number is kept as it is, and everything
//! else is decided afterwards, without a second pass over the text. That also lets standard input
//! be trained on.

mod labels;

pub(crate) use labels::Labels;

use crate::encode::{Dictionary, number_error, parse_cell, parse_weight, split_values};
use crate::input::RawRow;
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

/// The cells of a feature column.
#[derive(Debug, Clone)]
pub(crate) enum InternedCells {
    /// One value a row.
    Single {
        /// The distinct values.
        values: Dictionary,
        /// The value of each row.
        ids: Vec<u32>,
    },
    /// Any number of values a row, each with an `x`.
    Several {
        /// The distinct values. Those of pairs are field (4 bytes) and index (8), little-endian.
        values: Dictionary,
        /// Where each row starts in `ids`; one more entry than rows.
        starts: Vec<usize>,
        /// The values of each row.
        ids: Vec<u32>,
        /// The `x` of pairs, as long as `ids`; `None` for multi-valued columns.
        xs: Option<Vec<f32>>,
    },
    /// Numbers; NaN where a cell is missing.
    Numbers(Vec<f64>),
}

impl Interned {
    /// No rows of this schema.
    pub fn new(schema: &Schema) -> Self {
        let feature = |(column, role): (usize, Role)| {
            let values = Dictionary::default();
            let ids = Vec::new();
            let cells = match role {
                Role::Numeric => InternedCells::Numbers(Vec::new()),
                Role::Multi | Role::Pairs => {
                    let xs = (role == Role::Pairs).then(Vec::new);
                    InternedCells::Several { values, starts: vec![0], ids, xs }
                }
                _ => InternedCells::Single { values, ids },
            };
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
        let entries: usize = self.columns.iter().map(|column| column.cells.entries()).sum();
        let plain = |column: &InternedColumn| matches!(column.cells, InternedCells::Single { .. });
        let entry = if self.columns.iter().all(plain) { 4 } else { 8 };
        // Beside the entries of a row: its start, label and weight, and its place among the others.
        let need = entry * entries as u128 + 32 * self.rows as u128;
        let what = format!("encoding the {} rows read so far", self.rows);
        memory::check(need, &what, memory::FEWER_ROWS)
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
            self.labels.push(raw, cell)?;
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
            let about = &schema.columns[column.column];
            column.cells.push(raw, column.column, &about.name, about.separator)?;
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

impl InternedCells {
    fn are_numbers(&self) -> bool {
        matches!(self, InternedCells::Numbers(_))
    }

    fn push(&mut self, raw: &RawRow, cell: usize, name: &str, sep: Option<char>) -> Result<()> {
        let full = full(raw);
        match self {
            InternedCells::Numbers(numbers) => {
                let number = parse_cell(raw.cell(cell));
                numbers.try_reserve(1).map_err(full)?;
                numbers.push(number.ok_or_else(|| number_error(raw, cell, name))?);
            }
            InternedCells::Single { values, ids } => {
                ids.try_reserve(1).map_err(full)?;
                ids.push(values.insert(raw.cell(cell))?);
            }
            InternedCells::Several { values, starts, ids, xs } => {
                starts.try_reserve(1).map_err(full)?;
                if let Some(xs) = xs {
                    ids.try_reserve(raw.pairs().len()).map_err(full)?;
                    xs.try_reserve(raw.pairs().len()).map_err(full)?;
                    for pair in raw.pairs() {
                        ids.push(values.insert(&join_pair(pair.field, pair.index))?);
                        xs.push(pair.value);
                    }
                } else {
                    for value in split_values(raw.cell(cell), sep.unwrap_or('|')) {
                        ids.try_reserve(1).map_err(full)?;
                        ids.push(values.insert(value)?);
                    }
                }
                starts.push(ids.len());
            }
        }
        Ok(())
    }

    /// How many entries the encoded rows will have at the most.
    fn entries(&self) -> usize {
        match self {
            InternedCells::Numbers(numbers) => 3 * numbers.len(),
            InternedCells::Single { ids, .. } | InternedCells::Several { ids, .. } => ids.len(),
        }
    }

    fn truncate(&mut self, rows: usize) {
        match self {
            InternedCells::Numbers(numbers) => numbers.truncate(rows),
            InternedCells::Single { ids, .. } => ids.truncate(rows),
            InternedCells::Several { starts, ids, xs, .. } => {
                starts.truncate(rows + 1);
                let end = starts.last().copied().unwrap_or(0);
                ids.truncate(end);
                if let Some(xs) = xs {
                    xs.truncate(end);
                }
            }
        }
    }
}

fn full(raw: &RawRow) -> impl Fn(TryReserveError) -> Error + Copy {
    let line = raw.line();
    move |_| memory::refused(&format!("the rows up to line {line}"), memory::FEWER_ROWS)
}

/// Field and index of a pair as one value.
fn join_pair(field: u32, index: u64) -> [u8; 12] {
    let mut value = [0; 12];
    value[..4].copy_from_slice(&field.to_le_bytes());
    value[4..].copy_from_slice(&index.to_le_bytes());
    value
}

/// Field and index from one value.
pub(crate) fn split_pair(value: &[u8]) -> (u32, u64) {
    let (field, index) = value.split_at(4);
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |n, &b| (n << 8) | u64::from(b));
    (number(field) as u32, number(index))
}
