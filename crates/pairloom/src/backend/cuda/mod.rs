//! The backend on a GPU: the step of [`super::cpu`], with the same meaning.
//!
//! # One training step
//! 0. `lengths`, `offsets`: where the entries of each row of the batch begin.
//! 1. `forward`: a warp for each row has its running sums, score, loss and slope, and writes down its entries. Of lists the
//!    host makes losses and slopes of the scores. `costs`, `cost`: the sum of the losses. If one is not finite, nothing
//!    after it moves anything.
//! 2. `digits` ... `scatter`: the entries are brought into the order of their features by a stable radix sort.
//! 3. `heads` ... `pieces`: pieces of up to [`kernels::PIECE`] entries of one feature.
//! 4. `update`: a warp for each piece sums its gradients and, if the feature has no other piece, moves its weights;
//!    `combine`: the others. `untouched`: what the batch has not, for optimizers that move all. `shared_gradients`,
//!    `shared_numbers`: what belongs to no feature. `biases`.
//!
//! One warp writes to a row of the table, and every sum is taken in an order that rows and batch decide: the bits are
//! the same from run to run. They are not those of the CPU, whose sums are taken in another order.
//!
//! Rows lie on the device while steps are taken over them; a step copies the numbers of its rows there and what it has
//! cost back.

mod buffers;
mod device;
mod driver;
mod kernels;
mod memory;
mod open;
mod rows;
#[cfg(test)]
mod tests;

use super::{Backend, Lists, NoStep, State, StepSettings, ranked, strengths};
use crate::Result;
use crate::batch::Rows;
use crate::encode::Target;
use crate::interaction::{Interaction, Kind};
use crate::loss::Loss;
use crate::model::Weights;
use crate::optimizer::{Adam, Optimizer};
use crate::parallel::Threads;
use crate::precision::{Bf16, Precision};
use buffers::{OfModel, Scratch};
use device::{Buffer, Device};
pub(crate) use driver::check;
pub use driver::{Found, devices};
use kernels::{Args, DIGIT_BITS, Kernel, NONE, Outcome, Shape, THREADS, TILE, WARP};
pub use open::open;
pub(crate) use open::scorer;
use rows::OnDevice;
use std::sync::Arc;

/// Running sums and entries of rows that are scored at a time; so few in tests that they are several times.
const SCORED: usize = if cfg!(test) { 1 << 12 } else { 1 << 22 };

/// Which model it is.
#[derive(Clone, Copy, Debug)]
struct Model {
    of: Kind,
    order: usize,
    lower_orders: bool,
    rank: usize,
}

/// What a batch has at the most.
#[derive(Clone, Copy, Debug)]
pub struct LargestBatch {
    /// Rows.
    pub rows: usize,
    /// Entries of these rows.
    pub entries: usize,
}

/// A model in training on a GPU.
struct Gpu<M> {
    interaction: M,
    settings: StepSettings,
    /// Time and counts as they are, all else as of the last [`Backend::sync`].
    state: State,
    /// Features of all training rows, each as often as it comes.
    all: u64,
    threads: Threads,
    shape: Shape,
    device: Arc<dyn Device>,
    model: OfModel,
    /// The rows that steps are taken over, or those of one batch if not all have room there.
    rows: OnDevice,
    are_all_there: bool,
    /// Rows that are only scored.
    others: OnDevice,
    scratch: Scratch,
    newer: Newer,
    /// Whether the numbers of rows that carry features were changed.
    has_new_counts: bool,
}

/// Where weights were changed that are not the same on the device and in [`Gpu::state`].
#[derive(Clone, Copy, Debug, PartialEq)]
enum Newer {
    /// They are the same.
    Neither,
    /// In the state.
    Host,
    /// On the device.
    Device,
}

impl<M: Interaction> Gpu<M> {
    /// Starts from `weights`, with fresh optimizer state; batches are of so many rows with so many entries at the most.
    /// `open` gives the device with the kernels for a shape.
    ///
    /// # Errors
    /// Those of the device, and [`Error::Memory`](crate::Error::Memory) if the state does not fit, or if the device has no
    /// room for the model and a batch.
    fn new(
        interaction: M,
        Model { of: model, order, lower_orders, rank }: Model,
        weights: &Weights,
        settings: StepSettings,
        threads: Threads,
        most: LargestBatch,
        open: impl FnOnce(Shape) -> Result<Arc<dyn Device>>,
    ) -> Result<Self> {
        let state = State::new(&interaction, weights, &settings)?;
        let all = settings.counts.iter().map(|&count| u64::from(count)).sum();
        let shape = Shape {
            model,
            part: interaction.part().max(1),
            width: interaction.width(),
            fields: state.fields.len().max(1),
            order,
            lower_orders,
            rank,
            shared: weights.shared.len() / state.classes,
            classes: state.classes,
            states: settings.states(),
            precision: weights.factors.precision(),
        };
        let device = open(shape)?;
        memory::check(&*device, shape, (&state, &settings), most)?;
        let (mut model, mut scratch) = (OfModel::new(&device), Scratch::new(&device));
        model.reserve(&state, &settings)?;
        model.fields.write(0, state.fields.starts())?;
        model.touched.clear()?;
        scratch.reserve(most.rows, most.entries, shape)?;
        let (rows, others) = (OnDevice::new(&device), OnDevice::new(&device));
        Ok(Gpu {
            interaction,
            settings,
            state,
            all,
            threads,
            shape,
            device,
            model,
            rows,
            are_all_there: false,
            others,
            scratch,
            newer: Newer::Host,
            has_new_counts: true,
        })
    }

