//! Rows in a temporary file, read back a window at a time.
//!
//! While the rows of one window are worked on, those of the next are read and checked, into memory that is used again.
//! Several threads do this if the window is large, each for some of its blocks: where each row goes is known before it
//! is read, so the blocks do not depend on how many threads there are.

use super::order::Order;
use super::segment;
use super::spiller::Deal;
use super::{Bring, Taken, Window};
use crate::batch::{self, BLOCK_ROWS, Block, Part, Rows};
use crate::parallel::Threads;
use crate::pieces::{Pieces, Place};
use crate::{Error, Result};
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

#[cfg(test)]
mod tests;

/// Each reads some 3 GB/s, and the cores are wanted by those who learn.
const MOST_THREADS: usize = 4;

/// The least blocks for a thread. A segment, which is a block at most, is read by both threads that have some of its
/// rows, and each thread holds one beside the window.
const BLOCKS: usize = 8;

/// Rows in a temporary file.
#[derive(Debug)]
pub struct Spill {
    pub(super) file: Pieces,
    pub(super) deal: Deal,
    pub(super) features: u32,
    pub(super) buckets: Vec<Bucket>,
    pub(super) rows: usize,
    /// Sum of their weights.
    pub(super) weight: f64,
    /// Whether they have values that are not 1.
    pub(super) has_values: bool,
    /// Whether it was whole groups that were dealt.
    pub(super) has_groups: bool,
    /// Buckets of a window.
    pub(super) per_window: usize,
    /// Threads that may read.
    pub(super) threads: usize,
    /// Of all checksums.
    pub(super) hash: u64,
    /// What the values of each feature are multiplied with; empty if it is 1 for all.
    pub(super) scale: Vec<f32>,
}

/// Rows that are read together.
#[derive(Debug, Clone, Default)]
pub(super) struct Bucket {
    pub(super) rows: usize,
    pub(super) segments: Vec<Segment>,
}

impl Bucket {
    /// Bytes of each segment.
    fn bytes(&self) -> impl Iterator<Item = u128> {
        self.segments.iter().map(|segment| segment.place.bytes().into())
    }
}

/// Rows that were written at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) place: Place,
    pub(super) rows: usize,
}

/// The rows of a window.
struct Loaded {
    rows: Rows,
    is_brought: bool,
}

/// Blocks that a thread fills.
struct Share<'a> {
    blocks: &'a mut [Block],
    /// The rows of the window that belong there.
    rows: Range<usize>,
    /// For the words of a segment.
    words: &'a mut Vec<u32>,
}

impl Spill {
    /// Bytes of memory that a walk takes: a window that is worked on, one that is read, and a segment for each thread
    /// that reads.
    pub(super) fn held(&self) -> u128 {
        let bucket = self.buckets.iter().map(|bucket| bucket.bytes().sum()).max().unwrap_or(0);
        let segment = self.buckets.iter().flat_map(Bucket::bytes).max().unwrap_or(0);
        let rows = self.buckets.iter().map(|bucket| bucket.rows).max().unwrap_or(0);
        let readers = self.readers(self.per_window * rows) as u128;
        2 * self.per_window as u128 * bucket + readers * segment
    }

    /// Threads that read a window of so many rows.
    fn readers(&self, rows: usize) -> usize {
        self.threads.min(MOST_THREADS).min(rows / BLOCK_ROWS / BLOCKS).max(1)
    }

    /// All windows: of the buckets as they come, or shuffled for an epoch.
    pub(super) fn windows(&self, shuffle: Option<(u64, u32)>) -> Vec<Window> {
        let count = self.buckets.len();
        let order = match shuffle {
            None => Order::plain(count),
            Some((seed, epoch)) => Order::shuffled(count, seed, epoch, u32::MAX),
        };
        let mut buckets = Vec::new();
        order.fill(0..count, &mut buckets);
        let mut first = 0;
        let window = |(number, buckets): (usize, &[u32])| {
            let rows = buckets.iter().map(|&at| self.buckets[at as usize].rows).sum();
            let window = Window { number, buckets: buckets.to_vec(), first, rows };
            first += rows;
            window
        };
        buckets.chunks(self.per_window).enumerate().map(window).collect()
    }

