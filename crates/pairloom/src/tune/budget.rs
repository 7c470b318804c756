//! What trials cost, beside what a search may.

use super::space::trial;
use super::trials::Task;
use super::{Measured, Trial, Tune};
use crate::Result;
use crate::config::Config;
use crate::interaction::Sizes;

/// One of so many goes on.
pub(super) const THIRD: usize = 3;

/// Times that a training to its end takes as long as that of the defaults: as is expected where trials are drawn, and
/// as is feared where those are chosen that go to their end.
const LONGER: f64 = 1.3;
const LONGEST: f64 = 2.0;

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

    /// What a training costs with the defaults.
    fn one(&self) -> f64 {
        f64::from(self.defaults.epochs.max(1)) * self.epoch(&self.tune.job.config)
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

    /// What is left for trainings to their end, beside what is known of those.
    pub(super) fn left(&self, trials: &[Trial]) -> f64 {
        let before = |trial: &&Trial| trial.stopped.is_some() || trial.trial == 0;
        self.tune.runs * self.one() - self.spent(trials.iter().filter(before))
    }

    /// What a training to its end may cost.
    pub(super) fn fears(&self, config: &Config) -> f64 {
        LONGEST * f64::from(self.defaults.epochs) * self.epoch(config)
    }

    /// As many trials as may be paid for, of which thirds go on after these epochs.
    pub(super) fn drawn(&self, rungs: &[u32]) -> Result<Vec<Task>> {
        let Tune { job, axes, runs, .. } = self.tune;
        let (base, epochs) = (&job.config, f64::from(self.defaults.epochs));
        let mut left = (runs - 1.0) * self.one();
        let mut tasks = Vec::new();
        while !axes.is_empty() {
            let number = tasks.len() + 1;
            let (config, said) = trial(base, axes, &self.defaults.begun, number)?;
            // What cannot be trained fails at once, and costs nothing; but it all comes to an end.
            let like = if config.check().is_ok() { &config } else { base };
            left -= self.epoch(like) * epochs_of(rungs, epochs);
            if left < 0.0 {
                break;
            }
            tasks.push(Task { trial: number, said, config, stopped: None });
        }
        Ok(tasks)
    }
}

/// About what an epoch costs with these settings, beside one with others: what is read and written of the
/// features of a row, and something for each.
fn cost(config: &Config, fields: usize) -> f64 {
    const EACH: f64 = 8.0;
    EACH + Sizes::new(config, fields).width() as f64
}

/// Epochs after which thirds go on, of trainings that take about so many.
pub(super) fn rungs(epochs: u32) -> Vec<u32> {
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
