//! What trials cost, beside what a search may.

use super::cost::cost;
use super::space::{self, Said};
use super::trials::Task;
use super::{Measured, Trial, Tune, rank};
use crate::Result;
use crate::config::Config;
use std::collections::HashSet;

/// Of trials that were trained for a third, one in so many goes on.
pub(super) const FEW: usize = 8;

/// Times that a training to its end takes as long as that of the defaults, as far as nothing else is known.
const LONGER: f64 = 1.3;

/// Times that it is feared to take longer than is expected.
const FEARED: f64 = 1.15;

/// What of the budget is for trials that are drawn; the rest is for those near the best of them.
const DRAWN: f64 = 0.55;

/// Trials near the best that are made at a time.
const NEAR: usize = 4;

/// Trials that are not paid for, or not new, until no more are looked at.
const SKIPPED: usize = 12;

/// What trials to come may cost.
pub(super) struct Plan {
    pub(super) left: f64,
    /// The number of the next one.
    pub(super) next: usize,
    /// What was tried before, as JSON.
    tried: HashSet<String>,
}

impl Plan {
    /// A plan for what is tried after the defaults.
    pub(super) fn after(first: &Task, left: f64) -> Self {
        let mut plan = Plan { left, next: 1, tried: HashSet::new() };
        plan.is_new(&first.config);
        plan
    }

    /// Whether these settings were not tried before; now they are.
    fn is_new(&mut self, config: &Config) -> bool {
        self.tried.insert(serde_json::to_string(config).unwrap_or_default())
    }
}

/// What may be spent, where the trial of the defaults is known.
pub(super) struct Budget<'a> {
    tune: &'a Tune,
    /// The first trial.
    first: &'a Task,
    /// What came of it.
    defaults: &'a Measured,
}

impl<'a> Budget<'a> {
    pub(super) fn new(tune: &'a Tune, first: &'a Task, defaults: &'a Measured) -> Self {
        Budget { tune, first, defaults }
    }

    /// What an epoch costs with these settings.
    fn epoch(&self, config: &Config) -> f64 {
        cost(config, self.defaults.begun.fields)
    }

    /// Epochs of a training with the defaults, as the journal has them.
    fn epochs(&self) -> u32 {
        self.defaults.epochs.max(1)
    }

    /// What a training costs with the defaults.
    fn one(&self) -> f64 {
        f64::from(self.epochs()) * self.epoch(&self.first.config)
    }

    /// What the defaults would have come to if they had been stopped after so many epochs, as trials are sorted: the figure
    /// at the least loss.
    pub(super) fn defaults_after(&self, epochs: u32, metric: &str) -> f64 {
        let course = self.defaults.course.iter().take(epochs as usize);
        let best = course.min_by(|a, b| a.loss().total_cmp(&b.loss()));
        rank(metric, best.and_then(|best| best.find(metric)))
    }

