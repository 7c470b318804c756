//! Trials that have ended, and which of them are better.

use super::space::Said;
use super::{Trial, rank};
use crate::config::Config;

/// What is to be trained.
#[derive(Clone)]
pub(super) struct Task {
    pub(super) trial: usize,
    pub(super) said: Said,
    pub(super) config: Config,
    pub(super) stopped: Option<u32>,
}

impl Task {
    /// The same, stopped after so many epochs.
    pub(super) fn stopped_at(&self, epochs: u32) -> Self {
        Task { stopped: Some(epochs), ..self.clone() }
    }
}

/// All that have ended, in that order.
pub(super) struct Trials {
    pub(super) all: Vec<Trial>,
    /// The figure that they are compared by.
    pub(super) metric: String,
}

impl Trials {
    /// The trial that was this one, if it has ended; also one that came to its end before it would have been stopped.
    pub(super) fn known(&self, task: &Task) -> Option<&Trial> {
        let in_time = |trial: &Trial| match (trial.stopped, task.stopped, trial.measured()) {
            (None, Some(stopped), Some(measured)) => measured.epochs < stopped,
            _ => false,
        };
        let same = |trial: &&Trial| {
            trial.config == task.config && (trial.stopped == task.stopped || in_time(trial))
        };
        self.all.iter().rev().find(same)
    }

    /// Whether a trial was measured, now or before it became too late, and has not failed since.
    pub(super) fn goes_further(&self, task: &Task) -> bool {
        match self.known(task) {
            Some(trial) => trial.figure(&self.metric).is_some(),
            None => self.all.iter().any(|t| t.config == task.config && t.measured().is_some()),
        }
    }

    /// The best first.
    pub(super) fn sorted(&self, tasks: Vec<Task>) -> Vec<Task> {
        let mut ranked: Vec<(f64, Task)> =
            tasks.into_iter().map(|task| (self.figure(&task), task)).collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        ranked.into_iter().map(|(_, task)| task).collect()
    }

    /// Those first that were trained for the most epochs, and of these the best.
    pub(super) fn sort_by_reach(&self, tasks: &mut [Task]) {
        let reached = |task: &Task| {
            let is_same = |t: &&Trial| t.config == task.config && t.measured().is_some();
            let furthest = |t: &&Trial| t.stopped.unwrap_or(u32::MAX);
            let trial = self.all.iter().filter(is_same).max_by_key(furthest);
            (trial.map_or(0, |trial| furthest(&trial)), self.rank(trial))
        };
        tasks.sort_by(|a, b| {
            let [(a, one), (b, other)] = [a, b].map(&reached);
            b.cmp(&a).then(one.total_cmp(&other))
        });
    }

    /// The best of the trials that were trained to their end.
    pub(super) fn best(&self) -> Option<usize> {
        let is_whole = |at: &usize| {
            let trial = &self.all[*at];
            trial.stopped.is_none() && trial.measured().is_some()
        };
        let figure = |at: usize| self.rank(Some(&self.all[at]));
        let whole = (0..self.all.len()).filter(is_whole);
        // Of equal ones that of the lowest number, whichever ended first.
        let number = |at: usize| self.all[at].trial;
        whole.min_by(|&a, &b| figure(a).total_cmp(&figure(b)).then(number(a).cmp(&number(b))))
    }

    /// What a trial that has ended is sorted by: the best is the least.
    pub(super) fn figure(&self, task: &Task) -> f64 {
        self.rank(self.known(task))
    }

    fn rank(&self, trial: Option<&Trial>) -> f64 {
        rank(&self.metric, trial.and_then(|trial| trial.figure(&self.metric)))
    }
}
