//! Where the arithmetic runs. A backend owns the table while training; [`crate::fit`] uses
//! nothing but the methods of [`Backend`], so a second backend needs nothing else.

mod cpu;
#[allow(unsafe_code)]
mod cuda;
mod ranked;
mod strengths;

pub use cpu::Cpu;
pub(crate) use cpu::{
    ENTRY_BYTES, Halves, Magnitude, Parameters, halve_rows, score_rows, score_single,
};
pub use cuda::{Found, LEAST_CAPABILITY, LargestBatch, compiler, devices, open as open_cuda};
pub(crate) use cuda::{check as check_cuda, scorer};

use crate::batch::Rows;
use crate::config::Config;
use crate::encode::Target;
use crate::interaction::{Fields, Interaction};
use crate::loss::Loss;
use crate::model::Weights;
use crate::optimizer::{Optimizer, Penalty};
use crate::store::{Bring, Order};
use crate::table::Table;
use crate::{Error, Result};
use std::ops::Range;

/// What training runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceName {
    /// The processor.
    #[default]
    Cpu,
    /// NVIDIA's GPUs, those that share the work.
    Cuda,
    /// The GPU, if there is one and the work is large enough; else the processor.
    Auto,
}

impl DeviceName {
    /// All of them, for help texts and tests.
    pub const ALL: [DeviceName; 3] = [DeviceName::Cpu, DeviceName::Cuda, DeviceName::Auto];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            DeviceName::Cpu => "cpu",
            DeviceName::Cuda => "cuda",
            DeviceName::Auto => "auto",
        }
    }
}

/// What a training step needs to know beside the rows.
#[derive(Debug, Clone)]
pub struct StepSettings {
    /// The loss.
    pub loss: Loss,
    /// Scale of the labels.
    pub target: Target,
    /// The update rule.
    pub optimizer: Optimizer,
    /// What it keeps of earlier gradients, where a gradient comes in every step.
    pub momentum: f32,
    /// Whether linear weights are learned.
    pub linear: bool,
    /// The penalty of linear weights: see [`crate::Config::l2_linear`].
    pub penalty_linear: Penalty,
    /// The penalty of factors.
    pub penalty_factors: Penalty,
    /// Whether the L2 strengths of each field are learned.
    pub learn_l2: bool,
    /// How many training rows carry each feature.
    pub counts: Vec<u32>,
    /// Whether the bias is learned.
    pub bias: bool,
}

impl StepSettings {
    /// Those of settings in which nothing is left to the data, for a target, with the number of training
    /// rows that carry each feature.
    pub fn new(config: &Config, target: Target, counts: Vec<u32>) -> Self {
        let penalty = |l1: f64, l2: f64| Penalty { l1: l1 as f32, l2: l2 as f32 };
        StepSettings {
            loss: config.resolved_loss(),
            target,
            optimizer: config.optimizer,
            momentum: config.momentum.unwrap_or(0.0) as f32,
            linear: config.linear,
            penalty_linear: penalty(config.l1_linear, config.l2_linear),
            penalty_factors: penalty(config.l1_factors, config.l2_factors.unwrap_or(0.0)),
            learn_l2: config.learn_l2 && config.optimizer == Optimizer::Adagrad,
            counts,
            // It moves all scores alike, which changes no order.
            bias: config.bias && !config.resolved_loss().is_ranking(),
        }
    }

    /// Adds to how many training rows carry each feature; returns whether there are features that none had before.
    fn count(&mut self, more: &[u32]) -> bool {
        let mut has_new = false;
        for (count, &more) in self.counts.iter_mut().zip(more) {
            has_new |= *count == 0 && more > 0;
            *count = count.saturating_add(more);
        }
        has_new
    }

    /// Floats of the optimizer's state for each parameter.
    pub fn states(&self) -> usize {
        self.optimizer.states_with(self.momentum > 0.0)
    }
}

/// Everything that training changes.
#[derive(Debug)]
pub struct State {
    /// Linear weights and their optimizer state.
    pub linear: Table,
    /// Factors and their optimizer state.
    pub factors: Table,
    /// The bias of each class, and then their optimizer state.
    pub bias: Vec<f32>,
    /// What belongs to no feature, of one class after the other, and then the optimizer state of all.
    pub shared: Vec<f32>,
    /// Where the features of each field begin.
    pub fields: Fields,
    /// L2 strengths of each field, for each class: of its linear weights, then of each of the vectors that
    /// its features have.
    pub strengths: Vec<f32>,
    /// How many classes have a machine of their own; 1 where there is one score.
    pub classes: usize,
    /// Steps taken.
    pub time: u64,
    /// Features of the rows learned from, each as often as it came.
    pub learned: u64,
}

