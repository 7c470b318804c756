//! Where training begins: settings, first weights, and the memory that all takes.

use super::Start;
use crate::backend::{Backend, Cpu, ENTRY_BYTES, StepSettings};
use crate::batch::Rows;
use crate::config::Config;
use crate::encode::{Encoding, Target};
use crate::interaction::Interaction;
use crate::loss::Loss;
use crate::metric::Constant;
use crate::model::{Weights, WithInteraction, width, with_interaction};
use crate::optimizer::Update;
use crate::parallel::Threads;
use crate::{Result, memory, table};

/// More distinct labels than this are no classes.
const CLASSES: usize = 20;

/// A machine with its first weights.
pub(super) fn backend(
    config: &Config,
    encoding: &Encoding,
    train: &Rows,
    threads: Threads,
) -> Result<Box<dyn Backend>> {
    let counts = train.counts(encoding.features())?;
    let weights = Weights::init(config, &counts, mean_score(config, &encoding.target, train))?;
    let settings = step_settings(config, &encoding.target, counts);
    with_interaction(config, OnCpu { weights: &weights, settings, threads })
}

/// Puts a model on the CPU.
struct OnCpu<'a> {
    weights: &'a Weights,
    settings: StepSettings,
    threads: Threads,
}

impl WithInteraction for OnCpu<'_> {
    type Output = Result<Box<dyn Backend>>;

    fn with<M: Interaction + 'static>(self, interaction: M) -> Self::Output {
        Ok(Box::new(Cpu::new(interaction, self.weights, self.settings, self.threads)?))
    }
}

/// The settings with everything decided that was left to the data.
pub(super) fn resolve(config: &Config, encoding: &Encoding, train: &Rows) -> Config {
    let loss = if encoding.target.is_binary() { Loss::Logistic } else { Loss::Squared };
    config.resolve(train.len(), train.mean_square_length(), encoding.numbers(), loss)
}

fn step_settings(config: &Config, target: &Target, counts: Vec<u32>) -> StepSettings {
    StepSettings {
        loss: config.resolved_loss(),
        target: target.clone(),
        optimizer: config.optimizer,
        linear: config.linear,
        l2_linear: config.l2_linear as f32,
        l2_factors: config.l2_factors.unwrap_or(0.0) as f32,
        bias: config.bias,
        counts,
    }
}

/// Sizes of what training begins with, refused if there is no room for it.
pub(super) fn start(
    config: &Config,
    encoding: &Encoding,
    train: &Rows,
    valid: &Rows,
) -> Result<Start> {
    let (features, states) = (encoding.features(), config.optimizer.states());
    let width = width(config.factors);
    // The table with its state, the best epoch's weights, and the sums and entries of one batch.
    let batch = config.batch_rows(train.len()).min(train.len());
    let entries = train.most_entries(batch) as u128;
    let batch = batch as u128 * 8 * width as u128 + entries * ENTRY_BYTES;
    let tables = |states| table::bytes(features, 1, states) + table::bytes(features, width, states);
    let model = tables(states) + tables(0) + batch;
    let what = format!("a model of {features} features and {} factors", config.factors);
    memory::check(model, &what, memory::SMALLER_MODEL)?;
    let row_bytes = train.bytes() + valid.bytes();
    let target = encoding.target.clone();
    let constant = Constant::measure(train.outcomes(), target.is_binary())?;
    let classes = if target.is_binary() { None } else { classes(train.outcomes()) };
    Ok(Start {
        target,
        train: train.len(),
        valid: valid.len(),
        constant,
        classes,
        features,
        row_bytes,
        model_bytes: model,
    })
}

/// How many distinct labels there are, if they are few and whole: they may be classes.
fn classes(outcomes: impl Iterator<Item = (f32, f32)>) -> Option<usize> {
    let mut distinct: Vec<f32> = Vec::new();
    for (label, _) in outcomes {
        if !distinct.contains(&label) {
            if label.fract() != 0.0 || distinct.len() == CLASSES {
                return None;
            }
            distinct.push(label);
        }
    }
    Some(distinct.len())
}

/// The score whose prediction is the weighted mean label: where the bias starts.
fn mean_score(config: &Config, target: &Target, rows: &Rows) -> f32 {
    let label = |row| {
        let (label, weight) = rows.label(row);
        target.standardize(label) * f64::from(weight)
    };
    let mean = (0..rows.len()).map(label).sum::<f64>() / rows.weight();
    let mean = match config.resolved_loss() {
        // Rows of one class may all weigh nothing.
        Loss::Logistic => mean.clamp(1e-6, 1.0 - 1e-6),
        Loss::Squared => mean,
    };
    config.resolved_loss().link(mean) as f32
}