    /// Brings what was changed on the host to the device.
    fn upload(&mut self) -> Result<()> {
        if self.has_new_counts {
            self.model.count.write(0, &self.settings.counts)?;
            self.has_new_counts = false;
        }
        if self.newer != Newer::Host {
            return Ok(());
        }
        let (State { linear, factors, bias, shared, strengths, .. }, model) =
            (&self.state, &mut self.model);
        for (buffer, numbers) in [
            (&mut model.linear, linear.floats()),
            (&mut model.bias, bias),
            (&mut model.shared, shared),
            (&mut model.strengths, strengths),
        ] {
            buffer.write(0, numbers)?;
        }
        model.factors.write(0, factors.raw())?;
        self.newer = Newer::Neither;
        Ok(())
    }

    /// What the kernels are given to score rows that lie there.
    fn args(&self, rows: &OnDevice) -> Args {
        let (loss, number) = match self.settings.loss {
            Loss::Logistic => (0, 0.0),
            Loss::Squared => (1, 0.0),
            Loss::Poisson => (2, 0.0),
            Loss::Huber(most) => (3, most),
            Loss::Quantile(level) => (4, level),
            Loss::Softmax => (5, 0.0),
            Loss::Bpr | Loss::Warp | Loss::Listwise => (6, 0.0),
        };
        let optimizer = match self.settings.optimizer {
            Optimizer::Sgd => 0,
            Optimizer::Adagrad => 1,
            Optimizer::Adam => 2,
            Optimizer::AdamDense => 3,
            Optimizer::Ftrl => 4,
        };
        let (mean, scale) = match self.settings.target {
            Target::Real { mean, scale } => (mean, scale),
            _ => (0.0, 1.0),
        };
        let StepSettings {
            penalty_linear, penalty_factors, momentum, linear, bias, counts, ..
        } = &self.settings;
        let (model, scratch) = (&self.model, &self.scratch);
        Args {
            offsets: scratch.offsets.address(),
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
            linear: model.linear.address(),
            factors: model.factors.address(),
            bias: model.bias.address(),
            shared: model.shared.address(),
            strengths: model.strengths.address(),
            fields: model.fields.address(),
            count: model.count.address(),
            touched: model.touched.address(),
            outcome: scratch.outcome.address(),
            mean,
            scale,
            number,
            momentum: *momentum,
            l1_linear: penalty_linear.l1,
            l2_linear: penalty_linear.l2,
            l1_factors: penalty_factors.l1,
            l2_factors: penalty_factors.l2,
            all: 1.0 / self.all.max(1) as f32,
            features: counts.len() as u32,
            loss,
            optimizer,
            learns_linear: u32::from(*linear),
            learns_bias: u32::from(*bias),
            ..rows.args()
        }
    }

    /// Says to the device which rows are the batch, or brings them there; returns how many entries they have.
    fn lay_out(&mut self, rows: &Rows, batch: &[u32]) -> Result<usize> {
        let entries = match self.rows.length() {
            _ if !self.are_all_there => self.rows.gather(rows, batch)?,
            Some(each) => each * batch.len(),
            None => batch.iter().map(|&row| rows.row(row as usize).ids.len()).sum(),
        };
        self.scratch.reserve(batch.len(), entries, self.shape)?;
        self.scratch.batch.write(0, batch)?;
        Ok(entries)
    }

