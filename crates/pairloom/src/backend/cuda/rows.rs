//! Rows in the memory of a device.

use super::device::{Buffer, Device};
use super::kernels::OfRows;
use crate::Result;
use crate::batch::{BLOCK_ROWS, Block, Rows};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Rows that lie on a device, one after the other.
pub(super) struct OnDevice {
    starts: Buffer<u64>,
    ids: Buffer<u32>,
    values: Buffer<f32>,
    labels: Buffer<f32>,
    weights: Buffer<f32>,
    /// Whether there are values and weights.
    are_there: [bool; 2],
    /// Rows on their way there.
    laid: Laid,
}

/// Rows that were brought together on the host.
#[derive(Default)]
struct Laid {
    starts: Vec<u64>,
    ids: Vec<u32>,
    values: Vec<f32>,
    labels: Vec<f32>,
    weights: Vec<f32>,
}

impl OnDevice {
    pub(super) fn new(device: &Arc<dyn Device>) -> Self {
        OnDevice {
            starts: Buffer::new(device),
            ids: Buffer::new(device),
            values: Buffer::new(device),
            labels: Buffer::new(device),
            weights: Buffer::new(device),
            are_there: [false; 2],
            laid: Laid::default(),
        }
    }

    /// Bytes that rows take beyond what there is room for.
    pub(super) fn more_bytes(&self, rows: &Rows, parts: &[Part<'_>]) -> u64 {
        let sizes = sizes(count(parts), entries(parts), are_there(rows));
        let OnDevice { starts, ids, values, labels, weights, .. } = self;
        let rooms = [starts.room(), ids.room(), values.room(), labels.room(), weights.room()];
        // What is there goes before what is larger comes.
        let more = |((len, room), size): ((usize, usize), usize)| len.saturating_sub(room) * size;
        sizes.into_iter().zip(rooms).zip([8, 4, 4, 4, 4]).map(more).sum::<usize>() as u64
    }

    /// Makes room for so many rows and entries, which may have values and weights.
    pub(super) fn reserve(
        &mut self,
        rows: usize,
        entries: usize,
        are_there: [bool; 2],
    ) -> Result<()> {
        let [starts, ids, values, labels, weights] = sizes(rows, entries, are_there);
        self.starts.reserve(starts)?;
        self.ids.reserve(ids)?;
        self.values.reserve(values)?;
        self.labels.reserve(labels)?;
        self.weights.reserve(weights)
    }

    /// Takes over parts of these rows, as they lie there.
    pub(super) fn fill(&mut self, rows: &Rows, parts: &[Part<'_>]) -> Result<()> {
        self.are_there = are_there(rows);
        let [values, weights] = self.are_there;
        self.reserve(count(parts), entries(parts), self.are_there)?;
        let (mut row, mut entry) = (0, 0);
        for (block, part) in parts {
            let entries = entries_of(block, part);
            let starts = &block.starts()[part.start..=part.end];
            let begin = entry as u64;
            let starts: Vec<u64> =
                starts.iter().map(|&start| begin + u64::from(start - starts[0])).collect();
            self.starts.write(row, &starts)?;
            self.ids.write(entry, &block.ids()[entries.clone()])?;
            self.labels.write(row, &block.labels()[part.clone()])?;
            if values {
                self.values.write(entry, &or_ones(block.values(), entries.clone()))?;
            }
            if weights {
                self.weights.write(row, &or_ones(block.weights(), part.clone()))?;
            }
            row += part.len();
            entry += entries.len();
        }
        Ok(())
    }

    /// Takes over rows that lie anywhere; returns how many entries they have.
    pub(super) fn gather(&mut self, rows: &Rows, which: &[u32]) -> Result<usize> {
        self.are_there = are_there(rows);
        let [values, weights] = self.are_there;
        let mut laid = std::mem::take(&mut self.laid);
        laid.clear();
        for &number in which {
            let row = rows.row(number as usize);
            laid.ids.extend_from_slice(row.ids);
            if values && row.values.is_empty() {
                laid.values.resize(laid.ids.len(), 1.0);
            } else if values {
                laid.values.extend_from_slice(row.values);
            }
            let (label, weight) = rows.label(number as usize);
            laid.labels.push(label);
            laid.weights.push(weight);
            laid.starts.push(laid.ids.len() as u64);
        }
        self.reserve(which.len(), laid.ids.len(), self.are_there)?;
        self.starts.write(0, &laid.starts)?;
        self.ids.write(0, &laid.ids)?;
        self.values.write(0, &laid.values)?;
        self.labels.write(0, &laid.labels)?;
        if weights {
            self.weights.write(0, &laid.weights)?;
        }
        self.laid = laid;
        Ok(self.laid.ids.len())
    }

    /// Where they are.
    pub(super) fn addresses(&self) -> OfRows {
        let [values, weights] = self.are_there;
        OfRows {
            starts: self.starts.address(),
            ids: self.ids.address(),
            values: if values { self.values.address() } else { 0 },
            labels: self.labels.address(),
            weights: if weights { self.weights.address() } else { 0 },
        }
    }
}

impl Laid {
    fn clear(&mut self) {
        self.starts.clear();
        self.starts.push(0);
        self.ids.clear();
        self.values.clear();
        self.labels.clear();
        self.weights.clear();
    }
}

/// Some rows of a block.
pub(super) type Part<'a> = (&'a Block, Range<usize>);

/// The rows of these numbers.
pub(super) fn of_range(rows: &Rows, which: Range<usize>) -> Vec<Part<'_>> {
    let part = |(number, block): (usize, &'_ Block)| {
        let first = number * BLOCK_ROWS;
        let own = |row: usize| row.clamp(first, first + block.len()) - first;
        own(which.start)..own(which.end)
    };
    let parts = rows.blocks().iter().enumerate().map(|(at, block)| (block, part((at, block))));
    parts.filter(|(_, part)| !part.is_empty()).collect()
}

/// The rows that lie on a rank of so many: blocks in turn, as the text says of `Rank::rows`.
pub(super) fn of_rank(rows: &Rows, rank: usize, ranks: usize) -> Vec<Part<'_>> {
    let blocks = rows.blocks().iter().skip(rank).step_by(ranks);
    blocks.map(|block| (block, 0..block.len())).collect()
}

/// How many rows they have.
pub(super) fn count(parts: &[Part<'_>]) -> usize {
    parts.iter().map(|(_, part)| part.len()).sum()
}

/// Their entries.
fn entries(parts: &[Part<'_>]) -> usize {
    parts.iter().map(|(block, part)| entries_of(block, part).len()).sum()
}

fn entries_of(block: &Block, part: &Range<usize>) -> Range<usize> {
    block.starts()[part.start] as usize..block.starts()[part.end] as usize
}

/// How many starts, ids, values, labels and weights there are of so many rows and entries.
fn sizes(rows: usize, entries: usize, [values, weights]: [bool; 2]) -> [usize; 5] {
    [rows + 1, entries, if values { entries } else { 0 }, rows, if weights { rows } else { 0 }]
}

/// Whether any of the rows has values, and weights.
fn are_there(rows: &Rows) -> [bool; 2] {
    let blocks = || rows.blocks().iter();
    [
        blocks().any(|block| !block.values().is_empty()),
        blocks().any(|block| !block.weights().is_empty()),
    ]
}

/// Some of the numbers, or so many ones where there are none.
fn or_ones(numbers: &[f32], which: Range<usize>) -> Cow<'_, [f32]> {
    if numbers.is_empty() { vec![1.0; which.len()].into() } else { numbers[which].into() }
}
