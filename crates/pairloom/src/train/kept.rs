//! Rows that are read once and kept, to be trained on again and again.

use super::hold_out::hold_out;
use super::prepare::check;
use super::read::{cached, joined, keep, read, source};
use super::{Event, Job, SchemaSource, Trained, train};
use crate::data::{Cached, Source, is_cache};
use crate::encode::check_columns;
use crate::fit::{FitEvent, Stop};
use crate::parallel::Threads;
use crate::schema::{Hints, Role, Schema};
use crate::{Error, Result, reading};
use std::time::Instant;

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
    check_rereadable(job, None)?;
    let (threads, source) = (Threads::new(job.threads)?, source(job)?);
    let (known_by, of) = (source.name(), job.data.clone());
    let (path, cached) = match is_cache(&of) {
        true => (&of[..], read(&Job { cache: None, ..job.clone() }, &threads, watch)?),
        false => (path, cached(job, path, source, &threads, watch)?),
    };
    let (rows, schema) = (cached.interned.rows, cached.schema);
    Ok(KeptRows { known_by, schema, path: path.into(), rows, of })
}

/// Refuses rows of a job, or of a further file, that can be read only once.
///
/// # Errors
/// [`Error::Usage`].
pub(crate) fn check_rereadable(job: &Job, other: Option<&str>) -> Result<()> {
    match job.data == "-" || other == Some("-") {
        true => {
            let message = "the rows are read again and again: name a file, not standard input";
            Err(Error::usage(message))
        }
        false => Ok(()),
    }
}

/// What the rows of a further file of a job are known by, which are read again and again too.
///
/// # Errors
/// [`Error::Io`]; [`Error::Usage`] for rows that can be read only once.
pub(crate) fn content(job: &Job, path: &str) -> Result<String> {
    check_rereadable(job, Some(path))?;
    Source::of(path, &joined(job, path)?, "").map(|source| source.name())
}

/// Rows that can be read again and again.
#[derive(Debug)]
pub(crate) struct KeptRows {
    /// Their content, and what was said of them.
    pub(crate) known_by: String,
    /// What their columns are.
    pub(crate) schema: Schema,
    /// How many there are.
    pub(crate) rows: usize,
    /// Their file.
    path: String,
    /// The file that they are of: the same if it is one of converted rows.
    of: String,
}

impl KeptRows {
    /// Trains on them as a job says, until `stopped` epochs are over, if that is said, or `goes_on` returns false.
    /// With what it came to, which has a model, are the seconds of training alone.
    ///
    /// # Errors
    /// Those of [`train`]; [`Error::Interrupted`] if `goes_on` ended it; [`Error::Diverged`].
    pub(crate) fn train(
        &self,
        job: &Job,
        stopped: Option<u32>,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<(Trained, f64)> {
        let job = self.job(job);
        let (mut begun, mut is_enough) = (Instant::now(), false);
        let trained = train(&job, &mut |event| {
            match event {
                Event::Start(_) => begun = Instant::now(),
                Event::Fit(FitEvent::Epoch(epoch)) => {
                    is_enough = stopped.is_some_and(|stopped| epoch.epoch >= stopped);
                }
                _ => {}
            }
            !is_enough && goes_on()
        })?;
        let seconds = begun.elapsed().as_secs_f64();
        match (&trained.stop, &trained.model) {
            (Stop::Interrupted, _) if !is_enough => Err(Error::Interrupted),
            (Stop::Diverged { epoch, rate, .. }, _) => {
                let message = format!("it diverged in epoch {epoch} at learning rate {rate}");
                Err(Error::Diverged(message))
            }
            (_, None) => Err(Error::Interrupted),
            (_, Some(_)) => Ok((trained, seconds)),
        }
    }

    /// Such a job on these rows.
    fn job(&self, job: &Job) -> Job {
        Job {
            data: self.path.clone(),
            // What was said of the rows is in them since they were read.
            open: <_>::default(),
            schema: SchemaSource::Infer(Hints::default()),
            checkpoints: None,
            cache: None,
            ..job.clone()
        }
    }

    /// Checks what a job says of the columns, before it is trained.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub(crate) fn check(&self, job: &Job) -> Result<()> {
        check(job, &self.of_job(job)?)
    }

    /// Checks that there are columns of these names, which are features.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub(crate) fn check_columns(&self, names: &[String]) -> Result<()> {
        self.schema.clone().keep_features(names)
    }

    /// Checks that a further file has the columns that a model of a job is measured by.
    ///
    /// # Errors
    /// Those of opening it; [`Error::Usage`] for a column that is not there.
    pub(crate) fn check_file(&self, job: &Job, path: &str) -> Result<()> {
        let schema = self.of_job(job)?;
        let reader = reading::open(path, &job.open, &schema)?;
        check_columns(&schema, path, reader.columns())
    }

    /// The columns as a job has them.
    fn of_job(&self, job: &Job) -> Result<Schema> {
        let mut schema = self.schema.clone();
        job.only.as_ref().map_or(Ok(()), |only| schema.keep_features(only))?;
        Ok(schema)
    }

    /// Checks that the test part of a job can be held out where rows stay together, for which they are read.
    ///
    /// # Errors
    /// Those of reading them; [`Error::Data`] if it cannot.
    pub(crate) fn check_part(&self, job: &Job) -> Result<()> {
        if self.schema.group().is_none() && self.schema.find(Role::Trials).is_none() {
            return Ok(());
        }
        let job = self.job(job);
        let cached = read(&job, &Threads::new(job.threads)?, &mut |_| true)?;
        let held = hold_out(&cached.interned, &cached.schema, &job, false);
        held.map(drop).map_err(|error| self.named(error))
    }

    /// An error by the name of the file that is known.
    pub(crate) fn named(&self, error: Error) -> Error {
        match error {
            Error::Usage(message) => Error::Usage(message.replace(&self.path, &self.of)),
            Error::Data { file, message } => {
                Error::data(file.replace(&self.path, &self.of), message)
            }
            other => other,
        }
    }

    /// What an error says, by the name of the file that is known.
    pub(crate) fn why(&self, error: &Error) -> String {
        error.to_string().replace(&self.path, &self.of)
    }

    /// Removes them, if they were kept beside another file. If they stay, it is only room.
    pub(crate) fn forget(&self) {
        if self.path != self.of {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
