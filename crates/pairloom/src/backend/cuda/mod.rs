//! The backend on GPUs: the step of [`super::cpu`], with the same meaning.
//!
//! # One training step
//! 0. `numbers`, `lengths`, `offsets`: which rows are in the batch, by their places in an order, and where the entries of
//!    each begin. It is done for the batch that is announced before the step before it is taken, so that the host knows how
//!    many entries there are when it comes to it.
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
//! What a step has cost is asked for when the next was given to the device, which so is never idle, but where rows have no
//! room there and are brought batch by batch, and for losses of lists.
//!
//! # Beside the steps
//! Rows lie on the device while steps are taken over them; the next window of rows on disk is copied there meanwhile, by
//! another thread and on a stream of its own ([`windows`]). Rows that are measured after each epoch stay there too
//! ([`scores`]), and so does the table: `known`, `are_finite` and `snapshot` look through it between epochs ([`epoch`]).
//!
//! # Several GPUs
//! Each is a rank of as many ([`rank`]). Features are split among them, and so the table; rows are too, and each has an
//! equal part of a batch. What a rank needs of the rows and the table of another, it reads there (peers see each other's
//! memory). 4. keeps what a rank has summed of each feature;
//! when all ranks have come there, `merge` on the rank of a feature adds up what all have of it, in their order, and
//! moves it. What belongs to no feature is on all ranks, and moved on all by the same sum.

mod buffers;
mod device;
mod driver;
mod epoch;
mod found;
mod kernels;
mod memory;
mod open;
mod rank;
mod rows;
mod scores;
mod step;
#[cfg(test)]
mod tests;
mod windows;

use super::{Backend, Learned, Lists, NoStep, Places, Snapshot, State, StepSettings};
use crate::Result;
use crate::batch::Rows;
use crate::encode::Target;
use crate::interaction::{Interaction, Kind};
use crate::loss::Loss;
use crate::model::Weights;
use crate::optimizer::Optimizer;
use crate::store::Bring;
use device::Device;
pub(crate) use found::check;
pub use found::{Found, LEAST_CAPABILITY, compiler, devices};
use kernels::{Args, Outcome, Shape};
pub use open::open;
pub(crate) use open::scorer;
use rank::{Rank, read_share, share};
use std::sync::{Arc, Mutex};
use step::{LaidOut, Pending, Which};
use windows::Ahead;

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

impl LargestBatch {
    /// The part of one of so many ranks, which are not quite alike.
    fn of_rank(self, ranks: usize) -> Self {
        let part = |all: usize| if ranks > 1 { (all + all / 4).div_ceil(ranks) } else { all };
        LargestBatch { rows: part(self.rows), entries: part(self.entries) }
    }
}

/// A model in training on one GPU or several.
struct Gpu<M> {
    interaction: M,
    settings: StepSettings,
    /// Time and counts as they are, all else as of the last [`Backend::sync`].
    state: State,
    /// Features of all training rows, each as often as it comes.
    all: u64,
    shape: Shape,
    ranks: Vec<Rank>,
    /// Whether the rows that steps are taken over lie on the devices.
    are_all_there: bool,
    /// Rows that come after these, once they are brought while steps are taken.
    ahead: Option<Arc<Mutex<Ahead>>>,
    /// Whether the devices keep rows that are scored again and again.
    holds: bool,
    /// The batch of the next step, which the devices look up before they are at this one; what it will be is announced;
    /// and where the last one was written down.
    laid_out: Option<LaidOut>,
    announced: Option<Which<'static>>,
    side: usize,
    /// The step whose outcome was not asked for.
    pending: Option<Pending>,
    newer: Newer,
    /// Whether the numbers of rows that carry features were changed.
    has_new_counts: bool,
}

/// Where weights were changed that are not the same on the devices and in [`Gpu::state`].
#[derive(Clone, Copy, Debug, PartialEq)]
enum Newer {
    /// They are the same.
    Neither,
    /// In the state.
    Host,
    /// On the devices.
    Device,
}

