//! Putting a model on a GPU.

use super::{Gpu, LargestBatch, Model, driver, found};
use crate::Result;
use crate::backend::{Backend, StepSettings};
use crate::config::Config;
use crate::interaction::{Interaction, WithInteraction, kind, with_slow_interaction};
use crate::model::Weights;
use crate::optimizer::Optimizer;
use crate::precision::Stored;

/// A machine on all GPUs with its first weights, for settings in which nothing is left to the data.
///
/// # Errors
/// [`Error::Device`](crate::Error::Device) if there is no GPU that can be used, or if it fails;
/// [`Error::Memory`](crate::Error::Memory) if it has no room.
pub fn open(
    config: &Config,
    weights: &Weights,
    settings: StepSettings,
    most: LargestBatch,
) -> Result<Box<dyn Backend>> {
    found::check()?;
    let on_gpu = OnGpu { config, weights, settings, most };
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
    open(&config, &model.weights, settings, most)
}

/// Puts a model on all GPUs.
struct OnGpu<'a> {
    config: &'a Config,
    weights: &'a Weights,
    settings: StepSettings,
    most: LargestBatch,
}

impl WithInteraction for OnGpu<'_> {
    type Output = Result<Box<dyn Backend>>;

    fn with<M: Interaction + 'static, T: Stored>(self, interaction: M) -> Self::Output {
        let OnGpu { config, weights, settings, most } = self;
        let &Config { order, lower_orders, rank, .. } = config;
        let model = Model { of: kind(config), order, lower_orders, rank };
        Ok(Box::new(Gpu::new(interaction, model, weights, settings, most, driver::open)?))
    }
}
