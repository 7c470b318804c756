//! From a file of raw rows to a model: schema, interning, hold-out, encoding and fit in one call.

mod calibrate;
mod hold_out;
mod ranking;
mod read;
mod revise;
mod start;
mod summary;
mod units;

use crate::calibration::Calibrated;
use crate::config::Config;
use crate::data::{Cached, Source, check_values, is_cache};
use crate::encode::{Beside, Encoding, Target, Unseen, encode, learn};
use crate::fit::{Checkpoints, Fit, FitEvent, Run, Stop};
use crate::input::{self, OpenOptions};
use crate::loss::{Loss, lists};
use crate::metric::Constant;
use crate::model::Model;
use crate::negatives::Negatives;
use crate::parallel::Threads;
use crate::pieces::Pieces;
use crate::reading::{OnError, RowLines, Skipped};
use crate::schema::{Hints, Role, Schema};
use crate::store::Store;
use crate::{Error, Result, calibration};
use calibrate::{calibrate, check_classes, check_held_out, stands_for};
use hold_out::{Parts, hold_out};
pub use ranking::Groups;
use read::{keep, known_by, read, read_rows};
use serde::{Deserialize, Serialize};
use start::{backend, before_model, resolve, room, start};
use summary::Summary;
use units::Units;

/// Where the schema comes from.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one of it for each job")]
pub enum SchemaSource {
    /// It is inferred where these do not say.
    Infer(Hints),
    /// It is given.
    Given(Schema),
}

/// Rows of a job's file that are kept for a test: neither trained on nor looked at meanwhile. They are drawn as
/// validation rows are: groups whole, and the same share of each class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestPart {
    /// A share that is drawn at random.
    Share {
        /// More than 0 and less than 1.
        share: f64,
        /// Of the draw.
        seed: u64,
    },
    /// The last rows of the file.
    Tail {
        /// More than 0 and less than 1.
        share: f64,
    },
    /// One of several folds, which have about as many rows each.
    Fold {
        /// Which, from 0.
        at: u32,
        /// How many there are, at least 2.
        of: u32,
        /// Of the draw.
        seed: u64,
    },
}

/// Everything that says what to train on and how.
#[derive(Debug, Clone)]
pub struct Job {
    /// The file of training rows; `-` is standard input.
    pub data: String,
    /// The file of validation rows.
    pub valid: Option<String>,
    /// The part of the rows that is kept for a test, see [`Trained::test`].
    pub test: Option<TestPart>,
    /// What is known about the files' format.
    pub open: OpenOptions,
    /// The schema.
    pub schema: SchemaSource,
    /// The feature columns that count, if not all do: the others are read, and then left out.
    pub only: Option<Vec<String>>,
    /// The settings.
    pub config: Config,
    /// Threads; 0 takes one for each core. The model does not depend on it.
    pub threads: usize,
    /// What to do with rows that cannot be used.
    pub on_error: OnError,
    /// Whether and where to write checkpoints.
    pub checkpoints: Option<Checkpoints>,
    /// The folder of temporary files, which rows go to that [`Config::memory`] has no room for.
    pub temp_dir: String,
    /// The file that keeps the training rows as they were read: it is made, and used by later jobs
    /// over the same rows.
    pub cache: Option<String>,
}

impl Job {
    /// A job with nothing said but the file: schema inferred, settings as they come.
    pub fn new(data: impl Into<String>) -> Self {
        Job {
            data: data.into(),
            valid: None,
            test: None,
            open: OpenOptions::default(),
            schema: SchemaSource::Infer(Hints::default()),
            only: None,
            config: Config::default(),
            threads: 0,
            on_error: OnError::Stop,
            checkpoints: None,
            temp_dir: std::env::temp_dir().to_string_lossy().into_owned(),
            cache: None,
        }
    }
}

