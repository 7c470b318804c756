//! Settings that are good for some rows, found by trying.
//!
//! Settings are tried one by one, those that are better so are tried together, and others are drawn at random (Bergstra
//! and Bengio 2012, "Random Search for Hyper-Parameter Optimization"), each for a third of the epochs of the defaults; the
//! best few of them are trained to the end (successive halving: Jamieson and Talwalkar 2016, "Non-stochastic Best Arm
//! Identification and Hyperparameter Optimization", algorithm 1, with one rung and eight instead of two). Then settings
//! near the best ones are tried: each goes to its end if it is among the best eighth of all that were trained for a third
//! (Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning", algorithm 2, has that rule). The defaults
//! are among those that are trained to the end, and what it all costs is counted in trainings with them.
//!
//! A trial is a training like any other, from its beginning; so the best one is repeated by one command, to the bit. Each
//! is a line of the journal when it has ended. What is measured are the validation rows: being the best of many on these,
//! a figure is better than it would be on others.

mod axis;
mod budget;
mod cost;
mod halving;
mod rung;
mod space;
mod trials;

pub use axis::{Axis, Values, usual_axes};

use crate::config::Config;
use crate::fit::Epoch;
use crate::journal::{self, Opened, Work};
use crate::loss::Loss;
use crate::metric::{Metrics, check_figure, is_loss};
use crate::model::Model;
use crate::parallel::Share;
use crate::train::{self, Job, KeptRows, Start, check_rereadable, content};
use crate::{Error, Result};
use halving::Search;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What to look for.
#[derive(Debug, Clone)]
pub struct Tune {
    /// The rows, and the settings that stay.
    pub job: Job,
    /// The settings that are looked for.
    pub axes: Vec<Axis>,
    /// What the first trial has instead of the defaults, as far as it means something to the model: names of settings
    /// and their values.
    pub first: Vec<(String, String)>,
    /// The figure of the validation rows to compare by, by its name in JSON. Nothing takes the loss, or where rows
    /// are ranked NDCG.
    pub metric: Option<String>,
    /// What the search may cost: as much as so many trainings with the defaults.
    pub runs: f64,
    /// After this no more trials begin; the best so far is then trained to its end.
    pub time: Option<Duration>,
    /// Trainings at a time; 0 takes one for each thread.
    pub parallel: usize,
    /// The file of ended trials.
    pub journal: String,
    /// Whether those that are in it are forgotten, once the rows are read.
    pub restart: bool,
}

/// Some settings, trained for some epochs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trial {
    /// Its number; 0 are the defaults, with [`Tune::first`].
    pub trial: usize,
    /// Epochs after which it was stopped; nothing if it was trained to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<u32>,
    /// What was drawn, or said of the first: names of settings and their values.
    pub said: Vec<(String, String)>,
    /// All settings.
    pub config: Config,
    /// How it ended.
    #[serde(flatten)]
    pub ended: Ended,
}

/// How a trial ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It was measured.
    Done(Box<Measured>),
    /// Why it was not.
    Failed(String),
}

/// What a trial came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    /// Its best epoch.
    pub best: Epoch,
    /// Epochs that were trained.
    pub epochs: u32,
    /// The validation rows after each of these.
    pub course: Vec<Metrics>,
    /// Of training alone, on one thread if several trainings went on.
    pub seconds: f64,
    /// What usual values depend on.
    pub begun: Begun,
}

/// What usual values of settings depend on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// Training rows.
    pub rows: usize,
    /// The mean `sum_i x_i^2` of a row, by the weights of rows.
    pub square_length: f64,
    /// Columns of numbers.
    pub numbers: usize,
    /// Fields.
    pub fields: usize,
    /// The loss.
    pub loss: Loss,
}

impl Begun {
    fn of(model: &Model, start: Option<&Start>) -> Self {
        Begun {
            rows: start.map_or(0, |start| start.train),
            square_length: start.map_or(1.0, |start| start.square_length),
            numbers: model.encoding.numbers(),
            fields: model.encoding.fields.len(),
            loss: model.config.resolved_loss(),
        }
    }

    /// Settings with everything decided.
    fn resolve(&self, config: &Config) -> Config {
        config.resolve(self.rows, self.square_length, self.numbers, self.loss)
    }
}

impl Trial {
    /// Whether its settings are these but for what was drawn.
    fn is_of(&self, base: &Config) -> bool {
        let drawn = |config: Config, (name, value): &(String, String)| config.with(name, value);
        self.said.iter().try_fold(base.clone(), drawn).is_ok_and(|config| config == self.config)
    }