impl<M: Interaction> Gpu<M> {
    /// Starts from `weights`, with fresh optimizer state; batches are of so many rows with so many entries at the most.
    /// `open` gives the devices that share the work, with the kernels for a shape and as many ranks.
    ///
    /// # Errors
    /// Those of the devices, and [`Error::Memory`](crate::Error::Memory) if the state does not fit, or if a device has no
    /// room for its part of the model and of a batch.
    fn new(
        interaction: M,
        Model { of: model, order, lower_orders, rank }: Model,
        weights: &Weights,
        settings: StepSettings,
        most: LargestBatch,
        open: impl FnOnce(Shape) -> Result<Vec<Arc<dyn Device>>>,
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
            ranks: 1,
            features: settings.counts.len(),
            is_dense: settings.optimizer.is_dense(),
        };
        let devices = open(shape)?;
        let shape = Shape { ranks: devices.len(), ..shape };
        let own = most.of_rank(shape.ranks);
        let mut ranks = Vec::with_capacity(devices.len());
        for device in devices {
            memory::check(&*device, shape, (&state, &settings), most)?;
            let mut rank = Rank::new(device, shape);
            rank.model.reserve(&state, &settings, shape.ranks)?;
            rank.model.fields.write(0, state.fields.starts())?;
            if settings.learn_l2 {
                let parts =
                    epoch::own_parts(&epoch::parts(&state, shape.ranks), ranks.len(), shape.ranks);
                rank.model.parts.write(0, &parts)?;
            }
            rank.model.touched.clear()?;
            rank.scratch.reserve(own.rows, own.entries, shape)?;
            if most.rows > 0 {
                // Batches may have to be brought when all other room is taken.
                rank.others.reserve(own.rows, own.entries, [true; 2])?;
            }
            ranks.push(rank);
        }
        Ok(Gpu {
            interaction,
            settings,
            state,
            all,
            shape,
            ranks,
            are_all_there: false,
            laid_out: None,
            announced: None,
            side: 0,
            ahead: None,
            holds: false,
            pending: None,
            newer: Newer::Host,
            has_new_counts: true,
        })
    }

    /// Brings what was changed on the host to the devices.
    fn upload(&mut self) -> Result<()> {
        if !self.has_new_counts && self.newer != Newer::Host {
            return Ok(());
        }
        let [linear, factors] = self.each();
        let (state, count, all) = (&self.state, &self.settings.counts, self.shape.ranks);
        for (at, Rank { model, scratch, .. }) in self.ranks.iter_mut().enumerate() {
            if self.has_new_counts {
                model.count.write(0, &share(count, 1, at, all))?;
            }
            if self.newer != Newer::Host {
                continue;
            }
            model.linear.write(0, &share(state.linear.floats(), linear, at, all))?;
            model.factors.write(0, &share(state.factors.raw(), factors, at, all))?;
            model.bias.write(0, &state.bias)?;
            model.shared.write(0, &state.shared)?;
            model.strengths.write(0, &state.strengths)?;
            scratch.outcome.write(0, &[Outcome::NOTHING; 2])?;
        }
        self.has_new_counts = false;
        if self.newer == Newer::Host {
            self.newer = Newer::Neither;
        }
        self.meet()
    }

    /// Floats of linear weights, and bytes of factors, that a feature has with its state, for all classes.
    fn each(&self) -> [usize; 2] {
        let State { linear, factors, classes, .. } = &self.state;
        let features = linear.features() / classes;
        let each = |all: usize| all.checked_div(features).unwrap_or(0);
        [each(linear.floats().len()), each(factors.raw().len())]
    }

    /// Work that is given to a rank after it begins when all ranks have done what they were given before.
    fn meet(&self) -> Result<()> {
        let devices: Vec<&dyn Device> = self.ranks.iter().map(|rank| &*rank.device).collect();
        device::meet(&devices)
    }

    /// What the kernels of all ranks are given.
    fn args(&self, time: u64) -> Args {
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
        let StepSettings { penalty_linear, penalty_factors, linear, bias, counts, .. } =
            &self.settings;
        Args {
            ranks: rank::seen(&self.ranks, time),
            learned: self.state.learned,
            mean,
            scale,
            number,
            momentum: self.settings.momentum,
            l1_linear: penalty_linear.l1,
            l2_linear: penalty_linear.l2,
            l1_factors: penalty_factors.l1,
            l2_factors: penalty_factors.l2,
            all: 1.0 / self.all.max(1) as f32,
            features: counts.len() as u32,
            time: time as u32,
            loss,
            optimizer,
            learns_linear: u32::from(*linear),
            learns_bias: u32::from(*bias),
            ..Args::default()
        }
    }

    /// Passes over the training rows up to now.
    fn passes(&self) -> f32 {
        (self.state.learned as f64 / self.all.max(1) as f64) as f32
    }
}

