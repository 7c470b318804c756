//! A model that goes on learning from rows as they come.

use super::begin::{Beginning, Begun};
use super::prepare::{Prepared, prepare};
use super::summary::Summary;
use super::text::read_rows;
use super::units::Units;
use super::{Dataset, Event, Job, check, tell, tell_skipped};
use crate::backend::Backend;
use crate::config::Config;
use crate::encode::{Beside, Dictionary, Encoding};
use crate::fit::{Epoch, Fit, Run, Stop};
use crate::loss::Loss;
use crate::model::{Model, fill_new};
use crate::parallel::Threads;
use crate::reading::Given;
use crate::schema::Schema;
use crate::store::{Room, Store};
use crate::{Error, Result};

/// A model that learns from some rows after others, in one pass each: its ids are those of the first rows, and the
/// optimizer's state stays from one to the next. What it has learned from is not kept.
pub struct Learner {
    schema: Schema,
    encoding: Encoding,
    /// Nothing in them is left to the data.
    config: Config,
    class_weights: Vec<f32>,
    units: Units,
    backend: Box<dyn Backend>,
    history: Vec<Epoch>,
    /// Rows that were learned from.
    learned: usize,
    job: Job,
}

impl Learner {
    /// Learns ids from the first rows, and from these in one pass. No rows are held out.
    ///
    /// # Errors
    /// As for [`super::train`]; [`Error::Usage`] for losses that rank, whose lists may not be whole;
    /// [`Error::Diverged`]; [`Error::Interrupted`] if `watch` returns false.
    pub fn begin(
        rows: Dataset,
        job: &Job,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<Self> {
        let config = Config {
            valid_fraction: Some(0.0),
            valid_tail: 0.0,
            calibrate: None,
            epochs: 1,
            patience: 0,
            ..job.config.clone()
        };
        let job = Job { config, valid: None, test: None, checkpoints: None, ..job.clone() };
        check(&job)?;
        if job.config.loss.is_some_and(Loss::is_ranking) {
            let message =
                "rows that are ranked are learned from as a whole: some after others cannot be";
            return Err(Error::usage(message));
        }
        let threads = Threads::new(job.threads)?;
        let mut prepared = prepare(rows, None, &job, &threads, watch)?;
        let units = Units::learn(&prepared.schema, &prepared.encoding, &prepared.train)?;
        units.enter(&mut prepared.train)?;
        let summary = prepared.summary(&job.config)?;
        // The backend has its own.
        drop(threads);
        let beginning =
            Beginning { job: &job, prepared: &prepared, units: &units, summary, negatives: None };
        let Begun { config, most_entries, start, backend } = beginning.begin()?;
        tell(watch, Event::Start(&start))?;
        let Prepared { schema, encoding, train, class_weights, .. } = prepared;
        let history = Vec::new();
        let mut learner = Learner {
            schema,
            encoding,
            config,
            class_weights,
            units,
            backend,
            history,
            learned: 0,
            job,
        };
        learner.pass(&train, most_entries, watch)?;
        Ok(learner)
    }

    /// Learns from further rows, called `name` in errors, in one pass. Values that the first rows had not are as
    /// ever those of the default id; of hashed ones all have an id.
    ///
    /// # Errors
    /// As for [`Learner::begin`]. After an error of the rows it is what it was; an interrupted or diverged pass has
    /// learned from some.
    pub fn learn(
        &mut self,
        given: Given<'_>,
        name: &str,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<()> {
        let threads = Threads::new(self.job.threads)?;
        let beside = Beside { class_weights: &self.class_weights, ..Beside::default() };
        let (mut train, read) = read_rows(
            (name, Some(given)),
            &self.schema,
            &self.encoding,
            (&beside, Dictionary::default()),
            self.job.on_error,
            (&Room::default(), &threads),
            &mut || tell(watch, Event::Encoding),
        )?;
        tell_skipped(&read.skipped, watch)?;
        if !read.unseen.is_empty() {
            tell(watch, Event::Unseen(&read.unseen))?;
        }
        self.units.enter(&mut train)?;
        let batch = self.config.batch_rows(train.len());
        let summary = Summary::of(&train, self.encoding.features(), batch, &self.encoding.target)?;
        let has_new = self.backend.count(&summary.counts);
        // What was never seen before, and is now, gets first factors; mostly there is nothing new.
        if has_new {
            let seed = self.config.seed ^ self.history.len() as u64;
            self.backend.sync()?;
            let factors = &mut self.backend.state_mut().factors;
            fill_new(factors, &self.config, self.encoding.fields.len(), &summary.counts, seed)?;
        }
        self.pass(&train, summary.most_entries(batch), watch)
    }

    /// Takes this learning rate from now on.
    ///
    /// # Errors
    /// [`Error::Usage`] for what is no learning rate.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        let config = Config { learning_rate: Some(rate), ..self.config.clone() };
        config.check()?;
        self.config = config;
        Ok(())
    }

    fn pass(
        &mut self,
        train: &Store,
        most_entries: usize,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<()> {
        let run = Run {
            train,
            most_entries,
            valid: &Store::default(),
            config: &self.config,
            negatives: None,
            target: &self.encoding.target,
            before: self.learned,
            keeps_best: false,
            checkpoints: None,
        };
        self.learned += train.len();
        let Fit { history, stop, .. } =
            run.fit(&mut *self.backend, &mut |event| watch(Event::Fit(event)))?;
        match stop {
            Stop::Diverged { rate, .. } => {
                Err(Error::Diverged(format!("it diverged at learning rate {rate}")))
            }
            // Told at the end of the pass, it has nothing left to stop.
            Stop::Interrupted if history.is_empty() => Err(Error::Interrupted),
            _ => {
                let pass = self.history.len() as u32 + 1;
                self.history.extend(history.into_iter().map(|e| Epoch { epoch: pass, ..e }));
                Ok(())
            }
        }
    }

    /// What the columns are.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The model as it is now.
    ///
    /// # Errors
    /// [`Error::Memory`] if it does not fit.
    pub fn model(&mut self) -> Result<Model> {
        let mut weights = self.backend.weights()?;
        self.units.leave([&mut Store::default(), &mut Store::default()], Some(&mut weights))?;
        Ok(Model {
            schema: self.schema.clone(),
            encoding: self.encoding.clone(),
            config: self.config.clone(),
            history: self.history.clone(),
            epoch: self.history.len() as u32,
            calibration: None,
            weights,
        })
    }
}
