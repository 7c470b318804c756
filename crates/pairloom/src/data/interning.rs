//! Rows on their way to being interned.

use super::growing::Growing;
use super::shelf::{Filling, Shelf};
use super::values::{InternedColumn, Values};
use super::{Interned, Labels, encoded_bytes, full};
use crate::batch::BLOCK_ROWS;
use crate::encode::{Dictionary, group_cell, weight};
use crate::input::{Format, RawRow};
use crate::loss::Loss;
use crate::pieces::Pieces;
use crate::reading::RowLines;
use crate::schema::{Role, Schema};
use crate::{Result, memory};

/// The part of a limited memory that interned rows may take: one in so many.
pub(crate) const INTERNED: u128 = 8;

/// Bytes of growth between two looks at how much memory is left.
const LOOK: usize = 64 << 20;

/// Rows that are being interned.
#[derive(Debug)]
pub struct Interning {
    rows: usize,
    labels: Labels,
    group_names: Dictionary,
    lines: RowLines,
    columns: Vec<InternedColumn>,
    growing: Growing,
    blocks: Filling,
    beside: [bool; 2],
    /// Whether it was said how much memory rows may take.
    is_limited: bool,
    /// Of the blocks before the one that is being filled.
    entries: usize,
    /// About the bytes taken since the last look at how much memory is left.
    grown: usize,
}

impl Interning {
    /// No rows of this schema, to be held in memory.
    pub fn new(schema: &Schema) -> Self {
        Self::within(schema, None, "")
    }

    /// No rows of this schema; if they take more than their part of `most` bytes, they will be in a
    /// temporary file of `folder`.
    pub fn within(schema: &Schema, most: Option<u64>, folder: &str) -> Self {
        let held = most.map_or(u128::MAX, |most| u128::from(most) / INTERNED);
        Self::to(schema, Filling::new(Shelf::Held(Vec::new()), held, folder), most.is_some())
    }

    /// No rows of this schema, to be written to a file as they come.
    pub(crate) fn kept(schema: &Schema, file: Pieces, most: Option<u64>) -> Self {
        let blocks = Filling::new(Shelf::File(file, Vec::new()), 0, "");
        Self::to(schema, blocks, most.is_some())
    }

    /// The same for labels that are learned by this loss, if one is said.
    pub(crate) fn learned_by(self, loss: Option<Loss>) -> Self {
        Interning { labels: self.labels.learned_by(loss), ..self }
    }

    fn to(schema: &Schema, blocks: Filling, is_limited: bool) -> Self {
        let roles = || schema.columns.iter().map(|c| c.role).enumerate();
        let features = || roles().filter(|(_, role)| role.is_feature());
        let column = |(column, role)| InternedColumn { column, values: Values::new(role) };
        Interning {
            rows: 0,
            labels: Labels::new(schema.positive.clone()),
            group_names: Dictionary::default(),
            lines: RowLines::default(),
            columns: features().map(column).collect(),
            growing: Growing::new(features().map(|(_, role)| role)),
            blocks,
            beside: schema.has_weights_and_groups(),
            is_limited,
            entries: 0,
            grown: 0,
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`crate::Error::Row`] for a cell that cannot be used, after which all is as it was before;
    /// [`crate::Error::Memory`] if the row does not fit, or could not be encoded later;
    /// [`crate::Error::Io`] if rows cannot be written.
    pub fn push(&mut self, schema: &Schema, raw: &RawRow) -> Result<()> {
        // A number takes 8 bytes, however short its text, and a pair more.
        self.grown += raw.record().len() + 8 * self.columns.len() + 16 * raw.pairs().len();
        if self.grown >= LOOK {
            self.grown = 0;
            self.check_memory()?;
        }
        let rows = self.growing.len();
        let pushed = self.try_push(schema, raw);
        if pushed.is_err() {
            self.growing.truncate(rows);
            return pushed;
        }
        self.rows += 1;
        if self.growing.len() == BLOCK_ROWS { self.shelve() } else { Ok(()) }
    }

    /// Refuses rows if what is left of the memory is too little to encode them, unless it was said
    /// how much they may take.
    fn check_memory(&self) -> Result<()> {
        if self.is_limited {
            return Ok(());
        }
        let entries = self.entries + self.growing.entries();
        let need = encoded_bytes(self.rows, entries, &self.columns);
        let what = format!("encoding the {} rows read so far", self.rows);
        memory::check(need, &what, memory::FEWER_ROWS)
    }

    fn try_push(&mut self, schema: &Schema, raw: &RawRow) -> Result<()> {
        let head = &mut self.growing.head;
        head.labels.try_reserve(1).map_err(full(raw))?;
        head.weights.try_reserve(1).map_err(full(raw))?;
        head.groups.try_reserve(1).map_err(full(raw))?;
        // What may be refused comes first: the values of a row that is left out must not be
        // numbered, since the order of arrival decides between values that are equally frequent.
        self.push_columns(schema, raw, true)?;
        let head = &mut self.growing.head;
        let cells = [Role::Weight, Role::Trials].map(|role| schema.find(role));
        if cells.iter().any(Option::is_some) {
            head.weights.push(weight(raw, cells)?);
        }
        // The label comes last of these, since it alone cannot be taken back.
        match schema.find(Role::Label) {
            None => head.labels.push(0.0),
            Some(cell) => {
                // One that has a name is rarely taken for another.
                let bare = matches!(schema.format, Format::Csv { header: false, .. });
                let guess = if bare { &schema.columns[cell].why } else { "" };
                let block = self.rows / BLOCK_ROWS;
                self.labels.push((block, &mut head.labels), raw, cell, guess)?;
            }
        }
        if let Some(cell) = schema.group() {
            head.groups.push(self.group_names.insert(group_cell(raw, cell)?)?);
        }
        self.growing.ask(&self.columns, schema, raw);
        self.push_columns(schema, raw, false)?;
        self.lines.push(self.rows, raw.line()).map_err(full(raw))
    }

    fn push_columns(&mut self, schema: &Schema, raw: &RawRow, numbers: bool) -> Result<()> {
        let columns = self.columns.iter_mut().enumerate();
        for (at, column) in columns.filter(|(_, c)| c.values.are_numbers() == numbers) {
            let about = &schema.columns[column.column];
            self.growing.push(at, column, raw, about)?;
        }
        Ok(())
    }

    /// Puts a full block, or the last one, where blocks are kept.
    fn shelve(&mut self) -> Result<()> {
        self.entries += self.growing.entries();
        self.blocks.add(self.growing.head.write(), self.growing.write()?)?;
        self.growing.truncate(0);
        Ok(())
    }

    /// The interned rows.
    ///
    /// # Errors
    /// As for [`Interning::push`].
    pub fn done(mut self) -> Result<Interned> {
        if self.growing.len() > 0 {
            self.shelve()?;
        }
        let Interning { rows, labels, group_names, lines, columns, blocks, .. } = self;
        let Interning { entries, is_limited, beside, .. } = self;
        let (blocks, labels) = (blocks.shelf, labels.done());
        Ok(Interned {
            rows,
            labels,
            group_names,
            lines,
            columns,
            entries,
            is_limited,
            beside,
            blocks,
        })
    }
}
