//! A trained model: all that is needed to go from raw rows to predictions.

use crate::backend::{Parameters, score_rows, score_single};
use crate::batch::{Row, Rows};
use crate::calibration::Calibration;
use crate::config::Config;
use crate::encode::Encoding;
use crate::fit::Epoch;
use crate::interaction::{
    Fields, Interaction, Sizes, WithInteraction, first_shared, with_interaction,
};
use crate::parallel::Threads;
use crate::precision::Stored;
use crate::schema::Schema;
use crate::table::Table;
use crate::{Error, Result};
use rand::SeedableRng;
use rand_distr::{Distribution, Normal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The numbers of a model.
#[derive(Debug)]
pub struct Weights {
    /// `w0`.
    pub bias: f32,
    /// `w_i` of each feature.
    pub linear: Table,
    /// `v_i` of each feature.
    pub factors: Table,
    /// What belongs to no feature; see [`crate::interaction`].
    pub shared: Vec<f32>,
    /// Where the features of each field begin.
    pub fields: Fields,
}

/// A model with everything around it.
#[derive(Debug)]
pub struct Model {
    /// What the columns of raw rows are.
    pub schema: Schema,
    /// How they become features.
    pub encoding: Encoding,
    /// The settings it was trained with; the loss is always there.
    pub config: Config,
    /// What each epoch brought.
    pub history: Vec<Epoch>,
    /// The epoch whose weights these are, counted from 1; 0 if they are an average.
    pub epoch: u32,
    /// What turns probabilities into those that were observed on rows held out.
    pub calibration: Option<Calibration>,
    /// The numbers.
    pub weights: Weights,
}

impl Weights {
    /// Those of a model that knows no fields and shares nothing.
    pub fn plain(bias: f32, linear: Table, factors: Table) -> Self {
        Weights { bias, linear, factors, shared: Vec::new(), fields: Fields::default() }
    }

    /// Weights before training: factors normal with deviation `init_stdev`, linear weights 0, and
    /// the bias where the mean label is predicted. A feature that no training row carries
    /// (`counts` is 0) starts, and stays, at 0, so that it says nothing when it turns up later.
    ///
    /// # Errors
    /// [`Error::Memory`] if the table does not fit.
    pub fn init(config: &Config, counts: &[u32], fields: Fields, mean_score: f32) -> Result<Self> {
        let sizes = Sizes::new(config, fields.len());
        let linear = Table::new(counts.len(), 1, 0)?;
        let mut factors = Table::of(counts.len(), sizes.width(), 0, config.precision)?;
        let normal = Normal::new(0.0, config.init_stdev.unwrap_or(0.0))
            .map_err(|_| Error::setting("init_stdev", "a number of at least 0"))?;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(config.seed);
        factors.change(|id, vector| {
            if counts[id as usize] > 0 {
                let vectors = sizes.unpadded_mut(vector).flatten();
                vectors.for_each(|v| *v = normal.sample(&mut random) as f32);
            }
        });
        let bias = if config.bias { mean_score } else { 0.0 };
        let shared = first_shared(config, fields.len())?;
        Ok(Weights { bias, linear, factors, shared, fields })
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        let shared = self.shared.iter().all(|x| x.is_finite());
        self.bias.is_finite() && self.linear.is_finite() && self.factors.is_finite() && shared
    }
}

/// Scores encoded rows.
struct Score<'a> {
    weights: &'a Weights,
    rows: &'a Rows,
    threads: &'a Threads,
}

impl WithInteraction for Score<'_> {
    type Output = Vec<f32>;

    fn with<M: Interaction, T: Stored>(self, interaction: M) -> Vec<f32> {
        score_rows(&interaction, Parameters::<T>::new(self.weights), self.rows, self.threads)
    }
}

/// Scores one encoded row.
struct ScoreSingle<'a> {
    weights: &'a Weights,
    row: Row<'a>,
}

impl WithInteraction for ScoreSingle<'_> {
    type Output = f32;

    fn with<M: Interaction, T: Stored>(self, interaction: M) -> f32 {
        score_single(&interaction, Parameters::<T>::new(self.weights), self.row)
    }
}

impl Model {
    /// What the epoch brought whose weights these are.
    pub fn kept_epoch(&self) -> Option<&Epoch> {
        self.history.iter().find(|epoch| epoch.epoch == self.epoch)
    }

    /// Raw scores of encoded rows: the log-odds of the positive class, or the prediction in units
    /// of the standardised target.
    pub fn scores(&self, rows: &Rows, threads: &Threads) -> Vec<f32> {
        let weights = &self.weights;
        with_interaction(&self.config, &weights.fields, Score { weights, rows, threads })
    }

    /// The raw score of one encoded row, to the bit that of [`Model::scores`]. It allocates nothing
    /// for `linear`, nor for `mf` and `fm` of a width that their kernels are compiled for (16 factors; of
    /// `fm` 4, 8, 24, 32 and 64 too).
    pub fn score(&self, row: Row<'_>) -> f32 {
        let weights = &self.weights;
        with_interaction(&self.config, &weights.fields, ScoreSingle { weights, row })
    }

    /// The score on all rows, where the training rows were a sample of them: of classes, of which it had a
    /// share `r` of the negatives, log-odds that are higher by `ln r` (He et al. 2014, "Practical Lessons from
    /// Predicting Clicks on Ads at Facebook", section 6.3: `p / (p + (1 - p) / r)`).
    pub fn corrected(&self, score: f32) -> f64 {
        f64::from(score) + self.config.negative_rate.ln()
    }

    /// From a score to the prediction: the probability of the positive class, corrected and then
    /// calibrated, or the target in its own unit.
    pub fn prediction(&self, score: f32) -> f64 {
        let score = self.corrected(score);
        match &self.calibration {
            Some(calibration) => calibration.apply(score),
            None => self.encoding.target.restore(self.config.resolved_loss().inverse_link(score)),
        }
    }

    /// Predictions of encoded rows.
    pub fn predict(&self, rows: &Rows, threads: &Threads) -> Vec<f64> {
        self.scores(rows, threads).into_iter().map(|score| self.prediction(score)).collect()
    }
}
