//! A trained model: all that is needed to go from raw rows to predictions.

use crate::backend::{Parameters, score_rows, score_single};
use crate::batch::{Row, Rows};
use crate::calibration::Calibration;
use crate::config::Config;
use crate::encode::{Encoding, Target};
use crate::fit::Epoch;
use crate::interaction::{
    Fields, Interaction, Sizes, WithInteraction, first_shared, with_interaction,
};
use crate::loss::{Loss, softmax};
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
    /// `w0` of each class; one number where there is one score.
    pub bias: Vec<f32>,
    /// `w_i` of each feature, for one class after the other.
    pub linear: Table,
    /// `v_i` of each feature, for one class after the other.
    pub factors: Table,
    /// What belongs to no feature, of one class after the other; see [`crate::interaction`].
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
        Weights { bias: vec![bias], linear, factors, shared: Vec::new(), fields: Fields::default() }
    }

    /// Weights before training: factors normal with deviation `init_stdev`, linear weights 0, and
    /// the bias of each class where the mean label is predicted. A feature that no training row carries
    /// (`counts` is 0) starts, and stays, at 0, so that it says nothing when it turns up later.
    ///
    /// # Errors
    /// [`Error::Memory`] if the table does not fit.
    pub fn init(config: &Config, counts: &[u32], fields: Fields, bias: &[f32]) -> Result<Self> {
        let (sizes, classes) = (Sizes::new(config, fields.len()), bias.len().max(1));
        let features = counts.len() * classes;
        let linear = Table::new(features, 1, 0)?;
        let mut factors = Table::of(features, sizes.width(), 0, config.precision)?;
        fill(&mut factors, config, &sizes, config.seed, |id| counts[id as usize / classes] > 0)?;
        let bias = if config.bias { bias.to_vec() } else { vec![0.0; classes] };
        let shared = first_shared(config, fields.len(), classes)?;
        Ok(Weights { bias, linear, factors, shared, fields })
    }

    /// A copy to go on from with rows that have each feature so often: what was never seen before, and is now, gets
    /// first factors.
    ///
    /// # Errors
    /// [`Error::Memory`] if the tables do not fit.
    pub(crate) fn go_on(&self, config: &Config, counts: &[u32]) -> Result<Self> {
        let (linear, mut factors) = (self.linear.with_states(0)?, self.factors.with_states(0)?);
        fill_new(&mut factors, config, self.fields.len(), counts, config.seed)?;
        let (bias, shared, fields) = (self.bias.clone(), self.shared.clone(), self.fields.clone());
        Ok(Weights { bias, linear, factors, shared, fields })
    }

    /// Shape of the factors without their padding, as in the model file, and for each dimension the numbers from
    /// one to the next in the table.
    pub fn factor_layout(&self, config: &Config) -> (Vec<usize>, Vec<usize>) {
        let (sizes, classes) = (Sizes::new(config, self.fields.len()), self.classes());
        let (stride, parts) = (self.factors.stride(), sizes.parts.max(1));
        let (mut shape, mut steps) =
            (vec![self.factors.features() / classes], vec![classes * stride]);
        let inner = [(classes, stride), (parts, stride / parts)];
        for (count, step) in inner.into_iter().filter(|(count, _)| *count > 1) {
            shape.push(count);
            steps.push(step);
        }
        shape.push(sizes.factors);
        steps.push(1);
        (shape, steps)
    }

    /// How many classes have a machine of their own; 1 where there is one score.
    pub fn classes(&self) -> usize {
        self.bias.len()
    }

    /// How many numbers there are, padding left out.
    pub(crate) fn numbers(&self, config: &Config) -> u64 {
        let sizes = Sizes::new(config, self.fields.len());
        let each = 1 + sizes.parts as u64 * sizes.factors as u64;
        self.linear.features() as u64 * each + (self.bias.len() + self.shared.len()) as u64
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        let dense = self.bias.iter().chain(&self.shared).all(|x| x.is_finite());
        self.linear.is_finite() && self.factors.is_finite() && dense
    }
}

/// Gives first factors to the features that rows have (`counts`) and that have none yet: they are all 0, from which
/// no product ever moves.
pub(crate) fn fill_new(
    factors: &mut Table,
    config: &Config,
    fields: usize,
    counts: &[u32],
    seed: u64,
) -> Result<()> {
    // An L1 penalty makes factors 0 that have learned to be.
    if config.l1_factors > 0.0 {
        return Ok(());
    }
    let classes = factors.features() / counts.len().max(1);
    let mut is_empty = vec![false; factors.features()];
    factors.change(|id, vector| is_empty[id as usize] = vector.iter().all(|v| *v == 0.0));
    let is_new = |id: u32| is_empty[id as usize] && counts[id as usize / classes] > 0;
    if (0..factors.features() as u32).any(is_new) {
        fill(factors, config, &Sizes::new(config, fields), seed, is_new)?;
    }
    Ok(())
}

