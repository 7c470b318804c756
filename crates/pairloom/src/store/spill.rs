//! Rows in a temporary file, read back a window at a time.
//!
//! While the rows of one window are worked on, a thread reads and checks those of the next, into
//! memory that is used again.

use super::order::Order;
use super::segment;
use super::spiller::Deal;
use super::{Taken, Window};
use crate::batch::Rows;
use crate::pieces::{Pieces, Place};
use crate::{Error, Result};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

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
    /// Of all checksums.
    pub(super) hash: u64,
    /// What the values of each feature are multiplied with; empty if it is 1 for all.
    pub(super) scale: Vec<f32>,
}

/// Rows that are read together.
#[derive(Debug, Clone, Default)]
pub(super) struct Bucket {
    pub(super) rows: usize,
    pub(super) segments: Vec<Place>,
}

impl Spill {
    /// Bytes of memory that a walk takes: a window that is worked on, one that is read.
    pub(super) fn held(&self) -> u128 {
        let bytes = |bucket: &Bucket| bucket.segments.iter().map(|s| u128::from(s.bytes())).sum();
        2 * self.per_window as u128 * self.buckets.iter().map(bytes).max().unwrap_or(0)
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

    /// Gives the rows of one window after the other to `take`, until it has something to return.
    pub(super) fn walk<T>(&self, windows: &[Window], take: &mut Taken<'_, T>) -> Result<Option<T>> {
        // No place in the channel: a window that is read waits for the one before.
        let (send, loaded) = sync_channel(0);
        let (give_back, free) = channel();
        std::thread::scope(|scope| {
            let reader = std::thread::Builder::new().name("read-ahead".into());
            let read = move || self.read_all(windows, &send, &free);
            reader.spawn_scoped(scope, read).map_err(|e| Error::Memory(e.to_string()))?;
            // Dropped at the end of this, so that the reader ends when nobody listens.
            let loaded: Receiver<Result<Rows>> = loaded;
            for (window, rows) in windows.iter().zip(&loaded) {
                let rows = rows?;
                if let Some(found) = take(window, &rows)? {
                    return Ok(Some(found));
                }
                // Nobody takes it after the last window.
                let _ = give_back.send(rows);
            }
            Ok(None)
        })
    }

    fn read_all(&self, windows: &[Window], to: &SyncSender<Result<Rows>>, free: &Receiver<Rows>) {
        let mut words = Vec::new();
        for window in windows {
            let mut rows = free.try_recv().unwrap_or_default();
            let read = self.read(window, &mut words, &mut rows);
            if to.send(read.map(|()| rows)).is_err() {
                return;
            }
        }
    }

    fn read(&self, window: &Window, words: &mut Vec<u32>, rows: &mut Rows) -> Result<()> {
        rows.clear();
        let buckets = window.buckets.iter().map(|&at| &self.buckets[at as usize]);
        for segment in buckets.flat_map(|bucket| &bucket.segments) {
            self.file.read(*segment, words)?;
            let part = segment::read(words, self.features).map_err(|e| self.file.damaged(e))?;
            rows.extend(&part)?;
        }
        match self.scale.is_empty() {
            true => Ok(()),
            false => rows.scale(|id| self.scale[id as usize]),
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
