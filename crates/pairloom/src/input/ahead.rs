//! Reading rows on a thread of their own, ahead of the one that uses them.
//!
//! Rows change hands in batches, and their buffers go back to be filled again. Errors stand in the
//! batch where they came up, so whoever reads sees what it would see without the thread. A reader
//! that is no longer wanted may still wait for an idle pipe: nobody waits for its thread.

use super::{Format, Kind, RawRow, Reader};
use crate::{Error, Result};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

/// Rows that change hands together, and bytes of memory from which fewer do.
const ROWS: usize = 256;
const BYTES: usize = 1 << 20;

/// Batches that wait to be used.
const WAITING: usize = 3;

type Batch = Vec<Result<RawRow>>;

/// The same rows, read on a thread of their own. What [`Reader::without_text`] is to say is said before.
///
/// # Errors
/// [`Error::Memory`] if the system gives no thread.
pub fn ahead(reader: Box<dyn Reader>) -> Result<Box<dyn Reader>> {
    Ok(Box::new(Ahead::new(reader, ROWS, BYTES)?))
}

/// What is left of a reader that has gone to another thread.
pub(super) struct Ahead {
    format: Format,
    columns: Vec<String>,
    holds: Vec<bool>,
    kinds: Vec<Kind>,
    is_split: bool,
    batch: std::vec::IntoIter<Result<RawRow>>,
    batches: Receiver<Batch>,
    /// Rows that were used, and the way back for them.
    used: Vec<RawRow>,
    back: Sender<Vec<RawRow>>,
    /// The thread, until it has ended.
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Batches of up to `rows` rows, or fewer where they take more than `bytes`.
    pub(super) fn new(reader: Box<dyn Reader>, rows: usize, bytes: usize) -> Result<Self> {
        let (format, columns) = (reader.format(), reader.columns().to_vec());
        let holds = (0..columns.len()).map(|column| reader.holds(column)).collect();
        let kinds = (0..columns.len()).map(|column| reader.kind(column)).collect();
        let (full, batches) = sync_channel(WAITING);
        let (back, spare) = channel();
        let is_split = reader.is_split();
        let read = move || Source { reader, rows, bytes }.read_all(&full, &spare);
        let failed = |e| Error::Memory(format!("cannot start a thread that reads: {e}"));
        let thread = Some(Builder::new().spawn(read).map_err(failed)?);
        let (batch, used) = (Vec::new().into_iter(), Vec::new());
        Ok(Ahead { format, columns, holds, kinds, is_split, batch, batches, used, back, thread })
    }

    /// Waits for the next batch; `false` at the end.
    fn next_batch(&mut self) -> bool {
        // Nobody takes them once all is read.
        let _ = self.back.send(std::mem::take(&mut self.used));
        if let Ok(batch) = self.batches.recv() {
            self.batch = batch.into_iter();
            return true;
        }
        // The end, or a panic, which must not pass for it.
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            resume_unwind(panic);
        }
        false
    }
}

impl Reader for Ahead {
    fn format(&self) -> Format {
        self.format
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn is_split(&self) -> bool {
        self.is_split
    }

    fn holds(&self, column: usize) -> bool {
        self.holds[column]
    }

    fn kind(&self, column: usize) -> Kind {
        self.kinds.get(column).copied().unwrap_or_default()
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        loop {
            if let Some(read) = self.batch.next() {
                self.used.push(std::mem::replace(row, read?));
                return Ok(true);
            }
            if !self.next_batch() {
                return Ok(false);
            }
        }
    }
}

/// What reads.
struct Source {
    reader: Box<dyn Reader>,
    rows: usize,
    bytes: usize,
}

impl Source {
    /// Reads until the end, or until nobody wants more.
    fn read_all(mut self, full: &SyncSender<Batch>, spare: &Receiver<Vec<RawRow>>) {
        let mut goes_on = true;
        while goes_on {
            let batch;
            (batch, goes_on) = self.read_batch(spare.try_recv().unwrap_or_default());
            goes_on &= full.send(batch).is_ok();
        }
    }

    /// Reads a batch into the rows of an old one; `false` if there will be no other. Spare rows
    /// that it has no use for are dropped: a few long ones are enough for a batch.
    fn read_batch(&mut self, spare: Vec<RawRow>) -> (Batch, bool) {
        let (mut batch, mut bytes) = (Batch::new(), 0);
        let mut spare = spare.into_iter();
        while batch.len() < self.rows && bytes < self.bytes {
            let mut row = spare.next().unwrap_or_default();
            match self.reader.read(&mut row) {
                Ok(true) => {
                    bytes += row.bytes();
                    batch.push(Ok(row));
                }
                Ok(false) => return (batch, false),
                Err(error) => {
                    let goes_on = matches!(error, Error::Row { .. });
                    batch.push(Err(error));
                    if !goes_on {
                        return (batch, false);
                    }
                }
            }
        }
        (batch, true)
    }
}
