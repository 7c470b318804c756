//! What training begins with: settings, first scores, and the memory that all takes.

use super::prepare::Prepared;
use super::summary::Summary;
use super::{Groups, Job};
use crate::backend::{DeviceName, ENTRY_BYTES, LargestBatch, check_cuda};
use crate::config::Config;
use crate::data::{INTERNED, Interned};
use crate::encode::{Encoding, Target};
use crate::error::flagged;
use crate::interaction::Sizes;
use crate::loss::Loss;
use crate::metric::Constant;
use crate::parallel::Threads;
use crate::precision::Precision;
use crate::schema::Schema;
use crate::store::Room;
use crate::{Error, Result, memory, table};

/// What training begins with.
#[derive(Debug, Clone)]
pub struct Start {
    /// What is predicted.
    pub target: Target,
    /// The loss.
    pub loss: Loss,
    /// Training rows.
    pub train: usize,
    /// Validation rows.
    pub valid: usize,
    /// The mean label of the training rows, and the loss of predicting it.
    pub constant: Constant,
    /// Groups of training rows, if those that are given are ranked.
    pub groups: Option<Groups>,
    /// Items that are drawn to be ranked below those of a group, if that is done.
    pub items: Option<usize>,
    /// Training rows of label 0, which are left out where items are drawn.
    pub left_out: usize,
    /// Distinct labels, where a few whole numbers are predicted as numbers.
    pub classes: Option<usize>,
    /// How many of several classes have one training row only: of these little can be learned.
    pub single: usize,
    /// Features (ids) of all fields.
    pub features: usize,
    /// The mean weight of a training row, with that of its class.
    pub mean_weight: f64,
    /// The greatest weight of one, with that of its class.
    pub greatest_weight: f32,
    /// Whether the weights are those of rows of counts, and nothing else.
    pub are_counts: bool,
    /// The mean `sum_i x_i^2` of a training row, by the weights of rows, which usual rates and strengths depend on.
    pub square_length: f64,
    /// Bytes of the encoded rows in memory.
    pub row_bytes: u128,
    /// Bytes of those that are in a temporary file.
    pub disk_bytes: u64,
    /// Bytes of the model, the optimizer's state, the best epoch's weights and, on the processor, the work on a batch.
    pub model_bytes: u128,
    /// What it runs on: the processor or the GPU.
    pub device: DeviceName,
    /// Why it is not the GPU, where that was to be decided and the work is large.
    pub no_gpu: Option<String>,
}

impl Start {
    /// Means of weights that are most likely meant to be 1.
    const USUAL_WEIGHTS: std::ops::RangeInclusive<f64> = 0.01..=100.0;

    /// What users should know of weights so small or so large that what is beside them, as L2 strengths, has another
    /// size.
    pub fn note_of_weights(&self) -> Option<String> {
        if self.are_counts || Self::USUAL_WEIGHTS.contains(&self.mean_weight) {
            return None;
        }
        let greatest = f64::from(self.greatest_weight);
        let short = |x: f64| match (1e-3..1e6).contains(&x) {
            true => ((x * 1e5).round() / 1e5).to_string(),
            false => format!("{x:.0e}"),
        };
        let mean = short(self.mean_weight);
        // Which no scale of the weights changes.
        if self.train > 2 && greatest > 0.5 * self.mean_weight * self.train as f64 {
            return Some(format!(
                "training rows weigh {mean} in the mean, as the greatest weight is {}: one row counts more than all \
                 others, which is no matter of scale: correct it, or leave it out",
                short(greatest)
            ));
        }
        Some(format!(
            "training rows weigh {mean} in the mean; a weight counts as so many copies of its row, beside L2 \
             strengths that stay as they are: if weights are no counts, scale them to a mean of 1"
        ))
    }

    /// Whether rows weigh so much that steps may be too long.
    pub fn has_great_weights(&self) -> bool {
        self.mean_weight > *Self::USUAL_WEIGHTS.end()
    }
}

/// The settings with everything decided that was left to the data: so many rows, which stand for so many `copies`.
pub(super) fn resolve(
    config: &Config,
    encoding: &Encoding,
    (rows, copies): (usize, usize),
    summary: &Summary,
) -> Config {
    let loss = config.loss.unwrap_or(encoding.target.usual_loss());
    let bins = Some(config.bins_of(copies, encoding.numbers()));
    let config = Config { bins, ..config.clone() };
    config.resolve(rows, summary.square_length, encoding.numbers(), loss)
}

/// Bytes of the tables of so many features with the optimizer's state, and of the best epoch's, for all
/// classes.
fn tables(config: &Config, sizes: &Sizes, features: usize, classes: usize) -> u128 {
    let (width, features) = (sizes.width(), features * classes);
    let of = |states| {
        table::bytes(features, 1, states, Precision::F32)
            + table::bytes(features, width, states, config.precision)
    };
    let shared = 4 * (sizes.shared as u128 * classes as u128) * (3 + config.states() as u128);
    of(config.states()) + of(0) + shared
}

/// What the process takes beside rows and model: buffers, threads, the command itself.
const BESIDE: u128 = 28 << 20;

/// Rows that take less are not worth a file.
const LEAST: u128 = 4 << 20;

/// Bytes for what is over when the model begins to be there, of so much memory: the training rows as they
/// were read, and then validation rows on their way.
pub(super) fn before_model(memory: u128, encoding: &Encoding, work: u128) -> u128 {
    // The values as they were read are about as many as those that are kept.
    work + encoding.bytes() + memory / INTERNED
}

