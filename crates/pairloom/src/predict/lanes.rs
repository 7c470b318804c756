//! Encoding and scoring rows on all threads.
//!
//! Rows are read one after the other into a block, whose parts go to the threads; those that lie in memory the threads
//! read themselves. What they have found is handed on in the order of the rows. So nothing depends on the number of
//! threads: neither a prediction, nor which error comes first, nor what is told of the rows.

use super::{Piece, Scoring};
use crate::batch::Rows;
use crate::encode::RowEncoder;
use crate::input::{RawRow, Reader};
use crate::parallel::Threads;
use crate::reading::{Counts, OnError, Skipped};
use crate::{Error, Result};

/// What each thread has of a block: so many rows, or bytes of memory from which there are fewer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) rows: usize,
    bytes: usize,
}

/// Where each thread scores its own rows: what its first cache holds.
pub(super) const ALONE: Size = Size { rows: 128, bytes: 1 << 20 };

/// Where rows are scored together on a device, which wants many at a time.
pub(super) const TOGETHER: Size = Size { rows: 1 << 15, bytes: 1 << 25 };

/// Rows that are worked on together. Their buffers are used again.
#[derive(Default)]
pub(super) struct Block {
    slots: Vec<Slot>,
    len: usize,
}

/// A row and its group, or why there is none.
#[derive(Default)]
struct Slot {
    raw: RawRow,
    group: Option<u32>,
    error: Option<Error>,
}

impl Block {
    /// Reads the next rows for so many threads; `false` if none are left after them.
    pub(super) fn fill(
        &mut self,
        reader: &mut dyn Reader,
        encoder: &mut RowEncoder<'_>,
        size: Size,
        threads: usize,
    ) -> bool {
        let mut bytes = 0;
        self.len = 0;
        while self.len < size.rows * threads && bytes < size.bytes * threads {
            if self.len == self.slots.len() {
                self.slots.push(Slot::default());
            }
            let slot = &mut self.slots[self.len];
            let read = match reader.read(&mut slot.raw) {
                Ok(false) => return false,
                Ok(true) => encoder.group(&slot.raw),
                Err(error) => Err(error),
            };
            self.len += 1;
            bytes += slot.raw.bytes();
            (slot.group, slot.error) = match read {
                Ok(group) => (group, None),
                Err(error) => (None, Some(error)),
            };
            if slot.error.as_ref().is_some_and(|error| !matches!(error, Error::Row { .. })) {
                return false;
            }
        }
        true
    }

    /// Gives each lane a part of the rows, in their order, and lets them work at the same time.
    pub(super) fn work(&mut self, lanes: &mut [Lane<'_>], by: &Scoring<'_>, threads: &Threads) {
        let share = self.len.div_ceil(lanes.len().max(1)).max(1);
        let mut parts = self.slots[..self.len].chunks_mut(share);
        let parts = lanes.iter_mut().map(|lane| (lane, parts.next().unwrap_or_default()));
        threads.each(parts.collect(), |(lane, slots)| {
            let mut slots = slots.iter_mut();
            lane.work(by, |raw| {
                let Some(slot) = slots.next() else { return Ok(None) };
                std::mem::swap(raw, &mut slot.raw);
                slot.error.take().map_or(Ok(Some(slot.group)), Err)
            });
        });
    }
}

/// The same for rows that each lane reads itself, of which none has a group.
pub(super) fn work_on(
    readers: Vec<Box<dyn Reader + '_>>,
    lanes: &mut [Lane<'_>],
    by: &Scoring<'_>,
    threads: &Threads,
) {
    let mut readers = readers.into_iter();
    let parts = lanes.iter_mut().map(|lane| (lane, readers.next()));
    threads.each(parts.collect(), |(lane, mut reader)| {
        lane.work(by, |raw| match &mut reader {
            None => Ok(None),
            Some(reader) => Ok(reader.read(raw)?.then_some(None)),
        });
    });
}

/// What a thread works with, and what it has found.
pub(super) struct Lane<'a> {
    pub(super) encoder: RowEncoder<'a>,
    counts: Option<Counts>,
    raw: RawRow,
    /// The rows of its part, and their predictions.
    pub(super) piece: Piece,
    pub(super) skipped: Skipped,
    pub(super) not_finite: Skipped,
    /// The error that ends all, if rows are not to be skipped.
    pub(super) failed: Option<Error>,
}

impl<'a> Lane<'a> {
    pub(super) fn new(encoder: RowEncoder<'a>, counts: Option<Counts>, outputs: usize) -> Self {
        let (raw, piece) = (RawRow::new(), Piece { outputs, ..Piece::default() });
        let (skipped, not_finite) = (Skipped::default(), Skipped::default());
        Lane { encoder, counts, raw, piece, skipped, not_finite, failed: None }
    }

    /// Encodes and scores the rows that `read` gives, each with its group, until there are no more.
    fn work(
        &mut self,
        by: &Scoring<'_>,
        mut read: impl FnMut(&mut RawRow) -> Result<Option<Option<u32>>>,
    ) {
        let Lane { encoder, counts, raw, piece, .. } = self;
        piece.clear();
        loop {
            let mut add = |group, raw: &RawRow| {
                encoder.encode_in(group, raw, &mut piece.rows)?;
                piece.add(raw, by.keep);
                Ok(())
            };
            let added = match (read(raw), &mut *counts) {
                (Ok(None), _) => break,
                (Err(error), _) => Err(error),
                (Ok(Some(group)), None) => add(group, raw),
                (Ok(Some(group)), Some(counts)) => counts.each(raw, &mut |raw| add(group, raw)),
            };
            match added {
                Ok(()) => {}
                Err(error @ Error::Row { .. }) if by.on_error == OnError::Skip => {
                    self.skipped.add(&error);
                }
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        if !by.together {
            self.score(by, |rows| Ok(by.model.scores(rows, &Threads::new(1)?)));
        }
    }

    /// Scores what was encoded.
    pub(super) fn score(
        &mut self,
        by: &Scoring<'_>,
        scores: impl FnOnce(&Rows) -> Result<Vec<f32>>,
    ) {
        let Lane { piece, not_finite, .. } = self;
        let scored = scores(&piece.rows).and_then(|scores| piece.predict(by, scores, not_finite));
        // A row before the one that ends all may have an error of its own.
        if let Err(error) = scored {
            self.failed = Some(error);
        }
    }
}
