//! Rows in the memory of a device.

use super::device::{Buffer, Device};
use super::kernels::Args;
use crate::Result;
use crate::batch::Rows;
use std::sync::Arc;

/// Rows that lie on a device, one after the other.
pub(super) struct OnDevice {
    starts: Buffer<u64>,
    ids: Buffer<u32>,
    values: Buffer<f32>,
    labels: Buffer<f32>,
    weights: Buffer<f32>,
    /// Whether there are values and weights.
    are_there: [bool; 2],
    /// The entries of each, if they have as many.
    length: Option<usize>,
}

impl OnDevice {
    pub(super) fn new(device: &Arc<dyn Device>) -> Self {
        OnDevice {
            starts: Buffer::new(device),
            ids: Buffer::new(device),
            values: Buffer::new(device),
            labels: Buffer::new(device),
            weights: Buffer::new(device),
            are_there: [false; 2],
            length: None,
        }
    }

    /// The entries of each, if they have as many.
    pub(super) fn length(&self) -> Option<usize> {
        self.length
    }

    /// Takes over these rows.
    pub(super) fn fill(&mut self, rows: &Rows) -> Result<()> {
        let (count, entries) = (rows.len(), rows.entries());
        let blocks = || rows.blocks().iter();
        self.are_there = [
            blocks().any(|block| !block.values().is_empty()),
            blocks().any(|block| !block.weights().is_empty()),
        ];
        let [values, weights] = self.are_there;
        self.starts.reserve(count + 1)?;
        self.ids.reserve(entries)?;
        self.values.reserve(if values { entries } else { 0 })?;
        self.labels.reserve(count)?;
        self.weights.reserve(if weights { count } else { 0 })?;
        let (mut row, mut entry) = (0, 0);
        for block in blocks() {
            let starts: Vec<u64> =
                block.starts().iter().map(|&start| entry as u64 + u64::from(start)).collect();
            self.starts.write(row, &starts)?;
            self.ids.write(entry, block.ids())?;
            self.labels.write(row, block.labels())?;
            if values {
                self.values.write(entry, &or_ones(block.values(), block.ids().len()))?;
            }
            if weights {
                self.weights.write(row, &or_ones(block.weights(), block.len()))?;
            }
            row += block.len();
            entry += block.ids().len();
        }
        let mut lengths = blocks().flat_map(|block| block.lengths());
        let first = lengths.next().unwrap_or(0);
        self.length = lengths.all(|length| length == first).then_some(first as usize);
        Ok(())
    }

    /// What kernels are given of them.
    pub(super) fn args(&self) -> Args {
        let [values, weights] = self.are_there;
        Args {
            starts: self.starts.address(),
            ids: self.ids.address(),
            values: if values { self.values.address() } else { 0 },
            labels: self.labels.address(),
            weights: if weights { self.weights.address() } else { 0 },
            ..Args::default()
        }
    }
}

/// The numbers, or so many ones where there are none.
fn or_ones(numbers: &[f32], count: usize) -> Vec<f32> {
    if numbers.is_empty() { vec![1.0; count] } else { numbers.to_vec() }
}
