//! After training: what the validation rows stand for, and the calibration that is learned from them.

use super::{Job, Trained};
use crate::batch::{Outcomes, Rows};
use crate::calibration::Calibrated;
use crate::config::Config;
use crate::encode::Target;
use crate::error::flagged;
use crate::metric::{Measure, Metrics};
use crate::model::Model;
use crate::parallel::Threads;
use crate::store::Store;
use crate::{Error, Result};

/// Refuses a job that is to be calibrated and holds no rows out.
pub(super) fn check_held_out(job: &Job) -> Result<()> {
    let Job { config, valid, .. } = job;
    if config.calibrate.is_none() || valid.is_some() || !config.holds_none_out() {
        return Ok(());
    }
    let name = flagged("calibrate");
    Err(Error::usage(format!("{name} learns from validation rows, and there are to be none")))
}

/// Refuses settings that are about two classes where there are others, or none.
pub(super) fn check_classes(config: &Config, target: &Target, file: &str) -> Result<()> {
    let said =
        [("negative_rate", config.negative_rate != 1.0), ("calibrate", config.calibrate.is_some())];
    match said.into_iter().find(|(_, said)| *said && !target.is_binary()) {
        None => Ok(()),
        Some((name, _)) => {
            let name = flagged(name);
            let message = "is for the probability of one of two classes (--loss logistic)";
            Err(Error::usage(format!("{file}: {name} {message}")))
        }
    }
}

/// How many rows a validation row of each class stands for where what the model predicts is measured: of
/// sampled negatives, as many as each is left of. Weights of classes are taken back for a calibration, which
/// is to give the probabilities of the rows as they are; without one, the predictions are those of rows that
/// are weighted so.
pub(super) fn stands_for(config: &Config, class_weights: &[f32]) -> [f64; 2] {
    let class_weight = |class: usize| match config.calibrate {
        None => 1.0,
        Some(_) => class_weights.get(class).copied().map_or(1.0, f64::from),
    };
    [1.0 / config.negative_rate / class_weight(0), 1.0 / class_weight(1)]
}

/// Calibrates a model, if its settings say so.
pub(super) fn calibrate(
    model: &mut Model,
    valid: &Store,
    stands_for: [f64; 2],
    threads: usize,
) -> Result<Option<Calibrated>> {
    let Some(method) = model.config.calibrate else { return Ok(None) };
    let threads = Threads::new(threads)?;
    let log_odds = |rows: &Rows| {
        let scores = model.scores(rows, &threads);
        Ok(scores.into_iter().map(|score| model.corrected(score)).collect())
    };
    let (log_odds, outcomes) = valid.predictions(log_odds)?;
    model.calibrate_scores(method, &log_odds, &weighed(&outcomes, stands_for)).map(Some)
}

impl Trained {
    /// What the model predicts of the validation rows, beside their labels, and their weights times the
    /// number of rows that each stands for. With [`Config::negative_rate`] or a calibration these are not
    /// the rows that the figures of the epochs are of: those are of sampled rows and, with
    /// [`Config::class_weight`], of rows that are weighted so. Nothing without a model.
    ///
    /// # Errors
    /// Those of reading a temporary file.
    pub fn predictions(&self, threads: &Threads) -> Result<(Vec<f64>, Outcomes)> {
        let Some(model) = &self.model else { return Ok(<_>::default()) };
        let (predictions, outcomes) =
            self.valid.predictions(|rows| Ok(model.predict(rows, threads)))?;
        Ok((predictions, weighed(&outcomes, self.stands_for)))
    }

    /// What the model's predictions of the test part come to, on the rows as they are: weights of classes do not
    /// count, and of sampled negatives each stands for as many as it is left of. Nothing without a model.
    ///
    /// # Errors
    /// Those of reading a temporary file; [`Error::Data`] if nothing can be measured, as of one class of groups.
    pub fn test_metrics(&self, threads: &Threads) -> Result<Option<Metrics>> {
        let Some(model) = &self.model else { return Ok(None) };
        let predict = |rows: &Rows| Ok(model.predict(rows, threads));
        let (predictions, outcomes) = self.test.predictions(predict)?;
        let outcomes = weighed(&outcomes, [1.0 / model.config.negative_rate, 1.0]);
        let measure = Measure::new(model.config.resolved_loss(), model.encoding.target.scale());
        measure.measure(&predictions, &outcomes).map(Some)
    }
}

/// Rows with their weights times those of their classes.
fn weighed(rows: &Outcomes, stands_for: [f64; 2]) -> Outcomes {
    let weighed = |(label, weight): (f32, f32)| {
        let times = if label == 1.0 { stands_for[1] } else { stands_for[0] };
        (label, (f64::from(weight) * times) as f32)
    };
    if stands_for == [1.0; 2] { rows.clone() } else { rows.iter().map(weighed).collect() }
}
