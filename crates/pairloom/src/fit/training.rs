//! A run in progress: its epochs, batches and checkpoints.

use super::feed::{Batch, Feed};
use super::{Checkpoints, Epoch, FitEvent, Run, Stop};
use crate::backend::{Backend, Learned, NoStep, Snapshot};
use crate::batch::Rows;
use crate::config::Config;
use crate::file::{Checkpoint, Progress, load_checkpoint};
use crate::metric::Metrics;
use crate::negatives::Negatives;
use crate::store::{Order, Store, Window};
use crate::{Error, Result};
use std::mem;
use std::time::Instant;

/// A run in progress.
pub(super) struct Training<'r> {
    run: &'r Run<'r>,
    backend: &'r mut dyn Backend,
    pub(super) progress: Progress,
    /// The weights of the best epoch so far.
    pub(super) best: Option<Snapshot>,
    /// The rows' fingerprint, once a checkpoint asks for it.
    fingerprint: Option<u64>,
    /// When the last checkpoint was written, and whether the file has one of this run.
    saved: Instant,
    is_saved: bool,
    /// Whether the backend has heard of the training rows, and of the validation rows.
    has_entered: bool,
    has_held: bool,
}

impl<'r> Training<'r> {
    /// The run at its beginning, or where its checkpoint has it go on.
    pub(super) fn begin(run: &'r Run<'r>, backend: &'r mut dyn Backend) -> Result<Self> {
        let fresh = Progress {
            epoch: 1,
            rows: 0,
            loss: 0.0,
            weight: 0.0,
            rate: run.config.resolved_rate(),
            best_epoch: 0,
            history: Vec::new(),
        };
        let mut fingerprint = None;
        let is_there = |to: &&Checkpoints| to.resume && std::path::Path::new(&to.path).exists();
        let (progress, best) = match run.checkpoints.filter(is_there) {
            None => (fresh, None),
            Some(to) => {
                let state = backend.state_mut();
                let rows = *fingerprint.insert(run.fingerprint());
                let (progress, best) = load_checkpoint(&to.path, run.config, rows, state)?;
                if progress.epoch == 0 || progress.rows > run.train.len() {
                    let message = "its progress is not one of this run: it is damaged";
                    return Err(Error::model_file(&to.path, message));
                }
                (progress, best.map(Snapshot::Here))
            }
        };
        let (saved, is_saved) = (Instant::now(), run.checkpoints.filter(is_there).is_some());
        Ok(Training {
            run,
            backend,
            progress,
            best,
            fingerprint,
            saved,
            is_saved,
            has_entered: false,
            has_held: false,
        })
    }

    /// The error of a device that fails in mid-run, with what is left of the run.
    pub(super) fn with_checkpoint(&self, error: Error) -> Error {
        match (error, self.run.checkpoints.filter(|_| self.is_saved)) {
            (Error::Device(message), Some(Checkpoints { path, .. })) => Error::Device(format!(
                "{message}; {path} has the run up to its last checkpoint: --resume goes on from there"
            )),
            (error, _) => error,
        }
    }

