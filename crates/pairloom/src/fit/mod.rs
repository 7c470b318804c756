//! The training loop: epochs, validation, the learning rate's way down, early stopping,
//! checkpoints.
//!
//! A run is a function of rows, settings and seed alone. The order of an epoch's rows comes from
//! (seed, epoch), so a resumed run needs no state of a random generator, and is never written down.

mod feed;
mod training;
mod valid;

use crate::backend::{Backend, Snapshot};
use crate::config::Config;
use crate::encode::Target;
use crate::error::flagged;
use crate::file::Progress;
use crate::metric::Metrics;
use crate::model::Weights;
use crate::negatives::Negatives;
use crate::store::Store;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use training::Training;

/// What one epoch brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: u32,
    /// The learning rate.
    pub learning_rate: f64,
    /// Mean loss over the training rows, each taken just before its batch was learned from: what
    /// [`crate::loss::Loss::in_unit`] says.
    pub train_loss: f64,
    /// Metrics of the validation rows after the epoch; `None` without such rows.
    pub valid: Option<Metrics>,
}

/// What a training run tells while it goes on.
#[derive(Debug)]
pub enum FitEvent<'a> {
    /// Training goes on from a checkpoint.
    Resumed {
        /// The epoch.
        epoch: u32,
        /// Rows of the epoch trained on before.
        rows: usize,
    },
    /// A batch was learned from.
    Batch {
        /// The epoch.
        epoch: u32,
        /// Rows of the epoch trained on so far.
        rows: usize,
        /// Mean loss of these rows.
        loss: f64,
    },
    /// An epoch is complete.
    Epoch(&'a Epoch),
}

/// Why training ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// All epochs are done.
    Finished,
    /// No epoch was better than the best one for as long as `patience` allows.
    NoBetter,
    /// The caller asked for it.
    Interrupted,
    /// A loss, a parameter or the prediction of a validation row was not finite.
    Diverged {
        /// The epoch.
        epoch: u32,
        /// The training row whose loss it was, counted from 0; `None` if it was no loss.
        row: Option<usize>,
        /// The learning rate.
        rate: f64,
    },
}

/// What a training run ends with.
#[derive(Debug)]
pub struct Fit {
    /// The weights of the best epoch, or of the last good one without validation rows; `None` if
    /// no epoch was completed, or if they are not [kept](Run::keeps_best).
    pub weights: Option<Weights>,
    /// The epoch they come from, counted from 1.
    pub epoch: u32,
    /// What each epoch brought.
    pub history: Vec<Epoch>,
    /// Why it ended.
    pub stop: Stop,
}

/// Where and how often to write checkpoints.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    /// The file.
    pub path: String,
    /// Time between two of them.
    pub every: Duration,
    /// Whether to go on from the file if it is there; if not, the first checkpoint replaces it.
    pub resume: bool,
}

/// A training run over encoded rows.
pub struct Run<'a> {
    /// Training rows.
    pub train: &'a Store,
    /// How many entries the rows of a batch have at the most.
    pub most_entries: usize,
    /// Validation rows; may be empty.
    pub valid: &'a Store,
    /// Settings, with the loss decided.
    pub config: &'a Config,
    /// Draws items that rows are ranked above; without it the rows of a group are ranked that are given.
    pub negatives: Option<&'a Negatives>,
    /// Scale of the labels.
    pub target: &'a Target,
    /// Rows that the backend has learned from before, in other runs.
    pub before: usize,
    /// Whether the weights of the best epoch are kept, to be those of the [`Fit`].
    pub keeps_best: bool,
    /// Whether and where to write checkpoints.
    pub checkpoints: Option<&'a Checkpoints>,
}

impl Run<'_> {
    /// Trains. `watch` hears what happens and returns false to stop.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Device`], errors of writing or reading the checkpoint, [`Error::Usage`] for
    /// batches that are too large for the backend. Divergence is no error here: see [`Stop::Diverged`].
    pub fn fit(
        &self,
        backend: &mut dyn Backend,
        watch: &mut dyn FnMut(FitEvent<'_>) -> bool,
    ) -> Result<Fit> {
        self.check_batches(backend.most_entries())?;
        // What a run before has left that ended with an error is none of this one.
        let _ = backend.finish();
        let mut training = Training::begin(self, backend)?;
        let Progress { epoch, rows, .. } = training.progress;
        let goes_on = (epoch, rows) == (1, 0) || watch(FitEvent::Resumed { epoch, rows });
        let ended = match goes_on {
            true => training.epochs(watch),
            false => Ok(Stop::Interrupted),
        };
        let ended = ended.and_then(|stop| {
            if stop == Stop::Interrupted {
                training.save()?;
            }
            Ok((stop, training.best.take().map(Snapshot::into_weights).transpose()?))
        });
        let (stop, weights) = ended.map_err(|error| training.with_checkpoint(error))?;
        let Progress { best_epoch: epoch, history, .. } = training.progress;
        Ok(Fit { weights, epoch, history, stop })
    }

    /// Refuses batches whose rows may have more entries than the backend can take.
    fn check_batches(&self, most: usize) -> Result<()> {
        let batch = self.config.batch_rows(self.train.len());
        if self.most_entries <= most {
            return Ok(());
        }
        let flag = flagged("batch_size");
        Err(Error::usage(format!(
            "a batch of {batch} rows may have more than {most} features in all: lower {flag}"
        )))
    }
}
