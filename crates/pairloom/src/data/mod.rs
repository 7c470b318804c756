//! Training rows before their ids are known.
//!
//! Ids depend on the whole training set (minimum counts, quantiles), and which rows are training
//! rows may depend on the number of rows (a held-out tail). So a file is read once and interned:
//! each distinct value gets a provisional number, each number is kept as it is, and everything
//! else is decided afterwards, without a second pass over the text. That also lets standard input
//! be trained on.
//!
//! Rows are kept in blocks of words, the same in memory, in a temporary file and in a cache.

mod cache;
mod cells;
mod draw;
mod growing;
mod head;
mod ids;
mod interning;
mod labels;
mod shelf;
mod values;

pub use cache::is_cache;
pub(crate) use cache::{Cached, Source, check_values, decided, format_of, not_held, open, reader};
pub(crate) use cells::Cells;
pub(crate) use draw::Draw;
pub(crate) use head::Head;
pub(crate) use ids::Ids;
pub(crate) use interning::INTERNED;
pub use interning::Interning;
pub(crate) use labels::{Labels, alone, if_meant};
pub(crate) use shelf::Loaded;
pub(crate) use values::{InternedColumn, Values};

use crate::batch::BLOCK_ROWS;
use crate::encode::Dictionary;
use crate::input::RawRow;
use crate::parallel::Threads;
use crate::reading::RowLines;
use crate::{Error, Result, memory};
use shelf::Shelf;
use std::collections::TryReserveError;
use std::sync::Arc;

/// Interned rows of one file.
#[derive(Debug)]
pub struct Interned {
    /// Number of rows.
    pub(crate) rows: usize,
    /// What is known of the label cells.
    pub(crate) labels: Labels,
    /// The names of the groups by number; none of rows that come from a cache.
    pub(crate) group_names: Dictionary,
    /// The lines that the rows begin in.
    pub(crate) lines: RowLines,
    /// The feature columns, in the order of the schema.
    pub(crate) columns: Vec<InternedColumn>,
    /// How many entries the encoded rows will have at the most.
    pub(crate) entries: usize,
    /// Whether it was said how much memory may be taken.
    pub(crate) is_limited: bool,
    /// Whether rows have weights, and whether they have groups.
    beside: [bool; 2],
    blocks: Shelf,
}

/// Blocks that are worked on at a time where memory is limited: so many, however many threads there
/// are, since what is left for other rows decides the order of these.
const FEW: usize = 2;

/// A block that is in memory.
pub(crate) struct Block<'a> {
    /// The number of its first row.
    pub(crate) first: usize,
    /// Labels, weights and groups.
    pub(crate) head: Head,
    loaded: Loaded<'a>,
    shelf: &'a Shelf,
}

impl Block<'_> {
    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.head.labels.len()
    }

    /// The cells of its rows, a column after the other.
    ///
    /// # Errors
    /// [`Error::Data`] if they make no sense.
    pub(crate) fn cells<'a>(&'a self, columns: &'a [InternedColumn]) -> Result<Vec<Cells<'a>>> {
        self.loaded.cells(self.rows(), columns).map_err(|what| self.shelf.damaged(what))
    }
}

impl Interned {
    /// Gives what each block has beside features to `take`, with the number of its first row.
    ///
    /// # Errors
    /// Those of reading blocks that are in a file.
    pub(crate) fn heads(&self, mut take: impl FnMut(usize, Head)) -> Result<()> {
        for at in 0..self.blocks.len() {
            take(at * BLOCK_ROWS, self.settled(at, self.blocks.head(at)?)?);
        }
        Ok(())
    }