/// Draws the factors of some features.
fn fill(
    factors: &mut Table,
    config: &Config,
    sizes: &Sizes,
    seed: u64,
    is_drawn: impl Fn(u32) -> bool,
) -> Result<()> {
    let normal = Normal::new(0.0, config.init_stdev.unwrap_or(0.0))
        .map_err(|_| Error::setting("init_stdev", "a number of at least 0"))?;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    factors.change(|id, vector| {
        if is_drawn(id) {
            let vectors = sizes.unpadded_mut(vector).flatten();
            vectors.for_each(|v| *v = normal.sample(&mut random) as f32);
        }
    });
    Ok(())
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
    scores: &'a mut [f32],
}

impl WithInteraction for ScoreSingle<'_> {
    type Output = ();

    fn with<M: Interaction, T: Stored>(self, interaction: M) {
        let ScoreSingle { weights, row, scores } = self;
        score_single(&interaction, Parameters::<T>::new(weights), row, scores);
    }
}

impl Model {
    /// What the epoch brought whose weights these are.
    pub fn kept_epoch(&self) -> Option<&Epoch> {
        self.history.iter().find(|epoch| epoch.epoch == self.epoch)
    }

    /// How many numbers there are in the prediction of a row: one, or a probability for each class.
    pub fn outputs(&self) -> usize {
        self.weights.classes()
    }

    /// Raw scores of encoded rows: the log-odds of the positive class, or the prediction in units
    /// of the standardised target, or of each row the score of each class, `[rows, outputs]`.
    pub fn scores(&self, rows: &Rows, threads: &Threads) -> Vec<f32> {
        let weights = &self.weights;
        with_interaction(&self.config, &weights.fields, Score { weights, rows, threads })
    }

    /// The raw score of one encoded row, to the bit that of [`Model::scores`]. It allocates nothing
    /// for `linear`, nor for `mf` and `fm` of a width that their kernels are compiled for (16 factors; of
    /// `fm` 4, 8, 24, 32 and 64 too).
    ///
    /// Of several classes it is the score of the first: [`Model::class_scores`] has all.
    pub fn score(&self, row: Row<'_>) -> f32 {
        let mut score = 0.0;
        self.class_scores(row, std::slice::from_mut(&mut score));
        score
    }

    /// The score on all rows, where the training rows were a sample of them: of classes, of which it had a
    /// share `r` of the negatives, log-odds that are higher by `ln r` (He et al. 2014, "Practical Lessons from
    /// Predicting Clicks on Ads at Facebook", section 6.3: `p / (p + (1 - p) / r)`).
    pub fn corrected(&self, score: f32) -> f64 {
        f64::from(score) + self.config.negative_rate.ln()
    }

    /// The raw scores of one encoded row, one for each class from the first on, for as many as `scores` has
    /// room for.
    pub fn class_scores(&self, row: Row<'_>, scores: &mut [f32]) {
        let weights = &self.weights;
        let count = self.outputs().min(scores.len());
        let scores = &mut scores[..count];
        with_interaction(&self.config, &weights.fields, ScoreSingle { weights, row, scores });
    }

    /// From the one score of a row to its prediction: the probability of the positive class, corrected and then
    /// calibrated, or the target in its own unit.
    pub fn prediction(&self, score: f32) -> f64 {
        let score = self.corrected(score);
        match &self.calibration {
            Some(calibration) => calibration.apply(score),
            None => self.encoding.target.restore(self.config.resolved_loss().inverse_link(score)),
        }
    }

    /// Predictions of encoded rows: one number a row, or of each row the probabilities of all classes,
    /// `[rows, outputs]`.
    pub fn predict(&self, rows: &Rows, threads: &Threads) -> Vec<f64> {
        self.predictions(&self.scores(rows, threads))
    }

    /// The same from raw scores, `[rows, outputs]`.
    pub(crate) fn predictions(&self, scores: &[f32]) -> Vec<f64> {
        match self.config.resolved_loss() {
            loss @ Loss::Softmax => predictions(loss, &self.encoding.target, scores),
            _ => scores.iter().map(|&score| self.prediction(score)).collect(),
        }
    }
}

/// Predictions from raw scores, `[rows, classes]`, neither corrected nor calibrated.
pub(crate) fn predictions(loss: Loss, target: &Target, scores: &[f32]) -> Vec<f64> {
    match loss {
        Loss::Softmax => {
            let rows = scores.chunks_exact(target.classes().max(1));
            rows.flat_map(softmax::probabilities).collect()
        }
        _ => {
            let prediction = |s: &f32| target.restore(loss.inverse_link(f64::from(*s)));
            scores.iter().map(prediction).collect()
        }
    }
}
