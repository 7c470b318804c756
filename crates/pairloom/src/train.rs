//! From a file of raw rows to a model: schema, interning, hold-out, encoding and fit in one call.

use crate::backend::{Cpu, StepSettings};
use crate::batch::Rows;
use crate::config::Config;
use crate::data::Interned;
use crate::encode::{Encoding, Learned, RowEncoder, Target, learn};
use crate::fit::{Checkpoints, Fit, FitEvent, Run, Stop, check_rows};
use crate::input::{self, OpenOptions, RawRow, Reader};
use crate::interaction::{Fm, Interaction};
use crate::loss::Loss;
use crate::memory;
use crate::model::{Model, Weights, interaction};
use crate::optimizer::Update;
use crate::parallel::Threads;
use crate::reading::{OnError, RowLines, Skipped, for_each_row};
use crate::schema::{Hints, Schema, infer};
use crate::table;
use crate::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;

/// Rows that the schema is inferred from, and bytes of memory that they may take before fewer do:
/// one row may be as long as 64 MiB.
const SAMPLE: usize = 10_000;
const SAMPLE_BYTES: usize = 64 << 20;

/// Where the schema comes from.
#[derive(Debug, Clone)]
pub enum SchemaSource {
    /// It is inferred where these do not say.
    Infer(Hints),
    /// It is given.
    Given(Schema),
}

/// Everything that says what to train on and how.
#[derive(Debug, Clone)]
pub struct Job {
    /// The file of training rows; `-` is standard input.
    pub data: String,
    /// The file of validation rows.
    pub valid: Option<String>,
    /// What is known about the files' format.
    pub open: OpenOptions,
    /// The schema.
    pub schema: SchemaSource,
    /// The settings.
    pub config: Config,
    /// Threads; 0 takes one for each core. The model does not depend on it.
    pub threads: usize,
    /// What to do with rows that cannot be used.
    pub on_error: OnError,
    /// Whether and where to write checkpoints.
    pub checkpoints: Option<Checkpoints>,
}

impl Job {
    /// A job with nothing said but the file: schema inferred, settings as they come.
    pub fn new(data: impl Into<String>) -> Self {
        Job {
            data: data.into(),
            valid: None,
            open: OpenOptions::default(),
            schema: SchemaSource::Infer(Hints::default()),
            config: Config::default(),
            threads: 0,
            on_error: OnError::Stop,
            checkpoints: None,
        }
    }
}

