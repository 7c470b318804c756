//! A block of encoded rows: compressed sparse rows with 32-bit places.

use super::Row;
use crate::simd::prefetch;
use crate::{Result, memory};
use std::ops::Range;

/// Rows of a full block.
pub const BLOCK_ROWS: usize = 1 << BITS;

/// Bits of a row's number that say where in its block it is.
pub(super) const BITS: u32 = 14;

/// Up to [`BLOCK_ROWS`] encoded rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Row `i` lies at `starts[i]..starts[i + 1]` of `ids`; one more entry than rows.
    starts: Vec<u32>,
    ids: Vec<u32>,
    /// Empty while every value is 1, else as long as `ids`.
    values: Vec<f32>,
    labels: Vec<f32>,
    /// Empty while every weight is 1, else as long as `labels`.
    weights: Vec<f32>,
    /// As long as `labels`, or empty where rows are not said to belong together.
    groups: Vec<u32>,
}

impl Block {
    /// A block without rows.
    pub(crate) fn new() -> Self {
        Block {
            starts: vec![0],
            ids: Vec::new(),
            values: Vec::new(),
            labels: Vec::new(),
            weights: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// Number of rows.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Where each row starts in [`Block::ids`]; one more entry than rows.
    pub fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// Ids of all entries, row after row.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Values of all entries; empty if all are 1.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Labels of the rows.
    pub fn labels(&self) -> &[f32] {
        &self.labels
    }

    /// Weights of the rows; empty if all are 1.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Groups of the rows; empty if they have none.
    pub fn groups(&self) -> &[u32] {
        &self.groups
    }

    /// All rows, as they are copied.
    pub(crate) fn part(&self) -> Part<'_> {
        let Block { starts, ids, values, labels, weights, groups } = self;
        Part { ends: &starts[1..], ids, values, labels, weights, groups }
    }

    /// Pairs of (id, value) of all entries.
    pub(crate) fn features(&self) -> impl Iterator<Item = (u32, f32)> {
        Row { ids: &self.ids, values: &self.values }.features()
    }

    /// Pairs of (label, weight) of all rows.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = (f32, f32)> {
        let weights = self.weights.iter().copied().chain(std::iter::repeat(1.0));
        self.labels.iter().copied().zip(weights)
    }

    /// Sum of the weights.
    pub(crate) fn weight(&self) -> f64 {
        self.outcomes().map(|(_, weight)| f64::from(weight)).sum()
    }

    /// How many entries each row has.
    pub(crate) fn lengths(&self) -> impl Iterator<Item = u32> {
        self.starts.windows(2).map(|of| of[1] - of[0])
    }

