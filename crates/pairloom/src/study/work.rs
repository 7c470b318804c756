//! Runs beside each other.

use super::summary::figures as figures_of;
use super::{Event, Figures, Outcome, Run, Studied, Study, TestRows};
use crate::config::Config;
use crate::fit::Stop;
use crate::journal::Journal;
use crate::metric::Metrics;
use crate::model::Model;
use crate::parallel::{Threads, jobs};
use crate::predict::EvaluateOptions;
use crate::schema::Hints;
use crate::train::{self, Job, SchemaSource, TestPart, Trained, train};
use crate::{Error, Result, reading};
use std::time::Instant;

/// A run that is to be done.
pub(super) struct Task {
    /// Which of the points.
    pub(super) point: usize,
    pub(super) config: Config,
    pub(super) only: Option<Vec<String>>,
    pub(super) test: Option<TestPart>,
}

impl Task {
    /// Whether a run was this one.
    pub(super) fn is(
        &self,
        config: &Config,
        only: &Option<Vec<String>>,
        test: &Option<TestPart>,
    ) -> bool {
        (&self.config, &self.only, &self.test) == (config, only, test)
    }
}

/// How threads are shared among trainings.
pub(crate) struct Share {
    /// How many go on at a time.
    pub(crate) at_a_time: usize,
    /// Threads of each.
    pub(crate) threads: usize,
}

impl Share {
    /// Of a job's threads among so many runs, `wanted` of them at a time, or 0 for as many as there are threads.
    pub(crate) fn of(job: &Job, wanted: usize, runs: usize) -> Result<Self> {
        let threads = Threads::new(job.threads)?.count();
        let wanted = if wanted == 0 { threads } else { wanted };
        let at_a_time = wanted.min(runs).max(1);
        Ok(Share { at_a_time, threads: (threads / at_a_time).max(1) })
    }
}

/// All runs of a study.
pub(super) struct Runs<'a> {
    pub(super) study: &'a Study,
    /// The rows, to be read by each run.
    pub(super) data: &'a str,
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
            Share::of(&self.study.job, self.study.parallel, open.len())?;
        let mut hear = |heard: Option<(usize, Result<Figures>)>| {
            let Some((at, figures)) = heard else { return Ok(watch(Event::Working)) };
            let at = open[at];
            let outcome = match figures {
                // They were read from another file than the one that is known.
                Err(error) => {
                    Outcome::Failed(error.to_string().replace(self.data, &self.study.job.data))
                }
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
        let mut begun = Instant::now();
        let job = Job {
            data: self.data.into(),
            config: task.config.clone(),
            test: task.test,
            only: task.only.clone(),
            // What was said of the rows is in them since they were read.
            open: <_>::default(),
            schema: SchemaSource::Infer(Hints::default()),
            checkpoints: None,
            cache: None,
            threads,
            ..self.study.job.clone()
        };
        let trained = train(&job, &mut |event| {
            if matches!(event, train::Event::Start(_)) {
                begun = Instant::now();
            }
            goes_on()
        })?;
        let seconds = begun.elapsed().as_secs_f64();
        let model = match (&trained.stop, &trained.model) {
            (Stop::Interrupted, _) => return Err(Error::Interrupted),
            (Stop::Diverged { epoch, rate, .. }, _) => {
                let message = format!("it diverged in epoch {epoch} at learning rate {rate}");
                return Err(Error::Diverged(message));
            }
            (_, None) => return Err(Error::Interrupted),
            (_, Some(model)) => model,
        };
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
