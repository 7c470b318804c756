//! A trained model: all that is needed to go from raw rows to predictions.

use crate::backend::score_rows;
use crate::batch::Rows;
use crate::config::Config;
use crate::encode::Encoding;
use crate::fit::Epoch;
use crate::interaction::{Fm, Interaction};
use crate::parallel::Threads;
use crate::schema::Schema;
use crate::table::Table;
use crate::{Error, Result};
use rand::SeedableRng;
use rand_distr::{Distribution, Normal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The numbers of a model.
#[derive(Debug, Clone)]
pub struct Weights {
    /// `w0`.
    pub bias: f32,
    /// `w_i` and `v_i` of each feature.
    pub table: Table,
}

/// A model with everything around it.
#[derive(Debug, Clone)]
pub struct Model {
    /// What the columns of raw rows are.
    pub schema: Schema,
    /// How they become features.
    pub encoding: Encoding,
    /// The settings it was trained with; the loss is always there.
    pub config: Config,
    /// What each epoch brought.
    pub history: Vec<Epoch>,
    /// The epoch whose weights these are, counted from 1.
    pub epoch: u32,
    /// The numbers.
    pub weights: Weights,
}

impl Weights {
    /// Weights before training: factors normal with deviation `init_stdev`, linear weights 0, and
    /// the bias where the mean label is predicted. A feature that no training row carries
    /// (`counts` is 0) starts, and stays, at 0, so that it says nothing when it turns up later.
    ///
    /// # Errors
    /// [`Error::Memory`] if the table does not fit.
    pub fn init(config: &Config, counts: &[u32], mean_score: f32) -> Result<Self> {
        let width = interaction(config).width();
        let mut table = Table::new(counts.len(), width, 0)?;
        let normal = Normal::new(0.0, config.init_stdev.unwrap_or(0.0))
            .map_err(|_| Error::setting("init_stdev", "a number of at least 0"))?;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(config.seed);
        for (id, &count) in (0..).zip(counts) {
            if count > 0 {
                let factors = &mut table.vector_mut(id)[1..=config.factors];
                factors.iter_mut().for_each(|v| *v = normal.sample(&mut random) as f32);
            }
        }
        Ok(Weights { bias: if config.bias { mean_score } else { 0.0 }, table })
    }
}

/// The interaction that the settings ask for.
pub(crate) fn interaction(config: &Config) -> Fm {
    Fm::new(config.factors, config.linear)
}

impl Model {
    /// What the epoch brought whose weights these are.
    pub fn kept_epoch(&self) -> Option<&Epoch> {
        self.history.iter().find(|epoch| epoch.epoch == self.epoch)
    }

    /// Raw scores of encoded rows: the log-odds of the positive class, or the prediction in units
    /// of the standardised target.
    pub fn scores(&self, rows: &Rows, threads: &Threads) -> Vec<f32> {
        let Weights { bias, table } = &self.weights;
        score_rows(&interaction(&self.config), table, *bias, rows, threads)
    }

    /// From a score to the prediction: the probability of the positive class, or the target in its
    /// own unit.
    pub fn prediction(&self, score: f32) -> f64 {
        let mean = self.config.resolved_loss().inverse_link(f64::from(score));
        self.encoding.target.restore(mean)
    }

    /// Predictions of encoded rows.
    pub fn predict(&self, rows: &Rows, threads: &Threads) -> Vec<f64> {
        self.scores(rows, threads).into_iter().map(|score| self.prediction(score)).collect()
    }
}