    /// Gives some blocks after others to `take`: as many as keep all threads busy.
    ///
    /// # Errors
    /// Those of `take`, and of reading blocks that are in a file.
    pub(crate) fn walk(
        &self,
        threads: &Threads,
        mut take: impl FnMut(Vec<Block<'_>>) -> Result<()>,
    ) -> Result<()> {
        let all: Vec<usize> = (0..self.blocks.len()).collect();
        all.chunks(self.together(threads)).try_for_each(|some| take(self.load(some, threads)?))
    }

    /// The same, and what was given is forgotten unless others have these rows too: their memory is free.
    ///
    /// # Errors
    /// As for [`Interned::walk`].
    pub(crate) fn consume(
        mut self: Arc<Self>,
        threads: &Threads,
        mut take: impl FnMut(Vec<Block<'_>>, &[InternedColumn]) -> Result<()>,
    ) -> Result<()> {
        let all: Vec<usize> = (0..self.blocks.len()).collect();
        for some in all.chunks(self.together(threads)) {
            take(self.load(some, threads)?, &self.columns)?;
            if let Some(own) = Arc::get_mut(&mut self) {
                some.iter().for_each(|&at| own.blocks.forget(at));
            }
        }
        Ok(())
    }

    /// The names of the groups by number, to which others may be added.
    pub(crate) fn take_group_names(self: &mut Arc<Self>) -> Dictionary {
        match Arc::get_mut(self) {
            Some(own) => std::mem::take(&mut own.group_names),
            None => self.group_names.clone(),
        }
    }

    /// How many blocks are worked on at a time.
    fn together(&self, threads: &Threads) -> usize {
        if self.is_limited { FEW } else { 2 * threads.count() }
    }

    fn load(&self, blocks: &[usize], threads: &Threads) -> Result<Vec<Block<'_>>> {
        threads.map(blocks.to_vec(), |at| self.block(at)).into_iter().collect()
    }

    fn block(&self, at: usize) -> Result<Block<'_>> {
        let loaded = self.blocks.load(at)?;
        let head = loaded.head().map_err(|what| self.blocks.damaged(what))?;
        let (first, head) = (at * BLOCK_ROWS, self.settled(at, head)?);
        Ok(Block { first, head, loaded, shelf: &self.blocks })
    }

    /// A head whose labels are what they stand for.
    fn settled(&self, at: usize, mut head: Head) -> Result<Head> {
        let rows = (self.rows - at * BLOCK_ROWS).min(BLOCK_ROWS);
        let lengths = self.beside.map(|is_there| if is_there { rows } else { 0 });
        if head.labels.len() != rows || [head.weights.len(), head.groups.len()] != lengths {
            return Err(self.blocks.damaged("a block has other rows"));
        }
        // Groups are numbered as they come.
        if head.groups.iter().any(|&group| group as usize >= self.rows) {
            return Err(self.blocks.damaged("a group has a number that none can have"));
        }
        self.labels.settle(at, &mut head.labels);
        Ok(head)
    }

    /// Bytes that the blocks which are worked on at a time take at the most, where memory is limited:
    /// as they were read, and encoded.
    pub(crate) fn work_bytes(&self) -> u128 {
        let block = self.encoded_bytes() * self.rows.min(BLOCK_ROWS) as u128;
        2 * FEW as u128 * block / self.rows.max(1) as u128
    }

    /// Reads all rows, to know that they can be read.
    ///
    /// # Errors
    /// Those of reading blocks that are in a file.
    pub(crate) fn check(&self, threads: &Threads) -> Result<()> {
        self.walk(threads, |blocks| {
            let read = |block: Block<'_>| block.cells(&self.columns).map(drop);
            threads.map(blocks, read).into_iter().collect()
        })
    }

    /// Bytes that the encoded rows will take at the most.
    pub(crate) fn encoded_bytes(&self) -> u128 {
        encoded_bytes(self.rows, self.entries, &self.columns)
    }
}

/// Bytes that encoded rows with so many entries take at the most.
fn encoded_bytes(rows: usize, entries: usize, columns: &[InternedColumn]) -> u128 {
    let plain = |column: &InternedColumn| matches!(column.values, Values::Texts(_));
    let entry = if columns.iter().all(plain) { 4 } else { 8 };
    // Beside the entries of a row: its start, label and weight.
    entry * entries as u128 + 12 * rows as u128
}

fn full(raw: &RawRow) -> impl Fn(TryReserveError) -> Error + Copy {
    let line = raw.line();
    move |_| memory::refused(&format!("the rows up to line {line}"), memory::FEWER_ROWS)
}
