//! Putting a model on a GPU.

use super::{Gpu, Model, driver};
use crate::backend::{Backend, StepSettings};
use crate::config::Config;
use crate::error::flagged;
use crate::interaction::{Interaction, WithInteraction, kind, with_slow_interaction};
use crate::model::Weights;
use crate::parallel::Threads;
use crate::precision::{Precision, Stored};
use crate::{Error, Result};

/// Whether a GPU can train with these settings.
///
/// # Errors
/// [`Error::Usage`] for what is trained on the CPU only, [`Error::Device`] if there is no GPU that can be used.
pub(crate) fn check(config: &Config) -> Result<()> {
    if config.precision != Precision::F32 {
        let (device, precision) = (flagged("device"), config.precision.name());
        let message = format!("{device} cuda: factors of {precision} are trained on the CPU only");
        return Err(Error::usage(message));
    }
    driver::check()
}

/// A machine on the first GPU, for settings that were [checked](check).
///
/// # Errors
/// [`Error::Device`] if it fails, and [`Error::Memory`].
pub(crate) fn open(
    config: &Config,
    weights: &Weights,
    settings: StepSettings,
    threads: Threads,
) -> Result<Box<dyn Backend>> {
    with_slow_interaction(config, &weights.fields, OnGpu { config, weights, settings, threads })
}

/// Puts a model on the first GPU.
struct OnGpu<'a> {
    config: &'a Config,
    weights: &'a Weights,
    settings: StepSettings,
    threads: Threads,
}

impl WithInteraction for OnGpu<'_> {
    type Output = Result<Box<dyn Backend>>;

    fn with<M: Interaction + 'static, T: Stored>(self, interaction: M) -> Self::Output {
        let OnGpu { config, weights, settings, threads } = self;
        let open = |shape| driver::Cuda::open(0, shape);
        let &Config { order, lower_orders, rank, .. } = config;
        let model = Model { of: kind(config), order, lower_orders, rank };
        Ok(Box::new(Gpu::new(interaction, model, weights, settings, threads, open)?))
    }
}
