//! One of the devices that share a model: what lies there, and the halves of a step on it.

use super::buffers::{OfModel, Scratch};
use super::device::{Buffer, Device};
use super::kernels::{
    Args, DIGIT_BITS, Kernel, MOST_RANKS, OfRank, OfRows, Outcome, Shape, THREADS, TILE, WARP,
};
use super::rows::OnDevice;
use crate::Result;
use bytemuck::Pod;
use std::borrow::Cow;
use std::sync::Arc;

/// A device and what lies on it.
pub(super) struct Rank {
    pub(super) device: Arc<dyn Device>,
    shape: Shape,
    pub(super) model: OfModel,
    /// The rows that steps are taken over, if all have room.
    pub(super) rows: OnDevice,
    /// Its part of the rows of one batch if not all have room, or some that are only scored; and rows that are scored
    /// again and again.
    pub(super) others: OnDevice,
    pub(super) held: OnDevice,
    pub(super) scratch: Scratch,
}

impl Rank {
    pub(super) fn new(device: Arc<dyn Device>, shape: Shape) -> Self {
        Rank {
            shape,
            model: OfModel::new(&device),
            rows: OnDevice::new(&device),
            others: OnDevice::new(&device),
            held: OnDevice::new(&device),
            scratch: Scratch::new(&device),
            device,
        }
    }

    /// What other ranks are to know of it in the step of this number.
    fn seen(&self, time: u64) -> OfRank {
        let (Rank { model, scratch, .. }, [now, _]) = (self, sides(time));
        OfRank {
            rows: self.rows.addresses(),
            linear: model.linear.address(),
            factors: model.factors.address(),
            keys: scratch.keys[self.passes() as usize % 2].address(),
            pieces: scratch.pieces.address(),
            gradients: scratch.gradients.address(),
            shared_sums: scratch.shared_sums.address(),
            partial: scratch.partial.address(),
            outcome: scratch.outcome.at(now),
        }
    }

    /// What kernels are given that score these rows of the rank, beside what is the same on all ranks.
    pub(super) fn args(&self, own: OfRows, all: &Args) -> Args {
        let (model, scratch) = (&self.model, &self.scratch);
        let [now, before] = sides(all.time.into());
        Args {
            own,
            keys: scratch.keys.each_ref().map(Buffer::address),
            places: scratch.places.each_ref().map(Buffer::address),
            entry_row: scratch.entry_row.address(),
            entry_x: scratch.entry_x.address(),
            sums: scratch.sums.address(),
            slopes: scratch.slopes.address(),
            losses: scratch.losses.address(),
            partial: scratch.partial.address(),
            counts: scratch.counts.address(),
            totals: scratch.totals.address(),
            flags: scratch.flags.address(),
            pieces: scratch.pieces.address(),
            gradients: scratch.gradients.address(),
            shared_sums: scratch.shared_sums.address(),
            bias: model.bias.address(),
            shared: model.shared.address(),
            strengths: model.strengths.address(),
            fields: model.fields.address(),
            count: model.count.address(),
            touched: model.touched.address(),
            parts: model.parts.address(),
            known: model.known.address(),
            outcome: scratch.outcome.at(now),
            before: scratch.outcome.at(before),
            ..*all
        }
    }

    /// Tells the outcome of a step over so many rows that nothing is known yet.
    pub(super) fn clear_outcome(&mut self, time: u64, rows: usize) -> Result<()> {
        let [now, _] = sides(time);
        let parts = self.shape.parts(rows) as u32;
        self.scratch.outcome.write(now, &[Outcome { rows: rows as u32, parts, ..Outcome::NOTHING }])
    }

    /// Begins to read what came of the step of this number.
    pub(super) fn begin_outcome(&self, time: u64) -> Result<usize> {
        self.scratch.outcome.begin_read(sides(time)[0])
    }

    /// Writes down which rows are at places of an order.
    pub(super) fn numbers(&self, args: Args) -> Result<()> {
        self.launch(Kernel::Numbers, args.rows.div_ceil(THREADS), &args)
    }

    /// Finds out where the entries of each row of a batch begin.
    pub(super) fn lay_out(&self, args: Args) -> Result<()> {
        let tiles = (args.rows + 1).div_ceil(TILE);
        self.launch(Kernel::Lengths, (args.rows + 1).div_ceil(THREADS), &args)?;
        let offsets = Args { tiles, ..args };
        self.launch(Kernel::OffsetsInTiles, tiles, &offsets)?;
        self.launch(Kernel::OffsetsOfTiles, 1, &offsets)?;
        self.launch(Kernel::Offsets, tiles, &offsets)
    }

    /// Rows to scores, or to losses and slopes.
    pub(super) fn forward(&self, args: Args) -> Result<()> {
        self.launch(Kernel::Forward, warps(args.rows), &args)
    }