impl State {
    /// Weights with fresh state of the optimizer.
    ///
    /// # Errors
    /// [`Error::Memory`] if it does not fit.
    fn new<M: Interaction>(
        interaction: &M,
        weights: &Weights,
        settings: &StepSettings,
    ) -> Result<Self> {
        let (states, classes) = (settings.states(), weights.bias.len().max(1));
        let dense = |numbers: &[f32]| {
            let mut dense = numbers.to_vec();
            dense.resize(numbers.len() * (1 + states), 0.0);
            dense
        };
        Ok(State {
            linear: weights.linear.with_states(states)?,
            factors: weights.factors.with_states(states)?,
            bias: dense(&weights.bias),
            shared: dense(&weights.shared),
            fields: weights.fields.clone(),
            strengths: strengths::first(interaction, settings, &weights.fields, classes),
            classes,
            time: 0,
            learned: 0,
        })
    }

    /// The biases, and what belongs to no feature, without the optimizer's state.
    pub(crate) fn dense(&self) -> (&[f32], &[f32]) {
        // Each has as many numbers of state.
        let times = self.bias.len() / self.classes;
        (&self.bias[..self.classes], &self.shared[..self.shared.len() / times])
    }
}

/// Which rows of a batch are ranked among each other.
#[derive(Debug, Clone, Copy)]
pub struct Lists<'a> {
    /// Where each list ends in the batch.
    pub ends: &'a [u32],
    /// How many rows each of them stands for: more than 1, if they were drawn from more.
    pub each: f64,
}

impl Lists<'_> {
    /// None: rows by themselves.
    pub const NONE: Lists<'static> = Lists { ends: &[], each: 1.0 };
}

/// A copy of the parameters as they were, without the optimizer's state.
pub enum Snapshot {
    /// On the host.
    Here(Weights),
    /// On devices, until it is wanted.
    There(Box<dyn Copied>),
}

/// Weights that lie on devices.
pub trait Copied: Send {
    /// A copy of them on the host.
    ///
    /// # Errors
    /// [`Error::Memory`] if it does not fit, and those of a device.
    fn weights(&self) -> Result<Weights>;
}

impl Snapshot {
    /// The parameters.
    ///
    /// # Errors
    /// As for [`Copied::weights`].
    pub fn into_weights(self) -> Result<Weights> {
        match self {
            Snapshot::Here(weights) => Ok(weights),
            Snapshot::There(copied) => copied.weights(),
        }
    }
}

/// What steps have brought: the sum of the weighted losses before them, and the weight of the rows whose losses they are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Learned {
    /// The sum of the losses.
    pub loss: f64,
    /// The sum of the weights.
    pub weight: f64,
}

impl std::ops::AddAssign for Learned {
    fn add_assign(&mut self, other: Learned) {
        self.loss += other.loss;
        self.weight += other.weight;
    }
}

/// Some places of an order of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Places {
    pub(crate) order: Order,
    pub(crate) range: Range<usize>,
}

impl Places {
    /// The numbers of the rows there.
    fn numbers(&self) -> Vec<u32> {
        let mut numbers = Vec::new();
        self.order.fill(self.range.clone(), &mut numbers);
        numbers
    }

    /// The number of the row at one of them.
    fn number(&self, at: usize) -> u32 {
        self.order.number(self.range.start + at)
    }
}

/// Why a step was not taken. Nothing is changed then.
#[derive(Debug, thiserror::Error)]
pub enum NoStep {
    /// The loss of a row is not finite: that of the first one in its batch, by its number in the set of rows.
    #[error("the loss of row {0} is not finite")]
    NotFinite(usize),
    /// The device has failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl NoStep {
    /// The same with another number for the row.
    pub(crate) fn at(self, number: impl FnOnce(usize) -> u32) -> Self {
        match self {
            NoStep::NotFinite(at) => NoStep::NotFinite(number(at) as usize),
            failed => failed,
        }
    }
}

/// A model in training.
pub trait Backend: Send {
    /// How many entries the rows of a batch may have in all.
    fn most_entries(&self) -> usize;

    /// Hears which rows the coming steps are over, whenever they are others than before.
    ///
    /// # Errors
    /// Those of a device that they are copied to.
    fn enter(&mut self, _rows: &Rows) -> Result<()> {
        Ok(())
    }

    /// What brings the rows that are to be entered after others, for a walk over sets of rows; none where rows are read
    /// where they are.
    ///
    /// # Errors
    /// Those of a device.
    fn ahead(&mut self) -> Result<Option<Bring>> {
        Ok(None)
    }

    /// The same as [`Backend::enter`] for rows that were [brought](Backend::ahead), if they were.
    ///
    /// # Errors
    /// Those of a device.
    fn enter_brought(&mut self, rows: &Rows) -> Result<()> {
        self.enter(rows)
    }

