//! What kept rows were made from: the content of a file, and what was said of it.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use xxhash_rust::xxh3::Xxh3;

/// Bytes that are hashed at a time.
const PIECE: usize = 1 << 20;

/// A file's content, and how it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// XXH3-128 of the file.
    content: String,
    /// XXH3-128 of all that decides what its rows become.
    asked: String,
}

impl Source {
    /// A file that is read in the way that `asked` tells, with those that its rows are `joined` with.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read; [`Error::Usage`] for standard input.
    pub(crate) fn of(path: &str, joined: &[PathBuf], asked: &str) -> Result<Self> {
        if path == "-" {
            return Err(Error::usage(
                "standard input is read once: a cache (--cache) is for rows from a file",
            ));
        }
        let failed = |e| Error::io(path, e);
        let mut file = File::open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            let message = "it can be read once: a cache (--cache) is for rows from a file";
            return Err(Error::usage(format!("{path}: {message}")));
        }
        let mut hash = Xxh3::new();
        add(&mut file, &mut hash).map_err(failed)?;
        for path in joined {
            // One that is not there is told of where it is read.
            if let Ok(mut file) = File::open(path) {
                let name = path.to_string_lossy();
                add(&mut file, &mut hash).map_err(|e| Error::io(name, e))?;
            }
        }
        let mut said = Xxh3::new();
        said.update(asked.as_bytes());
        let [content, asked] = [hash, said].map(|hash| format!("{:032x}", hash.digest128()));
        Ok(Source { content, asked })
    }

    /// Both as one text.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.content, self.asked)
    }
}

/// Adds all of a file to a hash.
fn add(file: &mut File, hash: &mut Xxh3) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(()),
            read => hash.update(&piece[..read]),
        }
    }
}
