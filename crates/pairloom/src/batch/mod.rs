//! Encoded rows: what models, optimizers and metrics work on.
//!
//! Compressed sparse rows with 32-bit ids, in blocks of [`BLOCK_ROWS`] rows: the set grows without
//! being moved and without more memory than it takes, and a block can be written, read and dropped
//! alone. Values are stored only in blocks where one of them is not 1, and weights only where a
//! row's weight is not 1: categorical click logs then take 4 bytes a cell.

mod block;

pub use block::{BLOCK_ROWS, Block};

use crate::{Result, memory};
use block::BITS;

/// A set of encoded rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Row `i` is in block `i / BLOCK_ROWS`. All but the last are full, and the last is not.
    blocks: Vec<Block>,
}

impl Default for Rows {
    fn default() -> Self {
        Rows { blocks: vec![Block::new()] }
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

    /// How many entries `rows` of the rows have at the most, whichever they are.
    pub fn most_entries(&self, rows: usize) -> usize {
        let mut longest: Vec<u32> = Vec::new();
        for block in &self.blocks {
            longest.extend(block.lengths());
            if longest.len() > rows {
                longest.select_nth_unstable_by(rows, |a, b| b.cmp(a));
                longest.truncate(rows);
            }
        }
        longest.iter().map(|&entries| entries as usize).sum()
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

    /// Labels: 0 and 1 of a binary task, else the target in its own unit.
    pub fn labels(&self) -> Vec<f32> {
        self.blocks.iter().flat_map(Block::labels).copied().collect()
    }

    /// Weights, or `None` if all are 1.
    pub fn weights(&self) -> Option<Vec<f32>> {
        let all_1 = self.blocks.iter().all(|block| block.weights().is_empty());
        (!all_1).then(|| self.outcomes().map(|(_, weight)| weight).collect())
    }

    /// Label and weight of row `i`.
    #[inline(always)]
    pub fn label(&self, i: usize) -> (f32, f32) {
        let (block, i) = place(i);
        self.blocks[block].label(i)
    }

    /// Label and weight of each row.
    pub fn outcomes(&self) -> impl Iterator<Item = (f32, f32)> {
        self.blocks.iter().flat_map(Block::outcomes)
    }

    /// Sum of the weights.
    pub fn weight(&self) -> f64 {
        self.outcomes().map(|(_, weight)| f64::from(weight)).sum()
    }

    /// Makes room for a row of `entries` more entries.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory, or if a block would have more
    /// than 2^32 entries.
    pub(crate) fn reserve(&mut self, entries: usize) -> Result<()> {
        self.blocks.try_reserve(1).map_err(|_| memory::refused("a block", memory::FEWER_ROWS))?;
        if let [.., before, last] = &mut self.blocks[..]
            && last.is_empty()
        {
            last.reserve_like(before)?;
        }
        self.last().reserve(entries)
    }

    /// The block that the row being built belongs to.
    #[inline(always)]
    fn last(&mut self) -> &mut Block {
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
        let last = self.last();
        last.finish(label, weight);
        if last.len() == BLOCK_ROWS {
            last.shrink();
            self.blocks.push(Block::new());
        }
    }

    /// Adds rows at the end of a block.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub(crate) fn append(&mut self, rows: Rows) -> Result<()> {
        debug_assert!(self.last().is_empty(), "rows in the middle of a block");
        let failed = |_| memory::refused("a block", memory::FEWER_ROWS);
        self.blocks.try_reserve(rows.blocks.len()).map_err(failed)?;
        self.blocks.pop();
        self.blocks.extend(rows.blocks);
        Ok(())
    }

    /// Drops the entries of the row being built.
    pub(crate) fn abandon(&mut self) {
        self.last().abandon();
    }

    /// Adds up entries with the same id in the row being built, which keeps `sum_i v_i x_i` what
    /// it was and stops a feature from pairing with itself.
    pub fn merge_duplicates(&mut self) {
        self.last().merge_duplicates();
    }

    /// Multiplies each value with the factor of its id.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub(crate) fn scale(&mut self, factor: impl Fn(u32) -> f32) -> Result<()> {
        self.blocks.iter_mut().try_for_each(|block| block.scale(&factor))
    }

    /// The mean over the rows of `sum_i x_i^2`: the number of features in a row, if all are 1.
    pub fn mean_square_length(&self) -> f64 {
        let squares = |block: &Block| match block.values() {
            [] => block.ids().len() as f64,
            values => values.iter().map(|&x| f64::from(x) * f64::from(x)).sum(),
        };
        self.blocks.iter().map(squares).sum::<f64>() / self.len().max(1) as f64
    }

    /// Bytes taken.
    pub fn bytes(&self) -> u128 {
        self.blocks.iter().map(Block::bytes).sum()
    }

    /// How many rows carry each of `features` ids.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub fn counts(&self, features: usize) -> Result<Vec<u32>> {
        let full = |_| {
            let what = format!("the counts of {features} features");
            memory::refused(&what, memory::FEWER_FEATURES)
        };
        let mut counts = Vec::new();
        counts.try_reserve_exact(features).map_err(full)?;
        counts.resize(features, 0u32);
        for &id in self.blocks.iter().flat_map(Block::ids) {
            counts[id as usize] = counts[id as usize].saturating_add(1);
        }
        Ok(counts)
    }

    /// Removes all rows and keeps the memory of one block.
    pub fn clear(&mut self) {
        self.blocks.truncate(1);
        self.last().clear();
    }

    /// A fingerprint of everything in the rows: the same rows give the same number.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hash = xxhash_rust::xxh3::Xxh3::new();
        self.blocks.iter().for_each(|block| block.hash(&mut hash));
        hash.digest()
    }
}
