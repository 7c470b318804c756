//! Files of pieces: each is words of 32 bits, little-endian, and then XXH3-128 of these.
//!
//! Pieces are read at their places, and the file is not mapped: one that another program cuts off is
//! then an error and not a signal, and no more addresses are taken than memory (`ulimit -v`).

use crate::{Error, Result, memory};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use xxhash_rust::xxh3::xxh3_128;

/// Words of a checksum, which follow those of a piece.
pub(crate) const CHECKSUM: usize = 4;

/// Where a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    start: u64,
    words: u64,
}

impl Place {
    /// Bytes of the piece.
    pub(crate) fn bytes(self) -> u64 {
        4 * self.words
    }

    /// Where it starts, and its words.
    pub(crate) fn parts(self) -> [u64; 2] {
        [self.start, self.words]
    }
}

impl From<[u64; 2]> for Place {
    fn from([start, words]: [u64; 2]) -> Self {
        Place { start, words }
    }
}

/// Pieces in a file.
#[derive(Debug)]
pub(crate) struct Pieces {
    file: File,
    /// What the file is called in errors.
    name: String,
    /// Bytes in the file.
    end: u64,
    /// What helps if it is damaged.
    remedy: &'static str,
}

impl Pieces {
    /// A temporary file of `folder`. It has no name, so that nothing of it is left whatever happens.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn temporary(folder: &str) -> Result<Self> {
        let name = format!("a temporary file in {folder}");
        let file = tempfile::tempfile_in(folder).map_err(|e| Error::io(&name, e))?;
        Ok(Pieces { file, name, end: 0, remedy: "is the disk in order?" })
    }

    /// Those of a file that is called `name` in errors and has so many bytes.
    pub(crate) fn new(file: File, name: &str, end: u64) -> Self {
        let remedy = "remove it and make it anew from the text";
        Pieces { file, name: name.into(), end, remedy }
    }

    /// Bytes in the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.end
    }

    /// Writes a piece; returns its place and its checksum. The words are not what they were.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Memory`].
    pub(crate) fn append(&mut self, words: &mut Vec<u32>) -> Result<(Place, [u8; 16])> {
        words.iter_mut().for_each(|word| *word = word.to_le());
        let checksum = xxh3_128(bytemuck::cast_slice(words)).to_le_bytes();
        let full = |_| memory::refused("a piece of a file", memory::FREE_SOME);
        words.try_reserve(CHECKSUM).map_err(full)?;
        words.extend(checksum.as_chunks::<4>().0.iter().map(|bytes| u32::from_ne_bytes(*bytes)));
        let place = Place { start: self.end, words: words.len() as u64 };
        self.write(bytemuck::cast_slice(words))?;
        Ok((place, checksum))
    }

    /// Writes bytes that are no piece.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let failed = |e| Error::io(&self.name, e);
        // Reading at a place may have moved the file's own.
        (&self.file).seek(SeekFrom::Start(self.end)).map_err(failed)?;
        (&self.file).write_all(bytes).map_err(failed)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Reads bytes that are no piece.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn read_bytes(&self, start: u64, bytes: &mut [u8]) -> Result<()> {
        read_at(&self.file, bytes, start).map_err(|e| Error::io(&self.name, e))
    }

    /// Reads a piece.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Memory`]; [`Error::Data`] if it is not as it was written.
    pub(crate) fn read(&self, place: Place, words: &mut Vec<u32>) -> Result<()> {
        let end = place.words.checked_mul(4).and_then(|bytes| place.start.checked_add(bytes));
        if end.is_none_or(|end| end > self.end) || place.words < CHECKSUM as u64 {
            return Err(self.damaged("a piece lies beyond its end"));
        }
        let full = |_| memory::refused("a piece of a file", memory::FREE_SOME);
        let more = (place.words as usize).saturating_sub(words.len());
        words.try_reserve(more).map_err(full)?;
        words.resize(place.words as usize, 0);
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(words);
        self.read_bytes(place.start, bytes)?;
        let (content, checksum) = bytes.split_at(bytes.len() - 4 * CHECKSUM);
        // A fuzzer would never come further than to a checksum.
        if xxh3_128(content).to_le_bytes() != checksum && !cfg!(fuzzing) {
            return Err(self.damaged("a checksum is another"));
        }
        words.truncate(words.len() - CHECKSUM);
        words.iter_mut().for_each(|word| *word = u32::from_le(*word));
        Ok(())
    }

    /// The error of a file that cannot be used.
    pub(crate) fn refuse(&self, what: &str) -> Error {
        Error::data(&self.name, what)
    }

    /// The error of a piece that makes no sense.
    pub(crate) fn damaged(&self, what: &str) -> Error {
        self.refuse(&format!("it is not as it was written ({what}): {}", self.remedy))
    }
}

/// Numbers of 64 bits as words, the lower one first.
pub(crate) fn words_of(numbers: impl Iterator<Item = u64>) -> impl Iterator<Item = u32> {
    numbers.flat_map(|number| [number as u32, (number >> 32) as u32])
}

/// The number in two words.
#[inline(always)]
pub(crate) fn number_of([low, high]: [u32; 2]) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Reads bytes at a place.
#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

/// Reads bytes at a place, where that takes two steps: one thread at a time.
#[cfg(not(unix))]
fn read_at(mut file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    use std::io::Read;
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use super::Pieces;
    use std::io::{Seek, SeekFrom, Write};

    fn file() -> Pieces {
        Pieces::temporary(&std::env::temp_dir().to_string_lossy()).unwrap()
    }

    #[test]
    fn pieces_are_read_as_they_were_written() {
        let mut file = file();
        let pieces: Vec<Vec<u32>> = (0..20u32).map(|n| (n..n * n).collect()).collect();
        let write = |piece: &Vec<u32>| file.append(&mut piece.clone()).unwrap().0;
        let places: Vec<_> = pieces.iter().map(write).collect();
        let mut words = vec![1, 2, 3];
        for (place, piece) in places.into_iter().zip(pieces).rev() {
            file.read(place, &mut words).unwrap();
            assert_eq!(words, piece);
        }
    }

    #[test]
    fn a_byte_that_another_program_has_changed_or_cut_off_is_an_error() {
        let mut file = file();
        let (place, _) = file.append(&mut (0..100).collect()).unwrap();
        let mut words = Vec::new();
        for at in 0..place.bytes() {
            let change = |byte: u8| {
                (&file.file).seek(SeekFrom::Start(at)).unwrap();
                (&file.file).write_all(&[byte]).unwrap();
            };
            let byte = (0..100u32).flat_map(u32::to_le_bytes).nth(at as usize);
            change(byte.unwrap_or(0) ^ 255);
            let error = file.read(place, &mut words).unwrap_err().to_string();
            assert!(error.contains("not as it was written"), "{error}");
            match byte {
                Some(byte) => change(byte),
                None => break,
            }
        }
        file.file.set_len(place.bytes() - 1).unwrap();
        let error = file.read(place, &mut words).unwrap_err().to_string();
        assert!(error.starts_with("a temporary file in "), "{error}");
    }

    /// A place that another has made up takes no memory.
    #[test]
    fn a_place_that_is_none_is_an_error() {
        let mut file = file();
        file.append(&mut (0..100).collect()).unwrap();
        for (start, words) in [(0, 105), (8, 103), (0, 3), (u64::MAX, 4), (0, u64::MAX / 2)] {
            let error = file.read([start, words].into(), &mut Vec::new()).unwrap_err();
            assert!(error.to_string().contains("beyond its end"), "{error}");
        }
    }
}
