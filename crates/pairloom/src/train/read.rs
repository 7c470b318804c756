//! Reading a job's files.

use super::revise::revise;
use super::{Event, Job, SchemaSource, tell, tell_skipped};
use crate::data::Interned;
use crate::encode::{Encoding, RowEncoder};
use crate::input::{self, OpenOptions, RawRow, Reader};
use crate::parallel::Threads;
use crate::reading::{self, OnError, Outcome, ahead, for_each_row};
use crate::schema::{Role, Schema, infer};
use crate::store::{Filling, Room, Store};
use crate::{Error, Result};

/// Rows that the schema is inferred from, and bytes of memory that they may take before fewer do:
/// one row may be as long as 64 MiB.
const SAMPLE: usize = 10_000;
const SAMPLE_BYTES: usize = 64 << 20;

/// Reads the training file: its schema and its rows.
pub(super) fn read(
    job: &Job,
    threads: &Threads,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<(Schema, Interned)> {
    let mut reader = open(job)?;
    let (mut schema, sample) = schema(job, &mut *reader)?;
    tell(watch, Event::Schema(&schema))?;
    if schema.find(Role::Label).is_none() {
        return Err(Error::usage("the schema has no label: give one column the role label"));
    }
    let mut interned = Interned::new(&schema);
    interned.most = job.config.memory.map(u128::from);
    let sampled = sample.len();
    let reader = ahead(reader, threads)?;
    let mut reader = Replayed { sample: sample.into_iter(), reader };
    let skipped = for_each_row(&mut reader, job.on_error, |row| {
        interned.push(&schema, row)?;
        match interned.rows.is_multiple_of(4096) {
            true => tell(watch, Event::Reading(interned.rows)),
            false => Ok(()),
        }
    })?;
    tell_skipped(&skipped, watch)?;
    if interned.rows == 0 {
        return Err(Error::data(input::name(&job.data), "no rows to train on"));
    }
    if sampled > 0 && interned.rows > sampled {
        let notes = revise(&mut schema, &mut interned, sampled)?;
        if !notes.is_empty() {
            tell(watch, Event::Revised { schema: &schema, notes: &notes })?;
        }
    }
    Ok((schema, interned))
}

fn open(job: &Job) -> Result<Box<dyn Reader>> {
    match &job.schema {
        SchemaSource::Given(schema) => reading::open(&job.data, &job.open, schema),
        SchemaSource::Infer(hints) => {
            let options = OpenOptions { names: hints.names(), ..job.open.clone() };
            input::open(&job.data, &options)
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
            let sample = sample(reader)?;
            let rows: Vec<&RawRow> = sample.iter().flatten().collect();
            Ok((infer(reader.format(), &names, &rows, hints)?, sample))
        }
    }
}

fn sample(reader: &mut dyn Reader) -> Result<Vec<Result<RawRow>>> {
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while rows.len() < SAMPLE && bytes < SAMPLE_BYTES {
        let mut row = RawRow::new();
        match reader.read(&mut row) {
            Ok(true) => {
                bytes += row.bytes();
                rows.push(Ok(row));
            }
            Ok(false) => break,
            Err(error @ Error::Row { .. }) => rows.push(Err(error)),
            Err(error) => return Err(error),
        }
    }
    Ok(rows)
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
    on_error: OnError,
    room: &Room,
    threads: &Threads,
) -> Result<(Store, Outcome)> {
    let mut reader = ahead(input::open_as(path, schema.format)?, threads)?;
    let mut encoder =
        RowEncoder::bind(encoding, schema, input::name(path), reader.columns(), true)?;
    let mut rows = Filling::valid(room, encoding.features());
    let skipped =
        for_each_row(&mut *reader, on_error, |raw| rows.with(|rows| encoder.encode(raw, rows)))?;
    let rows = rows.done()?;
    match rows.is_empty() {
        true => Err(Error::data(input::name(path), "no rows")),
        false => Ok((rows, Outcome { skipped, unseen: encoder.unseen() })),
    }
}