    /// A step, of lists or of rows one by one.
    fn learn(
        &mut self,
        rows: &Rows,
        batch: &[u32],
        lists: Lists<'_>,
        rate: f32,
    ) -> Result<(f64, f64), NoStep> {
        self.upload()?;
        let entries = self.lay_out(rows, batch)?;
        let (time, learned) = (self.state.time + 1, self.state.learned);
        self.scratch.outcome.write(0, &[Outcome { bad: NONE, learned, ..Outcome::default() }])?;
        let (corrected, root) = Adam::corrected(rate, time);
        let own = self.scratch.batch.address();
        let args = Args {
            batch: if self.are_all_there { own } else { 0 },
            rate,
            corrected,
            root,
            time: time as u32,
            rows: batch.len() as u32,
            ..self.args(&self.rows)
        };
        self.forward(args)?;
        let weight = match self.settings.loss {
            loss if loss.is_ranking() => self.rank_scores(loss, rows, batch, lists)?,
            _ => 0.0,
        };
        self.cost(args)?;
        let side = self.sort(args, entries)?;
        self.update(Args { side, ..args }, entries)?;
        let mut outcome = [Outcome::default()];
        self.scratch.outcome.read(&mut outcome)?;
        let [Outcome { loss, learned, bad, .. }] = outcome;
        if bad != NONE {
            return Err(NoStep::NotFinite(bad as usize));
        }
        (self.state.time, self.state.learned) = (time, learned);
        self.newer = Newer::Device;
        Ok((loss, weight))
    }

    fn forward(&self, args: Args) -> Result<()> {
        let tiles = (args.rows + 1).div_ceil(TILE);
        self.launch(Kernel::Lengths, (args.rows + 1).div_ceil(THREADS), &args)?;
        let offsets = Args { tiles, ..args };
        self.launch(Kernel::OffsetsInTiles, tiles, &offsets)?;
        self.launch(Kernel::OffsetsOfTiles, 1, &offsets)?;
        self.launch(Kernel::Offsets, tiles, &offsets)?;
        self.launch(Kernel::Forward, warps(args.rows), &args)
    }

    /// From scores, which are where slopes will be, to losses and slopes. Returns the weight of the rows that have some
    /// of their list below them.
    fn rank_scores(
        &mut self,
        loss: Loss,
        rows: &Rows,
        batch: &[u32],
        lists: Lists<'_>,
    ) -> Result<f64> {
        let (mut slopes, mut losses) = (vec![0.0; batch.len()], vec![0.0; batch.len()]);
        self.scratch.slopes.read(&mut slopes)?;
        let outcomes: Vec<_> = batch.iter().map(|&row| rows.label(row as usize)).collect();
        let weight = ranked::rank(loss, &outcomes, lists, (&mut slopes, &mut losses));
        self.scratch.slopes.write(0, &slopes)?;
        self.scratch.losses.write(0, &losses)?;
        Ok(weight)
    }

    fn cost(&self, args: Args) -> Result<()> {
        let args = Args { tiles: args.rows.div_ceil(TILE), ..args };
        self.launch(Kernel::Costs, args.tiles, &args)?;
        self.launch(Kernel::Cost, 1, &args)
    }

    /// Brings the entries into the order of their features. Returns on which side they are then.
    fn sort(&self, args: Args, entries: usize) -> Result<u32> {
        let tiles = (entries as u32).div_ceil(TILE);
        let length = tiles << DIGIT_BITS;
        let bits = u32::BITS - args.features.saturating_sub(1).leading_zeros();
        let passes = bits.div_ceil(DIGIT_BITS);
        for pass in 0..passes {
            let args = Args { side: pass % 2, shift: pass * DIGIT_BITS, tiles, length, ..args };
            self.launch(Kernel::Digits, tiles, &args)?;
            self.launch(Kernel::DigitsInTiles, length.div_ceil(TILE), &args)?;
            self.launch(Kernel::DigitsOfTiles, 1, &args)?;
            self.launch(Kernel::DigitsBefore, length.div_ceil(TILE), &args)?;
            self.launch(Kernel::Scatter, tiles, &args)?;
        }
        Ok(passes % 2)
    }

    fn update(&self, args: Args, entries: usize) -> Result<()> {
        let length = entries as u32;
        let args = Args { length, tiles: length.div_ceil(TILE), ..args };
        self.launch(Kernel::Heads, length.div_ceil(THREADS), &args)?;
        self.launch(Kernel::HeadsInTiles, args.tiles, &args)?;
        self.launch(Kernel::HeadsOfTiles, 1, &args)?;
        self.launch(Kernel::Pieces, length.div_ceil(THREADS), &args)?;
        let blocks = warps(length).min(self.device.blocks());
        self.launch(Kernel::Update, blocks, &args)?;
        self.launch(Kernel::Combine, blocks, &args)?;
        if self.settings.optimizer.is_dense() {
            self.launch(Kernel::Untouched, self.device.blocks(), &args)?;
        }
        let shared = self.shape.shared * self.shape.classes;
        let parts = self.shape.parts(args.rows as usize) as u32;
        let of_shared = Args { tiles: parts, ..args };
        let blocks = shared.div_ceil(WARP as usize) as u32 * parts;
        self.launch(Kernel::SharedGradients, blocks, &of_shared)?;
        let blocks = shared.div_ceil(THREADS as usize) as u32;
        self.launch(Kernel::SharedNumbers, blocks, &of_shared)?;
        let args = Args { tiles: args.rows.div_ceil(TILE), ..args };
        self.launch(Kernel::Biases, (self.shape.classes as u32).div_ceil(THREADS), &args)
    }

