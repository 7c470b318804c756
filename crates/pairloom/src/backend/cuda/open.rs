//! Putting a model on a GPU.

use super::{Gpu, LargestBatch, Model, driver, found};
use crate::Result;
use crate::backend::{Backend, StepSettings};
use crate::config::Config;
use crate::interaction::{Interaction, WithInteraction, kind, with_slow_interaction};
use crate::model::Weights;
use crate::optimizer::Optimizer;
use crate::parallel::Threads;
use crate::precision::Stored;

/// A machine on all GPUs with its first weights, for settings in which nothing is left to the data. The host's part
/// of the work is done by `threads`.
///
/// # Errors
/// [`Error::Device`](crate::Error::Device) if there is no GPU that can be used, or if it fails;
/// [`Error::Memory`](crate::Error::Memory) if it has no room.
pub fn open(
    config: &Config,
    weights: &Weights,
    settings: StepSettings,
    threads: Threads,
    most: LargestBatch,
) -> Result<Box<dyn Backend>> {
    found::check()?;
    let on_gpu = OnGpu { config, weights, settings, threads, most };
    with_slow_interaction(config, &weights.fields, on_gpu)
}

/// A trained model on all GPUs, to score rows with.
///
/// # Errors
/// As for [`open`].
pub(crate) fn scorer(model: &crate::Model) -> Result<Box<dyn Backend>> {
    // Of an optimizer it needs no state, and of training rows it knows nothing.
    let (optimizer, momentum, learn_l2) = (Optimizer::Sgd, None, false);
    let config = Config { optimizer, momentum, learn_l2, ..model.config.clone() };
    let settings = StepSettings::new(&config, model.encoding.target.clone(), Vec::new());
    let most = LargestBatch { rows: 0, entries: 0 };
    open(&config, &model.weights, settings, Threads::new(1)?, most)
}

/// Puts a model on all GPUs.
struct OnGpu<'a> {
    config: &'a Config,
    weights: &'a Weights,
    settings: StepSettings,
    threads: Threads,
    most: LargestBatch,
}

impl WithInteraction for OnGpu<'_> {
    type Output = Result<Box<dyn Backend>>;

    fn with<M: Interaction + 'static, T: Stored>(self, interaction: M) -> Self::Output {
        let OnGpu { config, weights, settings, threads, most } = self;
        let &Config { order, lower_orders, rank, .. } = config;
        let model = Model { of: kind(config), order, lower_orders, rank };
        Ok(Box::new(Gpu::new(interaction, model, weights, settings, threads, most, driver::open)?))
    }
}
