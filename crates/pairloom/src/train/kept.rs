//! Rows that are read once and kept, to be trained on again and again.

use super::read::{keep, known_by, read};
use super::{Event, Job};
use crate::data::{Cached, Source, is_cache};
use crate::parallel::Threads;
use crate::schema::Schema;
use crate::{Error, Result};

/// What was converted.
#[derive(Debug)]
pub struct Converted {
    /// What the columns are.
    pub schema: Schema,
    /// Number of rows.
    pub rows: usize,
}

/// Reads the training rows of a job and keeps them at `path`, a file that can be trained on without
/// reading their text again.
///
/// # Errors
/// Errors of reading and of the schema, [`Error::Io`] if the file cannot be written, and
/// [`Error::Interrupted`] if `watch` returns false.
pub fn convert(
    job: &Job,
    path: &str,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Converted> {
    if is_cache(&job.data) {
        return Err(Error::usage(format!("{}: these rows are converted already", job.data)));
    }
    let Cached { schema, interned, .. } =
        keep(job, path, None, &Threads::new(job.threads)?, watch)?;
    Ok(Converted { schema, rows: interned.rows })
}

/// The rows of a job where they can be read again and again: the job's own file if it is one of converted rows, else
/// `path`, which is made of it unless it is there already.
///
/// # Errors
/// As for [`convert`]; [`Error::Usage`] for rows that can be read only once.
pub(crate) fn keep_rows(
    job: &Job,
    path: &str,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<KeptRows> {
    if job.data == "-" {
        return Err(only_once());
    }
    let threads = Threads::new(job.threads)?;
    let kept = Job { cache: Some(path.into()).filter(|_| !is_cache(&job.data)), ..job.clone() };
    let known_by = known_by(&kept)?;
    let rows = read(&kept, &threads, watch)?.interned.rows;
    Ok(KeptRows { known_by, path: kept.cache.unwrap_or(kept.data), rows })
}

/// Removes the file that [`keep_rows`] made at `path`, and no other one. If it stays, it is only room.
pub(crate) fn forget_rows(job: &Job, path: &str) {
    if !is_cache(&job.data) && is_cache(path) {
        let _ = std::fs::remove_file(path);
    }
}

/// What the rows of a further file are known by, which are read again and again too.
///
/// # Errors
/// [`Error::Io`]; [`Error::Usage`] for rows that can be read only once.
pub(crate) fn content(path: &str) -> Result<String> {
    if path == "-" {
        return Err(only_once());
    }
    Source::of(path, &[], "").map(|source| source.name())
}

fn only_once() -> Error {
    Error::usage("the rows are read again and again: name a file, not standard input")
}

/// Rows that can be read again and again.
pub(crate) struct KeptRows {
    /// Their content, and what was said of them.
    pub(crate) known_by: String,
    /// Their file.
    pub(crate) path: String,
    /// How many there are.
    pub(crate) rows: usize,
}
