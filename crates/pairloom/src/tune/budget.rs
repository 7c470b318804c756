//! What trials cost, beside what a search may.

use super::space::{self, Said};
use super::trials::Task;
use super::{Measured, Trial, Tune};
use crate::Result;
use crate::config::Config;
use crate::interaction::Sizes;

/// One of so many goes on.
pub(super) const QUARTER: usize = 4;

/// Times that a training to its end takes as long as that of the defaults, as far as nothing else is known.
const LONGER: f64 = 1.3;

/// Times that it is feared to take longer than is expected.
const FEARED: f64 = 1.15;

/// What of the budget is for trials that are drawn; the rest is for those near the best of them.
const DRAWN: f64 = 0.7;

/// Trials near the best that are made at a time, and those that are looked at for some that can be paid.
const NEAR: usize = 4;
const LOOKED_AT: usize = 16;

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

    /// Epochs after which a quarter goes on; nothing if there are too few.
    pub(super) fn third(&self) -> Option<u32> {
        Some((self.epochs() / 3).max(1)).filter(|&third| third < self.epochs())
    }

    /// As many trials as `left` pays for, if a quarter of them goes to its end.
    pub(super) fn drawn(&self, mut left: f64) -> Result<Vec<Task>> {
        let Tune { job, axes, .. } = self.tune;
        let mut tasks = Vec::new();
        while !axes.is_empty() {
            let trial = tasks.len() + 1;
            let (config, said) =
                space::drawn(&job.config, axes, &self.defaults.begun, trial, self.first)?;
            left -= self.costs(&config, self.expected([].into_iter()) / QUARTER as f64);
            if left < 0.0 {
                break;
            }
            tasks.push(Task { trial, said, config, stopped: None });
        }
        Ok(tasks)
    }

    /// Some trials near the best ones so far that `left` pays for even if all go to their end, with so many epochs.
    /// They have numbers from `from` on, with those that it does not pay for; returned is the next one too.
    pub(super) fn near(
        &self,
        mut left: f64,
        epochs: f64,
        from: usize,
        best: &[&Said],
    ) -> Result<(Vec<Task>, usize)> {
        let Tune { job, axes, .. } = self.tune;
        let (mut tasks, mut trial) = (Vec::new(), from);
        while tasks.len() < NEAR && trial < from + LOOKED_AT {
            let (config, said) =
                space::near(&job.config, axes, &self.defaults.begun, trial, best, self.first)?;
            let costs = self.costs(&config, epochs);
            if costs <= left {
                left -= costs;
                tasks.push(Task { trial, said, config, stopped: None });
            }
            trial += 1;
        }
        Ok((tasks, trial))
    }

    /// What a trial costs that is trained for a third, and for so many epochs then.
    fn costs(&self, config: &Config, epochs: f64) -> f64 {
        // What cannot be trained fails at once, and costs nothing; but it all comes to an end.
        let like = if config.check().is_ok() { config } else { &self.first.config };
        self.epoch(like) * (f64::from(self.third().unwrap_or(0)) + epochs)
    }
}

/// About what an epoch costs with these settings, beside one with others: for each feature of a row what is read and
/// written of its vectors, and as much as so many floats for all else (measured with 4 to 64 factors).
fn cost(config: &Config, fields: usize) -> f64 {
    const EACH: f64 = 48.0;
    EACH + Sizes::new(config, fields).width() as f64
}
