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
    let model = bytes(|device| OfModel::new(device).reserve(state, settings, shape.ranks))?;
    let own = most.of_rank(shape.ranks);
    let batch = bytes(|device| {
        Scratch::new(device).reserve(own.rows, own.entries, shape)?;
        OnDevice::new(device).reserve(own.rows, own.entries, [true; 2])
    })?;
    let free = device.free_bytes()?;
    let room = free.saturating_sub(SPARE);
    if model + batch <= room {
        return Ok(());
    }
    let [needed, of_model, of_batch, free] =
        [model + batch + SPARE, model, batch, free].map(|bytes| memory::gib(bytes.into()));
    if most.rows == 0 {
        let message =
            format!("the model needs {needed} on the GPU and {free} are free: use the CPU");
        return Err(Error::Memory(message));
    }
    let tables = (state.factors.raw().len() / shape.ranks) as u64;
    let share = |left: u64, of: usize, bytes: u64| {
        (u128::from(left) * of as u128).checked_div(bytes.into()).unwrap_or(0) as usize
    };
    let rows = share(room.saturating_sub(model), most.rows, batch);
    let factors = share(room.saturating_sub(model + batch - tables), shape.part, tables);
    // Vectors have whole registers, of 4 floats or of a multiple of 8.
    let factors = if factors < 8 { factors & !3 } else { factors & !7 };
    let remedy = match (rows.checked_ilog2(), factors) {
        (Some(bits), _) => {
            format!("a batch of {} rows would fit ({})", 1 << bits, flagged("batch_size"))
        }
        (None, 0) => format!("fewer features take less ({})", flagged("hash_bits")),
        (None, factors) => format!("{} {factors} would fit", flagged("factors")),
    };
    Err(Error::Memory(format!(
        "training needs {needed} on the GPU, {of_model} of it for the model and {of_batch} for a batch of {} rows, and \
         {free} are free: {remedy}, or use the CPU",
        most.rows
    )))
}

/// Whether there was room. What a device says to be free may be in pieces.
pub(super) fn had_room(done: Result<()>) -> Result<bool> {
    match done {
        Err(Error::Memory(_)) => Ok(false),
        done => done.map(|()| true),
    }
}

/// What is reserved, in bytes.
fn bytes(reserve: impl FnOnce(&Arc<dyn Device>) -> Result<()>) -> Result<u64> {
    let adding = Arc::new(Adding::default());
    let device: Arc<dyn Device> = adding.clone();
    reserve(&device)?;
    Ok(adding.bytes())
}