/// What a training job tells while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// The schema is known.
    Schema(&'a Schema),
    /// All rows are read, and say other things of some columns than the first ones did.
    Revised {
        /// The schema as it is now.
        schema: &'a Schema,
        /// What became of each of those columns.
        notes: &'a [String],
    },
    /// The training rows come from a cache; or it is made anew.
    Cache {
        /// The cache.
        path: &'a str,
        /// Why it is made anew.
        stale: Option<&'a Error>,
    },
    /// Values of a validation file are not in the training rows.
    Unseen(&'a [Unseen]),
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
    /// The loss.
    pub loss: Loss,
    /// Training rows.
    pub train: usize,
    /// Validation rows.
    pub valid: usize,
    /// The mean label of the training rows, and the loss of predicting it.
    pub constant: Constant,
    /// Groups of training rows, if those that are given are ranked.
    pub groups: Option<Groups>,
    /// Items that are drawn to be ranked below those of a group, if that is done.
    pub items: Option<usize>,
    /// Training rows of label 0, which are left out where items are drawn.
    pub left_out: usize,
    /// Distinct labels, where a few whole numbers are predicted as numbers.
    pub classes: Option<usize>,
    /// How many of several classes have one training row only: of these little can be learned.
    pub single: usize,
    /// Features (ids) of all fields.
    pub features: usize,
    /// The mean weight of a training row, with that of its class.
    pub mean_weight: f64,
    /// Whether the weights are those of rows of counts, and nothing else.
    pub are_counts: bool,
    /// The mean `sum_i x_i^2` of a training row, which usual rates and strengths depend on.
    pub square_length: f64,
    /// Bytes of the encoded rows in memory.
    pub row_bytes: u128,
    /// Bytes of those that are in a temporary file.
    pub disk_bytes: u64,
    /// Bytes of the model, the optimizer's state, the best epoch's weights and the work on a batch.
    pub model_bytes: u128,
}

impl Start {
    /// Means of weights that are most likely meant to be 1.
    const USUAL_WEIGHTS: std::ops::RangeInclusive<f64> = 0.01..=100.0;

    /// Whether rows weigh so little or so much that what is beside them, as L2 strengths, has another size.
    pub fn has_odd_weights(&self) -> bool {
        !Self::USUAL_WEIGHTS.contains(&self.mean_weight)
    }

    /// Whether rows weigh so much that steps may be too long.
    pub fn has_great_weights(&self) -> bool {
        self.mean_weight > *Self::USUAL_WEIGHTS.end()
    }
}

/// What a training job ends with.
#[derive(Debug)]
pub struct Trained {
    /// The model of the best epoch; `None` if not even one was completed.
    pub model: Option<Model>,
    /// What training began with; `None` if it did not begin.
    pub start: Option<Start>,
    /// Why it ended.
    pub stop: Stop,
    /// The validation rows, encoded.
    pub valid: Store,
    /// The rows that were kept for a test, encoded; see [`Trained::test_metrics`].
    pub test: Store,
    /// How many rows a validation row of label 0 and one of label 1 stand for where predictions are
    /// measured: see [`Trained::predictions`].
    pub stands_for: [f64; 2],
    /// What the calibration brought on them, if there is one.
    pub calibrated: Option<Calibrated>,
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
        Err(Error::Interrupted) => Ok(Trained {
            model: None,
            start: None,
            stop: Stop::Interrupted,
            valid: Store::default(),
            test: Store::default(),
            stands_for: [1.0; 2],
            calibrated: None,
            diverged_line: None,
        }),
        done => done,
    }
}

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

