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
        mut journal: Journal<Run>,
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
            let outcome = match figures {
                Err(error) => Outcome::Failed(self.rows.why(&error)),
                Ok(figures) => Outcome::Done(Box::new(figures)),
            };
            let Task { point, config, only, test } = &self.tasks[at];
            let run = Run { config: config.clone(), only: only.clone(), test: *test, outcome };
            journal.push(&run)?;
            ended[at] = Some(run.outcome.clone());
            self.check_metric(&ended)?;
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

    /// Checks that a figure of the wanted name is there, as soon as any are.
    fn check_metric(&self, ended: &[Option<Outcome>]) -> Result<()> {
        let done = || ended.iter().filter_map(figures_of);
        let chosen =
            |figures: &Figures| figures.metrics.chosen(self.study.metric.as_deref()).map(drop);
        match done().any(|figures| chosen(figures).is_ok()) {
            true => Ok(()),
            false => done().next().map_or(Ok(()), chosen),
        }
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
