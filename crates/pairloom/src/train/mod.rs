//! From a file of raw rows to a model: schema, interning, hold-out, encoding and fit in one call.

mod begin;
mod calibrate;
mod dataset;
mod event;
mod going_on;
mod hold_out;
mod job;
mod kept;
mod learner;
mod prepare;
mod ranking;
mod read;
mod revise;
mod start;
mod summary;
mod text;
mod units;

use crate::backend::{DeviceName, check_cuda};
use crate::calibration::Calibrated;
use crate::fit::{Fit, Run, Stop};
use crate::input;
use crate::model::Model;
use crate::negatives::Negatives;
use crate::parallel::Threads;
use crate::pieces::Pieces;
use crate::reading::Given;
use crate::store::Store;
use crate::{Error, Result};
use begin::{Beginning, Begun};
use calibrate::{calibrate, check_held_out, stands_for};
pub use dataset::Dataset;
pub use event::Event;
use event::{tell, tell_skipped};
pub use job::{Job, SchemaSource, TestPart};
pub use kept::{Converted, convert};
pub(crate) use kept::{KeptRows, check_rereadable, content, keep_rows};
pub use learner::Learner;
use prepare::{Prepared, prepare};
pub use ranking::Groups;
pub use start::Start;
use units::Units;

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
    check(job)?;
    ended(Dataset::read_file(job, watch).and_then(|rows| run(rows, None, job, watch)))
}

/// Trains a model on rows that were read before. Of the job's files counts that of validation rows, unless such
/// rows are given under its name; its schema, format and policy for bad rows were for reading.
///
/// # Errors
/// As for [`train`].
pub fn train_on(
    rows: Dataset,
    valid: Option<Given<'_>>,
    job: &Job,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Trained> {
    check(job)?;
    ended(run(rows, valid, job, watch))
}

/// An interrupted run has ended like others.
fn ended(run: Result<Trained>) -> Result<Trained> {
    match run {
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

/// Refuses what cannot be, before rows are read.
fn check(job: &Job) -> Result<()> {
    job.config.check()?;
    check_held_out(job)?;
    job.test.map_or(Ok(()), |part| part.check())?;
    if job.data == "-" && job.valid.as_deref() == Some("-") {
        return Err(Error::usage("standard input cannot be both training and validation rows"));
    }
    if job.device == DeviceName::Cuda {
        check_cuda()?;
    }
    if job.config.memory.is_some() {
        // Tried out before rows are read that may have to go there.
        Pieces::temporary(&job.temp_dir)?;
    }
    Ok(())
}

fn run(
    rows: Dataset,
    valid: Option<Given<'_>>,
    job: &Job,
    watch: &mut dyn FnMut(Event<'_>) -> bool,
) -> Result<Trained> {
    let threads = Threads::new(job.threads)?;
    let mut prepared = prepare(rows, valid, job, &threads, watch)?;
    let units = Units::learn(&prepared.schema, &prepared.encoding, &prepared.train)?;
    units.enter(&mut prepared.train)?;
    units.enter(&mut prepared.valid)?;
    units.enter(&mut prepared.test)?;
    let mut summary = prepared.summary(&job.config)?;
    let negatives = ranking::negatives(&job.config, &prepared, input::name(&job.data))?;
    if let Some(negatives) = &negatives {
        negatives.count(&mut summary.counts);
    }
    // The backend has its own.
    drop(threads);
    let negatives = negatives.as_ref();
    let beginning = Beginning { job, prepared: &prepared, units: &units, summary, negatives };
    let Begun { config, most_entries, start, mut backend } = beginning.begin()?;
    let Prepared { schema, encoding, train, mut valid, mut test, held_out, left_out, .. } =
        prepared;
    let stands_for = stands_for(&job.config, &prepared.class_weights);
    let items = negatives.map(Negatives::items);
    let is_out = |(held, out): (&bool, &bool)| !held && *out;
    let rows_out = held_out.iter().zip(&left_out).filter(|row| is_out(*row)).count();
    let start = Start { items, groups: prepared.groups, left_out: rows_out, ..start };
    tell(watch, Event::Start(&start))?;
    let run = Run {
        train: &train,
        most_entries,
        valid: &valid,
        config: &config,
        negatives,
        target: &encoding.target,
        before: 0,
        keeps_best: true,
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
            (0..held_out.len()).filter(trained_on).nth(row).and_then(|row| prepared.lines.line(row))
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
