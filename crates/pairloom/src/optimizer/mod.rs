//! Optimizers: one update of one vector, given its summed gradient.
//!
//! An optimizer owns no memory: its state lies beside the parameters in the table
//! ([`crate::table`]). Per step a feature is updated once, however many of the batch's rows carry
//! it, with the *sum* of their gradients.
//!
//! # Rows that a batch does not touch
//! SGD, AdaGrad and `adam` leave the vectors of absent features as they are, so that a step costs
//! as much as the batch is long. For SGD and AdaGrad this is exact: a zero gradient moves nothing.
//! Adam as published would go on moving them: a zero gradient decays the moments and the
//! remaining first moment still shifts the weight. `adam` here is the lazy form (PyTorch's
//! `SparseAdam`): moments of an absent feature wait for its next occurrence, while the bias
//! correction counts all steps. `adam-dense` is the published form: each step updates
//! the whole table, which costs O(table) instead of O(batch). FTRL-Proximal leaves absent
//! features as they are too, which for it is exact.

mod adagrad;
mod adam;
mod ftrl;
mod sgd;

pub use adagrad::AdaGrad;
pub use adam::Adam;
pub use ftrl::Ftrl;
pub use sgd::Sgd;

use serde::{Deserialize, Serialize};

/// Floats of a vector register: loops over so many compile to one instruction each.
const LANES: usize = 8;

/// What a step needs to know beside the vectors.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The learning rate.
    pub rate: f32,
    /// Steps taken, this one included: 1 at the first.
    pub time: u64,
    /// What [`AdaGrad`] keeps of the gradients of earlier steps; 0 keeps nothing, and then it has no state
    /// for them.
    pub momentum: f32,
    /// What the parameters pay for their size up to now; only optimizers that
    /// [take penalties](Optimizer::takes_penalties) over look at it.
    pub penalty: Penalty,
}

/// `l1 |w| + l2/2 w^2`, added to the sum of the losses for each parameter `w`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Penalty {
    /// The strength of what makes weights 0.
    pub l1: f32,
    /// The strength of what makes them small.
    pub l2: f32,
}

impl Penalty {
    /// So many of them.
    #[inline(always)]
    pub fn times(self, many: f32) -> Self {
        Penalty { l1: self.l1 * many, l2: self.l2 * many }
    }
}

/// The momentum of a vector that has a gradient in so many of the steps, at most 1 of them: what it keeps from
/// one gradient to the next is what `momentum` leaves of it in the steps between. What is rare has none: its
/// gradient of long ago says less than that of now, and it would be moved by both at once.
#[inline(always)]
pub fn faded(momentum: f32, steps: f32) -> f32 {
    momentum.powf(1.0 / steps.clamp(f32::MIN_POSITIVE, 1.0))
}

/// An update rule.
pub trait Update {
    /// Floats of state for each parameter, all 0 before the first step. With momentum there is one more, the last.
    fn states(&self) -> usize;

    /// Moves `parameters` against `gradient`. `state` holds [`Update::states`] runs of
    /// `parameters.len()` floats, and one more for a momentum.
    fn step(&self, now: Moment, parameters: &mut [f32], state: &mut [f32], gradient: &[f32]);
}

/// The optimizers by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd,
    /// AdaGrad: a rate per parameter that falls with its past gradients.
    Adagrad,
    /// Adam, updating only the features of the batch.
    Adam,
    /// Adam as published, updating the whole table at each step.
    AdamDense,
    /// FTRL-Proximal: AdaGrad's rates, and weights that an L1 penalty makes exactly 0.
    Ftrl,
}

impl Optimizer {
    /// All optimizers, for help texts and tests.
    pub const ALL: [Optimizer; 5] = [
        Optimizer::Sgd,
        Optimizer::Adagrad,
        Optimizer::Adam,
        Optimizer::AdamDense,
        Optimizer::Ftrl,
    ];

    /// The name in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Optimizer::Sgd => "sgd",
            Optimizer::Adagrad => "adagrad",
            Optimizer::Adam => "adam",
            Optimizer::AdamDense => "adam-dense",
            Optimizer::Ftrl => "ftrl",
        }
    }

    /// Floats of state for each parameter: a momentum takes one more.
    pub fn states_with(self, momentum: bool) -> usize {
        self.states() + usize::from(momentum)
    }

    /// Whether each step updates the whole table.
    pub fn is_dense(self) -> bool {
        self == Optimizer::AdamDense
    }

    /// Whether its steps take the penalties over, which otherwise are part of the gradient.
    pub fn takes_penalties(self) -> bool {
        self == Optimizer::Ftrl
    }
}

impl Update for Optimizer {
    fn states(&self) -> usize {
        match self {
            Optimizer::Sgd => Sgd.states(),
            Optimizer::Adagrad => AdaGrad.states(),
            Optimizer::Adam | Optimizer::AdamDense => Adam.states(),
            Optimizer::Ftrl => Ftrl.states(),
        }
    }

    #[inline(always)]
    fn step(&self, now: Moment, parameters: &mut [f32], state: &mut [f32], gradient: &[f32]) {
        match self {
            Optimizer::Sgd => Sgd.step(now, parameters, state, gradient),
            Optimizer::Adagrad => AdaGrad.step(now, parameters, state, gradient),
            Optimizer::Adam | Optimizer::AdamDense => Adam.step(now, parameters, state, gradient),
            Optimizer::Ftrl => Ftrl.step(now, parameters, state, gradient),
        }
    }
}
