//! A gzip file: one member or several one after the other, and what may follow them.
//!
//! Tapes and block devices pad files with zeros, which are no part of them. Other bytes behind the
//! last member are an error: they may be the rest of a file that was damaged there.

use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};

const TRAILING: &str = "bytes that are no gzip follow the compressed text: remove them, or pipe in \
                        what gzip -dc makes of the file";

/// The text of all members.
pub(super) struct Members<R> {
    /// `None` behind the last.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(raw: R) -> Self {
        Members { member: Some(GzDecoder::new(raw)) }
    }

    /// Goes on to the next member, if there is one.
    fn next(&mut self) -> io::Result<()> {
        let Some(mut raw) = self.member.take().map(GzDecoder::into_inner) else { return Ok(()) };
        match first_after_zeros(&mut raw)? {
            None => Ok(()),
            Some(0x1f) => {
                self.member = Some(GzDecoder::new(raw));
                Ok(())
            }
            Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, TRAILING)),
        }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            match member.read(buffer)? {
                0 if !buffer.is_empty() => self.next()?,
                count => return Ok(count),
            }
        }
        Ok(0)
    }
}

/// The first byte that is not zero, which is still to be read.
fn first_after_zeros(raw: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let bytes = match raw.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let first = bytes.get(zeros).copied();
        raw.consume(zeros);
        if first.is_some() {
            return Ok(first);
        }
    }
}

/// Whether an error is of bytes behind the last member.
pub(super) fn is_trailing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData && error.to_string() == TRAILING
}