    /// Trains until there is a reason to stop.
    pub(super) fn epochs(&mut self, watch: &mut dyn FnMut(FitEvent<'_>) -> bool) -> Result<Stop> {
        let Config { epochs, patience, rate_decay, .. } = *self.run.config;
        while self.progress.epoch <= epochs {
            if patience > 0 && stale(&self.progress) >= patience {
                return Ok(Stop::NoBetter);
            }
            if let Some(stop) = self.rows(watch)? {
                return Ok(stop);
            }
            let mean = self.progress.mean();
            self.backend.learn_strengths(self.run.config.resolved_loss().dispersion(mean))?;
            let epoch = match self.finish_epoch() {
                // Finite parameters may still give a score that is not.
                Err(Error::Diverged(_)) => return Ok(self.diverged(None)),
                epoch => epoch?,
            };
            let goes_on = watch(FitEvent::Epoch(&epoch));
            if epoch.valid.is_none() || is_best(&epoch, &self.progress) {
                self.progress.best_epoch = epoch.epoch;
                // The old ones go first: there is memory for one of them.
                self.best = None;
                if self.run.keeps_best {
                    self.best = Some(self.backend.snapshot()?);
                }
            } else {
                self.progress.rate *= rate_decay;
            }
            self.progress.history.push(epoch);
            self.progress.epoch += 1;
            (self.progress.rows, self.progress.loss, self.progress.weight) = (0, 0.0, 0.0);
            if !goes_on {
                return Ok(Stop::Interrupted);
            }
        }
        Ok(Stop::Finished)
    }

    /// Trains on what is left of an epoch's rows. `Some` ends the training.
    fn rows(&mut self, watch: &mut dyn FnMut(FitEvent<'_>) -> bool) -> Result<Option<Stop>> {
        let run = self.run;
        let Progress { epoch, rows: done, .. } = self.progress;
        let windows = run.train.windows(run.config.shuffle.then_some((run.config.seed, epoch)));
        let complete = |window: &Window| window.first + window.rows <= done;
        let left = &windows[windows.partition_point(complete)..];
        // Of rows that are drawn for others nothing is known before.
        let is_disk = run.train.on_disk().is_some();
        let bring = match is_disk && run.negatives.is_none() {
            true => self.backend.ahead()?,
            false => None,
        };
        let stop = run.train.walk(left, bring, &mut |window, rows, is_brought| {
            // Rows that are made of these are entered as they are made, and those in memory are the same in all epochs.
            let is_known = !is_disk && mem::replace(&mut self.has_entered, true);
            match is_brought {
                true => self.backend.enter_brought(rows)?,
                false if run.negatives.is_none() && !is_known => self.backend.enter(rows)?,
                false => {}
            }
            self.window(window, rows, watch)
        })?;
        if stop.is_none() && !self.backend.is_finite()? {
            return Ok(Some(self.diverged(None)));
        }
        Ok(stop)
    }

    /// Trains on what is left of a window's rows. `Some` ends the training.
    fn window(
        &mut self,
        window: &Window,
        rows: &Rows,
        watch: &mut dyn FnMut(FitEvent<'_>) -> bool,
    ) -> Result<Option<Stop>> {
        let run = self.run;
        let Progress { epoch, rate, rows: done, .. } = self.progress;
        let feed = Feed::new(run, window, rows, epoch, self.backend.needs_numbers())?;
        // Of all epochs, up to a place in the window.
        let of_epochs = run.before + (epoch as usize - 1) * run.train.len();
        let learned = |at: usize| of_epochs + window.first + at;
        let size = |at: usize| run.config.batch_after(learned(at), run.train.len());
        let (mut batch, mut next) = (Batch::default(), Batch::default());
        let mut start = done - window.first;
        feed.fill(start, size(start), rows, &mut next)?;
        while start < window.rows {
            mem::swap(&mut batch, &mut next);
            start += batch.len();
            feed.fill(start, size(start), rows, &mut next)?;
            let rate = (rate * self.warmth()) as f32;
            let done = feed.step(self.backend, rows, [&batch, &next], rate);
            self.progress.rows += batch.len();
            let is_due = run.checkpoints.is_some_and(|to| self.saved.elapsed() >= to.every);
            let mut stop = self.note(done, window)?;
            // What is said of an epoch, and kept of it, has something behind it. It is added up in the same order whenever
            // that is.
            if stop.is_none() && (self.progress.weight == 0.0 || is_due || start >= window.rows) {
                let done = self.backend.finish();
                stop = self.note(done, window)?;
            }
            if stop.is_some() {
                return Ok(stop);
            }
            let weight = self.progress.weight.max(f64::MIN_POSITIVE);
            let loss = run.in_own_unit(self.progress.loss / weight);
            if !watch(FitEvent::Batch { epoch, rows: self.progress.rows, loss }) {
                let done = self.backend.finish();
                return Ok(self.note(done, window)?.or(Some(Stop::Interrupted)));
            }
            if is_due {
                self.save()?;
            }
        }
        Ok(None)
    }

    /// Adds what steps over rows of a window have brought. `Some` ends the training.
    fn note(&mut self, done: Result<Learned, NoStep>, window: &Window) -> Result<Option<Stop>> {
        match done {
            Ok(Learned { loss, weight }) => {
                self.progress.loss += loss;
                self.progress.weight += weight;
                Ok(None)
            }
            Err(NoStep::NotFinite(row)) => {
                Ok(Some(self.diverged(self.run.train.number(window, row))))
            }
            Err(NoStep::Failed(error)) => Err(error),
        }
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

    fn finish_epoch(&mut self) -> Result<Epoch> {
        let (run, progress) = (self.run, &self.progress);
        // Now that the training rows have what room they take.
        if let (Store::Held(rows), None, false) = (run.valid, run.negatives, self.has_held) {
            self.backend.hold(rows)?;
            self.has_held = true;
        }
        Ok(Epoch {
            epoch: progress.epoch,
            learning_rate: progress.rate,
            train_loss: run.in_own_unit(progress.mean()),
            valid: match run.valid.is_empty() {
                true => None,
                false => Some(run.measure(self.backend)?),
            },
        })
    }

    /// Writes a checkpoint, if they are wanted.
    pub(super) fn save(&mut self) -> Result<()> {
        let Some(to) = self.run.checkpoints else { return Ok(()) };
        self.backend.sync()?;
        let brought;
        let best = match &self.best {
            None => None,
            Some(Snapshot::Here(weights)) => Some(weights),
            Some(Snapshot::There(copied)) => {
                brought = copied.weights()?;
                Some(&brought)
            }
        };
        let state = self.backend.state();
        let checkpoint = Checkpoint { progress: &self.progress, state, best };
        let fingerprint = *self.fingerprint.get_or_insert_with(|| self.run.fingerprint());
        checkpoint.save(&to.path, self.run.config, fingerprint)?;
        (self.saved, self.is_saved) = (Instant::now(), true);
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

impl Run<'_> {
    /// The order in which an epoch takes the rows of a window.
    pub(super) fn order(&self, window: &Window, epoch: u32) -> Order {
        match self.config.shuffle {
            true => Order::shuffled(window.rows, self.config.seed, epoch, window.number as u32),
            false => Order::plain(window.rows),
        }
    }

    /// A mean loss in the unit of the label.
    fn in_own_unit(&self, loss: f64) -> f64 {
        self.config.resolved_loss().in_unit(loss, self.target.scale())
    }

    fn fingerprint(&self) -> u64 {
        let drawn = self.negatives.map_or(0, Negatives::fingerprint);
        self.train.fingerprint() ^ self.valid.fingerprint().rotate_left(1) ^ drawn
    }
}
