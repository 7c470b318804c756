//! Interned rows in a file that stays, so that their text is read once for many runs.
//!
//! 1. 16 bytes that tell what it is, the last of them its version;
//! 2. pieces: the blocks of rows, then all that is known of them besides;
//! 3. a piece with a JSON document that says where those are;
//! 4. where that piece is: two numbers of 64 bits and their XXH3-128, all little-endian.
//!
//! Whoever has a file may have changed it, and checksums can be recomputed: all is checked again.

mod index;
mod reader;
mod roles;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use reader::{open, reader};
pub(crate) use roles::not_held;
pub(crate) use source::Source;

use super::Interned;
use super::shelf::Shelf;
use crate::batch::BLOCK_ROWS;
use crate::encode::Dictionary;
use crate::input::{CONVERTED as MAGIC, Format};
use crate::memory::gib;
use crate::pieces::{Pieces, Place, words_of};
use crate::reading::{RowLines, Skipped};
use crate::schema::{Role, Schema};
use crate::{Error, Result};
use index::{Index, bytes_of};
use std::fs::File;
use std::io::Read;
use xxhash_rust::xxh3::xxh3_128;

const VERSION: u8 = 1;

/// Bytes at the end that tell where the index is.
const FOOTER: usize = 32;

/// Whether a file is one of kept rows. What cannot be read is not.
pub fn is_cache(path: &str) -> bool {
    let mut magic = [0; MAGIC.len()];
    // A pipe would lose what is read of it.
    let is_file = path != "-" && std::fs::metadata(path).is_ok_and(|meta| meta.is_file());
    is_file
        && File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok()
        && magic == *MAGIC
}

/// The error of saying what columns are, or how they are written, of rows that were kept.
pub(crate) fn decided(path: &str) -> Error {
    let decided = "what its columns are was decided when it was made: say it to pairloom convert";
    Error::usage(format!("{path}: {decided}"))
}

/// Rows that were kept.
#[derive(Debug)]
pub(crate) struct Cached {
    /// Their schema.
    pub(crate) schema: Schema,
    /// The rows.
    pub(crate) interned: Interned,
    /// What was left out when they were read.
    pub(crate) skipped: Skipped,
    /// Guesses that the rows after the first have changed.
    pub(crate) notes: Vec<String>,
    /// What they were made from, if that is a file.
    pub(crate) source: Option<Source>,
}

