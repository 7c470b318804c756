//! Encoded rows: what models, optimizers and metrics work on.
//!
//! Compressed sparse rows with 32-bit ids, in blocks of [`BLOCK_ROWS`] rows: the set grows without
//! being moved and without more memory than it takes, and a block can be written, read and dropped
//! alone. Values are stored only in blocks where one of them is not 1, and weights only where a
//! row's weight is not 1: categorical click logs then take 4 bytes a cell.

mod block;
mod outcomes;

pub(crate) use block::Part;
pub use block::{BLOCK_ROWS, Block};
pub use outcomes::Outcomes;

use crate::{Result, memory};
use block::BITS;
use std::ops::Range;

/// A set of encoded rows.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Row `i` is in block `i / BLOCK_ROWS`. All but the last are full, and the last is not.
    blocks: Vec<Block>,
    /// Cleared blocks, whose memory is used again.
    spare: Vec<Block>,
}

impl Default for Rows {
    fn default() -> Self {
        Rows { blocks: vec![Block::new()], spare: Vec::new() }
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        self.blocks == other.blocks
    }
}

/// Where row `i` is: block, and place in it.
#[inline(always)]
fn place(i: usize) -> (usize, usize) {
    (i >> BITS, i & (BLOCK_ROWS - 1))
}

/// One encoded row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Feature ids.
    pub ids: &'a [u32],
    /// Their values; empty if all are 1.
    pub values: &'a [f32],
}

impl<'a> Row<'a> {
    /// The ids, each with the value 1.
    #[inline(always)]
    pub(crate) fn ones(self) -> impl Iterator<Item = (u32, f32)> + 'a {
        self.ids.iter().map(|&id| (id, 1.0))
    }

    /// The ids with their values, if there are values.
    #[inline(always)]
    pub(crate) fn valued(self) -> impl Iterator<Item = (u32, f32)> + 'a {
        self.ids.iter().copied().zip(self.values.iter().copied())
    }

    /// Pairs of (id, value).
    #[inline(always)]
    pub fn features(self) -> impl Iterator<Item = (u32, f32)> + 'a {
        let values = self.values.iter().copied().chain(std::iter::repeat(1.0));
        self.ids.iter().copied().zip(values)
    }
}

impl Rows {
    /// No rows.
    pub fn new() -> Self {
        Rows::default()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        (self.blocks.len() - 1) * BLOCK_ROWS + self.blocks.last().map_or(0, Block::len)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The blocks, each but the last with [`BLOCK_ROWS`] rows; the last may have none.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Number of (id, value) entries in all rows.
    pub fn entries(&self) -> usize {
        self.blocks.iter().map(|block| block.ids().len()).sum()
    }

    /// Features of row `i`.
    #[inline(always)]
    pub fn row(&self, i: usize) -> Row<'_> {
        let (block, i) = place(i);
        self.blocks[block].row(i)
    }

    /// Whether the row has values that may not be 1.
    #[inline(always)]
    pub(crate) fn has_values(&self, i: usize) -> bool {
        self.blocks[place(i).0].has_values()
    }

    /// Asks for the memory that says where row `i` lies.
    #[inline(always)]
    pub(crate) fn prefetch_place(&self, i: usize) {
        let (block, i) = place(i);
        self.blocks[block].prefetch_place(i);
    }

    /// Asks for the memory of row `i`.
    #[inline(always)]
    pub(crate) fn prefetch(&self, i: usize) {
        let (block, i) = place(i);
        self.blocks[block].prefetch(i);
    }

    /// Label and weight of row `i`. Labels are 0 and 1 of a binary task, else the target in its
    /// own unit.
    #[inline(always)]
    pub fn label(&self, i: usize) -> (f32, f32) {
        let (block, i) = place(i);
        self.blocks[block].label(i)
    }

    /// The group of row `i`, if rows are said to belong together.
    #[inline(always)]
    pub fn group(&self, i: usize) -> Option<u32> {
        let (block, i) = place(i);
        self.blocks[block].groups().get(i).copied()
    }

    /// Label and weight of each row.
    pub fn outcomes(&self) -> impl Iterator<Item = (f32, f32)> {
        self.blocks.iter().flat_map(Block::outcomes)
    }

    /// Makes room for a row of `entries` more entries.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory, or if a block would have more
    /// than 2^32 entries.
    pub(crate) fn reserve(&mut self, entries: usize) -> Result<()> {
        self.reserve_block()?;
        self.last().reserve(entries)
    }

    /// Makes room for a block where one begins.
    fn reserve_block(&mut self) -> Result<()> {
        self.blocks.try_reserve(1).map_err(|_| memory::refused("a block", memory::FEWER_ROWS))?;
        if let [.., before, last] = &mut self.blocks[..]
            && last.is_empty()
        {
            last.reserve_like(before)?;
        }
        Ok(())
    }

