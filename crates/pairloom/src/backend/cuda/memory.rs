//! Whether a device has room for a model and a batch, and what would fit if not.

use super::LargestBatch;
use super::buffers::{OfModel, Scratch};
use super::device::{Adding, Device};
use super::kernels::Shape;
use super::rows::OnDevice;
use crate::backend::{State, StepSettings};
use crate::error::flagged;
use crate::{Error, Result, memory};
use std::sync::Arc;

/// Bytes that are left to the driver, for what kernels need beside our buffers.
pub(super) const SPARE: u64 = 128 << 20;

/// Refuses a model that a device has no room for, with batches of so many rows and entries. That all rows lie there is
/// not needed.
///
/// # Errors
/// [`Error::Memory`], and those of the device.
pub(super) fn check(
    device: &dyn Device,
    shape: Shape,
    (state, settings): (&State, &StepSettings),
    most: LargestBatch,
) -> Result<()> {
    let model = bytes(|device| OfModel::new(device).reserve(state, settings))?;
    let batch = bytes(|device| {
        Scratch::new(device).reserve(most.rows, most.entries, shape)?;
        OnDevice::new(device).reserve(most.rows, most.entries, [true; 2])
    })?;
    let free = device.free_bytes()?;
    let room = free.saturating_sub(SPARE);
    if model + batch <= room {
        return Ok(());
    }
    let tables = state.factors.raw().len() as u64;
    let remedy = match room.checked_sub(model) {
        Some(left) => {
            let rows = u128::from(left) * most.rows as u128 / u128::from(batch.max(1));
            let rows = 1u128 << rows.max(1).ilog2();
            format!("{} {rows} would fit", flagged("batch_size"))
        }
        None => {
            let left = (room + tables).saturating_sub(model + batch);
            let factors = u128::from(left) * shape.part as u128 / u128::from(tables.max(1));
            format!("{} {factors} would fit", flagged("factors"))
        }
    };
    let [need, model, batch, free] =
        [model + batch + SPARE, model, batch, free].map(|bytes| memory::gib(bytes.into()));
    Err(Error::Memory(format!(
        "training needs {need} on the GPU, {model} of it for the model and {batch} for a batch of {} rows, and {free} are \
         free: {remedy}, or use the CPU",
        most.rows
    )))
}

/// What is reserved, in bytes.
fn bytes(reserve: impl FnOnce(&Arc<dyn Device>) -> Result<()>) -> Result<u64> {
    let adding = Arc::new(Adding::default());
    let device: Arc<dyn Device> = adding.clone();
    reserve(&device)?;
    Ok(adding.bytes())
}
