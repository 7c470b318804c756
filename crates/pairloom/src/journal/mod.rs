//! Finished pieces of long work, one JSON object a line: what is in the file outlives whatever ends the work.
//!
//! The first line says what work it is. Each further one is synced before anything more is done, so that a kill or a
//! power cut costs only what was not finished; a last line that was cut off is no line, and is written over.

mod work;

pub(crate) use work::{Opened, Work};

use crate::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;

const NO_JOURNAL: &str = "it is there and is no journal: name another file";

const DAMAGED: &str =
    "the line is damaged: remove it, which does its work again, or begin anew (--restart)";

/// The file of work in progress, whose pieces are of type `T`.
#[derive(Debug)]
pub(crate) struct Journal<T> {
    file: File,
    path: String,
    /// Whether there is no piece in it.
    is_empty: bool,
    of: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    /// Opens the journal of work that `header` tells of: the one that is there, with its pieces, or a new one, which
    /// takes the place of any if it is to begin `anew`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] if another process has it open, if it is of other work or none at all, or if
    /// one of its lines is damaged. It is then as it was.
    pub(crate) fn open<H>(path: &str, header: &H, anew: bool) -> Result<(Self, Vec<T>)>
    where
        H: Serialize + DeserializeOwned + PartialEq,
    {
        let failed = |e| Error::io(path, e);
        let mut file = alone(path, true)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let mut lines = bytes[..whole].split_inclusive(|&byte| byte == b'\n');
        let found = lines.next().map(serde_json::from_slice::<H>);
        match &found {
            None if bytes.is_empty() || is_beginning(&bytes, header) => {}
            Some(Ok(found)) if anew || found == header => {}
            Some(Ok(_)) => {
                return Err(Error::data(path, "it is of other rows or of another kind of work"));
            }
            _ => return Err(Error::data(path, NO_JOURNAL)),
        }
        let piece = |(at, line): (usize, &[u8])| {
            let damaged = |_| Error::data(format!("{path}:{}", at + 2), DAMAGED);
            serde_json::from_slice(line).map_err(damaged)
        };
        let (whole, pieces) = match anew {
            true => (0, Vec::new()),
            false => (whole, lines.enumerate().map(piece).collect::<Result<_>>()?),
        };
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
        let mut journal =
            Journal { file, path: path.into(), is_empty: pieces.is_empty(), of: PhantomData };
        if whole == 0 {
            journal.line(header)?;
        }
        Ok((journal, pieces))
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn push(&mut self, piece: &T) -> Result<()> {
        self.line(piece)?;
        self.is_empty = false;
        Ok(())
    }

    /// Removes the file if there is no piece in it: it would stand in the way of the next command. If it stays, it is
    /// only that.
    pub(crate) fn remove_if_empty(&self) {
        if self.is_empty {
            self.remove();
        }
    }

    /// Removes the file.
    pub(crate) fn remove(&self) {
        let _ = std::fs::remove_file(&self.path);
    }

    fn line(&mut self, what: &impl Serialize) -> Result<()> {
        let mut line = text(what)?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        written.map_err(|e| Error::io(&self.path, e))
    }
}

/// Opens a file that no other process has open so.
fn alone(path: &str, create: bool) -> Result<File> {
    let options = &mut File::options();
    options.read(true).write(true).create(create).truncate(false);
    let file = options.open(path).map_err(|e| Error::io(path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::data(path, "another run is writing to it: wait for it"))
        }
        Err(TryLockError::Error(e)) => Err(Error::io(path, e)),
    }
}

/// Whether there are any pieces to go on from at `path`.
pub(crate) fn is_begun(path: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.len() > 0)
}

/// Removes the journal of such work. Any other file is left alone.
///
/// # Errors
/// As for [`check`].
pub(crate) fn remove<H: DeserializeOwned>(path: &str) -> Result<()> {
    match check::<H>(path)? {
        true => std::fs::remove_file(path).map_err(|e| Error::io(path, e)),
        false => Ok(()),
    }
}

/// Whether there is anything at `path`, which must be the journal of such work.
///
/// # Errors
/// [`Error::Io`]; [`Error::Data`] if it is no journal.
fn check<H: DeserializeOwned>(path: &str) -> Result<bool> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        read => read.map_err(|e| Error::io(path, e))?,
    };
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match bytes.is_empty() || serde_json::from_slice::<H>(first).is_ok() {
        true => Ok(true),
        false => Err(Error::data(path, NO_JOURNAL)),
    }
}

/// Whether these bytes are a header that was cut off.
fn is_beginning(bytes: &[u8], header: &impl Serialize) -> bool {
    text(header).is_ok_and(|line| line.starts_with(bytes))
}

fn text(what: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(what).map_err(|e| Error::usage(format!("cannot be written as JSON: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Header {
        of: u32,
    }

    type Pair = (Journal<[u32; 2]>, Vec<[u32; 2]>);

    fn open(path: &str, of: u32) -> Result<Pair> {
        Journal::open(path, &Header { of }, false)
    }

    #[test]
    fn what_was_pushed_is_there_again_wherever_the_file_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal").to_string_lossy().into_owned();
        let (mut journal, none) = open(&path, 7).unwrap();
        assert!(none.is_empty());
        (0..5).for_each(|n| journal.push(&[n, 10 * n]).unwrap());
        drop(journal);
        let all = std::fs::read(&path).unwrap();
        for cut in 0..=all.len() {
            std::fs::write(&path, &all[..cut]).unwrap();
            let (mut journal, found) = open(&path, 7).unwrap();
            let lines = all[..cut].iter().filter(|&&byte| byte == b'\n').count();
            assert_eq!(found.len(), lines.saturating_sub(1), "{cut}");
            assert!(found.iter().zip(0..).all(|(piece, n)| *piece == [n, 10 * n]));
            journal.push(&[9, 9]).unwrap();
            drop(journal);
            let again = open(&path, 7).unwrap().1;
            assert_eq!((again.len(), again.last()), (found.len() + 1, Some(&[9, 9])), "{cut}");
        }
    }

    #[test]
    fn other_files_are_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal").to_string_lossy().into_owned();
        for text in ["a,b\n1,2\n", "{\"of\":7}\nno\n", "{\"of\":7}\n[1,2]\n[1]\n[3,4]\n", "x"] {
            std::fs::write(&path, text).unwrap();
            let error = open(&path, 7).unwrap_err();
            assert!(matches!(error, Error::Data { .. }), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert!(open(&path, 7).unwrap_err().to_string().contains("no journal"));
        assert!(matches!(remove::<Header>(&path), Err(Error::Data { .. })));
        std::fs::write(&path, "{\"of\":7}\n[1,2]\n").unwrap();
        assert!(open(&path, 8).unwrap_err().to_string().contains("of other rows"));
        let held = open(&path, 7).unwrap();
        assert!(open(&path, 7).unwrap_err().to_string().contains("another run"));
        drop(held);
        let anew: Pair = Journal::open(&path, &Header { of: 8 }, true).unwrap();
        assert!(anew.1.is_empty());
        drop(anew);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"of\":8}\n");
        remove::<Header>(&path).unwrap();
        assert!(!is_begun(&path));
    }
}
