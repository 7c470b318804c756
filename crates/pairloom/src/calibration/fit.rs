//! Fitting a calibration to rows, and what it brings on them.

use super::{Calibration, Method, beta, isotonic, platt, probability};
use crate::batch::Outcomes;
use crate::input::Reader;
use crate::loss::Loss;
use crate::metric::{Binary, DEFAULT_THRESHOLD};
use crate::model::Model;
use crate::parallel::Threads;
use crate::predict::PredictOptions;
use crate::reading::{OnError, Outcome};
use crate::{Error, Result};

/// Rows of each class that there must be: with fewer, what is learned is chance.
const LEAST: usize = 10;

/// What to do with too few rows that were given, or held out.
pub(crate) const OTHER_FILE: &str = "take rows with more of each class";
pub(crate) const HOLD_OUT: &str = "hold out more";

/// What errors call rows that came from no file.
const PLACE: &str = "calibration";

/// A row of some weight.
pub(super) struct Observed {
    pub(super) log_odds: f64,
    pub(super) positive: bool,
    pub(super) weight: f64,
}

/// The weights of all negatives and of all positives.
pub(super) fn weights(rows: &[Observed]) -> [f64; 2] {
    let of = |positive| rows.iter().filter(move |row| row.positive == positive);
    [false, true].map(|positive| of(positive).map(|row| row.weight).sum())
}

/// Checks that a calibration can be fitted to rows of `file`; `kind` says which of them these are, as in
/// "validation ", and `remedy` what to do otherwise.
///
/// # Errors
/// [`Error::Data`] for too few rows of a class that have a weight.
pub(crate) fn check_rows(rows: &Outcomes, file: &str, kind: &str, remedy: &str) -> Result<()> {
    let of = |class: f32| rows.iter().filter(|&(y, weight)| y == class && weight > 0.0).count();
    let (rarer, class) = (of(0.0), "negative").min((of(1.0), "positive"));
    if rarer >= LEAST {
        return Ok(());
    }
    let rows = if rarer == 1 { "row" } else { "rows" };
    let message = format!(
        "{rarer} {class} {kind}{rows}, and calibrating takes {LEAST} at least, with a weight above 0: {remedy}"
    );
    Err(Error::data(file, message))
}

impl Calibration {
    /// Learns from rows with these log-odds, which the model was not trained on.
    ///
    /// # Errors
    /// [`Error::Data`] for fewer than 10 rows of a class with a weight above 0, a label that is neither 0 nor
    /// 1 or a weight that is none; [`Error::Diverged`] for log-odds that are not finite; [`Error::Usage`] for
    /// columns of different lengths.
    pub fn fit(method: Method, log_odds: &[f64], rows: &Outcomes) -> Result<Self> {
        check_rows(rows, PLACE, "", OTHER_FILE)?;
        if log_odds.len() == rows.len()
            && let Some(row) = log_odds.iter().position(|s| !s.is_finite())
        {
            let message =
                format!("the score of row {} is not finite: it calibrates nothing", row + 1);
            return Err(Error::Diverged(message));
        }
        // It sees to everything else.
        measured(log_odds.iter().map(|&s| probability(s)), rows)?;
        let observed = log_odds.iter().zip(rows.iter()).map(|(&log_odds, (label, weight))| {
            Observed { log_odds, positive: label == 1.0, weight: f64::from(weight) }
        });
        let mut observed: Vec<Observed> = observed.filter(|row| row.weight > 0.0).collect();
        // Labels are smoothed by two rows more: beside weights that are shares, these would be all that counts.
        let times = observed.len() as f64 / weights(&observed).iter().sum::<f64>();
        observed.iter_mut().for_each(|row| row.weight *= times.max(1.0));
        let found = match method {
            Method::Platt => platt::fit(&observed),
            Method::Isotonic => isotonic::fit(&observed),
            Method::Beta => beta::fit(&observed),
        };
        match found.flaw() {
            None => Ok(found),
            Some(_) => Err(Error::Diverged("the weights are too large to calibrate with".into())),
        }
    }
}

/// What a calibration brings on the rows that it was fitted to, which is a little more than on others.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// Figures without it.
    pub before: Binary,
    /// Figures with it.
    pub after: Binary,
}

impl Model {
    /// Fits a calibration to rows of `reader` (called `file` in errors), which must have labels and must not
    /// have been trained on; it takes the place of one that is there. Says what it brings, and which rows
    /// were left out.
    ///
    /// # Errors
    /// [`Error::Usage`] for a model that predicts no probability, and those of [`Model::predict_rows`] and
    /// [`Calibration::fit`].
    pub fn calibrate(
        &mut self,
        method: Method,
        reader: &mut dyn Reader,
        file: &str,
        on_error: OnError,
        threads: &Threads,
    ) -> Result<(Calibrated, Outcome)> {
        if self.config.resolved_loss() != Loss::Logistic {
            let message =
                "calibration is for the probability of one of two classes (--loss logistic)";
            return Err(Error::usage(message));
        }
        let options = PredictOptions { labelled: true, on_error, ..PredictOptions::default() };
        let (mut log_odds, mut rows) = (Vec::new(), Outcomes::default());
        let outcome = self.predict_rows(reader, file, &options, threads, |piece| {
            log_odds.extend(piece.scores.iter().map(|&score| self.corrected(score)));
            rows.append(&piece.labels);
            Ok(())
        })?;
        check_rows(&rows, file, "", OTHER_FILE)?;
        Ok((self.calibrate_scores(method, &log_odds, &rows)?, outcome))
    }

    /// The same of rows whose corrected scores are known.
    pub(crate) fn calibrate_scores(
        &mut self,
        method: Method,
        log_odds: &[f64],
        rows: &Outcomes,
    ) -> Result<Calibrated> {
        let calibration = Calibration::fit(method, log_odds, rows)?;
        let before = measured(log_odds.iter().map(|&s| probability(s)), rows)?;
        let after = measured(log_odds.iter().map(|&s| calibration.apply(s)), rows)?;
        self.calibration = Some(calibration);
        Ok(Calibrated { before, after })
    }
}

fn measured(probabilities: impl Iterator<Item = f64>, rows: &Outcomes) -> Result<Binary> {
    let probabilities: Vec<f64> = probabilities.collect();
    Binary::measure(&probabilities, rows.labels(), rows.weights(), DEFAULT_THRESHOLD)
}