    /// The block that the row being built belongs to.
    #[inline(always)]
    pub(crate) fn last(&mut self) -> &mut Block {
        let last = self.blocks.len() - 1;
        &mut self.blocks[last]
    }

    /// Adds an entry to the row being built; [`Rows::finish`] ends the row.
    #[inline(always)]
    pub fn push(&mut self, id: u32, value: f32) {
        self.last().push(id, value);
    }

    /// Ends the row being built.
    pub fn finish(&mut self, label: f32, weight: f32) {
        self.finish_in(None, label, weight);
    }

    /// The same, of a row that belongs to a group; all rows of a set do or none does.
    pub fn finish_in(&mut self, group: Option<u32>, label: f32, weight: f32) {
        let last = self.last();
        last.finish((label, weight), group);
        if last.len() == BLOCK_ROWS {
            last.shrink();
            self.next_block();
        }
    }

    fn next_block(&mut self) {
        self.blocks.push(self.spare.pop().unwrap_or_else(Block::new));
    }

    /// Adds rows that lie together.
    ///
    /// # Errors
    /// As for [`Rows::reserve`].
    pub(crate) fn extend(&mut self, part: &Part<'_>) -> Result<()> {
        let (before, more) = (self.len(), part.labels.len());
        self.lay_out(before + more)?;
        extend(&mut self.blocks, before, part, 0..more)
    }

    /// Blocks for so many rows, in memory that is used again. They are to be filled with [`extend`], each from whatever
    /// thread.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub(crate) fn blank(&mut self, rows: usize) -> Result<&mut [Block]> {
        self.clear();
        self.lay_out(rows)?;
        Ok(&mut self.blocks)
    }

    /// Adds empty blocks until there are those of so many rows.
    fn lay_out(&mut self, rows: usize) -> Result<()> {
        let missing = (place(rows).0 + 1).saturating_sub(self.blocks.len());
        let full = |_| memory::refused("a block", memory::FEWER_ROWS);
        self.blocks.try_reserve(missing).map_err(full)?;
        (0..missing).for_each(|_| self.next_block());
        Ok(())
    }

    /// Drops the entries of the row being built.
    pub(crate) fn abandon(&mut self) {
        self.last().abandon();
    }

    /// Makes one of entries with the same id in the row being built, so that no feature pairs with
    /// itself. Their values add up, which keeps `sum_i v_i x_i` what it was. Only of ids that stand
    /// for whatever is rare or unseen, the greatest (by its size) is kept: these are different
    /// things, of which the row has one or more.
    pub fn merge_duplicates(&mut self, is_default: impl Fn(u32) -> bool) {
        self.last().merge_duplicates(is_default);
    }

    /// Multiplies each value with the factor of its id.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub(crate) fn scale(&mut self, factor: impl Fn(u32) -> f32) -> Result<()> {
        self.blocks.iter_mut().try_for_each(|block| block.scale(&factor))
    }

    /// Adds to `counts` how many rows carry each id.
    pub fn count(&self, counts: &mut [u32]) {
        for &id in self.blocks.iter().flat_map(Block::ids) {
            counts[id as usize] = counts[id as usize].saturating_add(1);
        }
    }

    /// Bytes taken.
    pub fn bytes(&self) -> u128 {
        self.blocks.iter().map(Block::bytes).sum()
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        // Blocks come back to where they were, as large as what is there.
        self.spare.extend(self.blocks.drain(1..).rev());
        self.spare.iter_mut().chain(&mut self.blocks).for_each(Block::clear);
    }

    /// A fingerprint of everything in the rows: the same rows give the same number.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hash = xxhash_rust::xxh3::Xxh3::new();
        self.blocks.iter().for_each(|block| block.hash(&mut hash));
        hash.digest()
    }
}

/// Adds some of the rows of a part to blocks that follow each other, and have `at` rows.
///
/// # Errors
/// As for [`Rows::reserve`].
pub(crate) fn extend(
    blocks: &mut [Block],
    mut at: usize,
    part: &Part<'_>,
    mut rows: Range<usize>,
) -> Result<()> {
    while !rows.is_empty() {
        let (block, start) = place(at);
        if let [.., before, last] = &mut blocks[..=block]
            && start == 0
        {
            last.reserve_like(before)?;
        }
        let count = rows.len().min(BLOCK_ROWS - start);
        blocks[block].extend(part, rows.start..rows.start + count)?;
        (at, rows.start) = (at + count, rows.start + count);
    }
    Ok(())
}