impl Cached {
    /// The beginning of a file to keep rows in.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn begin(file: File, name: &str) -> Result<Pieces> {
        let mut file = Pieces::new(file, name, 0);
        file.write(MAGIC)?;
        file.write(&[VERSION])?;
        Ok(file)
    }

    /// Writes what the file of the rows, which are in it already, has not yet.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn finish(&mut self) -> Result<()> {
        let (Shelf::File(file, places), rows) = (&mut self.interned.blocks, self.interned.rows)
        else {
            return Ok(());
        };
        let blocks = places.iter().flatten().flat_map(|place| place.parts());
        let mut blocks = words_of(blocks).collect();
        let index = Index {
            schema: self.schema.clone(),
            reasons: self.schema.columns.iter().map(|column| column.why.clone()).collect(),
            source: self.source.clone(),
            skipped: self.skipped.clone(),
            notes: self.notes.clone(),
            rows,
            entries: self.interned.entries,
            labels: self.interned.labels.clone(),
            blocks: file.append(&mut blocks)?.0,
            lines: file.append(&mut words_of(self.interned.lines.numbers()).collect())?.0,
            columns: index::write_columns(&self.interned.columns, file)?,
        };
        let text = serde_json::to_vec(&index).map_err(|e| file.damaged(&e.to_string()))?;
        let (place, _) = file.append(&mut index::words_of_bytes(&text))?;
        let place: Vec<u8> = place.parts().into_iter().flat_map(u64::to_le_bytes).collect();
        file.write(&place)?;
        file.write(&xxh3_128(&place).to_le_bytes())
    }

    /// Opens a file of kept rows; `is_limited` tells whether it was said how much memory may be taken.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] if it is none, is of another version, or is not as it was written.
    pub(crate) fn open(path: &str, is_limited: bool) -> Result<Self> {
        let (index, file) = read_index(path)?;
        Self::of(index, file, is_limited)
    }

    fn of(index: Index, file: Pieces, is_limited: bool) -> Result<Self> {
        let damaged = |what: &str| file.damaged(what);
        let mut schema = index.schema;
        let fits = schema.find(Role::Label).is_some()
            && schema.find(Role::Pairs).is_some() == schema.format.is_sparse()
            && schema.check().is_ok();
        if !fits || index.reasons.len() != schema.columns.len() {
            return Err(damaged("its schema is none"));
        }
        for (column, why) in schema.columns.iter_mut().zip(index.reasons) {
            column.why = why;
        }
        let columns = index::read_columns(index.columns, &schema, &file)?;
        let places = index::numbers(&file, index.blocks)?;
        let (places, rest) = places.as_chunks::<4>();
        if places.len() != index.rows.div_ceil(BLOCK_ROWS) || !rest.is_empty() || index.rows == 0 {
            return Err(damaged("its blocks are not those of its rows"));
        }
        let place = |&[a, b, c, d]: &[u64; 4]| [Place::from([a, b]), Place::from([c, d])];
        let places = places.iter().map(place).collect();
        let lines = index::numbers(&file, index.lines)?;
        let lines = RowLines::of(&lines).ok_or_else(|| damaged("its lines are none"))?;
        let Index { rows, labels, entries, skipped, notes, source, .. } = index;
        let (blocks, beside) = (Shelf::File(file, places), schema.has_weights_and_groups());
        let interned = Interned {
            rows,
            labels,
            group_names: Dictionary::default(),
            lines,
            columns,
            entries,
            is_limited,
            beside,
            blocks,
        };
        Ok(Cached { schema, interned, skipped, notes, source })
    }
}

/// Refuses a file whose distinct values would take more than `most` bytes of memory.
///
/// # Errors
/// As for [`Cached::open`]; [`Error::Data`] if they would.
pub(crate) fn check_values(path: &str, most: u128) -> Result<()> {
    let (index, file) = read_index(path)?;
    match index.value_bytes() {
        need if need > most => Err(file.refuse(&format!(
            "its distinct values take about {} and --memory has {} for them: raise it, or use the \
             text",
            gib(need),
            gib(most)
        ))),
        _ => Ok(()),
    }
}

/// The format of the text that a file of kept rows was made from.
///
/// # Errors
/// As for [`Cached::open`].
pub(crate) fn format_of(path: &str) -> Result<Format> {
    read_index(path).map(|(index, _)| index.schema.format)
}

fn read_index(path: &str) -> Result<(Index, Pieces)> {
    let failed = |e| Error::io(path, e);
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let file = Pieces::new(file, path, bytes);
    Ok((Index::read(&file, find_index(&file)?)?, file))
}

/// Where the index of a file is.
fn find_index(file: &Pieces) -> Result<Place> {
    let (mut begin, mut end) = ([0; MAGIC.len() + 1], [0; FOOTER]);
    let Some(footer) = file.bytes().checked_sub((FOOTER + begin.len()) as u64) else {
        return Err(file.damaged("it is cut off"));
    };
    file.read_bytes(0, &mut begin)?;
    file.read_bytes(footer + begin.len() as u64, &mut end)?;
    match begin.split_last() {
        Some((&version, magic)) if magic == MAGIC && version != VERSION => {
            let message = format!("it has version {version} and this pairloom reads {VERSION}");
            Err(file.refuse(&(message + ": make it anew with pairloom convert")))
        }
        Some((_, magic)) if magic == MAGIC => {
            let (place, checksum) = end.split_at(16);
            if xxh3_128(place).to_le_bytes() != checksum && !cfg!(fuzzing) {
                return Err(file.damaged("it is cut off"));
            }
            let parts = bytes_of(place).ok_or_else(|| file.damaged("it is cut off"))?;
            Ok(parts.into())
        }
        _ => Err(file.refuse("these are no rows that pairloom convert has made")),
    }
}
