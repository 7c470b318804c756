//! What to train on, and how.

use crate::backend::DeviceName;
use crate::config::Config;
use crate::fit::Checkpoints;
use crate::input::OpenOptions;
use crate::model::Model;
use crate::reading::OnError;
use crate::schema::{Hints, Schema};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where the schema comes from.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one of it for each job")]
pub enum SchemaSource {
    /// It is inferred where these do not say.
    Infer(Hints),
    /// It is given.
    Given(Schema),
}

/// Rows of a job's file that are kept for a test: neither trained on nor looked at meanwhile. They are drawn as
/// validation rows are: groups whole, and the same share of each class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestPart {
    /// A share that is drawn at random.
    Share {
        /// More than 0 and less than 1.
        share: f64,
        /// Of the draw.
        seed: u64,
    },
    /// The last rows of the file.
    Tail {
        /// More than 0 and less than 1.
        share: f64,
    },
    /// One of several folds, which have about as many rows each.
    Fold {
        /// Which, from 0.
        at: u32,
        /// How many there are, at least 2.
        of: u32,
        /// Of the draw.
        seed: u64,
    },
}

impl TestPart {
    /// Checks that it can be a part of rows.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub(crate) fn check(&self) -> Result<()> {
        let (setting, share) = match *self {
            TestPart::Share { share, .. } => ("test_fraction", share),
            TestPart::Tail { share } => ("test_tail", share),
            TestPart::Fold { of, .. } if of < 2 => {
                return Err(Error::setting("folds", "at least 2"));
            }
            TestPart::Fold { at, of, .. } if at >= of => {
                return Err(Error::usage(format!("there is no fold {at} of {of}: the first is 0")));
            }
            TestPart::Fold { .. } => return Ok(()),
        };
        match share > 0.0 && share < 1.0 {
            true => Ok(()),
            false => Err(Error::setting(setting, "more than 0 and less than 1")),
        }
    }
}

/// Everything that says what to train on and how.
#[derive(Debug, Clone)]
pub struct Job {
    /// The file of training rows; `-` is standard input.
    pub data: String,
    /// The file of validation rows.
    pub valid: Option<String>,
    /// The part of the rows that is kept for a test, see [`Trained::test`](super::Trained::test).
    pub test: Option<TestPart>,
    /// What is known about the files' format.
    pub open: OpenOptions,
    /// The schema.
    pub schema: SchemaSource,
    /// The feature columns that count, if not all do: the others are read, and then left out.
    pub only: Option<Vec<String>>,
    /// The settings.
    pub config: Config,
    /// Threads; 0 takes one for each core. The model does not depend on it.
    pub threads: usize,
    /// What training runs on.
    pub device: DeviceName,
    /// What to do with rows that cannot be used.
    pub on_error: OnError,
    /// Whether and where to write checkpoints.
    pub checkpoints: Option<Checkpoints>,
    /// The folder of temporary files, which rows go to that [`Config::memory`] has no room for.
    pub temp_dir: String,
    /// The file that keeps the training rows as they were read: it is made, and used by later jobs
    /// over the same rows.
    pub cache: Option<String>,
    /// All classes, if rows will come with others than these have: nothing else is then a class.
    pub classes: Option<Vec<String>>,
    /// The model to go on from: its encoding stays, and its weights are where training begins, with a fresh
    /// optimizer. The schema is then to be the model's.
    pub init: Option<Arc<Model>>,
}

impl Job {
    /// A job with nothing said but the file: schema inferred, settings as they come.
    pub fn new(data: impl Into<String>) -> Self {
        Job {
            data: data.into(),
            valid: None,
            test: None,
            open: OpenOptions::default(),
            schema: SchemaSource::Infer(Hints::default()),
            only: None,
            config: Config::default(),
            threads: 0,
            device: DeviceName::default(),
            on_error: OnError::Stop,
            checkpoints: None,
            temp_dir: std::env::temp_dir().to_string_lossy().into_owned(),
            cache: None,
            classes: None,
            init: None,
        }
    }
}
