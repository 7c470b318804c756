//! What lies in the memory of a device: a model or its share of one, and what a step writes down.

use super::device::{Buffer, Device};
use super::epoch;
use super::kernels::{DIGIT_BITS, KEPT, Outcome, PIECE, Shape, TILE};
use crate::Result;
use crate::backend::{State, StepSettings};
use std::sync::Arc;

/// What belongs to the model, on the device.
pub(super) struct OfModel {
    pub(super) linear: Buffer<f32>,
    /// As its precision has it.
    pub(super) factors: Buffer<u8>,
    pub(super) bias: Buffer<f32>,
    pub(super) shared: Buffer<f32>,
    pub(super) strengths: Buffer<f32>,
    pub(super) fields: Buffer<u32>,
    pub(super) count: Buffer<u32>,
    pub(super) touched: Buffer<u32>,
    pub(super) parts: Buffer<u32>,
    pub(super) known: Buffer<[f64; 2]>,
}

impl OfModel {
    pub(super) fn new(device: &Arc<dyn Device>) -> Self {
        OfModel {
            linear: Buffer::new(device),
            factors: Buffer::new(device),
            bias: Buffer::new(device),
            shared: Buffer::new(device),
            strengths: Buffer::new(device),
            fields: Buffer::new(device),
            count: Buffer::new(device),
            touched: Buffer::new(device),
            parts: Buffer::new(device),
            known: Buffer::new(device),
        }
    }

    /// Makes room for one of so many shares of a model.
    pub(super) fn reserve(
        &mut self,
        state: &State,
        settings: &StepSettings,
        ranks: usize,
    ) -> Result<()> {
        let features = (state.factors.features() / state.classes).div_ceil(ranks);
        let each = |all: usize| (all * state.classes).checked_div(state.factors.features());
        let of = |all: usize| features * each(all).unwrap_or(0);
        self.linear.reserve(of(state.linear.floats().len()))?;
        self.factors.reserve(of(state.factors.raw().len()))?;
        self.bias.reserve(state.bias.len())?;
        self.shared.reserve(state.shared.len())?;
        self.strengths.reserve(state.strengths.len())?;
        self.fields.reserve(state.fields.len().max(1))?;
        let counts = settings.counts.len().div_ceil(ranks);
        self.count.reserve(counts)?;
        self.touched.reserve(if settings.optimizer.is_dense() { counts } else { 0 })?;
        let parts = if settings.learn_l2 { epoch::parts(state, ranks).len() } else { 0 };
        self.parts.reserve(3 * parts)?;
        let fields = state.fields.len().max(1) * state.classes;
        self.known.reserve(parts * state.strengths.len() / fields)
    }
}

/// What one step writes down on the way, kept to be used again.
pub(super) struct Scratch {
    /// Of two batches in turn, as one is looked up before the other is done.
    pub(super) batch: [Buffer<u32>; 2],
    pub(super) offsets: [Buffer<u32>; 2],
    pub(super) keys: [Buffer<u32>; 2],
    pub(super) places: [Buffer<u32>; 2],
    pub(super) entry_row: Buffer<u32>,
    pub(super) entry_x: Buffer<f32>,
    pub(super) sums: Buffer<f32>,
    pub(super) slopes: Buffer<f32>,
    pub(super) losses: Buffer<f64>,
    pub(super) partial: Buffer<f64>,
    pub(super) counts: Buffer<u32>,
    pub(super) totals: Buffer<u32>,
    pub(super) flags: Buffer<u32>,
    pub(super) pieces: Buffer<u32>,
    pub(super) gradients: Buffer<f32>,
    pub(super) shared_sums: Buffer<f32>,
    /// Of the steps with even numbers, and of those with odd ones.
    pub(super) outcome: Buffer<Outcome>,
}

impl Scratch {
    pub(super) fn new(device: &Arc<dyn Device>) -> Self {
        Scratch {
            batch: [Buffer::new(device), Buffer::new(device)],
            offsets: [Buffer::new(device), Buffer::new(device)],
            keys: [Buffer::new(device), Buffer::new(device)],
            places: [Buffer::new(device), Buffer::new(device)],
            entry_row: Buffer::new(device),
            entry_x: Buffer::new(device),
            sums: Buffer::new(device),
            slopes: Buffer::new(device),
            losses: Buffer::new(device),
            partial: Buffer::new(device),
            counts: Buffer::new(device),
            totals: Buffer::new(device),
            flags: Buffer::new(device),
            pieces: Buffer::new(device),
            gradients: Buffer::new(device),
            shared_sums: Buffer::new(device),
            outcome: Buffer::new(device),
        }
    }

    /// Makes room to look a batch of so many rows up.
    pub(super) fn reserve_rows(&mut self, side: usize, rows: usize) -> Result<()> {
        self.batch[side].reserve(rows)?;
        self.offsets[side].reserve(rows + 1)?;
        self.totals.reserve((rows + 1).div_ceil(TILE as usize))
    }

    /// Makes room for a batch of so many rows and entries.
    pub(super) fn reserve(&mut self, rows: usize, entries: usize, shape: Shape) -> Result<()> {
        (0..2).try_for_each(|side| self.reserve_rows(side, rows))?;
        let [row_tiles, tiles] = [rows + 1, entries].map(|of| of.div_ceil(TILE as usize));
        let scores = rows * shape.classes;
        let counts = (1 << DIGIT_BITS) * tiles;
        let of_entries = self.keys.iter_mut().chain(&mut self.places);
        of_entries
            .chain([&mut self.entry_row, &mut self.flags])
            .try_for_each(|of| of.reserve(entries))?;
        self.entry_x.reserve(entries)?;
        self.sums.reserve(scores * shape.sums())?;
        self.slopes.reserve(scores)?;
        self.losses.reserve(rows)?;
        self.partial.reserve(row_tiles * (2 + shape.classes))?;
        self.counts.reserve(counts)?;
        self.totals.reserve(row_tiles.max(tiles).max(counts.div_ceil(TILE as usize)))?;
        self.pieces.reserve(entries + 1)?;
        // Of several ranks all pieces are kept, of which an entry may be one.
        let alone = 2 * (entries / PIECE as usize + 1);
        let kept = if shape.ranks > 1 { entries } else { alone };
        self.gradients.reserve(kept * shape.classes * (shape.width + KEPT))?;
        self.shared_sums.reserve(shape.parts(rows) * shape.shared * shape.classes)?;
        self.outcome.reserve(2)
    }
}
