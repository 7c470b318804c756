//! Putting a model on a GPU.

use super::kernels::Shape;
use super::{Gpu, Model, driver};
use crate::backend::{Backend, StepSettings};
use crate::config::Config;
use crate::error::flagged;
use crate::interaction::{Interaction, WithInteraction, with_slow_interaction};
use crate::model::Weights;
use crate::parallel::Threads;
use crate::precision::{Precision, Stored};
use crate::{Error, Result};

/// Whether a GPU can train with these settings.
///
/// # Errors
/// [`Error::Usage`] for what is trained on the CPU only, [`Error::Device`] if there is no GPU that can be used.
pub(crate) fn check(config: &Config) -> Result<()> {
    let only = |what: String| {
        Err(Error::usage(format!("{} cuda: {what} trained on the CPU only", flagged("device"))))
    };
    if Shape::model_text(config.model).is_none() {
        return only(format!("the model {} is", config.model.name()));
    }
    if config.resolved_factors() == 0 {
        return only("a model without factors is".into());
    }
    if config.precision != Precision::F32 {
        return only(format!("factors of {} are", config.precision.name()));
    }
    driver::check()
}

/// A machine on the first GPU with its first weights, for settings in which nothing is left to the data. The host's part
/// of the work is done by `threads`.
///
/// # Errors
/// [`Error::Usage`] for what is trained on the CPU only, [`Error::Device`] if there is no GPU that can be used, or if it
/// fails, and [`Error::Memory`].
pub fn open(
    config: &Config,
    weights: &Weights,
    settings: StepSettings,
    threads: Threads,
) -> Result<Box<dyn Backend>> {
    check(config)?;
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
        let model =
            Model { of: config.model, order: config.order, lower_orders: config.lower_orders };
        Ok(Box::new(Gpu::new(interaction, model, weights, settings, threads, open)?))
    }
}
