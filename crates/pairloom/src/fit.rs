//! The training loop: epochs, validation, the learning rate's way down, early stopping,
//! checkpoints.
//!
//! A run is a function of rows, settings and seed alone. The order of an epoch's rows comes from
//! (seed, epoch), so a resumed run needs no state of a random generator.

use crate::backend::Backend;
use crate::batch::Rows;
use crate::config::Config;
use crate::encode::Target;
use crate::error::flagged;
use crate::file::{Checkpoint, Progress, load_checkpoint};
use crate::metric::{Binary, DEFAULT_THRESHOLD, Metrics, Regression};
use crate::model::Weights;
use crate::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What one epoch brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: u32,
    /// The learning rate.
    pub learning_rate: f64,
    /// Mean loss over the training rows, each taken just before its batch was learned from: log
    /// loss in nats, or the mean squared error in squared units of the target.
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
    /// no epoch was completed.
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
    pub train: &'a Rows,
    /// Validation rows; may be empty.
    pub valid: &'a Rows,
    /// Settings, with the loss decided.
    pub config: &'a Config,
    /// Scale of the labels.
    pub target: &'a Target,
    /// Whether and where to write checkpoints.
    pub checkpoints: Option<&'a Checkpoints>,
}

impl Run<'_> {
    /// Trains. `watch` hears what happens and returns false to stop.
    ///
    /// # Errors
    /// [`Error::Memory`], errors of writing or reading the checkpoint, [`Error::Usage`] for batches
    /// that are too large for the backend. Divergence is no error here: see [`Stop::Diverged`].
    pub fn fit(
        &self,
        backend: &mut dyn Backend,
        watch: &mut dyn FnMut(FitEvent<'_>) -> bool,
    ) -> Result<Fit> {
        self.check_batches(backend.most_entries())?;
        let mut training = self.begin(backend)?;
        let Progress { epoch, rows, .. } = training.progress;
        let goes_on = (epoch, rows) == (1, 0) || watch(FitEvent::Resumed { epoch, rows });
        let stop = if goes_on { training.epochs(watch)? } else { Stop::Interrupted };
        if stop == Stop::Interrupted {
            training.save()?;
        }
        let Training { best, progress: Progress { best_epoch: epoch, history, .. }, .. } = training;
        Ok(Fit { weights: best, epoch, history, stop })
    }

    fn begin<'r>(&'r self, backend: &'r mut dyn Backend) -> Result<Training<'r>> {
        let fresh = Progress {
            epoch: 1,
            rows: 0,
            loss: 0.0,
            rate: self.config.resolved_rate(),
            best_epoch: 0,
            history: Vec::new(),
        };
        let fingerprint = self.checkpoints.map_or(0, |_| self.fingerprint());
        let is_there = |to: &&Checkpoints| to.resume && std::path::Path::new(&to.path).exists();
        let (progress, best) = match self.checkpoints.filter(is_there) {
            None => (fresh, None),
            Some(to) => {
                let state = backend.state_mut();
                let (progress, best) = load_checkpoint(&to.path, self.config, fingerprint, state)?;
                if progress.epoch == 0 || progress.rows > self.train.len() {
                    let message = "its progress is not one of this run: it is damaged".into();
                    return Err(Error::ModelFile { file: to.path.clone(), message });
                }
                (progress, best)
            }
        };
        let saved = Instant::now();
        Ok(Training { run: self, backend, progress, best, fingerprint, saved })
    }

    /// Refuses batches whose rows may have more entries than the backend can take.
    fn check_batches(&self, most: usize) -> Result<()> {
        let batch = self.config.batch_rows(self.train.len());
        // Finding the longest rows takes a while, and few data sets have as many entries at all.
        if self.train.entries() <= most || self.train.most_entries(batch) <= most {
            return Ok(());
        }
        let flag = flagged("batch_size");
        Err(Error::usage(format!(
            "a batch of {batch} rows may have more than {most} features in all: lower {flag}"
        )))
    }

    fn measure(&self, scores: &[f32]) -> Result<Metrics> {
        let inverse_link = |s: &f32| self.config.resolved_loss().inverse_link(f64::from(*s));
        let prediction = |s: &f32| self.target.restore(inverse_link(s));
        let predictions: Vec<f64> = scores.iter().map(prediction).collect();
        measure(self.target, &predictions, self.valid, DEFAULT_THRESHOLD)
    }

    /// The order in which an epoch takes the rows.
    fn order(&self, epoch: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.train.len() as u32).collect();
        if self.config.shuffle {
            // The golden ratio's bits keep (seed, epoch) and (seed + 1, epoch - 1) apart.
            let mix = u64::from(epoch).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            order.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(self.config.seed ^ mix));
        }
        order
    }

    fn weight(&self, row: u32) -> f64 {
        f64::from(self.train.label(row as usize).1)
    }

    /// A mean loss as it is shown: squared loss halves the square and is taken in units of the
    /// standardised target.
    fn in_own_unit(&self, loss: f64) -> f64 {
        match self.target {
            Target::Binary { .. } => loss,
            Target::Real { scale, .. } => 2.0 * loss * scale * scale,
        }
    }

    fn fingerprint(&self) -> u64 {
        self.train.fingerprint() ^ self.valid.fingerprint().rotate_left(1)
    }
}

/// A run in progress.
struct Training<'r> {
    run: &'r Run<'r>,
    backend: &'r mut dyn Backend,
    progress: Progress,
    /// The weights of the best epoch so far.
    best: Option<Weights>,
    /// The rows' fingerprint, if there are checkpoints to carry it.
    fingerprint: u64,
    /// When the last checkpoint was written.
    saved: Instant,
}