    /// What trials have cost: epochs, each by the length of what it reads.
    pub(super) fn spent<'t>(&self, trials: impl Iterator<Item = &'t Trial>) -> f64 {
        let of = |trial: &Trial| {
            let epochs = trial.measured().map_or(0, |measured| measured.epochs);
            f64::from(epochs) * self.epoch(&trial.config)
        };
        trials.map(of).sum()
    }

    /// The same in trainings with the defaults.
    pub(super) fn trainings(&self, trials: &[Trial]) -> f64 {
        self.spent(trials.iter()) / self.one()
    }

    /// What trials that are drawn may cost, and what is kept for those near the best of them.
    pub(super) fn all(&self) -> (f64, f64) {
        let all = (self.tune.runs - 1.0) * self.one();
        (DRAWN * all, (1.0 - DRAWN) * all)
    }

    /// What a training to its end may cost, if so many epochs are expected.
    pub(super) fn fears(&self, config: &Config, epochs: f64) -> f64 {
        FEARED * epochs * self.epoch(config)
    }

    /// Epochs that a training to its end is expected to take: their mean, once others than the defaults are known.
    pub(super) fn expected<'t>(&self, whole: impl Iterator<Item = &'t Trial>) -> f64 {
        let epochs: Vec<f64> =
            whole.filter_map(|trial| trial.measured()).map(|of| f64::from(of.epochs)).collect();
        match epochs.len() {
            0 | 1 => LONGER * f64::from(self.epochs()),
            count => epochs.iter().sum::<f64>() / count as f64,
        }
    }

    /// Epochs after which the best few go on; nothing if there are too few.
    pub(super) fn third(&self) -> Option<u32> {
        Some((self.epochs() / 3).max(1)).filter(|&third| third < self.epochs())
    }

    /// Trials with one other setting each, as far as they are paid for if one of a few goes to its end.
    pub(super) fn alone(&self, plan: &mut Plan) -> Result<Vec<Task>> {
        let Tune { job, axes, .. } = self.tune;
        let alone = space::alone(&job.config, axes, &self.defaults.begun, self.first)?;
        self.many(plan, alone.into_iter().map(Ok))
    }

    /// Trials with several of the settings that are better alone.
    pub(super) fn together(&self, plan: &mut Plan, better: &[Task]) -> Result<Vec<Task>> {
        let Tune { job, axes, .. } = self.tune;
        let begun = &self.defaults.begun;
        let together = space::together(&job.config, axes, begun, better, self.first)?;
        self.many(plan, together.into_iter().map(Ok))
    }

    /// As many trials that are drawn as are paid for.
    pub(super) fn drawn(&self, plan: &mut Plan) -> Result<Vec<Task>> {
        let Tune { job, axes, .. } = self.tune;
        if axes.is_empty() {
            return Ok(Vec::new());
        }
        let draw = |trial| space::drawn(&job.config, axes, &self.defaults.begun, trial);
        self.many(plan, (plan.next..).map(draw))
    }

    /// Some trials near the best ones so far, paid for even if all go to their end, with so many epochs.
    pub(super) fn near(&self, plan: &mut Plan, epochs: f64, best: &[Task]) -> Result<Vec<Task>> {
        let Tune { job, axes, .. } = self.tune;
        let make =
            |trial| space::near(&job.config, axes, &self.defaults.begun, trial, best, self.first);
        let from = plan.next;
        self.paid(plan, epochs, NEAR, (from..).map(make))
    }

    /// At most so many of some trials that are new, which the plan pays for if they go on for so many epochs; the others
    /// have numbers too.
    fn paid(
        &self,
        plan: &mut Plan,
        epochs: f64,
        most: usize,
        made: impl Iterator<Item = Result<(Config, Said)>>,
    ) -> Result<Vec<Task>> {
        let (mut tasks, mut skipped) = (Vec::new(), 0);
        for made in made {
            let (config, said) = made?;
            let (trial, costs) = (plan.next, self.costs(&config, epochs));
            plan.next += 1;
            if costs <= plan.left && plan.is_new(&config) {
                plan.left -= costs;
                tasks.push(Task { trial, said, config, stopped: None });
            } else {
                skipped += 1;
            }
            if tasks.len() == most || skipped == SKIPPED {
                break;
            }
        }
        Ok(tasks)
    }

    /// All of some trials that are paid for if one of a few goes to its end.
    fn many(
        &self,
        plan: &mut Plan,
        made: impl Iterator<Item = Result<(Config, Said)>>,
    ) -> Result<Vec<Task>> {
        let epochs = self.expected([].into_iter()) / FEW as f64;
        self.paid(plan, epochs, usize::MAX, made)
    }

    /// What a trial costs that is trained for a third, and for so many epochs then.
    fn costs(&self, config: &Config, epochs: f64) -> f64 {
        // What cannot be trained fails at once, and costs nothing; but it all comes to an end.
        let like = if config.check().is_ok() { config } else { &self.first.config };
        self.epoch(like) * (f64::from(self.third().unwrap_or(0)) + epochs)
    }
}
