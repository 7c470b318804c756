//! Runs beside each other.

use super::{Event, Figures, Outcome, Run, Studied, Study, TestRows};
use crate::config::Config;
use crate::fit::Stop;
use crate::journal::Journal;
use crate::metric::Metrics;
use crate::model::Model;
use crate::parallel::Threads;
use crate::predict::EvaluateOptions;
use crate::schema::Hints;
use crate::train::{self, Job, SchemaSource, TestPart, Trained, train};
use crate::{Error, Result, reading};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How often it is asked whether to go on.
const OFTEN: Duration = Duration::from_millis(50);

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
        let threads = Threads::new(self.study.job.threads)?.count();
        let wanted = if self.study.parallel == 0 { threads } else { self.study.parallel };
        let parallel = wanted.min(open.len()).max(1);
        let each = (threads / parallel).max(1);
        let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(!goes_on));
        let stop = || stopped.store(true, Ordering::Relaxed);
        let goes_on = || !stopped.load(Ordering::Relaxed);
        let work = |to: Sender<(usize, Outcome)>| {
            while let Some(&at) =
                open.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| goes_on())
            {
                let outcome = match self.outcome(&self.tasks[at], each, &goes_on) {
                    Err(Error::Interrupted) => return,
                    // They were read from another file than the one that is known.
                    Err(error) => {
                        Outcome::Failed(error.to_string().replace(self.data, &self.study.job.data))
                    }
                    Ok(figures) => Outcome::Done(Box::new(figures)),
                };
                if to.send((at, outcome)).is_err() {
                    return;
                }
            }
        };
        let mut note = |at: usize, outcome: Outcome, watch: &mut dyn FnMut(Event<'_>) -> bool| {
            let Task { point, config, only, test } = &self.tasks[at];
            if let Outcome::Done(figures) = &outcome {
                figures.metrics.chosen(self.study.metric.as_deref())?;
            }
            let run = Run { config: config.clone(), only: only.clone(), test: *test, outcome };
            journal.push(&run)?;
            ended[at] = Some(run.outcome.clone());
            done += 1;
            let point = &self.study.points[*point];
            Ok(watch(Event::Run { point, run: &run, done, runs }))
        };
        let heard = std::thread::scope(|scope| {
            let (to, from) = mpsc::channel();
            (0..parallel).map(|_| to.clone()).for_each(|to| drop(scope.spawn(|| work(to))));
            drop(to);
            loop {
                let goes_on = match from.recv_timeout(OFTEN) {
                    Ok((at, outcome)) => note(at, outcome, watch).inspect_err(|_| stop())?,
                    Err(RecvTimeoutError::Timeout) => watch(Event::Working),
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                };
                if !goes_on {
                    stop();
                }
            }
        });
        heard?;
        let mut outcomes: Vec<Vec<Option<Outcome>>> = vec![Vec::new(); self.study.points.len()];
        self.tasks.iter().zip(ended).for_each(|(task, ended)| outcomes[task.point].push(ended));
        Ok(Studied { outcomes, is_interrupted: stopped.into_inner() })
    }

    fn outcome(&self, task: &Task, threads: usize, goes_on: &dyn Fn() -> bool) -> Result<Figures> {
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
