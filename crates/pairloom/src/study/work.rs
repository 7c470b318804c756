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
use std::sync::{Mutex, PoisonError};
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

/// What those that are under way share.
struct Shared<'a> {
    journal: Journal<Run>,
    ended: Vec<Option<Outcome>>,
    watch: &'a mut (dyn FnMut(Event<'_>) -> bool + Send),
    error: Option<Error>,
}

impl Runs<'_> {
    /// Does those that have not ended yet.
    pub(super) fn all(
        &self,
        journal: Journal<Run>,
        ended: Vec<Option<Outcome>>,
        watch: &mut (dyn FnMut(Event<'_>) -> bool + Send),
    ) -> Result<Studied> {
        let open: Vec<usize> = (0..ended.len()).filter(|&at| ended[at].is_none()).collect();
        let done = ended.len() - open.len();
        let goes_on = watch(Event::Begin { done, runs: ended.len() });
        let threads = Threads::new(self.study.job.threads)?.count();
        let wanted = if self.study.parallel == 0 { threads } else { self.study.parallel };
        let parallel = wanted.min(open.len()).max(1);
        let each = (threads / parallel).max(1);
        let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(!goes_on));
        let shared = Mutex::new(Shared { journal, ended, watch, error: None });
        let work = || {
            while !stopped.load(Ordering::Relaxed) {
                let Some(&at) = open.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                self.one(at, each, &shared, &stopped);
            }
        };
        std::thread::scope(|scope| (0..parallel).for_each(|_| drop(scope.spawn(work))));
        let Shared { ended, error, .. } =
            shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = error {
            return Err(error);
        }
        let mut outcomes: Vec<Vec<Option<Outcome>>> = vec![Vec::new(); self.study.points.len()];
        self.tasks.iter().zip(ended).for_each(|(task, ended)| outcomes[task.point].push(ended));
        Ok(Studied { outcomes, is_interrupted: stopped.into_inner() })
    }

    /// Does one, and notes how it ended.
    fn one(&self, at: usize, threads: usize, shared: &Mutex<Shared<'_>>, stopped: &AtomicBool) {
        let task = &self.tasks[at];
        let mut asked = Instant::now();
        let outcome = self.outcome(task, threads, &mut || {
            if asked.elapsed() >= OFTEN {
                asked = Instant::now();
                let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
                if !(shared.watch)(Event::Working) {
                    stopped.store(true, Ordering::Relaxed);
                }
            }
            !stopped.load(Ordering::Relaxed)
        });
        let outcome = match outcome {
            Err(Error::Interrupted) => return,
            Err(error) => Outcome::Failed(error.to_string()),
            Ok(figures) => Outcome::Done(Box::new(figures)),
        };
        let Task { config, only, test, .. } = task;
        let run = Run { config: config.clone(), only: only.clone(), test: *test, outcome };
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = shared.journal.push(&run) {
            stopped.store(true, Ordering::Relaxed);
            shared.error.get_or_insert(error);
            return;
        }
        shared.ended[at] = Some(run.outcome.clone());
        let (done, runs) = (shared.ended.iter().flatten().count(), self.tasks.len());
        let point = &self.study.points[task.point];
        if !(shared.watch)(Event::Run { point, run: &run, done, runs }) {
            stopped.store(true, Ordering::Relaxed);
        }
    }

    fn outcome(
        &self,
        task: &Task,
        threads: usize,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Figures> {
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
