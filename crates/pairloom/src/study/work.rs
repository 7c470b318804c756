//! Runs beside each other.

use super::summary::figures as figures_of;
use super::{Event, Figures, Outcome, Run, Studied, Study, TestRows};
use crate::config::Config;
use crate::journal::Journal;
use crate::metric::Metrics;
use crate::model::Model;
use crate::parallel::{Share, Threads, jobs};
use crate::predict::EvaluateOptions;
use crate::train::{Job, KeptRows, TestPart, Trained};
use crate::{Error, Result, reading};

/// A run that is to be done.
pub(super) struct Task {
    /// Which of the points.
    pub(super) point: usize,
    pub(super) config: Config,
    pub(super) only: Option<Vec<String>>,
    pub(super) test: Option<TestPart>,
}

impl Task {
    /// How it has ended, if it has been done. What has failed is tried again: there may be more memory now.
    pub(super) fn ended(&self, runs: &[Run]) -> Option<Outcome> {
        let task = (&self.config, &self.only, &self.test);
        let same = |run: &&Run| (&run.config, &run.only, &run.test) == task;
        let done = runs.iter().rev().find(same).map(|run| &run.outcome);
        done.filter(|outcome| matches!(outcome, Outcome::Done(_))).cloned()
    }
}

/// All runs of a study.
pub(super) struct Runs<'a> {
    pub(super) study: &'a Study,
    /// The rows, to be read by each run.
    pub(super) rows: &'a KeptRows,
    pub(super) tasks: &'a [Task],
}

impl Runs<'_> {
    /// Does those that have not ended yet, on several threads; this one keeps the journal.
    pub(super) fn all(
        &self,
        journal: &mut Journal<Run>,
        mut ended: Vec<Option<Outcome>>,
        watch: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<Studied> {
        let open: Vec<usize> = (0..ended.len()).filter(|&at| ended[at].is_none()).collect();
        let (mut done, runs) = (ended.len() - open.len(), ended.len());
        let goes_on = watch(Event::Begin { done, runs });
        let Share { at_a_time, threads } =
            Share::of(self.study.job.threads, self.study.parallel, open.len())?;
        let mut hear = |heard: Option<(usize, Result<Figures>)>| {
            let Some((at, figures)) = heard else { return Ok(watch(Event::Working)) };
            let at = open[at];
            self.check(&ended, at, &figures)?;
            let outcome = match figures {
                Err(error) => Outcome::Failed(self.rows.why(&error)),
                Ok(figures) => Outcome::Done(Box::new(figures)),
            };
            let Task { point, config, only, test } = &self.tasks[at];
            let run = Run { config: config.clone(), only: only.clone(), test: *test, outcome };
            journal.push(&run)?;
            ended[at] = Some(run.outcome.clone());
            done += 1;
            let point = &self.study.points[*point];
            Ok(watch(Event::Run { point, run: &run, done, runs }))
        };
        let work = |at: usize, goes_on: &dyn Fn() -> bool| {
            self.figures(&self.tasks[open[at]], threads, goes_on)
        };
        let all = goes_on && jobs(open.len(), at_a_time, work, &mut hear)?;
        let mut outcomes: Vec<Vec<Option<Outcome>>> = vec![Vec::new(); self.study.points.len()];
        self.tasks.iter().zip(ended).for_each(|(task, ended)| outcomes[task.point].push(ended));
        Ok(Studied { outcomes, is_interrupted: !all })
    }

    /// Ends a study that no run of can be used: which has no figure of the wanted name, or which is wrong for every
    /// point.
    fn check(&self, ended: &[Option<Outcome>], at: usize, figures: &Result<Figures>) -> Result<()> {
        let mut done = ended.iter().filter_map(figures_of);
        let has = |figures: &Figures| figures.metrics.chosen(self.study.metric.as_deref());
        match figures {
            Ok(figures) if !done.any(|done| has(done).is_ok()) => has(figures).map(drop),
            Err(Error::Usage(why)) => {
                let error = self.rows.named(Error::usage(why));
                if self.is_so_for_all(ended, at, &error.to_string()) { Err(error) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    /// Whether every point has failed for this reason, and nothing was measured.
    fn is_so_for_all(&self, ended: &[Option<Outcome>], at: usize, why: &str) -> bool {
        let has_failed = |point: usize| {
            let of_point = |(task, _): &(&Task, &Option<Outcome>)| task.point == point;
            let failed = |outcome: &Outcome| outcome.failure() == Some(why);
            let mut outcomes = self.tasks.iter().zip(ended).filter(of_point);
            outcomes.any(|(_, outcome)| outcome.as_ref().is_some_and(failed))
        };
        let points = 0..self.study.points.len();
        let is_failed = |point: usize| point == self.tasks[at].point || has_failed(point);
        ended.iter().all(|outcome| figures_of(outcome).is_none())
            && points.into_iter().all(is_failed)
    }

    fn figures(&self, task: &Task, threads: usize, goes_on: &dyn Fn() -> bool) -> Result<Figures> {
        let job = Job {
            config: task.config.clone(),
            test: task.test,
            only: task.only.clone(),
            threads,
            ..self.study.job.clone()
        };
        let (trained, seconds) = self.rows.train(&job, None, goes_on)?;
        let model = trained.model.as_ref().ok_or(Error::Interrupted)?;
        let (metrics, test) = self.measured(&trained, model, threads)?;
        let rows = trained.start.as_ref().map_or([0; 2], |start| [start.train, start.valid]);
        Ok(Figures {
            metrics,
            rows: [rows[0], rows[1], test],
            epochs: model.history.len() as u32,
            seconds,
            weights: model.weights.numbers(&model.config),
        })
    }

    /// The figures of the test rows, and how many these are.
    fn measured(
        &self,
        trained: &Trained,
        model: &Model,
        threads: usize,
    ) -> Result<(Metrics, usize)> {
        let threads = Threads::new(threads)?;
        let TestRows::File(path) = &self.study.test else {
            let metrics = trained.test_metrics(&threads)?.ok_or(Error::Interrupted)?;
            return Ok((metrics, trained.test.len()));
        };
        let mut reader = reading::open(path, &self.study.job.open, &model.schema)?;
        let options =
            EvaluateOptions { on_error: self.study.job.on_error, ..EvaluateOptions::default() };
        let found = model.evaluate(&mut *reader, path, &options, &threads)?;
        Ok((found.metrics, found.labels.len()))
    }
}