impl Training<'_> {
    fn epochs(&mut self, watch: &mut dyn FnMut(FitEvent<'_>) -> bool) -> Result<Stop> {
        let Config { epochs, patience, rate_decay, .. } = *self.run.config;
        while self.progress.epoch <= epochs {
            if patience > 0 && stale(&self.progress) >= patience {
                return Ok(Stop::NoBetter);
            }
            if let Some(stop) = self.rows(watch)? {
                return Ok(stop);
            }
            let epoch = match self.finish_epoch() {
                // Finite parameters may still give a score that is not.
                Err(Error::Diverged(_)) => return Ok(self.diverged(None)),
                epoch => epoch?,
            };
            let goes_on = watch(FitEvent::Epoch(&epoch));
            if epoch.valid.is_none() || is_best(&epoch, &self.progress) {
                self.progress.best_epoch = epoch.epoch;
                self.best = Some(self.backend.weights()?);
            } else {
                self.progress.rate *= rate_decay;
            }
            self.progress.history.push(epoch);
            self.progress.epoch += 1;
            (self.progress.rows, self.progress.loss) = (0, 0.0);
            if !goes_on {
                return Ok(Stop::Interrupted);
            }
        }
        Ok(Stop::Finished)
    }

    /// Trains on what is left of an epoch's rows. `Some` ends the training.
    fn rows(&mut self, watch: &mut dyn FnMut(FitEvent<'_>) -> bool) -> Result<Option<Stop>> {
        let run = self.run;
        let Progress { epoch, rate, rows: done, .. } = self.progress;
        let order = run.order(epoch);
        let weight_of = |rows: &[u32]| rows.iter().map(|&i| run.weight(i)).sum::<f64>();
        let mut weight = weight_of(&order[..done]);
        for batch in order[done..].chunks(run.config.batch_rows(run.train.len())) {
            match self.backend.step(run.train, batch, (rate * self.warmth()) as f32) {
                Ok(loss) => self.progress.loss += loss,
                Err(at) => return Ok(Some(self.diverged(Some(batch[at] as usize)))),
            }
            self.progress.rows += batch.len();
            weight += weight_of(batch);
            let loss = run.in_own_unit(self.progress.loss / weight.max(f64::MIN_POSITIVE));
            if !watch(FitEvent::Batch { epoch, rows: self.progress.rows, loss }) {
                return Ok(Some(Stop::Interrupted));
            }
            if run.checkpoints.is_some_and(|to| self.saved.elapsed() >= to.every) {
                self.save()?;
            }
        }
        Ok((!self.backend.is_finite()).then(|| self.diverged(None)))
    }

    /// The share of the learning rate that the next batch gets.
    fn warmth(&self) -> f64 {
        let (done, all) = (self.backend.state().time, u64::from(self.run.config.warm_up));
        if done < all { (done + 1) as f64 / (all + 1) as f64 } else { 1.0 }
    }

    fn diverged(&self, row: Option<usize>) -> Stop {
        let Progress { epoch, rate, .. } = self.progress;
        Stop::Diverged { epoch, row, rate }
    }

    fn finish_epoch(&self) -> Result<Epoch> {
        let (run, progress) = (self.run, &self.progress);
        Ok(Epoch {
            epoch: progress.epoch,
            learning_rate: progress.rate,
            train_loss: run.in_own_unit(progress.loss / run.train.weight()),
            valid: match run.valid.is_empty() {
                true => None,
                false => Some(run.measure(&self.backend.scores(run.valid))?),
            },
        })
    }

    /// Writes a checkpoint, if they are wanted.
    fn save(&mut self) -> Result<()> {
        let Some(to) = self.run.checkpoints else { return Ok(()) };
        let (state, best) = (self.backend.state(), self.best.as_ref());
        let checkpoint = Checkpoint { progress: &self.progress, state, best };
        checkpoint.save(&to.path, self.run.config, self.fingerprint)?;
        self.saved = Instant::now();
        Ok(())
    }
}

/// Epochs since the best one.
fn stale(progress: &Progress) -> u32 {
    (progress.epoch - 1).saturating_sub(progress.best_epoch)
}

fn is_best(epoch: &Epoch, progress: &Progress) -> bool {
    let best = progress.history.iter().find(|e| e.epoch == progress.best_epoch);
    let loss = |epoch: &Epoch| epoch.valid.as_ref().map_or(f64::INFINITY, Metrics::loss);
    best.is_none_or(|best| loss(epoch) < loss(best))
}

/// Metrics of predictions for encoded rows, with classes told apart at `threshold`.
///
/// # Errors
/// [`Error::Diverged`] if a prediction is not finite, [`Error::Data`] if the rows weigh nothing.
pub fn measure(
    target: &Target,
    predictions: &[f64],
    rows: &Rows,
    threshold: f64,
) -> Result<Metrics> {
    let (labels, weights) = (rows.labels(), rows.weights());
    Ok(if target.is_binary() {
        Metrics::Binary(Binary::measure(predictions, labels, weights, threshold)?)
    } else {
        Metrics::Regression(Regression::measure(predictions, labels, weights)?)
    })
}

/// Checks that rows can be trained on or measured; `what` they are called in errors.
///
/// # Errors
/// [`Error::Data`] naming `file`.
pub(crate) fn check_rows(rows: &Rows, file: &str, what: &str) -> Result<()> {
    if u32::try_from(rows.len()).is_err() {
        return Err(Error::data(file, "more than 2^32 rows: train on a part of them"));
    }
    if rows.weight() <= 0.0 {
        return Err(Error::data(file, format!("the weights of all {what} rows are 0")));
    }
    Ok(())
}
