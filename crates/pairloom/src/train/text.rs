//! Rows of text: those to train on, with their schema, and those of another file.

use super::revise::revise;
use super::{Event, Job, SchemaSource, ranking, tell, tell_skipped};
use crate::data::{Cached, Interning};
use crate::encode::{Beside, Dictionary, Encoding, RowEncoder};
use crate::input::{self, OpenOptions, RawRow, Reader, TimePattern};
use crate::loss::Loss;
use crate::parallel::Threads;
use crate::pieces::Pieces;
use crate::reading::{self, Counts, Given, OnError, Outcome, UNTRIED, for_each_row};
use crate::schema::{Hints, Role, Schema, infer};
use crate::store::{InOrder, Room, Store};
use crate::{Error, Result};

/// Rows that the schema is inferred from, and bytes of memory that they may take before fewer do:
/// one row may be as long as 64 MiB.
const SAMPLE: usize = 10_000;
const SAMPLE_BYTES: usize = 64 << 20;

/// Reads the text of the training rows, and writes them to a file if there is one.
pub(super) fn read_text(
    job: &Job,
    to: Option<Pieces>,
    threads: &Threads,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Cached> {
    read_given(Given::Opened(open(job)?), job, to, threads, watch)
}

/// The same for rows that are given, with all columns that the job asks for.
pub(super) fn read_given(
    mut given: Given<'_>,
    job: &Job,
    to: Option<Pieces>,
    threads: &Threads,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Cached> {
    let (mut schema, sample) = schema(job, given.reader())?;
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
    given.without_text(&schema);
    let reader = given.ahead(threads)?;
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
        let why = if untried { UNTRIED } else { "" };
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
            let times = times(hints, reader.columns());
            Ok(input::timed(reader, times))
        }
    }
}

/// Rows that are given, with the columns that a job makes of times.
pub(super) fn completed<'a>(given: Given<'a>, job: &Job) -> Result<Given<'a>> {
    match &job.schema {
        SchemaSource::Given(schema) => given.prepared(&job.data, schema),
        SchemaSource::Infer(hints) => {
            let mut given = given;
            let times = times(hints, given.reader().columns());
            Ok(given.timed(times))
        }
    }
}

fn times(hints: &Hints, columns: &[String]) -> Vec<(usize, TimePattern)> {
    let at = |name: &String| columns.iter().position(|there| there == name);
    let times = hints.times.iter();
    times.filter_map(|(name, pattern)| Some((at(name)?, pattern.clone()))).collect()
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
            let kinds: Vec<_> = (0..names.len()).map(|column| reader.kind(column)).collect();
            Ok((infer(reader.format(), &names, &kinds, &rows, all, hints)?, sample))
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
struct Replayed<'a> {
    sample: std::vec::IntoIter<Result<RawRow>>,
    reader: Box<dyn Reader + 'a>,
}

impl Reader for Replayed<'_> {
    fn inner(&self) -> Option<&dyn Reader> {
        Some(&*self.reader)
    }

    fn inner_mut(&mut self) -> Option<&mut dyn Reader> {
        Some(&mut *self.reader)
    }

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

/// Encodes the labelled rows of another file, or those that are given under its name.
pub(super) fn read_rows(
    (path, given): (&str, Option<Given<'_>>),
    schema: &Schema,
    encoding: &Encoding,
    beside: (&Beside<'_>, Dictionary),
    on_error: OnError,
    (room, threads): (&Room, &Threads),
    goes_on: &mut dyn FnMut() -> Result<()>,
) -> Result<(Store, Outcome)> {
    let (Beside { class_weights, groups, left_out, .. }, group_names) = beside;
    let mut given = match given {
        Some(given) => given.prepared(path, schema)?,
        None => Given::Opened(reading::open(path, &OpenOptions::default(), schema)?),
    };
    given.without_text(schema);
    let mut reader = given.ahead(threads)?;
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
        if usize::is_multiple_of(all, 4096) {
            goes_on()?;
        }
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
