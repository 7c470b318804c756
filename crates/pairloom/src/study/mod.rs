//! The same rows learned from with many settings, measured on the same test rows.
//!
//! A run is a [`Point`] (settings), a seed and a test part; it is a training like any other, on one of the threads, and
//! ends as a line of the journal. Which test part a run has depends on its seed alone, so that all points are measured
//! on the same rows and their figures can be paired. What fails is a line too, and the others go on.

mod check;
mod grid;
mod summary;
mod work;

pub use check::check_level;
pub use grid::{Point, grid};
pub use summary::{Difference, Estimate, OfPoint, Summary};

use crate::config::Config;
use crate::interaction::Kind;
use crate::journal::{self, Opened, Work};
use crate::memory;
use crate::metric::Metrics;
use crate::train::{self, Job, KeptRows, TestPart, content};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use work::{Runs, Task};

/// Which rows a model is measured on.
#[derive(Debug, Clone, PartialEq)]
pub enum TestRows {
    /// A share of the rows, drawn anew by each seed.
    Share(f64),
    /// Each of so many folds in turn, dealt anew by each seed.
    Folds(u32),
    /// The last rows: of each seed the same.
    Tail(f64),
    /// Those of a file: of each seed the same.
    File(String),
}

/// What to run.
#[derive(Debug, Clone)]
pub struct Study {
    /// The rows, and all that is the same for all runs.
    pub job: Job,
    /// The settings that are compared.
    pub points: Vec<Point>,
    /// The two columns that matrix factorization learns from, if there are others.
    pub mf: Option<Vec<String>>,
    /// What they are measured on.
    pub test: TestRows,
    /// How often, from 1 to 10000: with the seed of the settings, one more, and so on.
    pub seeds: u32,
    /// Runs at a time; 0 takes one for each thread.
    pub parallel: usize,
    /// The figure that points are compared by; of several that a model has, by its name in JSON. Nothing takes the
    /// loss, or where rows are ranked NDCG.
    pub metric: Option<String>,
    /// The file of finished runs.
    pub journal: String,
    /// Whether those that are in it are forgotten, once the rows are read.
    pub restart: bool,
}

/// One training, and how it ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// The settings.
    pub config: Config,
    /// The columns that counted, if not all did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<String>>,
    /// The rows that were kept for the test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<TestPart>,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How a run ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was measured.
    Done(Box<Figures>),
    /// Why it was not.
    Failed(String),
}

/// What a run came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figures {
    /// Of the test rows.
    pub metrics: Metrics,
    /// Training, validation and test rows.
    pub rows: [usize; 3],
    /// Epochs that were trained.
    pub epochs: u32,
    /// Of training alone, on one thread if several runs went on.
    pub seconds: f64,
    /// Numbers in the model.
    pub weights: u64,
}

/// What a study tells while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// The rows are read.
    Rows(train::Event<'a>),
    /// So many of so many runs are in the journal already.
    Begin {
        /// Those.
        done: usize,
        /// All.
        runs: usize,
    },
    /// Runs go on; it is asked whether they should.
    Working,
    /// A run has ended.
    Run {
        /// The point.
        point: &'a Point,
        /// The run.
        run: &'a Run,
        /// Ended runs, this one among them.
        done: usize,
        /// All.
        runs: usize,
    },
}

/// What a journal says first.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    study: u32,
    /// The content of the rows' file, and what was said of it.
    rows: String,
    /// The content of the file of test rows, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test: Option<String>,
}

/// All runs of a study that have ended.
#[derive(Debug)]
pub struct Studied {
    /// Of each point, the outcome of each test part and seed in turn.
    pub outcomes: Vec<Vec<Option<Outcome>>>,
    /// Whether it was stopped before all had.
    pub is_interrupted: bool,
}

impl Study {
    /// Whether there are finished runs to go on from.
    pub fn is_begun(&self) -> bool {
        journal::is_begun(&self.journal)
    }

    /// Runs what is not in the journal yet. `watch` hears what happens and returns false to stop.
    ///
    /// # Errors
    /// [`Error::Usage`] for what cannot be a study, errors of reading the rows, and of writing the journal;
    /// [`Error::Data`] if what is there is no journal, or one of other rows.
    pub fn run(&self, watch: &mut dyn FnMut(Event<'_>) -> bool) -> Result<Studied> {
        self.check()?;
        let test = match &self.test {
            TestRows::File(path) => Some(content(&self.job, path)?),
            _ => None,
        };
        let work = Work { job: &self.job, journal: &self.journal, restart: self.restart };
        let header = |rows: &KeptRows| {
            self.check_rows(rows)?;
            Ok(Header { study: 1, rows: rows.known_by.clone(), test })
        };
        let opened = work.begin(header, &mut |event| watch(Event::Rows(event)))?;
        let tasks = self.tasks()?;
        let ended = tasks.iter().map(|task| task.ended(&opened.pieces)).collect();
        let Opened { rows, mut journal, pieces } = opened;
        let is_new = pieces.is_empty();
        let runs = Runs { study: self, rows: &rows, tasks: &tasks };
        let studied = runs.all(&mut journal, ended, watch);
        match &studied {
            // None of its runs can be used.
            Err(Error::Usage(_)) if is_new => journal.remove(),
            Err(_) => journal.remove_if_empty(),
            Ok(_) => {}
        }
        if !studied.as_ref().is_ok_and(|studied| studied.is_interrupted) {
            rows.forget();
        }
        studied
    }

    /// The runs, those of all points on the same test rows before those on others.
    fn tasks(&self) -> Result<Vec<Task>> {
        let parts = u128::from(self.seeds) * u128::from(self.parts());
        let count = usize::try_from(parts * self.points.len() as u128).unwrap_or(usize::MAX);
        let mut tasks = Vec::new();
        tasks
            .try_reserve_exact(count)
            .map_err(|_| memory::refused(&format!("{count} runs"), "take fewer seeds or folds"))?;
        for seed in 0..u64::from(self.seeds) {
            for part in 0..self.parts() {
                for (point, Point { config, .. }) in self.points.iter().enumerate() {
                    let seed = config.seed.wrapping_add(seed);
                    let config = Config { seed, ..config.clone() };
                    let only = self.only(&config);
                    tasks.push(Task { point, config, only, test: self.part(part, seed) });
                }
            }
        }
        Ok(tasks)
    }

    /// The first job of a point.
    fn job_of(&self, point: &Point) -> Job {
        let (config, test) = (point.config.clone(), self.part(0, point.config.seed));
        Job { only: self.only(&config), config, test, ..self.job.clone() }
    }

    /// The columns that count with such settings, if not all do.
    fn only(&self, config: &Config) -> Option<Vec<String>> {
        self.mf.clone().filter(|_| config.model == Kind::Mf)
    }

    /// Test parts of a seed.
    fn parts(&self) -> u32 {
        if let TestRows::Folds(folds) = self.test { folds } else { 1 }
    }

    fn part(&self, at: u32, seed: u64) -> Option<TestPart> {
        match self.test {
            TestRows::Share(share) => Some(TestPart::Share { share, seed }),
            TestRows::Folds(of) => Some(TestPart::Fold { at, of, seed }),
            TestRows::Tail(share) => Some(TestPart::Tail { share }),
            TestRows::File(_) => None,
        }
    }

    /// Whether test rows differ from seed to seed, so that what figures differ by tells of other rows too.
    pub fn draws_rows(&self) -> bool {
        matches!(self.test, TestRows::Share(_) | TestRows::Folds(_))
    }
}