    /// Gives the rows of one window after the other to `bring` and then to `take`, until that has something to return.
    pub(super) fn walk<T>(
        &self,
        windows: &[Window],
        bring: Option<Bring>,
        take: &mut Taken<'_, T>,
    ) -> Result<Option<T>> {
        // No place in the channel: a window that is read waits for the one before.
        let (send, loaded) = sync_channel(0);
        let (give_back, free) = channel();
        let most = windows.iter().map(|window| window.rows).max().unwrap_or(0);
        let threads = Threads::new(self.readers(most))?;
        std::thread::scope(|scope| {
            let reader = std::thread::Builder::new().name("read-ahead".into());
            let read = move || self.read_all(windows, (&threads, bring), &send, &free);
            reader.spawn_scoped(scope, read).map_err(|e| Error::Memory(e.to_string()))?;
            // Dropped at the end of this, so that the reader ends when nobody listens.
            let loaded: Receiver<Result<Loaded>> = loaded;
            for (window, loaded) in windows.iter().zip(&loaded) {
                let Loaded { rows, is_brought } = loaded?;
                if let Some(found) = take(window, &rows, is_brought)? {
                    return Ok(Some(found));
                }
                // Nobody takes it after the last window.
                let _ = give_back.send(rows);
            }
            Ok(None)
        })
    }

    fn read_all(
        &self,
        windows: &[Window],
        (threads, mut bring): (&Threads, Option<Bring>),
        to: &SyncSender<Result<Loaded>>,
        free: &Receiver<Rows>,
    ) {
        let mut buffers = vec![Vec::new(); threads.count()];
        for window in windows {
            let mut rows = free.try_recv().unwrap_or_default();
            let read = self.read(window, threads, &mut buffers, &mut rows);
            let brought =
                read.and_then(|()| bring.as_mut().map_or(Ok(false), |bring| bring(&rows)));
            let has_failed = brought.is_err();
            if to.send(brought.map(|is_brought| Loaded { rows, is_brought })).is_err() || has_failed
            {
                return;
            }
        }
    }

    /// Reads the rows of a window, with a buffer for each thread.
    fn read(
        &self,
        window: &Window,
        threads: &Threads,
        buffers: &mut [Vec<u32>],
        rows: &mut Rows,
    ) -> Result<()> {
        let blocks = rows.blank(window.rows)?;
        let each = threads.share(blocks.len()).max(BLOCKS);
        let share = |(at, (blocks, words)): (usize, (_, _))| {
            let end = window.rows.min((at + 1) * each * BLOCK_ROWS);
            Share { blocks, rows: at * each * BLOCK_ROWS..end, words }
        };
        let shares = blocks.chunks_mut(each).zip(buffers).enumerate().map(share).collect();
        // The first error in the order of the rows is that of a thread that reads them all.
        threads.map(shares, |share| self.read_share(window, share)).into_iter().collect()
    }

    /// Reads the rows of some blocks, which are empty.
    fn read_share(&self, window: &Window, Share { blocks, rows, words }: Share<'_>) -> Result<()> {
        let buckets = window.buckets.iter().map(|&at| &self.buckets[at as usize]);
        let mut first = 0;
        for segment in buckets.flat_map(|bucket| &bucket.segments) {
            let here = rows.start.max(first)..rows.end.min(first + segment.rows);
            if !here.is_empty() {
                let (at, some) = (here.start - rows.start, here.start - first..here.end - first);
                batch::extend(blocks, at, &self.part(segment, words)?, some)?;
            }
            first += segment.rows;
        }
        match self.scale.is_empty() {
            true => Ok(()),
            false => blocks.iter_mut().try_for_each(|b| b.scale(&|id| self.scale[id as usize])),
        }
    }

    /// The rows of a segment, as they are in the file.
    fn part<'a>(&self, segment: &Segment, words: &'a mut Vec<u32>) -> Result<Part<'a>> {
        self.file.read(segment.place, words)?;
        let part = segment::read(words, self.features).map_err(|e| self.file.damaged(e))?;
        match part.labels.len() == segment.rows {
            true => Ok(part),
            false => Err(self.file.damaged("it has another number of rows")),
        }
    }

    /// The number of a row as it was added, from its place in a window; nothing, where groups were dealt.
    pub(super) fn number(&self, window: &Window, mut place: usize) -> Option<usize> {
        let in_place = |&&at: &&u32| {
            let rows = self.buckets[at as usize].rows;
            let here = place < rows;
            place -= if here { 0 } else { rows };
            here
        };
        let bucket = *window.buckets.iter().find(in_place)? as usize;
        if self.deal == Deal::InOrder {
            return Some(self.buckets[..bucket].iter().map(|b| b.rows).sum::<usize>() + place);
        }
        let mut rows = (0..self.rows).filter(|_| !self.has_groups);
        rows.by_ref().filter(|&row| self.deal.bucket(row as u64) == bucket).nth(place)
    }
}