fn run(job: &Job, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Trained> {
    job.config.check()?;
    check_held_out(job)?;
    if job.data == "-" && job.valid.as_deref() == Some("-") {
        return Err(Error::usage("standard input cannot be both training and validation rows"));
    }
    let threads = Threads::new(job.threads)?;
    if job.config.memory.is_some() {
        // Tried out before rows are read that may have to go there.
        Pieces::temporary(&job.temp_dir)?;
    }
    let Prepared {
        schema,
        encoding,
        mut train,
        mut valid,
        mut test,
        valid_file,
        class_weights,
        groups,
        held_out,
        left_out,
        lines,
    } = prepare(job, &threads, watch)?;
    let units = Units::learn(&schema, &encoding, &train)?;
    units.enter(&mut train)?;
    units.enter(&mut valid)?;
    units.enter(&mut test)?;
    let stands_for = stands_for(&job.config, &class_weights);
    // A batch of lists ends with a whole one.
    let beyond = if groups.is_some() { lists::MOST - 1 } else { 0 };
    let (features, rows) = (encoding.features(), train.len());
    let batch = job.config.batch_rows(rows).min(rows) + beyond;
    let mut summary = Summary::of(&train, features, batch, &encoding.target)?;
    let mut config = resolve(&job.config, &encoding, train.len(), &summary);
    let files = [input::name(&job.data), &valid_file];
    let negatives = ranking::negatives(&config, &schema, &encoding, [&train, &valid], files)?;
    config.negatives = negatives.as_ref().map(Negatives::each);
    if let Some(negatives) = &negatives {
        negatives.count(&mut summary.counts);
        summary.most_entries += negatives.most_entries(batch, summary.most_entries);
    }
    let items = negatives.as_ref().map(Negatives::items);
    let start = start(&config, &encoding, [&train, &valid], &summary)?;
    let are_counts = schema.find(Role::Trials).is_some() && schema.find(Role::Weight).is_none();
    let is_out = |(held, out): (&bool, &bool)| !held && *out;
    let rows_out = held_out.iter().zip(&left_out).filter(|row| is_out(*row)).count();
    let start = Start { items, groups, left_out: rows_out, are_counts, ..start };
    tell(watch, Event::Start(&start))?;
    let most_entries = summary.most_entries;
    let mut backend = backend(&config, &encoding, summary, threads)?;
    let run = Run {
        train: &train,
        most_entries,
        valid: &valid,
        config: &config,
        negatives: negatives.as_ref(),
        target: &encoding.target,
        checkpoints: job.checkpoints.as_ref(),
    };
    let Fit { mut weights, epoch, history, stop } =
        run.fit(&mut *backend, &mut |event| watch(Event::Fit(event)))?;
    // Its threads and its tables are no longer needed.
    drop(backend);
    units.leave([&mut valid, &mut test], weights.as_mut())?;
    let trained_on = |row: &usize| !held_out[*row] && !left_out.get(*row).is_some_and(|out| *out);
    let diverged_line = match stop {
        Stop::Diverged { row: Some(row), .. } => {
            (0..held_out.len()).filter(trained_on).nth(row).and_then(|row| lines.line(row))
        }
        _ => None,
    };
    let calibration = None;
    let model = |weights| Model { schema, encoding, config, history, epoch, calibration, weights };
    let (mut model, start) = (weights.map(model), Some(start));
    let calibrated = match &mut model {
        // Of one that has diverged since nothing more is asked than what it was, and an interrupted one goes on.
        Some(model) if !matches!(stop, Stop::Diverged { .. } | Stop::Interrupted) => {
            calibrate(model, &valid, stands_for, job.threads)?
        }
        _ => None,
    };
    Ok(Trained { model, start, stop, valid, test, stands_for, calibrated, diverged_line })
}

/// Rows ready to be trained on.
struct Prepared {
    schema: Schema,
    encoding: Encoding,
    train: Store,
    valid: Store,
    test: Store,
    /// Where the validation rows come from.
    valid_file: String,
    class_weights: Vec<f32>,
    groups: Option<Groups>,
    held_out: Vec<bool>,
    /// Rows that nothing is learned from, if there may be some.
    left_out: Vec<bool>,
    lines: RowLines,
}

/// From the job's files to encoded rows.
fn prepare(
    job: &Job,
    threads: &Threads,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Prepared> {
    let Cached { mut schema, mut interned, .. } = read(job, threads, watch)?;
    if let Some(only) = &job.only {
        schema.keep_features(only)?;
    }
    ranking::check(&job.config, &schema)?;
    let draws = job.config.drawn_negatives(&schema) > 0;
    if draws && job.test.is_some() {
        let message =
            "a test part is of rows that are given, and items are drawn for these: test on a file";
        return Err(Error::usage(message));
    }
    let Parts { held_out, test } = hold_out(&interned, &schema, job, draws)?;
    let file = input::name(&job.data);
    let encoding = learn(&interned, &held_out, &schema, &job.config, file, threads)?;
    check_classes(&job.config, &encoding.target, file)?;
    let class_weights = match &job.config.class_weight {
        None => Vec::new(),
        Some(weights) => weights.factors(&interned, &held_out, &encoding.target, file)?,
    };
    let lines = std::mem::take(&mut interned.lines);
    let work = interned.work_bytes();
    let room = room(&job.config, &encoding, work, &job.temp_dir)?;
    if let (Some(path), Some(memory)) = (&job.valid, job.config.memory)
        && is_cache(path)
    {
        check_values(path, before_model(memory.into(), &encoding, work))?;
    }
    let shuffle = job.config.shuffle.then_some(job.config.seed);
    let group_names = std::mem::take(&mut interned.group_names);
    let groups = job.config.loss.is_some_and(Loss::is_ranking);
    let left_out = match draws {
        true => ranking::not_relevant(&interned, &encoding.target)?,
        false => Vec::new(),
    };
    let beside = Beside { class_weights: &class_weights, groups, left_out: &left_out, test: &test };
    let [train, mut valid, test] =
        encode(interned, &held_out, &encoding, &room, shuffle, &beside, threads)?;
    check_rows(&train, file, "training", draws)?;
    let mut valid_file = file;
    if let Some(path) = &job.valid {
        let (rows, read) = read_rows(
            path,
            &schema,
            &encoding,
            (&beside, group_names),
            job.on_error,
            &room,
            threads,
        )?;
        tell_skipped(&read.skipped, watch)?;
        if !read.unseen.is_empty() {
            tell(watch, Event::Unseen(&read.unseen))?;
        }
        (valid, valid_file) = (rows, input::name(path));
    }
    if !valid.is_empty() || (draws && job.valid.is_some()) {
        check_rows(&valid, valid_file, "validation", draws)?;
    }
    if job.test.is_some() {
        check_rows(&test, file, "test", false)?;
    }
    if job.config.calibrate.is_some() {
        // Before the work, which would be lost.
        calibration::check_rows(&valid.outcomes()?, valid_file, "validation ")?;
    }
    let mut groups = None;
    if job.config.loss.is_some_and(Loss::is_ranking) && !draws {
        groups = Some(ranking::groups(&train, file, "training")?);
        if !valid.is_empty() {
            ranking::groups(&valid, valid_file, "validation")?;
        }
    }
    let valid_file = valid_file.to_string();
    Ok(Prepared {
        schema,
        encoding,
        train,
        valid,
        test,
        valid_file,
        class_weights,
        groups,
        held_out,
        left_out,
        lines,
    })
}

/// Checks that rows can be trained on or measured; `what` they are called in errors. Of rows that others are drawn
/// for, only the relevant ones are there.
fn check_rows(rows: &Store, file: &str, what: &str, are_relevant: bool) -> Result<()> {
    if are_relevant && rows.is_empty() {
        let message =
            format!("none of the {what} rows has a label above 0: there is nothing to rank");
        return Err(Error::data(file, message));
    }
    if u32::try_from(rows.len()).is_err() {
        return Err(Error::data(file, "more than 2^32 rows: train on a part of them"));
    }
    if rows.weight() <= 0.0 {
        return Err(Error::data(file, format!("the weights of all {what} rows are 0")));
    }
    Ok(())
}

/// Tells what happens; an error is the wish to stop.
fn tell(watch: &mut dyn FnMut(Event<'_>) -> bool, event: Event<'_>) -> Result<()> {
    if watch(event) { Ok(()) } else { Err(Error::Interrupted) }
}

fn tell_skipped(skipped: &Skipped, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<()> {
    if skipped.rows > 0 { tell(watch, Event::Skipped(skipped)) } else { Ok(()) }
}
