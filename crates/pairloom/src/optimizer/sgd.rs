//! Stochastic gradient descent: `p -= rate * g`.

use super::{Moment, Update};

/// Plain stochastic gradient descent.
#[derive(Debug, Clone, Copy)]
pub struct Sgd;

impl Update for Sgd {
    fn states(&self) -> usize {
        0
    }

    #[inline(always)]
    fn step(&self, now: Moment, parameters: &mut [f32], _state: &mut [f32], gradient: &[f32]) {
        for (p, g) in parameters.iter_mut().zip(gradient) {
            *p -= now.rate * g;
        }
    }
}
