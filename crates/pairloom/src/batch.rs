//! Encoded rows: what models, optimizers and metrics work on.
//!
//! Compressed sparse rows with 32-bit ids. Values are stored only once one of them is not 1, and
//! weights only once a row's weight is not 1: categorical click logs then take 4 bytes a cell.

use crate::simd::prefetch;
use crate::{Result, memory};

/// A set of encoded rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Row `i` lies at `starts[i]..starts[i + 1]` of `ids`; one more entry than rows.
    starts: Vec<usize>,
    ids: Vec<u32>,
    /// Empty while every value is 1, else as long as `ids`.
    values: Vec<f32>,
    labels: Vec<f32>,
    /// Empty while every weight is 1, else as long as `labels`.
    weights: Vec<f32>,
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
        Rows { starts: vec![0], ..Rows::default() }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Number of (id, value) entries in all rows.
    pub fn entries(&self) -> usize {
        self.ids.len()
    }

    /// How many entries `rows` of the rows have at the most, whichever they are.
    pub fn most_entries(&self, rows: usize) -> usize {
        if rows >= self.len() {
            return self.entries();
        }
        let mut lengths: Vec<usize> = self.starts.windows(2).map(|of| of[1] - of[0]).collect();
        lengths.select_nth_unstable_by(rows, |a, b| b.cmp(a));
        lengths[..rows].iter().sum()
    }

    /// Features of row `i`.
    #[inline(always)]
    pub fn row(&self, i: usize) -> Row<'_> {
        let range = self.starts[i]..self.starts[i + 1];
        let values = if self.values.is_empty() { &[][..] } else { &self.values[range.clone()] };
        Row { ids: &self.ids[range], values }
    }

    /// Asks for the memory that says where row `i` lies.
    #[inline(always)]
    pub(crate) fn prefetch_place(&self, i: usize) {
        prefetch(&self.starts, i, 2);
    }

    /// Asks for the memory of row `i`.
    #[inline(always)]
    pub(crate) fn prefetch(&self, i: usize) {
        let (start, end) = (self.starts[i], self.starts[i + 1]);
        prefetch(&self.ids, start, end - start);
        if !self.values.is_empty() {
            prefetch(&self.values, start, end - start);
        }
        prefetch(&self.labels, i, 1);
    }

    /// Labels: 0 and 1 of a binary task, else the target in its own unit.
    pub fn labels(&self) -> &[f32] {
        &self.labels
    }

    /// Weights, or `None` if all are 1.
    pub fn weights(&self) -> Option<&[f32]> {
        (!self.weights.is_empty()).then_some(&self.weights)
    }

    /// Label and weight of row `i`.
    pub fn label(&self, i: usize) -> (f32, f32) {
        (self.labels[i], self.weights.get(i).copied().unwrap_or(1.0))
    }

    /// Sum of the weights.
    pub fn weight(&self) -> f64 {
        match self.weights() {
            None => self.len() as f64,
            Some(weights) => weights.iter().map(|&w| f64::from(w)).sum(),
        }
    }

    /// Makes room for `rows` more rows of `entries` entries in all.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub(crate) fn reserve(&mut self, rows: usize, entries: usize) -> Result<()> {
        let what = format!("more rows than {}", self.len());
        let failed = |_| memory::refused(&what, memory::FEWER_ROWS);
        self.starts.try_reserve(rows).map_err(failed)?;
        self.labels.try_reserve(rows).map_err(failed)?;
        self.ids.try_reserve(entries).map_err(failed)?;
        if !self.values.is_empty() {
            self.values.try_reserve(entries).map_err(failed)?;
        }
        if !self.weights.is_empty() {
            self.weights.try_reserve(rows).map_err(failed)?;
        }
        Ok(())
    }

    /// Adds an entry to the row being built; [`Rows::finish`] ends the row.
    pub fn push(&mut self, id: u32, value: f32) {
        if value != 1.0 && self.values.is_empty() {
            self.values.resize(self.ids.len(), 1.0);
        }
        if value != 1.0 || !self.values.is_empty() {
            self.values.push(value);
        }
        self.ids.push(id);
    }

    /// Ends the row being built.
    pub fn finish(&mut self, label: f32, weight: f32) {
        if weight != 1.0 && self.weights.is_empty() {
            self.weights.resize(self.labels.len(), 1.0);
        }
        if weight != 1.0 || !self.weights.is_empty() {
            self.weights.push(weight);
        }
        self.labels.push(label);
        self.starts.push(self.ids.len());
    }

    /// Drops the entries of the row being built.
    pub(crate) fn abandon(&mut self) {
        let start = self.starts.last().copied().unwrap_or(0);
        self.ids.truncate(start);
        self.values.truncate(start);
    }

    /// Adds up entries with the same id in the row being built, which keeps `sum_i v_i x_i` what
    /// it was and stops a feature from pairing with itself.
    pub fn merge_duplicates(&mut self) {
        let start = self.starts.last().copied().unwrap_or(0);
        if all_differ(&self.ids[start..]) {
            return;
        }
        let mut entries: Vec<(u32, f32)> =
            (start..self.ids.len()).map(|at| (self.ids[at], self.value(at))).collect();
        entries.sort_by_key(|&(id, _)| id);
        if entries.windows(2).all(|pair| pair[0].0 != pair[1].0) {
            return;
        }
        entries.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0.0 };
            same
        });
        self.ids.truncate(start);
        self.values.truncate(start);
        for (id, value) in entries {
            self.push(id, value);
        }
    }

    fn value(&self, at: usize) -> f32 {
        self.values.get(at).copied().unwrap_or(1.0)
    }

    /// Ids of all entries, row after row.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Values of all entries; empty if all are 1.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Multiplies each value with the factor of its id.
    ///
    /// # Errors
    /// [`crate::Error::Memory`] if the system has not got the memory.
    pub(crate) fn scale(&mut self, factor: impl Fn(u32) -> f32) -> Result<()> {
        let full = |_| memory::refused("the values of the rows", memory::FEWER_ROWS);
        let missing = self.ids.len() - self.values.len();
        self.values.try_reserve_exact(missing).map_err(full)?;
        self.values.resize(self.ids.len(), 1.0);
        for (x, &id) in self.values.iter_mut().zip(&self.ids) {
            *x *= factor(id);
        }
        Ok(())
    }

    /// The mean over the rows of `sum_i x_i^2`: the number of features in a row, if all are 1.
    pub fn mean_square_length(&self) -> f64 {
        let squares = match self.values.is_empty() {
            true => self.ids.len() as f64,
            false => self.values.iter().map(|&x| f64::from(x) * f64::from(x)).sum(),
        };
        squares / self.len().max(1) as f64
    }

    /// Bytes taken.
    pub fn bytes(&self) -> u128 {
        let floats = self.values.len() + self.labels.len() + self.weights.len();
        (8 * self.starts.len() + 4 * (self.ids.len() + floats)) as u128
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
        for &id in &self.ids {
            counts[id as usize] = counts[id as usize].saturating_add(1);
        }
        Ok(counts)
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.starts.truncate(1);
        self.ids.clear();
        self.values.clear();
        self.labels.clear();
        self.weights.clear();
    }

    /// A fingerprint of everything in the rows: the same rows give the same number.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hash = xxhash_rust::xxh3::Xxh3::new();
        for &start in &self.starts {
            hash.update(&(start as u64).to_le_bytes());
        }
        hash.update(bytemuck::cast_slice(&self.ids));
        hash.update(bytemuck::cast_slice(&self.values));
        hash.update(bytemuck::cast_slice(&self.labels));
        hash.update(bytemuck::cast_slice(&self.weights));
        hash.digest()
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