impl<M: Interaction> Backend for Gpu<M> {
    /// Entries are numbered, and so are the digits of all tiles.
    fn most_entries(&self) -> usize {
        1 << 31
    }

    fn ahead(&mut self) -> Result<Option<Bring>> {
        self.bring_ahead().map(Some)
    }

    fn enter(&mut self, rows: &Rows) -> Result<()> {
        self.take_rows(rows)
    }

    fn enter_brought(&mut self, rows: &Rows) -> Result<()> {
        self.take_brought(rows)
    }

    /// It is to be told the numbers of rows if it has not got them, or if losses are made of lists of them.
    fn needs_numbers(&self) -> bool {
        !self.are_all_there || self.settings.loss.is_ranking()
    }

    fn announce(&mut self, batch: &[u32]) {
        self.announced = (!batch.is_empty()).then(|| Which::Listed(batch.to_vec().into()));
    }

    fn announce_at(&mut self, places: Places) {
        self.announced = Some(Which::Places(places));
    }

    fn step(&mut self, rows: &Rows, batch: &[u32], rate: f32) -> Result<Learned, NoStep> {
        self.learn(rows, Which::Listed(batch.into()), Lists::NONE, rate)
    }

    fn step_at(&mut self, rows: &Rows, places: Places, rate: f32) -> Result<Learned, NoStep> {
        let which = match self.needs_numbers() {
            true => Which::Listed(places.numbers().into()),
            false => Which::Places(places),
        };
        self.learn(rows, which, Lists::NONE, rate)
    }

    fn step_lists(
        &mut self,
        rows: &Rows,
        batch: &[u32],
        lists: Lists<'_>,
        rate: f32,
    ) -> Result<Learned, NoStep> {
        self.learn(rows, Which::Listed(batch.into()), lists, rate)
    }

    fn finish(&mut self) -> Result<Learned, NoStep> {
        self.announced = None;
        self.forget_laid_out()?;
        self.pending.take().map_or(Ok(Learned::default()), |pending| self.settle(pending))
    }

    fn count(&mut self, more: &[u32]) -> bool {
        self.all += more.iter().map(|&more| u64::from(more)).sum::<u64>();
        self.has_new_counts = true;
        self.settings.count(more)
    }

    fn learn_strengths(&mut self, dispersion: f64) -> Result<()> {
        if self.settings.learn_l2 { self.learn_from_known(dispersion) } else { Ok(()) }
    }

    fn snapshot(&mut self) -> Result<Snapshot> {
        self.copy()
    }

    fn is_finite(&mut self) -> Result<bool> {
        self.are_tables_finite()
    }

    fn scores(&mut self, rows: &Rows) -> Result<Vec<f32>> {
        self.score(rows)
    }

    fn hold(&mut self, rows: &Rows) -> Result<()> {
        self.take_held(rows)
    }

    fn scores_held(&mut self, rows: &Rows) -> Result<Vec<f32>> {
        if self.holds { self.score_held(rows) } else { self.score(rows) }
    }

    fn sync(&mut self) -> Result<()> {
        if self.newer != Newer::Device {
            return Ok(());
        }
        let ([linear, factors], all) = (self.each(), self.shape.ranks);
        let state = &mut self.state;
        for (at, Rank { model, .. }) in self.ranks.iter().enumerate() {
            read_share(&model.linear, state.linear.floats_mut(), linear, at, all)?;
            read_share(&model.factors, state.factors.raw_mut(), factors, at, all)?;
        }
        // What belongs to no feature is the same on all.
        let Rank { model, .. } = &self.ranks[0];
        model.bias.read(&mut state.bias)?;
        model.shared.read(&mut state.shared)?;
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
