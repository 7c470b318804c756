//! The bytes of a file at their places.

use super::thrift::Walk;
use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::fs;
use std::io::{self, Cursor};
use std::sync::Arc;

/// Bytes in which the header of a page is looked for, and the most that it may take: it may have values in it.
const HEADER: usize = 4 << 10;
const LONGEST_HEADER: usize = 16 << 20;

/// Bytes that say how long the description at the end of a file is.
const TAIL: usize = 8;

/// A file, or bytes in memory. Clones are the same file.
#[derive(Debug, Clone)]
pub(in crate::input) struct File {
    bytes: Source,
    len: u64,
}

#[derive(Debug, Clone)]
enum Source {
    File(Arc<fs::File>),
    Memory(Bytes),
}

impl File {
    pub(super) fn new(file: fs::File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(File { bytes: Source::File(Arc::new(file)), len })
    }

    pub(super) fn of(bytes: Vec<u8>) -> Self {
        File { len: bytes.len() as u64, bytes: Source::Memory(bytes.into()) }
    }

    /// What [`File::of`] was given.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self.bytes {
            Source::File(_) => Vec::new(),
            Source::Memory(bytes) => bytes.into(),
        }
    }

    /// Reads as many bytes from a place on as there is room for, or are left. How many these are.
    pub(super) fn read(&self, at: u64, room: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while read < room.len() {
            match self.read_some(at + read as u64, &mut room[read..]) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    /// The last four bytes; of a shorter file zeros before it.
    pub(super) fn end(&self) -> io::Result<[u8; 4]> {
        let mut end = [0; 4];
        let left = self.len.min(4);
        self.read(self.len - left, &mut end[4 - left as usize..])?;
        Ok(end)
    }

    fn read_some(&self, at: u64, room: &mut [u8]) -> io::Result<usize> {
        match &self.bytes {
            Source::File(file) => read_at(file, room, at),
            Source::Memory(bytes) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                let count = room.len().min(bytes.len() - from);
                room[..count].copy_from_slice(&bytes[from..from + count]);
                Ok(count)
            }
        }
    }
}

#[cfg(unix)]
fn read_at(file: &fs::File, room: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, room, at)
}

#[cfg(not(unix))]
fn read_at(mut file: &fs::File, room: &mut [u8], at: u64) -> io::Result<usize> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(at))?;
    file.read(room)
}

impl Length for File {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for File {
    type T = Cursor<Bytes>;

    /// What is read so is the header of a page, or the very end.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let left = self.len.checked_sub(start).ok_or_else(cut)? as usize;
        if left <= TAIL {
            return Ok(Cursor::new(self.get_bytes(start, left)?));
        }
        let mut size = HEADER;
        loop {
            let bytes = self.get_bytes(start, left.min(size))?;
            if (Walk { bytes: &bytes, at: 0 }).pass_struct().is_some() {
                return Ok(Cursor::new(bytes));
            }
            if size >= left.min(LONGEST_HEADER) {
                return Err(ParquetError::General("the header of a page cannot be read".into()));
            }
            size *= 8;
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        // Before there is memory for what a damaged file only claims to have.
        if start.checked_add(length as u64).is_none_or(|end| end > self.len) {
            return Err(cut());
        }
        if let Source::Memory(bytes) = &self.bytes {
            return Ok(bytes.slice(start as usize..start as usize + length));
        }
        let mut bytes = vec![0; length];
        match File::read(self, start, &mut bytes)? == length {
            true => Ok(bytes.into()),
            false => Err(cut()),
        }
    }
}

fn cut() -> ParquetError {
    ParquetError::EOF("a part of it lies beyond its end".into())
}
