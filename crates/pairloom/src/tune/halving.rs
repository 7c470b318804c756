//! Trials, a third of which goes on each time.

use super::budget::{Budget, THIRD, rungs};
use super::trials::{Task, Trials};
use super::{Ended, Event, Measured, Trial, Tune, Tuned};
use crate::journal::Journal;
use crate::model::Model;
use crate::train::KeptRows;
use crate::{Error, Result};
use std::time::Instant;

/// A search under way.
pub(super) struct Search<'a> {
    pub(super) tune: &'a Tune,
    /// The rows, to be read by each trial.
    pub(super) rows: &'a KeptRows,
    pub(super) journal: Journal<Trial>,
    pub(super) trials: Trials,
    pub(super) begun: Instant,
    /// The model of the best trial that was trained to its end since, and the place of that.
    pub(super) model: Option<(usize, Model)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        tune: &'a Tune,
        rows: &'a KeptRows,
        journal: Journal<Trial>,
        trials: Vec<Trial>,
    ) -> Self {
        let trials = Trials { all: trials, metric: String::new() };
        Search { tune, rows, journal, trials, begun: Instant::now(), model: None }
    }

    /// The whole search.
    pub(super) fn run(mut self, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Tuned> {
        let defaults = self.defaults(watch)?;
        let budget = Budget::new(self.tune, &defaults);
        let rungs = rungs(defaults.epochs);
        let mut tasks = budget.drawn(&rungs)?;
        for stopped in rungs {
            if self.is_late() {
                break;
            }
            tasks.iter_mut().for_each(|task| task.stopped = Some(stopped));
            tasks = self.rung(tasks, watch)?;
            tasks.retain(|task| self.trials.goes_further(task));
            tasks.truncate(tasks.len().div_ceil(THIRD));
        }
        self.finish(tasks, &budget, watch)?;
        self.done(&budget, watch)
    }

    /// Trains the defaults, which say what figure the others are compared by.
    fn defaults(&mut self, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Measured> {
        let config = self.tune.job.config.clone();
        let task = Task { trial: 0, said: Vec::new(), config, stopped: None };
        let defaults = self.rung(vec![task], watch)?;
        let known = self.trials.known(&defaults[0]).ok_or(Error::Interrupted)?;
        let measured = match &known.ended {
            Ended::Done(measured) => Measured::clone(measured),
            Ended::Failed(why) => {
                let file = &self.tune.job.data;
                let why = why.strip_prefix(&format!("{file}: ")).unwrap_or(why);
                return Err(Error::data(file, why));
            }
        };
        if let Some(valid) = &measured.best.valid {
            self.trials.metric = valid.chosen(self.tune.metric.as_deref())?.into();
        }
        Ok(measured)
    }

    /// Trains what was best to its end: what is surely paid for, and as long as something is left, what is paid for then.
    fn finish(
        &mut self,
        mut tasks: Vec<Task>,
        budget: &Budget<'_>,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<()> {
        let (mut left, mut is_first) = (budget.left(&self.trials.all), true);
        while !tasks.is_empty() {
            if self.is_late() {
                // The best so far is all that is still trained.
                tasks.retain(|task| self.trials.goes_further(task));
                self.trials.sort_by_reach(&mut tasks);
                tasks.truncate(usize::from(is_first));
            }
            let mut feared = 0.0;
            let is_paid = |task: &Task| {
                feared += budget.fears(&task.config);
                std::mem::take(&mut is_first) || feared <= left
            };
            let (mut now, later) = tasks.into_iter().partition::<Vec<_>, _>(is_paid);
            now.iter_mut().for_each(|task| task.stopped = None);
            let now = self.rung(now, watch)?;
            left -= budget.spent(now.iter().filter_map(|task| self.trials.known(task)));
            tasks = if now.is_empty() { Vec::new() } else { later };
        }
        Ok(())
    }

    pub(super) fn is_late(&self) -> bool {
        self.tune.time.is_some_and(|time| self.begun.elapsed() >= time)
    }

    /// What was found; its model is trained again if that was done by another process.
    fn done(
        mut self,
        budget: &Budget<'_>,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<Tuned> {
        let best = self.trials.best().ok_or(Error::Interrupted)?;
        let cost = budget.trainings(&self.trials.all);
        let model = match self.model.take() {
            Some((at, model)) if at == best => model,
            _ => self.again(best, watch)?,
        };
        let Trials { all: trials, metric } = self.trials;
        Ok(Tuned { metric, trials, best, model, cost })
    }
}
