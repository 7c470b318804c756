//! What trials cost, beside what a search may.

use super::space::{self, Said};
use super::trials::Task;
use super::{Measured, Trial, Tune};
use crate::Result;
use crate::config::Config;
use crate::interaction::Sizes;

/// One of so many goes on.
pub(super) const QUARTER: usize = 4;

/// Times that a training to its end takes as long as that of the defaults: as is expected where trials are made, and
/// as is feared where those are chosen that go to their end.
const LONGER: f64 = 1.3;
const LONGEST: f64 = 1.5;

/// What of the budget is for trials that are drawn; the rest is for those near the best of them.
const DRAWN: f64 = 0.7;

/// Trials near the best that are made at a time.
const NEAR: usize = 4;

/// What may be spent, where the trial of the defaults is known.
pub(super) struct Budget<'a> {
    tune: &'a Tune,
    /// What came of the defaults.
    defaults: &'a Measured,
}

impl<'a> Budget<'a> {
    pub(super) fn new(tune: &'a Tune, defaults: &'a Measured) -> Self {
        Budget { tune, defaults }
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
        f64::from(self.epochs()) * self.epoch(&self.tune.job.config)
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

    /// What a training to its end may cost.
    pub(super) fn fears(&self, config: &Config) -> f64 {
        LONGEST * f64::from(self.epochs()) * self.epoch(config)
    }

    /// Epochs after which a quarter goes on; nothing if there are too few.
    pub(super) fn third(&self) -> Option<u32> {
        Some((self.epochs() / 3).max(1)).filter(|&third| third < self.epochs())
    }

    /// As many trials as `left` pays for, if a quarter of them goes to its end.
    pub(super) fn drawn(&self, left: f64) -> Result<Vec<Task>> {
        let Tune { job, axes, .. } = self.tune;
        let draw = |number| space::drawn(&job.config, axes, &self.defaults.begun, number);
        self.paid(left, 1, 1.0 / QUARTER as f64, draw)
    }

    /// Some trials near those that were best so far, as many as `left` pays for even if all go to their end.
    pub(super) fn near(&self, left: f64, from: usize, best: &[&Said]) -> Result<Vec<Task>> {
        let Tune { job, axes, .. } = self.tune;
        let near = |number| space::near(&job.config, axes, &self.defaults.begun, number, best);
        let mut tasks = self.paid(left, from, 1.0, near)?;
        tasks.truncate(NEAR);
        Ok(tasks)
    }

    /// Trials with numbers from `from` on that `left` pays for, if this share goes to the end.
    fn paid(
        &self,
        mut left: f64,
        from: usize,
        share: f64,
        made: impl Fn(usize) -> Result<(Config, Said)>,
    ) -> Result<Vec<Task>> {
        let third = f64::from(self.third().unwrap_or(0));
        let epochs = third + share * LONGER * f64::from(self.epochs());
        let base = &self.tune.job.config;
        let mut tasks = Vec::new();
        while !self.tune.axes.is_empty() {
            let trial = from + tasks.len();
            let (config, said) = made(trial)?;
            // What cannot be trained fails at once, and costs nothing; but it all comes to an end.
            let like = if config.check().is_ok() { &config } else { base };
            left -= self.epoch(like) * epochs;
            if left < 0.0 {
                break;
            }
            tasks.push(Task { trial, said, config, stopped: None });
        }
        Ok(tasks)
    }
}

/// About what an epoch costs with these settings, beside one with others: for each feature of a row what is read and
/// written of its vectors, and as much as so many floats for all else (measured with 4 to 64 factors).
fn cost(config: &Config, fields: usize) -> f64 {
    const EACH: f64 = 48.0;
    EACH + Sizes::new(config, fields).width() as f64
}
