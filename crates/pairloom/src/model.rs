//! A trained model: all that is needed to go from raw rows to predictions.

use crate::backend::{Parameters, score_rows, score_single};
use crate::batch::{Row, Rows};
use crate::config::Config;
use crate::encode::Encoding;
use crate::fit::Epoch;
use crate::interaction::{Fm, Interaction};
use crate::parallel::Threads;
use crate::precision::{Bf16, Precision, Stored};
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
        let linear = Table::new(counts.len(), 1, 0)?;
        let mut factors = Table::of(counts.len(), width(config.factors), 0, config.precision)?;
        let normal = Normal::new(0.0, config.init_stdev.unwrap_or(0.0))
            .map_err(|_| Error::setting("init_stdev", "a number of at least 0"))?;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(config.seed);
        factors.change(|id, vector| {
            if counts[id as usize] > 0 {
                let vector = vector[..config.factors].iter_mut();
                vector.for_each(|v| *v = normal.sample(&mut random) as f32);
            }
        });
        Ok(Weights { bias: if config.bias { mean_score } else { 0.0 }, linear, factors })
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        self.bias.is_finite() && self.linear.is_finite() && self.factors.is_finite()
    }
}

/// Something to do with the interaction that the settings ask for, whichever it is, and with vectors
/// that are kept as `T`.
pub(crate) trait WithInteraction {
    /// What comes of it.
    type Output;

    /// Does it.
    fn with<M: Interaction + 'static, T: Stored>(self, interaction: M) -> Self::Output;
}

/// Does `what` with the interaction that the settings ask for.
pub(crate) fn with_interaction<W: WithInteraction>(config: &Config, what: W) -> W::Output {
    match config.precision {
        Precision::F32 => with_width::<W, f32>(config, what),
        Precision::Bf16 => with_width::<W, Bf16>(config, what),
    }
}

fn with_width<W: WithInteraction, T: Stored>(config: &Config, what: W) -> W::Output {
    match width(config.factors) {
        4 => what.with::<_, T>(Fm::<[f32; 4]>::new(4)),
        8 => what.with::<_, T>(Fm::<[f32; 8]>::new(8)),
        16 => what.with::<_, T>(Fm::<[f32; 16]>::new(16)),
        24 => what.with::<_, T>(Fm::<[f32; 24]>::new(24)),
        32 => what.with::<_, T>(Fm::<[f32; 32]>::new(32)),
        64 => what.with::<_, T>(Fm::<[f32; 64]>::new(64)),
        other => what.with::<_, T>(Fm::<Vec<f32>>::new(other)),
    }
}

/// Floats in a feature's vector of so many factors: whole vector registers.
pub(crate) fn width(factors: usize) -> usize {
    if factors <= 4 { factors.next_multiple_of(4) } else { factors.next_multiple_of(8) }
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
        let Weights { bias, linear, factors } = self.weights;
        let parameters = Parameters::<T>::new(linear, factors, *bias);
        score_rows(&interaction, parameters, self.rows, self.threads)
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
        let Weights { bias, linear, factors } = self.weights;
        score_single(&interaction, Parameters::<T>::new(linear, factors, *bias), self.row)
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
        with_interaction(&self.config, Score { weights: &self.weights, rows, threads })
    }

    /// The raw score of one encoded row, to the bit that of [`Model::scores`]. It allocates nothing
    /// for the widths that kernels are compiled for: 4, 8, 16, 24, 32 and 64 factors.
    pub fn score(&self, row: Row<'_>) -> f32 {
        with_interaction(&self.config, ScoreSingle { weights: &self.weights, row })
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