    /// Features of row `i` of the block.
    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> Row<'_> {
        let range = self.starts[i] as usize..self.starts[i + 1] as usize;
        let values = if self.values.is_empty() { &[][..] } else { &self.values[range.clone()] };
        Row { ids: &self.ids[range], values }
    }

    /// Whether values are stored.
    #[inline(always)]
    pub(super) fn has_values(&self) -> bool {
        !self.values.is_empty()
    }

    /// Label and weight of row `i` of the block.
    #[inline(always)]
    pub(super) fn label(&self, i: usize) -> (f32, f32) {
        (self.labels[i], self.weights.get(i).copied().unwrap_or(1.0))
    }

    /// Asks for the memory that says where row `i` lies.
    #[inline(always)]
    pub(super) fn prefetch_place(&self, i: usize) {
        prefetch(&self.starts, i, 2);
    }

    /// Asks for the memory of row `i`.
    #[inline(always)]
    pub(super) fn prefetch(&self, i: usize) {
        let (start, end) = (self.starts[i] as usize, self.starts[i + 1] as usize);
        prefetch(&self.ids, start, end - start);
        if !self.values.is_empty() {
            prefetch(&self.values, start, end - start);
        }
        prefetch(&self.labels, i, 1);
    }

    /// Makes room for a row of `entries` more entries.
    pub(super) fn reserve(&mut self, entries: usize) -> Result<()> {
        self.reserve_rows(1, entries)
    }

    /// Makes room for rows of `entries` more entries in all.
    fn reserve_rows(&mut self, rows: usize, entries: usize) -> Result<()> {
        if self.ids.len() as u64 + entries as u64 > u64::from(u32::MAX) {
            let what = format!("more than 2^32 entries in {BLOCK_ROWS} rows");
            return Err(memory::refused(&what, "take fewer columns"));
        }
        let failed = |_| memory::refused("more rows", memory::FEWER_ROWS);
        self.starts.try_reserve(rows).map_err(failed)?;
        self.labels.try_reserve(rows).map_err(failed)?;
        self.ids.try_reserve(entries).map_err(failed)?;
        if !self.values.is_empty() {
            self.values.try_reserve(entries).map_err(failed)?;
        }
        if !self.weights.is_empty() {
            self.weights.try_reserve(rows).map_err(failed)?;
        }
        self.groups.try_reserve(rows).map_err(failed)
    }

    /// Makes room for as many rows as the block before has, of about as many entries: a data set
    /// is much the same all over, and what is asked for at once need not be moved.
    pub(super) fn reserve_like(&mut self, before: &Block) -> Result<()> {
        let failed = |_| memory::refused("a block of rows", memory::FEWER_ROWS);
        let some_more = |len: usize| len + len / 64;
        self.starts.try_reserve_exact(before.starts.len()).map_err(failed)?;
        self.labels.try_reserve_exact(before.labels.len()).map_err(failed)?;
        self.ids.try_reserve_exact(some_more(before.ids.len())).map_err(failed)?;
        self.values.try_reserve_exact(some_more(before.values.len())).map_err(failed)?;
        self.weights.try_reserve_exact(before.weights.len()).map_err(failed)?;
        self.groups.try_reserve_exact(before.groups.len()).map_err(failed)
    }

    /// Gives back what was reserved for more rows than came.
    pub(super) fn shrink(&mut self) {
        fn shrink<T>(of: &mut Vec<T>) {
            if of.capacity() > of.len() + of.len() / 16 {
                of.shrink_to_fit();
            }
        }
        shrink(&mut self.starts);
        shrink(&mut self.ids);
        shrink(&mut self.values);
        shrink(&mut self.labels);
        shrink(&mut self.weights);
        shrink(&mut self.groups);
    }

    /// Adds an entry to the row being built.
    #[inline(always)]
    pub(crate) fn push(&mut self, id: u32, value: f32) {
        if value != 1.0 && self.values.is_empty() {
            self.values.resize(self.ids.len(), 1.0);
        }
        if value != 1.0 || !self.values.is_empty() {
            self.values.push(value);
        }
        self.ids.push(id);
    }

    /// Ends the row being built; of a set, all rows have groups or none has.
    #[inline(always)]
    pub(super) fn finish(&mut self, (label, weight): (f32, f32), group: Option<u32>) {
        self.groups.extend(group);
        if weight != 1.0 && self.weights.is_empty() {
            self.weights.resize(self.labels.len(), 1.0);
        }
        if weight != 1.0 || !self.weights.is_empty() {
            self.weights.push(weight);
        }
        self.labels.push(label);
        self.starts.push(self.ids.len() as u32);
    }

    /// Drops the entries of the row being built.
    pub(super) fn abandon(&mut self) {
        let start = self.open();
        self.ids.truncate(start);
        self.values.truncate(start);
    }

    /// Makes one of entries with the same id in the row being built: see [`super::Rows`].
    pub(super) fn merge_duplicates(&mut self, is_default: impl Fn(u32) -> bool) {
        if all_differ(&self.ids[self.open()..]) {
            return;
        }
        let value = |at| self.values.get(at).copied().unwrap_or(1.0);
        let mut entries: Vec<(u32, f32)> =
            (self.open()..self.ids.len()).map(|at| (self.ids[at], value(at))).collect();
        entries.sort_by_key(|&(id, _)| id);
        if entries.windows(2).all(|pair| pair[0].0 != pair[1].0) {
            return;
        }
        entries.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            match is_default(next.0) {
                _ if !same => {}
                true if kept.1.abs() >= next.1.abs() => {}
                true => kept.1 = next.1,
                false => kept.1 += next.1,
            }
            same
        });
        self.abandon();
        for (id, value) in entries {
            self.push(id, value);
        }
    }

    /// Adds a row with its label and weight, and its group if it has one.
    pub(crate) fn add(
        &mut self,
        row: Row<'_>,
        outcome: (f32, f32),
        group: Option<u32>,
    ) -> Result<()> {
        self.reserve(row.ids.len())?;
        row.features().for_each(|(id, x)| self.push(id, x));
        self.finish(outcome, group);
        Ok(())
    }

    /// Adds some of the rows of a part.
    pub(super) fn extend(&mut self, part: &Part<'_>, rows: Range<usize>) -> Result<()> {
        let end = |rows: usize| if rows == 0 { 0 } else { part.ends[rows - 1] };
        let (first, last) = (end(rows.start), end(rows.end));
        self.reserve_rows(rows.len(), (last - first) as usize)?;
        let before = self.ids.len() as u32;
        let places = &part.ends[rows.clone()];
        self.starts.extend(places.iter().map(|&end| end - first + before));
        let entries = first as usize..last as usize;
        extend(&mut self.values, self.ids.len(), part.values, entries.clone());
        self.ids.extend_from_slice(&part.ids[entries]);
        extend(&mut self.weights, self.labels.len(), part.weights, rows.clone());
        self.groups.extend(part.groups.get(rows.clone()).unwrap_or_default());
        self.labels.extend_from_slice(&part.labels[rows]);
        Ok(())
    }

    /// Where the row being built starts.
    fn open(&self) -> usize {
        self.starts.last().map_or(0, |&start| start as usize)
    }

    /// Multiplies each value with the factor of its id.
    pub(crate) fn scale(&mut self, factor: &impl Fn(u32) -> f32) -> Result<()> {
        let full = |_| memory::refused("the values of the rows", memory::FEWER_ROWS);
        let missing = self.ids.len() - self.values.len();
        self.values.try_reserve_exact(missing).map_err(full)?;
        self.values.resize(self.ids.len(), 1.0);
        for (x, &id) in self.values.iter_mut().zip(&self.ids) {
            *x *= factor(id);
        }
        Ok(())
    }

    /// Bytes taken.
    pub(crate) fn bytes(&self) -> u128 {
        let floats = self.values.len() + self.labels.len() + self.weights.len();
        4 * (self.starts.len() + self.ids.len() + floats + self.groups.len()) as u128
    }

    /// Removes all rows and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.starts.truncate(1);
        self.ids.clear();
        self.values.clear();
        self.labels.clear();
        self.weights.clear();
        self.groups.clear();
    }

    /// Hashes everything in the block.
    pub(super) fn hash(&self, hash: &mut xxhash_rust::xxh3::Xxh3) {
        let parts: [&[u8]; 6] = [
            bytemuck::cast_slice(&self.starts),
            bytemuck::cast_slice(&self.ids),
            bytemuck::cast_slice(&self.values),
            bytemuck::cast_slice(&self.labels),
            bytemuck::cast_slice(&self.weights),
            bytemuck::cast_slice(&self.groups),
        ];
        for part in parts {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
}

/// Whether the ids of a row are surely all different, told by a mark for each in a table of bits:
/// of 40 that differ it takes 5 rows in 100 for rows that may have equal ones.
fn all_differ(ids: &[u32]) -> bool {
    const WORDS: usize = 256;
    let mut marks = [0u64; WORDS];
    ids.len() <= WORDS
        && ids.iter().all(|id| {
            let place = id.wrapping_mul(0x9e37_79b1) >> 18;
            let (word, mark) = (&mut marks[place as usize / 64], 1 << (place % 64));
            let is_new = *word & mark == 0;
            *word |= mark;
            is_new
        })
}

/// Rows that lie together, as they do in a file: as a block, but for the first start.
pub(crate) struct Part<'a> {
    pub(crate) ends: &'a [u32],
    pub(crate) ids: &'a [u32],
    pub(crate) values: &'a [f32],
    pub(crate) labels: &'a [f32],
    pub(crate) weights: &'a [f32],
    pub(crate) groups: &'a [u32],
}

/// Adds some of `from` to a list that is empty while all its numbers are 1, of which there are `len`.
fn extend(to: &mut Vec<f32>, len: usize, from: &[f32], range: Range<usize>) {
    if from.is_empty() && to.is_empty() {
        return;
    }
    to.resize(len, 1.0);
    match from {
        [] => to.resize(len + range.len(), 1.0),
        from => to.extend_from_slice(&from[range]),
    }
}
