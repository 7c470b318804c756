//! The training rows of a job, as text or as they were kept.

use super::text::read_text;
use super::{Event, Job, SchemaSource, tell, tell_skipped};
use crate::data::{Cached, Source, decided, format_of, is_cache};
use crate::file::Replacing;
use crate::input::{Format, FormatName, MovieLens, OpenOptions, TimePattern};
use crate::loss::Loss;
use crate::parallel::Threads;
use crate::reading::OnError;
use crate::schema::{Column, FieldMap, Hints, Role, Schema};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The training rows with their schema: as they are kept in a cache, if there is one of just these
/// rows, else from their text.
pub(super) fn read(
    job: &Job,
    threads: &Threads,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Cached> {
    match &job.cache {
        _ if is_cache(&job.data) => told(converted(job)?, watch),
        Some(path) => cached(job, path, source(job)?, threads, watch),
        None => read_text(job, None, threads, watch),
    }
}

/// The training rows as they are kept at `path` if they are of this source, or kept there from now on.
pub(super) fn cached(
    job: &Job,
    path: &str,
    source: Source,
    threads: &Threads,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Cached> {
    match kept(job, path, &source, threads, watch)? {
        Some(cached) => told(cached, watch),
        None => keep(job, path, Some(source), threads, watch),
    }
}

/// Rows that were kept, after telling what was told when they were read.
fn told(cached: Cached, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Cached> {
    tell(watch, Event::Schema(&cached.schema))?;
    tell_skipped(&cached.skipped, watch)?;
    if !cached.notes.is_empty() {
        tell(watch, Event::Revised { schema: &cached.schema, notes: &cached.notes })?;
    }
    Ok(cached)
}

/// Rows that were converted before. A schema may be given again, with other settings of columns.
fn converted(job: &Job) -> Result<Cached> {
    if job.cache.is_some() {
        let message = "these rows are converted already, and need no cache";
        return Err(Error::usage(format!("{}: {message}", job.data)));
    }
    if job.open != OpenOptions::default() {
        return Err(decided(&job.data));
    }
    let mut cached = Cached::open(&job.data, job.config.memory.is_some())?;
    match &job.schema {
        SchemaSource::Infer(hints) if *hints == Hints::default() => {}
        SchemaSource::Given(schema) => {
            // In the order of the rows.
            let cells = cached.schema.columns.iter().filter(|c| c.role != Role::Pairs);
            let names: Vec<String> = cells.map(|column| column.name.clone()).collect();
            let schema = Schema { format: cached.schema.format, ..schema.clone() };
            cached.schema = match schema.for_columns(&job.data, &names) {
                Ok(schema) if is_same(&schema, &cached.schema) => schema,
                _ => return Err(decided(&job.data)),
            };
        }
        _ => return Err(decided(&job.data)),
    }
    Ok(cached)
}

/// Whether two schemas make the same of the text of rows.
pub(super) fn is_same(one: &Schema, other: &Schema) -> bool {
    type Read<'a> =
        (&'a str, Role, Option<char>, Option<&'a FieldMap>, bool, Option<&'a TimePattern>);
    fn read(column: &Column) -> Read<'_> {
        let Column { name, role, separator, fields, group, time, .. } = column;
        (name, *role, *separator, fields.as_ref(), *group, time.as_ref())
    }
    one.positive == other.positive
        && one.columns.iter().map(read).eq(other.columns.iter().map(read))
}

/// The files that the rows of one of the job's are joined with. Converted rows were when they were read.
pub(super) fn joined(job: &Job, path: &str) -> Result<Vec<PathBuf>> {
    let edition = match (job.open.format, &job.schema) {
        _ if is_cache(path) => None,
        _ if is_cache(&job.data) => edition(format_of(&job.data)?),
        (Some(FormatName::MovieLens(edition)), _) => Some(edition),
        (None, SchemaSource::Given(schema)) => edition(schema.format),
        _ => None,
    };
    Ok(edition.map_or(Vec::new(), |edition| edition.joined(path)))
}

fn edition(format: Format) -> Option<MovieLens> {
    match format {
        Format::MovieLens { edition } => Some(edition),
        _ => None,
    }
}

/// All that decides what the rows of a file become, but for its content.
fn asked(job: &Job) -> String {
    // The extension says how the file is read where nothing else does.
    let name = Path::new(&job.data).file_name().map(|name| name.to_string_lossy().to_lowercase());
    let extension = name.and_then(|name| name.split_once('.').map(|(_, end)| end.to_string()));
    // Of numbers and texts in one column some rows are left out, unless each value is a class; and negative counts.
    let by_loss = match job.config.loss.filter(|_| job.on_error == OnError::Skip) {
        Some(Loss::Softmax) => " classes",
        Some(Loss::Poisson) => " counts",
        _ => "",
    };
    format!("{:?} {:?} {:?} {extension:?}{by_loss}", job.schema, job.open, job.on_error)
}

/// What the rows of a job are made from: the content of its file, and what was said of it.
pub(super) fn source(job: &Job) -> Result<Source> {
    Source::of(&job.data, &joined(job, &job.data)?, &asked(job))
}

/// The rows of a cache, if it is of this source. One that is not, or cannot be read, is made anew.
fn kept(
    job: &Job,
    path: &str,
    source: &Source,
    threads: &Threads,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Option<Cached>> {
    match std::fs::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map(drop).map_err(|e| Error::io(path, e))?,
    }
    if !is_cache(path) {
        let message = "it is there and is no cache, and would be replaced: name another file";
        return Err(Error::usage(format!("{path}: {message}")));
    }
    let found =
        Cached::open(path, job.config.memory.is_some()).and_then(|cached| match &cached.source {
            Some(of) if of == source => cached.interned.check(threads).map(|()| cached),
            _ => Err(Error::data(path, "it is of other rows, or was made with other flags")),
        });
    tell(watch, Event::Cache { path, stale: found.as_ref().err() })?;
    Ok(found.ok())
}

/// Reads the text of the training rows and keeps what becomes of it at `path`.
pub(super) fn keep(
    job: &Job,
    path: &str,
    source: Option<Source>,
    threads: &Threads,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Cached> {
    let (whole, file) = Replacing::begin(path)?;
    let mut cached = read_text(job, Some(Cached::begin(file, path)?), threads, watch)?;
    cached.source = source;
    cached.finish()?;
    whole.commit(path)?;
    Ok(cached)
}