/// What is left for the rows of the memory that there is, or that a job's settings allow. What encoding those takes that were
/// read is over when the model begins to be there.
///
/// # Errors
/// [`Error::Memory`] if there is no room for the model, [`Error::Usage`] if it alone takes what is
/// allowed.
pub(super) fn room(
    job: &Job,
    schema: &Schema,
    encoding: &Encoding,
    read: &Interned,
) -> Result<Room> {
    // How many rows there will be, and how long they are, is not known yet: a GPU may take a momentum.
    let config = &match job.device {
        DeviceName::Cuda | DeviceName::Auto
            if job.config.large_batch(usize::MAX).is_some()
                && (job.device == DeviceName::Cuda || check_cuda().is_ok()) =>
        {
            job.config.with_large_batches(1, f64::MAX)
        }
        _ => job.config.clone(),
    };
    let features = encoding.features();
    let sizes = Sizes::new(config, encoding.fields.len());
    if let Some(flaw) = &sizes.flaw {
        return Err(Error::usage(format!("{} {} {flaw}", flagged("model"), config.model.name())));
    }
    let classes = encoding.target.classes();
    let model = tables(config, &sizes, features, classes) + 4 * features as u128;
    check_model(config, &sizes, encoding, model)?;
    let Some(memory) = config.memory.map(u128::from) else { return Ok(Room::default()) };
    let values = encoding.bytes();
    let drawn = config.drawn_negatives(schema);
    let batch = config.batch_size.unwrap_or(0).min(read.rows) * (1 + drawn);
    let each = read.entries.div_ceil(read.rows.max(1));
    let most = LargestBatch { rows: batch, entries: batch * each };
    let batch = of_batch(job.device, &sizes, classes, most);
    let taken =
        (model + batch).max(before_model(memory, encoding, read.work_bytes())) + values + BESIDE;
    let least = taken + LEAST;
    if memory < least {
        let [least, model] = [least, model].map(memory::gib);
        let of_batch = match batch {
            0 => String::new(),
            _ => format!(" and a batch of {} rows {}", most.rows, memory::gib(batch)),
        };
        let rule = format!(
            "at least {least}, of which a model of {features} features takes {model}{of_batch}"
        );
        return Err(Error::setting("memory", &rule));
    }
    let threads = Threads::number(job.threads)?;
    Ok(Room { bytes: memory - taken, folder: job.temp_dir.clone(), threads })
}

/// Bytes of the sums and entries of a batch, which a GPU has in its own memory.
fn of_batch(device: DeviceName, sizes: &Sizes, classes: usize, most: LargestBatch) -> u128 {
    let sums = most.rows as u128 * classes as u128 * 4 * sizes.room as u128;
    match device {
        DeviceName::Cuda => 0,
        _ => sums + most.entries as u128 * ENTRY_BYTES,
    }
}

/// Sizes of what training begins with, refused if there is no room for it.
pub(super) fn start(
    config: &Config,
    prepared: &Prepared,
    (device, most): (DeviceName, LargestBatch),
    summary: &Summary,
) -> Result<Start> {
    let Prepared { schema, encoding, train, valid, .. } = prepared;
    let features = encoding.features();
    let sizes = Sizes::new(config, encoding.fields.len());
    let classes = encoding.target.classes();
    let model = tables(config, &sizes, features, classes) + of_batch(device, &sizes, classes, most);
    check_model(config, &sizes, encoding, model)?;
    let on_disk = [train, valid].iter().filter_map(|rows| rows.on_disk()).sum();
    Ok(Start {
        target: encoding.target.clone(),
        loss: config.resolved_loss(),
        train: train.len(),
        valid: valid.len(),
        constant: summary.constant,
        items: None,
        left_out: 0,
        groups: None,
        classes: summary.classes,
        single: summary.single,
        features,
        mean_weight: train.weight() / train.len().max(1) as f64,
        greatest_weight: summary.greatest_weight,
        are_counts: schema.are_counts(),
        square_length: summary.square_length,
        row_bytes: train.bytes() + valid.bytes(),
        disk_bytes: on_disk,
        model_bytes: model,
        device,
        no_gpu: None,
    })
}

fn check_model(config: &Config, sizes: &Sizes, encoding: &Encoding, bytes: u128) -> Result<()> {
    let (factors, parts) = (config.resolved_factors(), sizes.parts);
    let each = if parts > 1 { format!("{parts} vectors of ") } else { String::new() };
    let each_class = match encoding.target.classes() {
        1 => String::new(),
        classes => format!(", {classes} times"),
    };
    let features = encoding.features();
    let what = format!("a model of {features} features and {each}{factors} factors{each_class}");
    memory::check(bytes, &what, memory::SMALLER_MODEL)
}

/// The scores whose prediction is the mean label, or the share of each class: where the biases start.
pub(super) fn first_scores(config: &Config, means: &[f64]) -> Vec<f32> {
    let loss = config.resolved_loss();
    // Rows of one class may all weigh nothing.
    let score = |mean: f64| match loss {
        Loss::Logistic => loss.link(mean.clamp(1e-6, 1.0 - 1e-6)),
        Loss::Softmax => mean.max(1e-6).ln(),
        Loss::Poisson => loss.link(mean.max(1e-6)),
        loss if loss.is_ranking() => 0.0,
        _ => loss.link(mean),
    };
    means.iter().map(|&mean| score(mean) as f32).collect()
}
