//! Which device training begins on, and with which batch there.

use super::prepare::Prepared;
use super::start::{Start, first_scores, resolve, start};
use super::summary::Summary;
use super::units::Units;
use super::{Job, going_on};
use crate::backend::{Backend, Cpu, DeviceName, LargestBatch, StepSettings, check_cuda, open_cuda};
use crate::config::Config;
use crate::interaction::{Interaction, WithInteraction, with_interaction};
use crate::model::Weights;
use crate::negatives::Negatives;
use crate::parallel::Threads;
use crate::precision::Stored;
use crate::{Error, Result};

/// Features to be learned from in all epochs, from which on it is worth the seconds that a GPU takes to begin; and in a
/// step, from which on it is worth what beginning a step takes. Neither is measured.
const WORTH_A_GPU: f64 = 1e9;
const WORTH_A_STEP: f64 = 32768.0;

/// The smallest batch that is tried on a GPU where nothing is said.
const LEAST_BATCH: usize = 1024;

/// What is known where training begins.
pub(super) struct Beginning<'a> {
    pub(super) job: &'a Job,
    pub(super) prepared: &'a Prepared,
    pub(super) units: &'a Units,
    pub(super) summary: Summary,
    pub(super) negatives: Option<&'a Negatives>,
}

/// What training begins with.
pub(super) struct Begun {
    /// Nothing in them is left to the data.
    pub(super) config: Config,
    /// How many entries the rows of a batch have at the most.
    pub(super) most_entries: usize,
    pub(super) start: Start,
    pub(super) backend: Box<dyn Backend>,
}

impl Beginning<'_> {
    /// Begins on the device that the job wants. Where that is to be decided it is the GPU if the work is large enough, unless
    /// this fails there.
    pub(super) fn begin(self) -> Result<Begun> {
        let no_gpu = match self.job.device {
            DeviceName::Cuda => return self.on(DeviceName::Cuda),
            DeviceName::Auto if self.is_worth_a_gpu() => {
                match check_cuda().and_then(|()| self.on(DeviceName::Cuda)) {
                    Ok(begun) => return Ok(begun),
                    Err(error) => Some(error.to_string()),
                }
            }
            _ => None,
        };
        let mut begun = self.on(DeviceName::Cpu)?;
        begun.start.no_gpu = no_gpu;
        Ok(begun)
    }

    fn is_worth_a_gpu(&self) -> bool {
        let (config, rows) = (&self.job.config, self.prepared.train.len());
        let features: f64 = self.summary.counts.iter().map(|&count| f64::from(count)).sum();
        let step = features * config.largest_batch(rows) as f64 / rows.max(1) as f64;
        features * f64::from(config.epochs) >= WORTH_A_GPU && step >= WORTH_A_STEP
    }

    /// Begins on a device, with settings that it has its say in.
    fn on(&self, device: DeviceName) -> Result<Begun> {
        let mut batch = match device {
            DeviceName::Cuda => self.job.config.large_batch(self.prepared.train.len()),
            _ => None,
        };
        let (mut config, mut most) = self.resolved(batch)?;
        // What the host needs is the same for all batches of a GPU: no smaller one helps if it has not got it.
        let start = start(&config, self.prepared, (device, most), &self.summary)?;
        let weights = self.weights(&config)?;
        let backend = loop {
            match (self.open(device, &config, most, &weights), batch) {
                // A batch that nobody asked for is made to fit.
                (Err(Error::Memory(_)), Some(tried)) if tried > LEAST_BATCH => {
                    batch = Some(tried / 2);
                    (config, most) = self.resolved(batch)?;
                }
                (backend, _) => break backend?,
            }
        };
        Ok(Begun { config, most_entries: most.entries, start, backend })
    }

    /// The settings with everything decided that was left to the data, with large batches of so many rows if such are taken;
    /// and what a batch then has at the most.
    fn resolved(&self, large_batch: Option<usize>) -> Result<(Config, LargestBatch)> {
        let Beginning { job, prepared, summary, negatives, .. } = self;
        let Prepared { schema, encoding, train, .. } = prepared;
        let rows = train.len();
        let copies = if schema.are_counts() { train.weight().round() as usize } else { rows };
        let config = match large_batch {
            Some(batch) => job.config.with_large_batches(batch, summary.square_length),
            None => job.config.clone(),
        };
        let mut config = resolve(&config, encoding, (rows, copies), summary);
        config.negatives = negatives.map(Negatives::each);
        job.init.as_deref().map_or(Ok(()), |model| going_on::check_config(model, &config))?;
        let given = prepared.batch(config.batch_rows(rows));
        let entries = summary.most_entries(given);
        let drawn = negatives.map_or(0, |of| of.most_entries(given, entries));
        let all = given * (1 + config.negatives.unwrap_or(0));
        Ok((config, LargestBatch { rows: all, entries: entries + drawn }))
    }

    /// The first weights: those of the model to go on from, if there is one, in the units of the rows.
    fn weights(&self, config: &Config) -> Result<Weights> {
        let counts = &self.summary.counts;
        let Some(model) = self.job.init.as_deref() else {
            let first = first_scores(config, &self.summary.means);
            return Weights::init(config, counts, self.prepared.encoding.starts(), &first);
        };
        let mut weights = model.weights.go_on(config, counts)?;
        self.units.enter_weights(&mut weights);
        Ok(weights)
    }

    /// Puts weights on a device.
    fn open(
        &self,
        device: DeviceName,
        config: &Config,
        most: LargestBatch,
        weights: &Weights,
    ) -> Result<Box<dyn Backend>> {
        let (target, counts) = (self.prepared.encoding.target.clone(), self.summary.counts.clone());
        let settings = StepSettings::new(config, target, counts);
        if device == DeviceName::Cuda {
            return open_cuda(config, weights, settings, most);
        }
        let threads = Threads::new(self.job.threads)?;
        with_interaction(config, &weights.fields, OnCpu { weights, settings, threads })
    }
}

/// Puts a model on the CPU.
struct OnCpu<'a> {
    weights: &'a Weights,
    settings: StepSettings,
    threads: Threads,
}

impl WithInteraction for OnCpu<'_> {
    type Output = Result<Box<dyn Backend>>;

    fn with<M: Interaction + 'static, T: Stored>(self, interaction: M) -> Self::Output {
        Ok(Box::new(Cpu::<M, T>::new(interaction, self.weights, self.settings, self.threads)?))
    }
}
