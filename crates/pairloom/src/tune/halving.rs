//! Trials of one other setting, of several, and drawn ones; then trials near the best of them. Of each the best few go to
//! their end.

use super::budget::{Budget, FEW, Plan};
use super::space;
use super::trials::{Task, Trials};
use super::{Event, Measured, Trial, Tune, Tuned};
use crate::journal::Journal;
use crate::model::Model;
use crate::train::KeptRows;
use crate::{Error, Result};
use std::time::Instant;

/// How far a search has come. What has ended is counted in its order, whatever the journal knows already.
struct Course {
    /// What may still be spent.
    left: f64,
    /// Figures after a third of the epochs, the best first.
    thirds: Vec<f64>,
    /// What was trained to its end, the best first.
    whole: Vec<Task>,
}

/// A search under way.
pub(super) struct Search<'a> {
    pub(super) tune: &'a Tune,
    /// The rows, to be read by each trial.
    pub(super) rows: &'a KeptRows,
    pub(super) journal: &'a mut Journal<Trial>,
    pub(super) trials: Trials,
    pub(super) begun: Instant,
    /// The model of the best trial that was trained to its end since, and the place of that.
    pub(super) model: Option<(usize, Model)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        tune: &'a Tune,
        rows: &'a KeptRows,
        journal: &'a mut Journal<Trial>,
        trials: Vec<Trial>,
    ) -> Self {
        let trials = Trials { all: trials, metric: String::new() };
        Search { tune, rows, journal, trials, begun: Instant::now(), model: None }
    }

    /// The whole search.
    pub(super) fn run(mut self, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Tuned> {
        let (task, defaults) = self.defaults(watch)?;
        let first = task.clone();
        let budget = Budget::new(self.tune, &first, &defaults);
        let (left, mut reserve) = budget.all();
        let mut plan = Plan::after(&task, left);
        let mut tasks = self.first(&mut plan, &budget, watch)?;
        let mut course = Course { left, thirds: Vec::new(), whole: vec![task] };
        while !tasks.is_empty() {
            let before = course.left;
            self.generation(tasks, &mut course, &budget, watch)?;
            // Trials that all fail cost nothing, and it must come to an end.
            if self.is_late() || course.left == before {
                break;
            }
            course.left += std::mem::take(&mut reserve);
            plan.left = course.left;
            let epochs = self.expected(&course, &budget);
            tasks = budget.near(&mut plan, epochs, &course.whole)?;
        }
        self.done(&budget, watch)
    }

    /// The first trials: those with one other setting each, trained for a third of the epochs of the defaults; then what is
    /// made of those that are better than the defaults after as many; and what is drawn, as long as it is paid for.
    fn first(
        &mut self,
        plan: &mut Plan,
        budget: &Budget<'_>,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<Vec<Task>> {
        let mut tasks = budget.alone(plan)?;
        if let Some(third) = budget.third() {
            let mut alone: Vec<Task> = tasks.iter().map(|task| task.stopped_at(third)).collect();
            if !self.is_late() {
                alone = self.rung(alone, false, watch)?;
            }
            // Late, what was made of them before is made again.
            let usual = budget.defaults_after(third, &self.trials.metric);
            alone.retain(|task| self.trials.figure(task) < usual);
            tasks.extend(budget.together(plan, &self.trials.sorted(alone))?);
        }
        tasks.extend(budget.drawn(plan)?);
        Ok(tasks)
    }

    /// Trains some trials for a third of the epochs of the defaults, and to their end those that are among the best few
    /// of all that were trained for as many so far.
    fn generation(
        &mut self,
        mut tasks: Vec<Task>,
        course: &mut Course,
        budget: &Budget<'_>,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<()> {
        let is_first = course.thirds.is_empty();
        if let Some(third) = budget.third().filter(|_| !self.is_late()) {
            tasks = tasks.iter().map(|task| task.stopped_at(third)).collect();
            tasks = self.rung(tasks, !is_first, watch)?;
            course.left -= budget.spent(tasks.iter().filter_map(|task| self.trials.known(task)));
            tasks.retain(|task| self.trials.goes_further(task));
            course.thirds.extend(tasks.iter().map(|task| self.trials.figure(task)));
            course.thirds.sort_by(f64::total_cmp);
            let last = course.thirds.len().div_ceil(FEW).saturating_sub(1);
            let is_ended =
                |task: &Task| self.trials.known(task).is_some_and(|trial| trial.stopped.is_none());
            let (ended, others) = tasks.into_iter().partition::<Vec<_>, _>(is_ended);
            course.whole.extend(ended.into_iter().map(|task| Task { stopped: None, ..task }));
            let is_better = |task: &Task| self.trials.figure(task) <= course.thirds[last];
            tasks = others.into_iter().filter(is_better).collect();
        }
        self.finish(tasks, is_first, course, budget, watch)
    }

    /// Trains the defaults, which say what figure the others are compared by.
    fn defaults(&mut self, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<(Task, Measured)> {
        let (config, said) = space::first(&self.tune.job.config, &self.tune.first)?;
        let task = Task { trial: 0, said, config, stopped: None };
        let task = self.rung(vec![task], false, watch)?.pop().ok_or(Error::Interrupted)?;
        let known = self.trials.known(&task).ok_or(Error::Interrupted)?;
        let measured = known.measured().cloned().ok_or(Error::Interrupted)?;
        self.choose(&measured)?;
        Ok((task, measured))
    }

    /// Checks that what came of the first trial has the figure that others are compared by.
    pub(super) fn choose(&mut self, measured: &Measured) -> Result<()> {
        let file = self.tune.job.valid.as_ref().unwrap_or(&self.tune.job.data);
        let Some(valid) = &measured.best.valid else {
            let message = "no validation row is left to compare trials by: give more (--valid, --valid-fraction)";
            return Err(Error::data(file, message));
        };
        let metric = valid.chosen(self.tune.metric.as_deref())?;
        if valid.find(metric).is_none() {
            let message = format!(
                "the {metric} of the validation rows is not defined: give other rows (--valid)"
            );
            return Err(Error::data(file, message));
        }
        self.trials.metric = metric.into();
        Ok(())
    }

    /// Trains to their end what is surely paid for, and as long as something is left, what is paid for then.
    fn finish(
        &mut self,
        mut tasks: Vec<Task>,
        mut is_first: bool,
        course: &mut Course,
        budget: &Budget<'_>,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<()> {
        let epochs = self.expected(course, budget);
        while !tasks.is_empty() {
            if self.is_late() {
                // The best so far is all that is still trained.
                tasks.retain(|task| self.trials.goes_further(task));
                self.trials.sort_by_reach(&mut tasks);
                tasks.truncate(usize::from(is_first));
            }
            let mut feared = 0.0;
            let is_paid = |task: &Task| {
                feared += budget.fears(&task.config, epochs);
                std::mem::take(&mut is_first) || feared <= course.left
            };
            let (mut now, later) = tasks.into_iter().partition::<Vec<_>, _>(is_paid);
            now.iter_mut().for_each(|task| task.stopped = None);
            tasks = if now.is_empty() { Vec::new() } else { later };
            now = self.rung(now, false, watch)?;
            course.left -= budget.spent(now.iter().filter_map(|task| self.trials.known(task)));
            now.retain(|task| self.trials.goes_further(task));
            course.whole.append(&mut now);
        }
        course.whole = self.trials.sorted(std::mem::take(&mut course.whole));
        Ok(())
    }

    /// Epochs that a training to its end is expected to take.
    fn expected(&self, course: &Course, budget: &Budget<'_>) -> f64 {
        budget.expected(course.whole.iter().filter_map(|task| self.trials.known(task)))
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
