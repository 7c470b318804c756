//! From a path to a stream of plain text.
//!
//! Compression is told by the first bytes and not by the name, so that standard input and
//! wrongly named files work the same way. The stream can be peeked at: what detection has looked
//! at is put back in front, which works on pipes as well as on files.

use super::gzip::Members;
use super::magic;
use crate::{Error, Result};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::mem;
use std::sync::Arc;

/// What errors call the input at `path`: standard input has a name of its own.
pub fn name(path: &str) -> &str {
    if path == "-" { "stdin" } else { path }
}

/// Bytes per system call and per decompression step.
const BUFFER: usize = 128 << 10;

/// A stream of decompressed bytes with the name that errors give it.
pub(super) struct Source {
    name: Arc<str>,
    input: Box<dyn BufRead + Send>,
    compression: Compression,
}

#[derive(Clone, Copy, PartialEq)]
enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub(super) fn open(path: &str) -> Result<Self> {
        if path == "-" {
            return Self::new(name(path), io::stdin());
        }
        let file = File::open(path).map_err(|error| Error::io(path, error))?;
        Self::new(path, file)
    }

    /// A stream over bytes in memory, which may be compressed.
    pub(super) fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self> {
        Self::new(name, Cursor::new(bytes))
    }

    /// A stream over text in memory, taken as it is.
    pub(super) fn from_text(text: Vec<u8>) -> Self {
        let input = Box::new(Cursor::new(text));
        Source { name: Arc::from("sample"), input, compression: Compression::None }
    }

    fn new(name: &str, mut input: impl Read + Send + 'static) -> Result<Self> {
        let failed = |error| Error::io(name, error);
        let head = head(&mut input).map_err(failed)?;
        let compression = Compression::from_magic(&head);
        let raw = BufReader::with_capacity(BUFFER, Cursor::new(head.clone()).chain(input));
        let input = compression.decode(raw).map_err(failed)?;
        let mut source = Source { name: Arc::from(name), input, compression };
        let text = match compression {
            Compression::None => head,
            _ => source.peek(magic::MORE)?,
        };
        match magic::unreadable(&text) {
            Some(message) => Err(Error::data(name, message)),
            None => Ok(source),
        }
    }

    /// The name that errors give this stream.
    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The next bytes; empty at the end.
    pub(super) fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    /// Marks bytes of [`Source::fill_buf`] as read.
    pub(super) fn consume(&mut self, count: usize) {
        self.input.consume(count);
    }

    /// The next `limit` bytes, or all there are; they are still to be read afterwards.
    pub(super) fn peek(&mut self, limit: usize) -> Result<Vec<u8>> {
        let input = mem::replace(&mut self.input, Box::new(io::empty()));
        let mut head = input.take(limit as u64);
        let mut bytes = Vec::new();
        head.read_to_end(&mut bytes).map_err(|error| self.error(error))?;
        self.input = Box::new(Cursor::new(bytes.clone()).chain(head.into_inner()));
        Ok(bytes)
    }

    /// Tells damage of a compressed stream from a failure of the system to read it.
    pub(super) fn error(&self, error: io::Error) -> Error {
        let kind = match self.compression {
            Compression::None => return Error::io(&*self.name, error),
            _ if error.raw_os_error().is_some() => return Error::io(&*self.name, error),
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        };
        let message = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                format!("the {kind} stream is cut off: the file is incomplete")
            }
            _ if super::gzip::is_trailing(&error) => error.to_string(),
            _ => format!("the {kind} stream is damaged ({error})"),
        };
        Error::data(&*self.name, message)
    }
}

/// The first bytes. A pipe may hand them over one at a time: `take` reads on until they are there.
fn head(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(magic::MORE);
    input.take(magic::FIRST as u64).read_to_end(&mut head)?;
    if magic::is_open(&head) {
        input.take((magic::MORE - magic::FIRST) as u64).read_to_end(&mut head)?;
    }
    Ok(head)
}

impl Compression {
    fn from_magic(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            // A skippable frame, with which parallel compressors begin.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            _ => Compression::None,
        }
    }

    fn decode<R>(self, raw: Raw<R>) -> io::Result<Box<dyn BufRead + Send>>
    where
        R: Read + Send + 'static,
    {
        Ok(match self {
            Compression::None => Box::new(raw),
            Compression::Gzip => Box::new(BufReader::with_capacity(BUFFER, Members::new(raw))),
            Compression::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(raw)?;
                Box::new(BufReader::with_capacity(BUFFER, decoder))
            }
        })
    }
}

/// The bytes as stored: those that were looked at, then the rest.
type Raw<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;
