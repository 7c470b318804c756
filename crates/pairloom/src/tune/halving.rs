//! Trials, a third of which goes on each time.

use super::space::{cost, trial};
use super::{Begun, Ended, Event, Measured, Trial, Tune, Tuned, rank};
use crate::config::Config;
use crate::fit::{FitEvent, Stop};
use crate::journal::Journal;
use crate::model::Model;
use crate::parallel::jobs;
use crate::schema::Hints;
use crate::study::Share;
use crate::train::{self, Job, SchemaSource, train};
use crate::{Error, Result};
use std::time::Instant;

/// One of so many goes on.
const THIRD: usize = 3;

/// Times that a training to its end takes as long as that of the defaults: as is expected where trials are drawn, and
/// as is feared where those are chosen that go to their end.
const LONGER: f64 = 1.3;
const LONGEST: f64 = 2.0;

/// A search under way.
pub(super) struct Search<'a> {
    tune: &'a Tune,
    /// The rows, to be read by each trial.
    data: &'a str,
    journal: Journal<Trial>,
    trials: Vec<Trial>,
    begun: Instant,
    metric: String,
    /// The model of the best trial that was trained to its end since, and the place of that.
    model: Option<(usize, Model)>,
}

/// What is to be trained.
struct Task {
    trial: usize,
    said: Vec<(String, String)>,
    config: Config,
    stopped: Option<u32>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        tune: &'a Tune,
        data: &'a str,
        journal: Journal<Trial>,
        trials: Vec<Trial>,
    ) -> Self {
        let (begun, metric) = (Instant::now(), String::new());
        Search { tune, data, journal, trials, begun, metric, model: None }
    }

    /// The whole search.
    pub(super) fn run(mut self, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Tuned> {
        let config = self.tune.job.config.clone();
        let defaults = Task { trial: 0, said: Vec::new(), config, stopped: None };
        let defaults = self.rung(vec![defaults], watch)?;
        let known = self.known(&defaults[0]).ok_or(Error::Interrupted)?;
        let first = match &known.ended {
            Ended::Done(measured) => measured.clone(),
            Ended::Failed(why) => {
                let file = &self.tune.job.data;
                let why = why.strip_prefix(&format!("{file}: ")).unwrap_or(why);
                return Err(Error::data(file, why));
            }
        };
        if let Some(valid) = &first.best.valid {
            self.metric = valid.chosen(self.tune.metric.as_deref())?.into();
        }
        let rungs = rungs(first.epochs);
        let mut tasks = self.drawn(&first.begun, &rungs, f64::from(first.epochs))?;
        for stopped in rungs {
            if self.is_late() {
                break;
            }
            tasks.iter_mut().for_each(|task| task.stopped = Some(stopped));
            tasks = self.rung(tasks, watch)?;
            tasks.retain(|task| self.goes_further(task));
            tasks.truncate(tasks.len().div_ceil(THIRD));
        }
        self.to_their_end(tasks, &first, watch)?;
        self.done(&first, watch)
    }

    /// Trains what was best to its end: what is surely paid for, and as long as something is left, what is paid for then.
    fn to_their_end(
        &mut self,
        mut tasks: Vec<Task>,
        defaults: &Measured,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<()> {
        let fields = defaults.begun.fields;
        let one = f64::from(defaults.epochs) * cost(&self.tune.job.config, fields);
        let before = |trial: &&Trial| trial.stopped.is_some() || trial.trial == 0;
        let paid: f64 = self.trials.iter().filter(before).map(|trial| trial.cost(fields)).sum();
        let mut left = self.tune.runs * one - paid;
        let mut is_first = true;
        while !tasks.is_empty() {
            if self.is_late() {
                // The best so far is all that is still trained.
                tasks.retain(|task| self.goes_further(task));
                self.sort(&mut tasks);
                tasks.truncate(usize::from(is_first));
            }
            let fears =
                |task: &Task| LONGEST * f64::from(defaults.epochs) * cost(&task.config, fields);
            let mut feared = 0.0;
            let is_paid = |task: &Task| {
                feared += fears(task);
                std::mem::take(&mut is_first) || feared <= left
            };
            let (mut now, later) = tasks.into_iter().partition::<Vec<_>, _>(is_paid);
            now.iter_mut().for_each(|task| task.stopped = None);
            let now = self.rung(now, watch)?;
            left -=
                now.iter().filter_map(|task| self.known(task)).map(|t| t.cost(fields)).sum::<f64>();
            tasks = if now.is_empty() { Vec::new() } else { later };
        }
        Ok(())
    }

    /// As many trials as may be paid for.
    fn drawn(&self, begun: &Begun, rungs: &[u32], epochs: f64) -> Result<Vec<Task>> {
        let base = &self.tune.job.config;
        let mut left = (self.tune.runs - 1.0) * epochs * cost(base, begun.fields);
        let mut tasks = Vec::new();
        while !self.tune.axes.is_empty() {
            let number = tasks.len() + 1;
            let (config, said) = trial(base, &self.tune.axes, begun, number)?;
            // What cannot be trained fails at once, and costs nothing; but it all comes to an end.
            let like = if config.check().is_ok() { &config } else { base };
            left -= cost(like, begun.fields) * epochs_of(rungs, epochs);
            if left < 0.0 {
                break;
            }
            tasks.push(Task { trial: number, said, config, stopped: None });
        }
        Ok(tasks)
    }

    fn is_late(&self) -> bool {
        self.tune.time.is_some_and(|time| self.begun.elapsed() >= time)
    }

    /// Trains what was not before, and returns all, the best first. Once it is late, only what goes to its end does.
    fn rung(
        &mut self,
        tasks: Vec<Task>,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<Vec<Task>> {
        let is_open = |at: &usize| self.known(&tasks[*at]).is_none();
        let open: Vec<usize> = (0..tasks.len()).filter(is_open).collect();
        let epochs = tasks.first().and_then(|task| task.stopped);
        if tasks.is_empty() {
            return Ok(tasks);
        }
        let mut goes_on = watch(Event::Rung { trials: tasks.len(), epochs });
        let Share { at_a_time, threads } =
            Share::of(&self.tune.job, self.tune.parallel, open.len())?;
        let (begun, time) = (self.begun, self.tune.time);
        let is_late = || time.is_some_and(|time| begun.elapsed() >= time);
        let (job, data) = (&self.tune.job, self.data);
        let work = |at: usize, goes_on: &dyn Fn() -> bool| {
            // The first is the best so far.
            if open[at] > 0 && is_late() {
                return Err(Error::Interrupted);
            }
            let in_time = || epochs.is_none() || !is_late();
            measured(job, data, &tasks[open[at]], threads, &|| goes_on() && in_time())
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
        let mut ranked: Vec<(f64, Task)> =
            tasks.into_iter().map(|task| (self.figure(&task), task)).collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(ranked.into_iter().map(|(_, task)| task).collect())
    }

    /// What trials are sorted by.
    fn figure(&self, task: &Task) -> f64 {
        rank(&self.metric, self.known(task).and_then(|trial| trial.figure(&self.metric)))
    }

    /// Whether a trial was measured, now or before it became too late, and has not failed since.
    fn goes_further(&self, task: &Task) -> bool {
        match self.known(task) {
            Some(trial) => trial.figure(&self.metric).is_some(),
            None => self.trials.iter().any(|t| t.config == task.config && t.measured().is_some()),
        }
    }

    /// Those first that were trained for the most epochs, and of these the best.
    fn sort(&self, tasks: &mut [Task]) {
        let reached = |task: &Task| {
            let is_same = |t: &&Trial| t.config == task.config && t.measured().is_some();
            let furthest = |t: &&Trial| t.stopped.unwrap_or(u32::MAX);
            let trial = self.trials.iter().filter(is_same).max_by_key(furthest);
            let figure = rank(&self.metric, trial.and_then(|trial| trial.figure(&self.metric)));
            (trial.map_or(0, |trial| furthest(&trial)), figure)
        };
        tasks.sort_by(|a, b| {
            let [(a, one), (b, other)] = [a, b].map(&reached);
            b.cmp(&a).then(one.total_cmp(&other))
        });
    }

    /// The trial that was this one, if it has ended.
    fn known(&self, task: &Task) -> Option<&Trial> {
        let same = |trial: &&Trial| trial.stopped == task.stopped && trial.config == task.config;
        self.trials.iter().rev().find(same)
    }

    /// Notes how a trial ended; returns whether to go on.
    fn note(
        &mut self,
        task: &Task,
        done: Result<(Measured, Model)>,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<bool> {
        let (ended, model) = match done {
            Ok((measured, model)) => (Ended::Done(Box::new(measured)), Some(model)),
            // They were read from another file than the one that is known.
            Err(error) => {
                let why = error.to_string().replace(self.data, &self.tune.job.data);
                (Ended::Failed(why), None)
            }
        };
        let Task { trial, said, config, stopped } = task;
        let (said, config) = (said.clone(), config.clone());
        let trial = Trial { trial: *trial, stopped: *stopped, said, config, ended };
        self.journal.push(&trial)?;
        let goes_on = watch(Event::Trial(&trial));
        self.trials.push(trial);
        let at = self.trials.len() - 1;
        if let Some(model) = model.filter(|_| self.best() == Some(at)) {
            self.model = Some((at, model));
        }
        Ok(goes_on)
    }

    /// The best of the trials that were trained to their end.
    fn best(&self) -> Option<usize> {
        let is_whole = |at: &usize| {
            let trial = &self.trials[*at];
            trial.stopped.is_none() && trial.measured().is_some()
        };
        let figure = |at: usize| rank(&self.metric, self.trials[at].figure(&self.metric));
        let whole = (0..self.trials.len()).filter(is_whole);
        // Of equal ones that of the lowest number, whichever ended first.
        let number = |at: usize| self.trials[at].trial;
        whole.min_by(|&a, &b| figure(a).total_cmp(&figure(b)).then(number(a).cmp(&number(b))))
    }

    /// What was found; its model is trained again if that was done by another process.
    fn done(
        mut self,
        defaults: &Measured,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<Tuned> {
        let best = self.best().ok_or(Error::Interrupted)?;
        let fields = defaults.begun.fields;
        let one = f64::from(defaults.epochs.max(1)) * cost(&self.tune.job.config, fields);
        let cost = self.trials.iter().map(|trial| trial.cost(fields)).sum::<f64>() / one;
        let model = match self.model.take() {
            Some((at, model)) if at == best => model,
            _ => self.again(best, watch)?,
        };
        Ok(Tuned { metric: self.metric, trials: self.trials, best, model, cost })
    }

    /// The model of a trial that has ended before.
    fn again(&self, trial: usize, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Model> {
        let Trial { trial, said, config, .. } = self.trials[trial].clone();
        let task = Task { trial, said, config, stopped: None };
        let threads = Share::of(&self.tune.job, 1, 1)?.threads;
        let work = |_: usize, goes_on: &dyn Fn() -> bool| {
            measured(&self.tune.job, self.data, &task, threads, goes_on)
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

impl Trial {
    /// What it has cost: epochs, each by the length of what it reads.
    fn cost(&self, fields: usize) -> f64 {
        let epochs = self.measured().map_or(0, |measured| measured.epochs);
        f64::from(epochs) * cost(&self.config, fields)
    }
}

/// Epochs after which thirds go on, of trainings that take about so many.
fn rungs(epochs: u32) -> Vec<u32> {
    let first = (epochs / 9).max(1);
    let second = (epochs / 3).max(first + 1);
    [first, second].into_iter().filter(|&rung| rung < epochs).collect()
}

/// Epochs that a trial takes on the average.
fn epochs_of(rungs: &[u32], whole: f64) -> f64 {
    let each = rungs.iter().map(|&rung| f64::from(rung)).chain([LONGER * whole]);
    let share = |at: usize| (THIRD as f64).powi(-(at as i32));
    each.enumerate().map(|(at, epochs)| epochs * share(at)).sum()
}

/// Trains, and measures the best epoch.
fn measured(
    job: &Job,
    data: &str,
    task: &Task,
    threads: usize,
    goes_on: &dyn Fn() -> bool,
) -> Result<(Measured, Model)> {
    let (mut since, mut is_enough) = (Instant::now(), false);
    let job = Job {
        data: data.into(),
        config: task.config.clone(),
        // What was said of the rows is in them since they were read.
        open: <_>::default(),
        schema: SchemaSource::Infer(Hints::default()),
        checkpoints: None,
        cache: None,
        threads,
        ..job.clone()
    };
    let trained = train(&job, &mut |event| {
        match event {
            train::Event::Start(_) => since = Instant::now(),
            train::Event::Fit(FitEvent::Epoch(epoch)) => {
                is_enough = task.stopped.is_some_and(|stopped| epoch.epoch >= stopped);
            }
            _ => {}
        }
        !is_enough && goes_on()
    })?;
    let seconds = since.elapsed().as_secs_f64();
    let model = match (&trained.stop, trained.model) {
        (Stop::Interrupted, _) if !is_enough => return Err(Error::Interrupted),
        (Stop::Diverged { epoch, rate, .. }, _) => {
            let message = format!("it diverged in epoch {epoch} at learning rate {rate}");
            return Err(Error::Diverged(message));
        }
        (_, None) => return Err(Error::Interrupted),
        (_, Some(model)) => model,
    };
    let best = model.kept_epoch().cloned().ok_or(Error::Interrupted)?;
    let begun = Begun::of(&model, trained.start.as_ref());
    Ok((Measured { best, epochs: model.history.len() as u32, seconds, begun }, model))
}
