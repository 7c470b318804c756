//! Reading a job's files, as text or as they were kept.

use super::revise::revise;
use super::{Event, Job, SchemaSource, ranking, tell, tell_skipped};
use crate::data::{Cached, Interning, Source, decided, is_cache};
use crate::encode::{Beside, Dictionary, Encoding, RowEncoder};
use crate::file::Replacing;
use crate::input::{self, Format, FormatName, OpenOptions, RawRow, Reader, TimePattern};
use crate::loss::Loss;
use crate::parallel::Threads;
use crate::pieces::Pieces;
use crate::reading::{self, Counts, OnError, Outcome, ahead, for_each_row};
use crate::schema::{Column, FieldMap, Hints, Role, Schema, infer};
use crate::store::{InOrder, Room, Store};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Rows that the schema is inferred from, and bytes of memory that they may take before fewer do:
/// one row may be as long as 64 MiB.
const SAMPLE: usize = 10_000;
const SAMPLE_BYTES: usize = 64 << 20;

/// The training rows with their schema: as they are kept in a cache, if there is one of just these
/// rows, else from their text.
pub(super) fn read(
    job: &Job,
    threads: &Threads,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Cached> {
    let cached = if is_cache(&job.data) {
        converted(job)?
    } else if let Some(path) = &job.cache {
        let source = Source::of(&job.data, &joined(job), &asked(job))?;
        match kept(job, path, &source, threads, watch)? {
            Some(cached) => cached,
            None => return keep(job, path, Some(source), threads, watch),
        }
    } else {
        return read_text(job, None, threads, watch);
    };
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
fn is_same(one: &Schema, other: &Schema) -> bool {
    type Read<'a> =
        (&'a str, Role, Option<char>, Option<&'a FieldMap>, bool, Option<&'a TimePattern>);
    fn read(column: &Column) -> Read<'_> {
        let Column { name, role, separator, fields, group, time, .. } = column;
        (name, *role, *separator, fields.as_ref(), *group, time.as_ref())
    }
    one.positive == other.positive
        && one.columns.iter().map(read).eq(other.columns.iter().map(read))
}

/// The files that rows are joined with.
fn joined(job: &Job) -> Vec<PathBuf> {
    let edition = match (job.open.format, &job.schema) {
        (Some(FormatName::MovieLens(edition)), _) => Some(edition),
        (None, SchemaSource::Given(schema)) => match schema.format {
            Format::MovieLens { edition } => Some(edition),
            _ => None,
        },
        _ => None,
    };
    edition.map_or(Vec::new(), |edition| edition.joined(&job.data))
}

/// All that decides what the rows of a file become, but for its content.
fn asked(job: &Job) -> String {
    // The extension says how the file is read where nothing else does.
    let name = Path::new(&job.data).file_name().map(|name| name.to_string_lossy().to_lowercase());
    let extension = name.and_then(|name| name.split_once('.').map(|(_, end)| end.to_string()));
    // Of numbers and texts in one column some rows are left out, unless each value is a class.
    let skips = job.on_error == OnError::Skip && job.config.loss == Some(Loss::Softmax);
    let classes = if skips { " classes" } else { "" };
    format!("{:?} {:?} {:?} {extension:?}{classes}", job.schema, job.open, job.on_error)
}

/// What the rows of a job are known by: their content, and what was said of them.
pub(super) fn known_by(job: &Job) -> Result<String> {
    Source::of(&job.data, &joined(job), &asked(job)).map(|source| source.name())
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

/// Reads the text of the training rows, and writes them to a file if there is one.
fn read_text(
    job: &Job,
    to: Option<Pieces>,
    threads: &Threads,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Cached> {
    let mut reader = open(job)?;
    let (mut schema, sample) = schema(job, &mut *reader)?;
    tell(watch, Event::Schema(&schema))?;
    if schema.find(Role::Label).is_none() {
        return Err(Error::usage("the schema has no label: give one column the role label"));
    }
    if job.config.loss.is_some_and(Loss::is_ranking) {
        // Before all rows are read.
        ranking::check(&job.config, &schema)?;
    }
    let memory = job.config.memory;
    let interning = match to {
        Some(file) => Interning::kept(&schema, file, memory),
        None => Interning::within(&schema, memory, &job.temp_dir),
    };
    let mut interning = interning.learned_by(job.config.loss);
    // A line of counts is two rows.
    let last = sample.iter().flatten().last().map_or(0, RawRow::line);
    let mut sampled = 0;
    let reader = ahead(reader, threads)?;
    let mut reader = Replayed { sample: sample.into_iter(), reader };
    let counts = Counts::of(&schema, &reader);
    let are_counts = counts.is_some();
    let skipped = for_each_row(&mut reader, counts, job.on_error, |row| {
        interning.push(&schema, row)?;
        if row.line() <= last {
            sampled = interning.len();
        }
        match interning.len().is_multiple_of(4096) {
            true => tell(watch, Event::Reading(interning.len())),
            false => Ok(()),
        }
    })?;
    tell_skipped(&skipped, watch)?;
    if interning.is_empty() {
        let untried = are_counts && skipped.rows == 0;
        let why = if untried { ": nothing was ever tried" } else { "" };
        return Err(Error::data(input::name(&job.data), format!("no rows to train on{why}")));
    }
    let (mut interned, mut notes) = (interning.done()?, Vec::new());
    if sampled > 0 && interned.rows > sampled {
        notes = revise(&mut schema, &mut interned, sampled, threads)?;
        if !notes.is_empty() {
            tell(watch, Event::Revised { schema: &schema, notes: &notes })?;
        }
    }
    Ok(Cached { schema, interned, skipped, notes, source: None })
}

fn open(job: &Job) -> Result<Box<dyn Reader>> {
    match &job.schema {
        SchemaSource::Given(schema) => reading::open(&job.data, &job.open, schema),
        SchemaSource::Infer(hints) => {
            let options = OpenOptions { names: hints.names(), ..job.open.clone() };
            let reader = input::open(&job.data, &options)?;
            let at = |name: &String| reader.columns().iter().position(|there| there == name);
            let times = hints.times.iter();
            let times = times.filter_map(|(name, pattern)| Some((at(name)?, pattern.clone())));
            let times = times.collect();
            Ok(input::timed(reader, times))
        }
    }
}

/// The schema of the file, and the rows read for it.
fn schema(job: &Job, reader: &mut dyn Reader) -> Result<(Schema, Vec<Result<RawRow>>)> {
    let names = reader.columns().to_vec();
    match &job.schema {
        SchemaSource::Given(schema) => {
            let schema = Schema { format: reader.format(), ..schema.clone() };
            Ok((schema.for_columns(input::name(&job.data), &names)?, Vec::new()))
        }
        SchemaSource::Infer(hints) => {
            let (sample, all) = sample(reader)?;
            let rows: Vec<&RawRow> = sample.iter().flatten().collect();
            Ok((infer(reader.format(), &names, &rows, all, hints)?, sample))
        }
    }
}

/// The first rows, and whether they are all.
fn sample(reader: &mut dyn Reader) -> Result<(Vec<Result<RawRow>>, bool)> {
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while rows.len() < SAMPLE && bytes < SAMPLE_BYTES {
        let mut row = RawRow::new();
        match reader.read(&mut row) {
            Ok(true) => {
                bytes += row.bytes();
                rows.push(Ok(row));
            }
            Ok(false) => return Ok((rows, true)),
            Err(error @ Error::Row { .. }) => rows.push(Err(error)),
            Err(error) => return Err(error),
        }
    }
    Ok((rows, false))
}

/// A reader whose first rows have been read before.
struct Replayed {
    sample: std::vec::IntoIter<Result<RawRow>>,
    reader: Box<dyn Reader>,
}

impl Reader for Replayed {
    fn format(&self) -> input::Format {
        self.reader.format()
    }

    fn columns(&self) -> &[String] {
        self.reader.columns()
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        match self.sample.next() {
            None => self.reader.read(row),
            Some(read) => {
                *row = read?;
                Ok(true)
            }
        }
    }
}

/// Encodes the labelled rows of another file.
pub(super) fn read_rows(
    path: &str,
    schema: &Schema,
    encoding: &Encoding,
    beside: (&Beside<'_>, Dictionary),
    on_error: OnError,
    room: &Room,
    threads: &Threads,
) -> Result<(Store, Outcome)> {
    let (Beside { class_weights, groups, left_out, .. }, group_names) = beside;
    let mut reader = ahead(reading::open(path, &OpenOptions::default(), schema)?, threads)?;
    let mut encoder =
        RowEncoder::bind(encoding, schema, input::name(path), reader.columns(), true)?
            .weighing(class_weights);
    if *groups {
        encoder =
            encoder.grouping(schema.group_cell(input::name(path), reader.columns())?, group_names);
    }
    let mut rows = InOrder::valid(room, encoding.features());
    let counts = Counts::of(schema, &*reader);
    let (relevant, mut all) = (!left_out.is_empty(), 0);
    let skipped = for_each_row(&mut *reader, counts, on_error, |raw| {
        all += 1;
        match !relevant || encoder.is_relevant(raw)? {
            true => rows.with(|rows| encoder.encode(raw, rows)),
            false => Ok(()),
        }
    })?;
    let rows = rows.done()?;
    match all == 0 {
        true => Err(Error::data(input::name(path), "no rows")),
        false => Ok((rows, Outcome { skipped, unseen: encoder.unseen() })),
    }
}