    fn launch(&self, kernel: Kernel, blocks: u32, args: &Args) -> Result<()> {
        // Of nothing there is nothing to do.
        if blocks == 0 {
            return Ok(());
        }
        // SAFETY: `args` has the addresses of buffers that this backend owns. They have room for the rows and entries
        // that `args` tells of (`Scratch::reserve`, `OnDevice`), and are only given back after the work that was given
        // before it.
        unsafe { self.device.launch(kernel, blocks, args) }
    }

    /// Passes over the training rows up to now.
    fn passes(&self) -> f32 {
        (self.state.learned as f64 / self.all.max(1) as f64) as f32
    }
}

/// Blocks in which there is a warp for each of so many.
fn warps(of: u32) -> u32 {
    of.div_ceil(THREADS / WARP)
}

impl<M: Interaction> Backend for Gpu<M> {
    /// Entries are numbered, and so are the digits of all tiles.
    fn most_entries(&self) -> usize {
        1 << 31
    }

    /// Rows that there is room for stay on the device over all steps.
    fn enter(&mut self, rows: &Rows) -> Result<()> {
        let more = self.rows.more_bytes(rows);
        self.are_all_there = more == 0 || more + memory::SPARE <= self.device.free_bytes()?;
        if self.are_all_there { self.rows.fill(rows, 0..rows.len()) } else { Ok(()) }
    }

    fn announce(&mut self, _batch: &[u32]) {}

    fn step(&mut self, rows: &Rows, batch: &[u32], rate: f32) -> Result<f64, NoStep> {
        self.learn(rows, batch, Lists::NONE, rate).map(|(loss, _)| loss)
    }

    fn rank(
        &mut self,
        rows: &Rows,
        batch: &[u32],
        lists: Lists<'_>,
        rate: f32,
    ) -> Result<(f64, f64), NoStep> {
        self.learn(rows, batch, lists, rate)
    }

    fn count(&mut self, more: &[u32]) {
        let counts = self.settings.counts.iter_mut();
        counts.zip(more).for_each(|(count, more)| *count = count.saturating_add(*more));
        self.all += more.iter().map(|&more| u64::from(more)).sum::<u64>();
        self.has_new_counts = true;
    }

    fn learn_strengths(&mut self, dispersion: f64) -> Result<()> {
        if !self.settings.learn_l2 {
            return Ok(());
        }
        self.upload()?;
        self.sync()?;
        let passes = self.passes();
        let Gpu { interaction, settings, state, threads, .. } = self;
        let learn = match state.factors.precision() {
            Precision::F32 => strengths::learn::<M, f32>,
            Precision::Bf16 => strengths::learn::<M, Bf16>,
        };
        learn(interaction, settings, state, threads, passes, dispersion);
        self.model.strengths.write(0, &self.state.strengths)
    }

    fn scores(&mut self, rows: &Rows) -> Result<Vec<f32>> {
        self.upload()?;
        let (classes, shape) = (self.shape.classes, self.shape);
        let mut scores = vec![0.0; rows.len() * classes];
        // Some rows at a time: with their sums they take about as much as a batch.
        let each = classes * shape.sums() + rows.entries() / rows.len().max(1);
        let some = (SCORED / each.max(1)).max(1);
        for (piece, scores) in scores.chunks_mut(some * classes).enumerate() {
            let (first, count) = (piece * some, scores.len() / classes);
            self.others.fill(rows, first..first + count)?;
            self.scratch.slopes.reserve(scores.len())?;
            self.scratch.sums.reserve(scores.len() * shape.sums())?;
            let args = Args { rows: count as u32, ..self.args(&self.others) };
            self.launch(Kernel::Scores, warps(args.rows), &args)?;
            self.scratch.slopes.read(scores)?;
        }
        Ok(scores)
    }

    fn sync(&mut self) -> Result<()> {
        if self.newer != Newer::Device {
            return Ok(());
        }
        self.model.linear.read(self.state.linear.floats_mut())?;
        self.model.factors.read(self.state.factors.raw_mut())?;
        self.model.bias.read(&mut self.state.bias)?;
        self.model.shared.read(&mut self.state.shared)?;
        self.newer = Newer::Neither;
        Ok(())
    }

    fn state(&self) -> &State {
        &self.state
    }

    fn state_mut(&mut self) -> &mut State {
        debug_assert!(
            self.newer != Newer::Device,
            "what is on the device would be lost: sync first"
        );
        self.newer = Newer::Host;
        &mut self.state
    }
}