    /// From slopes to what is known of the gradients on this rank: if it is the only one, to features that are moved.
    pub(super) fn sum(&self, args: Args, entries: usize) -> Result<()> {
        let of_rows = Args { tiles: args.rows.div_ceil(TILE), ..args };
        self.launch(Kernel::Costs, of_rows.tiles, &of_rows)?;
        self.launch(Kernel::Cost, 1, &of_rows)?;
        self.sort(args, entries)?;
        let length = entries as u32;
        let side = self.passes() % 2;
        let args = Args { side, length, tiles: length.div_ceil(TILE), ..args };
        self.launch(Kernel::Heads, length.div_ceil(THREADS), &args)?;
        self.launch(Kernel::HeadsInTiles, args.tiles, &args)?;
        self.launch(Kernel::HeadsOfTiles, 1, &args)?;
        self.launch(Kernel::Pieces, length.div_ceil(THREADS), &args)?;
        let blocks = warps(length).min(self.device.blocks());
        self.launch(Kernel::Update, blocks, &args)?;
        self.launch(Kernel::Combine, blocks, &args)?;
        let parts = self.shape.parts(args.rows as usize) as u32;
        let blocks = self.shared().div_ceil(WARP as usize) as u32 * parts;
        self.launch(Kernel::SharedGradients, blocks, &Args { tiles: parts, ..args })
    }

    /// Moves what is left, by what is known on all ranks.
    pub(super) fn apply(&self, args: Args) -> Result<()> {
        let args = Args { side: self.passes() % 2, ..args };
        if self.shape.ranks > 1 {
            self.launch(Kernel::Merge, self.device.blocks(), &args)?;
        }
        if self.shape.is_dense {
            self.launch(Kernel::Untouched, self.device.blocks(), &args)?;
        }
        let blocks = self.shared().div_ceil(THREADS as usize) as u32;
        self.launch(Kernel::SharedNumbers, blocks, &args)?;
        self.launch(Kernel::Biases, (self.shape.classes as u32).div_ceil(THREADS), &args)
    }

    /// Scores of rows that are one after the other.
    pub(super) fn score(&self, args: Args) -> Result<()> {
        self.launch(Kernel::Scores, warps(args.rows), &args)
    }

    fn shared(&self) -> usize {
        self.shape.shared * self.shape.classes
    }

    /// Passes of sorting that the keys of all features take.
    fn passes(&self) -> u32 {
        let keys = self.shape.features.next_multiple_of(self.shape.ranks) as u32;
        let bits = u32::BITS - keys.saturating_sub(1).leading_zeros();
        bits.div_ceil(DIGIT_BITS)
    }

    /// Brings the entries into the order of their features.
    fn sort(&self, args: Args, entries: usize) -> Result<()> {
        let tiles = (entries as u32).div_ceil(TILE);
        let length = tiles << DIGIT_BITS;
        for pass in 0..self.passes() {
            let args = Args { side: pass % 2, shift: pass * DIGIT_BITS, tiles, length, ..args };
            self.launch(Kernel::Digits, tiles, &args)?;
            self.launch(Kernel::DigitsInTiles, length.div_ceil(TILE), &args)?;
            self.launch(Kernel::DigitsOfTiles, 1, &args)?;
            self.launch(Kernel::DigitsBefore, length.div_ceil(TILE), &args)?;
            self.launch(Kernel::Scatter, tiles, &args)?;
        }
        Ok(())
    }

    pub(super) fn launch(&self, kernel: Kernel, blocks: u32, args: &Args) -> Result<()> {
        // Of nothing there is nothing to do.
        if blocks == 0 {
            return Ok(());
        }
        // SAFETY: `args` has the addresses of buffers of this rank and of the others. They have room for the rows and
        // entries that `args` tells of (`Scratch::reserve`, `OnDevice`), and are only given back after the work that was
        // given before it; that of other ranks is waited for at the end of a step (`device::meet`), and steps by copiers
        // wherever rows are changed (`Ahead::meet`).
        unsafe { self.device.launch(kernel, blocks, args) }
    }
}

/// What ranks know of each other in the step of this number.
pub(super) fn seen(ranks: &[Rank], time: u64) -> [OfRank; MOST_RANKS] {
    let mut all = [OfRank::default(); MOST_RANKS];
    all.iter_mut().zip(ranks).for_each(|(to, rank)| *to = rank.seen(time));
    all
}

/// Blocks in which there is a warp for each of so many.
fn warps(of: u32) -> u32 {
    of.div_ceil(THREADS / WARP)
}

/// Where the outcome of a step is, and that of the one before.
fn sides(time: u64) -> [usize; 2] {
    let now = (time % 2) as usize;
    [now, 1 - now]
}

/// The rows of a table, of so many numbers for each feature, that a rank of so many has: every so many-th. One rank alone
/// has all, which may be too much to copy.
pub(super) fn share<T: Copy>(all: &[T], each: usize, rank: usize, ranks: usize) -> Cow<'_, [T]> {
    if ranks == 1 {
        return all.into();
    }
    let rows = all.chunks_exact(each.max(1)).skip(rank).step_by(ranks);
    rows.flatten().copied().collect()
}

/// Features that a rank of so many has.
pub(super) fn features_of(rank: usize, features: usize, ranks: usize) -> usize {
    (features + ranks - 1 - rank) / ranks
}

/// Reads the rows that a rank has of a table, and puts them there.
pub(super) fn read_share<T: Pod>(
    from: &Buffer<T>,
    all: &mut [T],
    each: usize,
    rank: usize,
    ranks: usize,
) -> Result<()> {
    if ranks == 1 {
        return from.read(all);
    }
    let each = each.max(1);
    let mut own = vec![T::zeroed(); features_of(rank, all.len() / each, ranks) * each];
    from.read(&mut own)?;
    let rows = all.chunks_exact_mut(each).skip(rank).step_by(ranks);
    rows.zip(own.chunks_exact(each)).for_each(|(to, from)| to.copy_from_slice(from));
    Ok(())
}