    /// What it came to, if it was measured.
    pub fn measured(&self) -> Option<&Measured> {
        match &self.ended {
            Ended::Done(measured) => Some(measured),
            Ended::Failed(_) => None,
        }
    }

    /// Its figure of this name.
    pub fn figure(&self, metric: &str) -> Option<f64> {
        self.measured()?.best.valid.as_ref()?.find(metric)
    }
}

/// What a search tells while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// The rows are read.
    Rows(train::Event<'a>),
    /// Trainings of so many epochs begin, or to their end.
    Rung {
        /// How many.
        trials: usize,
        /// Epochs.
        epochs: Option<u32>,
        /// Whether they are near the best so far.
        near: bool,
    },
    /// Trainings go on; it is asked whether they should.
    Working,
    /// A trial has ended.
    Trial(&'a Trial),
}

/// What a journal says first.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    tune: u32,
    /// The content of the rows' file, and what was said of it.
    rows: String,
    /// The content of the file of validation rows, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid: Option<String>,
}

/// What was found.
#[derive(Debug)]
pub struct Tuned {
    /// The figure that was compared by.
    pub metric: String,
    /// All trials, in the order in which they ended.
    pub trials: Vec<Trial>,
    /// The best of those that were trained to their end.
    pub best: usize,
    /// Its model.
    pub model: Model,
    /// What all cost, in trainings with the defaults.
    pub cost: f64,
}

impl Tuned {
    /// The best trial.
    pub fn best(&self) -> &Trial {
        &self.trials[self.best]
    }

    /// The first trial: the defaults, with [`Tune::first`].
    pub fn defaults(&self) -> Option<&Trial> {
        self.trials.iter().find(|trial| trial.trial == 0)
    }
}

impl Tune {
    /// Whether there are ended trials to go on from.
    pub fn is_begun(&self) -> bool {
        journal::is_begun(&self.journal)
    }

    /// Removes the journal, as when the model that was found is saved.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] if what is there is no journal.
    pub fn forget(&self) -> Result<()> {
        journal::remove::<Header>(&self.journal)
    }

    /// Looks for the best settings, taking trials of the journal as they are. `watch` hears what happens and returns
    /// false to stop, which is [`Error::Interrupted`].
    ///
    /// # Errors
    /// [`Error::Usage`] for what cannot be looked for, errors of reading the rows and of writing the journal, and that
    /// of the defaults if even they cannot be trained; [`Error::Data`] if what is there is no journal, or one of other
    /// rows.
    pub fn run(&self, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Tuned> {
        self.check()?;
        let (first, _) = space::first(&self.job.config, &self.first)?;
        let valid = self.job.valid.as_deref().map(|path| content(&self.job, path)).transpose()?;
        let work = Work { job: &self.job, journal: &self.journal, restart: self.restart };
        let header = |rows: &KeptRows| Ok(Header { tune: 2, rows: rows.known_by.clone(), valid });
        let opened = work.begin(header, &mut |event| watch(Event::Rows(event)))?;
        let Opened { rows, mut journal, pieces: mut trials } = opened;
        // Of others, made of other settings, the command that is told at the end would be wrong.
        let is_first = |trial: &Trial| {
            trial.trial > 0 || (trial.config == first && trial.measured().is_some())
        };
        trials.retain(|trial: &Trial| trial.is_of(&self.job.config) && is_first(trial));
        let tuned = Search::new(self, &rows, &mut journal, trials).run(watch);
        if !matches!(tuned, Err(Error::Interrupted)) {
            rows.forget();
        }
        match &tuned {
            Err(Error::Interrupted) | Ok(_) => {}
            Err(_) => journal.remove_if_empty(),
        }
        tuned
    }

    /// Checks what can be checked before anything is read.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn check(&self) -> Result<()> {
        let config = &self.job.config;
        if self.job.valid.is_none() && config.holds_none_out() {
            let message = "trials are compared by validation rows, and there are to be none";
            return Err(Error::usage(message));
        }
        if !(self.runs >= 1.0 && self.runs <= 1e6) {
            return Err(Error::setting("runs", "from 1 to 1000000"));
        }
        check_rereadable(&self.job, self.job.valid.as_deref())?;
        self.metric.as_deref().map_or(Ok(()), check_figure)?;
        Share::of(self.job.threads, self.parallel, 1)?;
        space::first(config, &self.first)?.0.check()?;
        self.axes.iter().try_for_each(|axis| axis.check(config))
    }
}

/// What figures are sorted by: the best is the least, and nothing comes last.
fn rank(metric: &str, figure: Option<f64>) -> f64 {
    let sign = if is_loss(metric) { 1.0 } else { -1.0 };
    figure.map_or(f64::INFINITY, |figure| sign * figure)
}
