//! A temporary file of pieces, each of them words of 32 bits, little-endian, and then XXH3-128 of
//! these.
//!
//! The file has no name, so that nothing of it is left whatever happens. It is read at its places and
//! not mapped: one that another program cuts off is then an error and not a signal, and no more
//! addresses are taken than memory (`ulimit -v`).

use crate::{Error, Result};
use std::fs::File;
use std::io::Write;
use xxhash_rust::xxh3::xxh3_128;

/// Words of a checksum.
const CHECKSUM: usize = 4;

/// A temporary file.
#[derive(Debug)]
pub(crate) struct TempFile {
    file: File,
    /// What it is called in errors.
    name: String,
    end: u64,
}

/// Where a piece is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    start: u64,
    words: usize,
}

impl Place {
    /// Bytes of the piece.
    pub(crate) fn bytes(self) -> u64 {
        4 * self.words as u64
    }
}

impl TempFile {
    /// An empty file in `folder`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn new(folder: &str) -> Result<Self> {
        let name = format!("a temporary file in {folder}");
        let file = tempfile::tempfile_in(folder).map_err(|e| Error::io(&name, e))?;
        Ok(TempFile { file, name, end: 0 })
    }

    /// Bytes in the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.end
    }

    /// Writes a piece; returns its place and its checksum. The words are not what they were.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn append(&mut self, words: &mut Vec<u32>) -> Result<(Place, [u8; 16])> {
        words.iter_mut().for_each(|word| *word = word.to_le());
        let checksum = xxh3_128(bytemuck::cast_slice(words)).to_le_bytes();
        words.extend(checksum.as_chunks::<4>().0.iter().map(|bytes| u32::from_ne_bytes(*bytes)));
        let written = self.file.write_all(bytemuck::cast_slice(words));
        written.map_err(|e| Error::io(&self.name, e))?;
        let place = Place { start: self.end, words: words.len() };
        self.end += place.bytes();
        Ok((place, checksum))
    }

    /// Reads a piece.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] if it is not as it was written.
    pub(crate) fn read(&self, place: Place, words: &mut Vec<u32>) -> Result<()> {
        words.resize(place.words, 0);
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(words);
        read_at(&self.file, bytes, place.start).map_err(|e| Error::io(&self.name, e))?;
        let (content, checksum) = bytes.split_at(bytes.len() - 4 * CHECKSUM);
        if xxh3_128(content).to_le_bytes() != checksum {
            return Err(self.damaged("the checksum is another"));
        }
        words.truncate(place.words - CHECKSUM);
        words.iter_mut().for_each(|word| *word = u32::from_le(*word));
        Ok(())
    }

    /// The error of a piece that makes no sense.
    pub(crate) fn damaged(&self, what: &str) -> Error {
        let message = "what is kept there is not as it was written";
        Error::data(&self.name, format!("{message}, {what}: is the disk in order?"))
    }

    #[cfg(test)]
    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

/// Reads bytes at a place.
#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

/// Reads bytes at a place, where that takes two steps: one thread at a time.
#[cfg(not(unix))]
fn read_at(mut file: &File, bytes: &mut [u8], at: u64) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use super::TempFile;
    use std::io::{Seek, SeekFrom, Write};

    fn file() -> TempFile {
        TempFile::new(&std::env::temp_dir().to_string_lossy()).unwrap()
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
                file.file().seek(SeekFrom::Start(at)).unwrap();
                file.file().write_all(&[byte]).unwrap();
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
        file.file().set_len(place.bytes() - 1).unwrap();
        let error = file.read(place, &mut words).unwrap_err().to_string();
        assert!(error.starts_with("a temporary file in "), "{error}");
    }
}