    /// Names the rows of the step after the coming one, in the same set of rows: they can be prepared
    /// meanwhile.
    fn announce(&mut self, batch: &[u32]);

    /// The same for rows that stand at some places of an order.
    fn announce_at(&mut self, _places: Places) {}

    /// Whether a step has to be told the numbers of its rows; if not, [`Backend::step_at`] may be.
    fn needs_numbers(&self) -> bool {
        true
    }

    /// The same as [`Backend::step`] over the rows that stand at some places of an order.
    ///
    /// # Errors
    /// As for [`Backend::step`].
    fn step_at(&mut self, rows: &Rows, places: Places, rate: f32) -> Result<Learned, NoStep> {
        self.step(rows, &places.numbers(), rate)
    }

    /// Takes one step over those of the rows that were [entered](Backend::enter) which `batch` names, at learning rate
    /// `rate`. Returns what the steps have brought that are known to be done: a device may still be at this one when the
    /// next is given to it.
    ///
    /// # Errors
    /// [`NoStep`], of a step whose outcome was not told before: none after it was taken.
    fn step(&mut self, rows: &Rows, batch: &[u32], rate: f32) -> Result<Learned, NoStep>;

    /// The same under a loss of lists; the weight is that of the rows that have some of their list below them.
    ///
    /// # Errors
    /// As for [`Backend::step`].
    fn step_lists(
        &mut self,
        rows: &Rows,
        batch: &[u32],
        lists: Lists<'_>,
        rate: f32,
    ) -> Result<Learned, NoStep>;

    /// Waits for all steps. Returns what those have brought that was not told before.
    ///
    /// # Errors
    /// As for [`Backend::step`].
    fn finish(&mut self) -> Result<Learned, NoStep> {
        Ok(Learned::default())
    }

    /// Adds to how many training rows carry each feature; returns whether there are features that none had before.
    fn count(&mut self, more: &[u32]) -> bool;

    /// Learns the L2 strengths from what an epoch has made of the weights, if that is wanted.
    /// `dispersion` is the variance of a label beside its prediction, over what the loss takes it to be.
    ///
    /// # Errors
    /// Those of a device.
    fn learn_strengths(&mut self, dispersion: f64) -> Result<()>;

    /// Scores of rows, bias included; of each row those of all classes.
    ///
    /// # Errors
    /// Those of a device.
    fn scores(&mut self, rows: &Rows) -> Result<Vec<f32>>;

    /// Takes rows that will be scored again and again, in place of those before: a device may keep them.
    ///
    /// # Errors
    /// Those of a device.
    fn hold(&mut self, _rows: &Rows) -> Result<()> {
        Ok(())
    }

    /// Scores of the rows that are [held](Backend::hold), which are given once more.
    ///
    /// # Errors
    /// Those of a device.
    fn scores_held(&mut self, rows: &Rows) -> Result<Vec<f32>> {
        self.scores(rows)
    }

    /// Brings everything that training has changed to where [`Backend::state`] shows it.
    ///
    /// # Errors
    /// Those of a device.
    fn sync(&mut self) -> Result<()> {
        Ok(())
    }

    /// Everything that training changes, to be read: as of the last [`Backend::sync`], but for the numbers of steps and
    /// of features learned from, which are as they are.
    fn state(&self) -> &State;

    /// The same, to be put back as it was at another time: the sizes stay.
    fn state_mut(&mut self) -> &mut State;

    /// A copy of the parameters without the optimizer's state.
    ///
    /// # Errors
    /// [`Error::Memory`] if the copy does not fit, and those of a device.
    fn weights(&mut self) -> Result<Weights> {
        self.sync()?;
        let state = self.state();
        let (linear, factors) = (state.linear.with_states(0)?, state.factors.with_states(0)?);
        let (bias, shared) = state.dense();
        let (bias, shared, fields) = (bias.to_vec(), shared.to_vec(), state.fields.clone());
        Ok(Weights { bias, linear, factors, shared, fields })
    }

    /// The same, which a device may leave where they are until they are wanted.
    ///
    /// # Errors
    /// As for [`Backend::weights`].
    fn snapshot(&mut self) -> Result<Snapshot> {
        Ok(Snapshot::Here(self.weights()?))
    }

    /// Whether every parameter and every state is finite.
    ///
    /// # Errors
    /// Those of a device.
    fn is_finite(&mut self) -> Result<bool> {
        self.sync()?;
        let State { linear, factors, bias, shared, .. } = self.state();
        let mut rest = bias.iter().chain(shared);
        Ok(linear.is_finite() && factors.is_finite() && rest.all(|x| x.is_finite()))
    }
}
