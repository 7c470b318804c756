//! Trials of a rung, trained beside each other.

use super::halving::Search;
use super::trials::Task;
use super::{Begun, Ended, Event, Measured, Trial, Tune};
use crate::model::Model;
use crate::parallel::{Share, jobs};
use crate::train::{Job, KeptRows};
use crate::{Error, Result};

impl Search<'_> {
    /// Trains what was not before, and returns all, the best first. Once it is late, only what goes to its end does.
    pub(super) fn rung(
        &mut self,
        tasks: Vec<Task>,
        near: bool,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<Vec<Task>> {
        let is_open = |at: &usize| self.trials.known(&tasks[*at]).is_none();
        let open: Vec<usize> = (0..tasks.len()).filter(is_open).collect();
        let epochs = tasks.first().and_then(|task| task.stopped);
        if tasks.is_empty() {
            return Ok(tasks);
        }
        let mut goes_on =
            open.is_empty() || watch(Event::Rung { trials: open.len(), epochs, near });
        let Share { at_a_time, threads } =
            Share::of(self.tune.job.threads, self.tune.parallel, open.len())?;
        let (begun, time) = (self.begun, self.tune.time);
        let is_late = || time.is_some_and(|time| begun.elapsed() >= time);
        let (tune, rows) = (self.tune, self.rows);
        let work = |at: usize, goes_on: &dyn Fn() -> bool| {
            // The first is the best so far.
            if open[at] > 0 && is_late() {
                return Err(Error::Interrupted);
            }
            let in_time = || epochs.is_none() || !is_late();
            measured(tune, rows, &tasks[open[at]], threads, &|| goes_on() && in_time())
        };
        let mut hear = |heard: Option<(usize, Result<(Measured, Model)>)>| {
            goes_on &= match heard {
                None => watch(Event::Working),
                Some((at, done)) => self.note(&tasks[open[at]], done, watch)?,
            };
            Ok(goes_on)
        };
        jobs(open.len(), at_a_time, work, &mut hear)?;
        if !goes_on {
            return Err(Error::Interrupted);
        }
        Ok(self.trials.sorted(tasks))
    }

    /// Notes how a trial ended; returns whether to go on.
    fn note(
        &mut self,
        task: &Task,
        done: Result<(Measured, Model)>,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<bool> {
        let Task { trial, said, config, mut stopped } = task.clone();
        if trial == 0 {
            match &done {
                Ok((measured, _)) => self.choose(measured)?,
                Err(error) => return Err(self.refused(error)),
            }
        }
        let (ended, model) = match done {
            Ok((measured, model)) => {
                // It may have come to its end before.
                stopped = stopped.filter(|&stopped| measured.epochs >= stopped);
                (Ended::Done(Box::new(measured)), Some(model))
            }
            Err(error) => (Ended::Failed(self.rows.why(&error)), None),
        };
        let trial = Trial { trial, stopped, said, config, ended };
        self.journal.push(&trial)?;
        let goes_on = watch(Event::Trial(&trial));
        self.trials.all.push(trial);
        let at = self.trials.all.len() - 1;
        if let Some(model) = model.filter(|_| self.trials.best() == Some(at)) {
            self.model = Some((at, model));
        }
        Ok(goes_on)
    }

    /// The error of a search whose first trial has failed, which is no trial of the journal: nothing begins with it.
    fn refused(&self, error: &Error) -> Error {
        let (file, why) = (&self.tune.job.data, self.rows.why(error));
        match error {
            Error::Usage(_) => Error::Usage(why),
            _ => Error::data(file, why.strip_prefix(&format!("{file}: ")).unwrap_or(&why)),
        }
    }

    /// The model of a trial that has ended before.
    pub(super) fn again(
        &self,
        trial: usize,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<Model> {
        let Trial { trial, said, config, .. } = self.trials.all[trial].clone();
        let task = Task { trial, said, config, stopped: None };
        let threads = Share::of(self.tune.job.threads, 1, 1)?.threads;
        let work = |_: usize, goes_on: &dyn Fn() -> bool| {
            measured(self.tune, self.rows, &task, threads, goes_on)
        };
        let mut found = None;
        let mut hear = |heard: Option<(usize, Result<(Measured, Model)>)>| match heard {
            None => Ok(watch(Event::Working)),
            Some((_, done)) => {
                found = Some(done?.1);
                Ok(true)
            }
        };
        jobs(1, 1, work, &mut hear)?;
        found.ok_or(Error::Interrupted)
    }
}

/// Trains, and measures the best epoch.
fn measured(
    tune: &Tune,
    rows: &KeptRows,
    task: &Task,
    threads: usize,
    goes_on: &dyn Fn() -> bool,
) -> Result<(Measured, Model)> {
    let job = Job { config: task.config.clone(), threads, ..tune.job.clone() };
    let (trained, seconds) = rows.train(&job, task.stopped, goes_on)?;
    let model = trained.model.ok_or(Error::Interrupted)?;
    let best = model.kept_epoch().cloned().ok_or(Error::Interrupted)?;
    let begun = Begun::of(&model, trained.start.as_ref());
    let epochs = model.history.len() as u32;
    let course = model.history.iter().filter_map(|epoch| epoch.valid.clone()).collect();
    Ok((Measured { best, epochs, course, seconds, begun }, model))
}