/// What a training job tells while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// The schema is known.
    Schema(&'a Schema),
    /// So many rows of the training file are read.
    Reading(usize),
    /// Rows of a file were left out.
    Skipped(&'a Skipped),
    /// Rows are encoded and training begins.
    Start(&'a Start),
    /// Training goes on.
    Fit(FitEvent<'a>),
}

/// What training begins with.
#[derive(Debug, Clone)]
pub struct Start {
    /// What is predicted.
    pub target: Target,
    /// Training rows.
    pub train: usize,
    /// Validation rows.
    pub valid: usize,
    /// Features (ids) of all fields.
    pub features: usize,
    /// Bytes of the encoded rows, the model and the optimizer's state.
    pub bytes: u128,
}

/// What a training job ends with.
#[derive(Debug)]
pub struct Trained {
    /// The model of the best epoch; `None` if not even one was completed.
    pub model: Option<Model>,
    /// Why it ended.
    pub stop: Stop,
    /// The validation rows, encoded.
    pub valid: Rows,
    /// The line of the training file with the row named by [`Stop::Diverged`].
    pub diverged_line: Option<u64>,
}

/// Trains a model. `watch` hears what happens and returns false to stop.
///
/// # Errors
/// Errors of reading, of the schema and of the settings. Divergence and a stop that `watch` asks
/// for are no errors here: see [`Trained::stop`].
pub fn train(job: &Job, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Trained> {
    match run(job, watch) {
        Err(Error::Interrupted) => {
            let (valid, stop) = (Rows::new(), Stop::Interrupted);
            Ok(Trained { model: None, stop, valid, diverged_line: None })
        }
        done => done,
    }
}

fn run(job: &Job, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Trained> {
    job.config.check()?;
    if job.data == "-" && job.valid.as_deref() == Some("-") {
        return Err(Error::usage("standard input cannot be both training and validation rows"));
    }
    let threads = Threads::new(job.threads)?;
    let Prepared { schema, encoding, train, valid, held_out, lines } = prepare(job, watch)?;
    let config = resolve(&job.config, &encoding, &train);
    let start = start(&config, &encoding, &train, &valid)?;
    tell(watch, Event::Start(&start))?;
    let mut backend = backend(&config, &encoding, &train, threads)?;
    let run = Run {
        train: &train,
        valid: &valid,
        config: &config,
        target: &encoding.target,
        checkpoints: job.checkpoints.as_ref(),
    };
    let Fit { weights, epoch, history, stop } =
        run.fit(&mut backend, &mut |event| watch(Event::Fit(event)))?;
    let diverged_line = diverged_line(&stop, &held_out, &lines);
    let model = |weights| Model { schema, encoding, config, history, epoch, weights };
    Ok(Trained { model: weights.map(model), stop, valid, diverged_line })
}

/// Rows ready to be trained on.
struct Prepared {
    schema: Schema,
    encoding: Encoding,
    train: Rows,
    valid: Rows,
    held_out: Vec<bool>,
    lines: RowLines,
}

/// From the job's files to encoded rows.
fn prepare(job: &Job, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Prepared> {
    let (schema, mut interned) = read(job, watch)?;
    interned.check_memory()?;
    let lines = std::mem::take(&mut interned.lines);
    let held_out = hold_out(&interned, job)?;
    let file = input::name(&job.data);
    let Learned { encoding, train, mut valid } =
        learn(interned, &held_out, &schema, &job.config, file)?;
    check_rows(&train, file, "training")?;
    let mut valid_file = file;
    if let Some(path) = &job.valid {
        let (rows, skipped) = read_rows(path, &schema, &encoding, job.on_error)?;
        tell_skipped(&skipped, watch)?;
        (valid, valid_file) = (rows, input::name(path));
    }
    if !valid.is_empty() {
        check_rows(&valid, valid_file, "validation")?;
    }
    Ok(Prepared { schema, encoding, train, valid, held_out, lines })
}

/// Tells what happens; an error is the wish to stop.
fn tell(watch: &mut dyn FnMut(Event<'_>) -> bool, event: Event<'_>) -> Result<()> {
    if watch(event) { Ok(()) } else { Err(Error::Interrupted) }
}

fn tell_skipped(skipped: &Skipped, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<()> {
    if skipped.rows > 0 { tell(watch, Event::Skipped(skipped)) } else { Ok(()) }
}

/// A machine with its first weights.
fn backend(
    config: &Config,
    encoding: &Encoding,
    train: &Rows,
    threads: Threads,
) -> Result<Cpu<Fm>> {
    let counts = train.counts(encoding.features())?;
    let weights = Weights::init(config, &counts, mean_score(config, &encoding.target, train))?;
    let settings = step_settings(config, &encoding.target, counts);
    Cpu::new(interaction(config), &weights, settings, threads)
}

/// Reads the training file: its schema and its rows.
fn read(job: &Job, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<(Schema, Interned)> {
    let mut reader = open(job)?;
    let names = reader.columns().to_vec();
    let (schema, sample) = match &job.schema {
        SchemaSource::Given(schema) => {
            let schema = Schema { format: reader.format(), ..schema.clone() };
            (schema.for_columns(input::name(&job.data), &names)?, Vec::new())
        }
        SchemaSource::Infer(hints) => {
            let sample = sample(&mut *reader)?;
            let rows: Vec<&RawRow> = sample.iter().flatten().collect();
            (infer(reader.format(), &names, &rows, hints)?, sample)
        }
    };
    tell(watch, Event::Schema(&schema))?;
    if schema.find(crate::schema::Role::Label).is_none() {
        return Err(Error::usage("the schema has no label: give one column the role label"));
    }
    let mut interned = Interned::new(&schema);
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
    Ok((schema, interned))
}

fn open(job: &Job) -> Result<Box<dyn Reader>> {
    let names = match &job.schema {
        SchemaSource::Given(schema) if job.open == OpenOptions::default() => {
            return input::open_as(&job.data, schema.format);
        }
        SchemaSource::Given(schema) => schema.columns.iter().map(|c| c.name.clone()).collect(),
        SchemaSource::Infer(hints) => hints.names(),
    };
    input::open(&job.data, &OpenOptions { names, ..job.open.clone() })
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
///
/// # Errors
/// As for reading and encoding; [`Error::Data`] if there are none.
pub fn read_rows(
    path: &str,
    schema: &Schema,
    encoding: &Encoding,
    on_error: OnError,
) -> Result<(Rows, Skipped)> {
    let mut reader = input::open_as(path, schema.format)?;
    let mut encoder =
        RowEncoder::bind(encoding, schema, input::name(path), reader.columns(), true)?;
    let mut rows = Rows::new();
    let skipped = for_each_row(&mut *reader, on_error, |raw| encoder.encode(raw, &mut rows))?;
    match rows.is_empty() {
        true => Err(Error::data(input::name(path), "no rows")),
        false => Ok((rows, skipped)),
    }
}

/// Which rows are held out: the last ones, or some drawn at random, in whole groups where there
/// are groups.
fn hold_out(interned: &Interned, job: &Job) -> Result<Vec<bool>> {
    let (rows, config) = (interned.rows, &job.config);
    if job.valid.is_some() {
        return Ok(vec![false; rows]);
    }
    let share = |of: usize, fraction: f64| (of as f64 * fraction) as usize;
    if config.valid_tail > 0.0 {
        let first = rows - share(rows, config.valid_tail);
        return tail(&interned.groups, rows, first, input::name(&job.data));
    }
    let groups = interned.groups.iter().max().map_or(rows, |&last| last as usize + 1);
    let mut drawn = vec![false; groups];
    drawn[..share(groups, config.valid_fraction)].fill(true);
    drawn.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(config.seed.rotate_left(32)));
    Ok(match interned.groups.is_empty() {
        true => drawn,
        false => interned.groups.iter().map(|&group| drawn[group as usize]).collect(),
    })
}

/// The rows from `first` on, but for those of groups that begin before it. Groups are numbered in
/// the order in which they begin.
fn tail(groups: &[u32], rows: usize, first: usize, file: &str) -> Result<Vec<bool>> {
    let Some(&last_before) = groups[..first.min(groups.len())].iter().max() else {
        return Ok((0..rows).map(|row| row >= first).collect());
    };
    let held: Vec<bool> = groups.iter().map(|&group| group > last_before).collect();
    match held.contains(&true) || first == rows {
        true => Ok(held),
        false => Err(Error::data(
            file,
            "no group begins in the tail of the rows, so none can be held out whole: raise \
             valid_tail (--valid-tail), or take valid_fraction (--valid-fraction)",
        )),
    }
}

/// The settings with everything decided that was left to the data.
fn resolve(config: &Config, encoding: &Encoding, train: &Rows) -> Config {
    let loss = if encoding.target.is_binary() { Loss::Logistic } else { Loss::Squared };
    config.resolve(train.len(), train.entries() as f64 / train.len() as f64, loss)
}

fn step_settings(config: &Config, target: &Target, counts: Vec<u32>) -> StepSettings {
    StepSettings {
        loss: config.resolved_loss(),
        target: target.clone(),
        optimizer: config.optimizer,
        l2_linear: config.l2_linear as f32,
        l2_factors: config.l2_factors.unwrap_or(0.0) as f32,
        bias: config.bias,
        counts,
    }
}

/// Sizes of what training begins with, refused if there is no room for it.
fn start(config: &Config, encoding: &Encoding, train: &Rows, valid: &Rows) -> Result<Start> {
    let (features, interaction) = (encoding.features(), interaction(config));
    let states = config.optimizer.states();
    // The table with its state, the best epoch's weights, and the sums and entries of one batch.
    let batch = config.batch_rows(train.len()).min(train.len());
    let entries = train.most_entries(batch) as u128;
    let batch = batch as u128 * interaction.sums() as u128 * 4 + entries * Cpu::<Fm>::ENTRY_BYTES;
    let model = table::bytes(features, interaction.width(), states)
        + table::bytes(features, interaction.width(), 0)
        + batch;
    let what = format!("a model of {features} features and {} factors", config.factors);
    memory::check(model, &what, "lower factors, raise min_count, or set hash_bits")?;
    let bytes = model + train.bytes() + valid.bytes();
    let target = encoding.target.clone();
    Ok(Start { target, train: train.len(), valid: valid.len(), features, bytes })
}

/// The score whose prediction is the weighted mean label: where the bias starts.
fn mean_score(config: &Config, target: &Target, rows: &Rows) -> f32 {
    let label = |row| {
        let (label, weight) = rows.label(row);
        target.standardize(label) * f64::from(weight)
    };
    let mean = (0..rows.len()).map(label).sum::<f64>() / rows.weight();
    let mean = match config.resolved_loss() {
        // Rows of one class may all weigh nothing.
        Loss::Logistic => mean.clamp(1e-6, 1.0 - 1e-6),
        Loss::Squared => mean,
    };
    config.resolved_loss().link(mean) as f32
}

fn diverged_line(stop: &Stop, held_out: &[bool], lines: &RowLines) -> Option<u64> {
    let Stop::Diverged { row: Some(row), .. } = stop else { return None };
    let mut training = held_out.iter().enumerate().filter(|(_, held)| !**held);
    training.nth(*row).and_then(|(row, _)| lines.line(row))
}
