//! AdaGrad (Duchi, Hazan, Singer 2011, the diagonal form): `G += g^2; p -= rate * g / sqrt(G)`.

use super::{Moment, Update};

/// Keeps 0 / sqrt(0) at 0. Small beside any gradient that matters.
const EPSILON: f32 = 1e-8;

/// AdaGrad with one sum of squared gradients per parameter, starting at 0.
#[derive(Debug, Clone, Copy)]
pub struct AdaGrad;

impl Update for AdaGrad {
    fn states(&self) -> usize {
        1
    }

    #[inline]
    fn step(&self, now: Moment, parameters: &mut [f32], state: &mut [f32], gradient: &[f32]) {
        for ((p, sum), g) in parameters.iter_mut().zip(state).zip(gradient) {
            *sum += g * g;
            *p -= now.rate * g / (sum.sqrt() + EPSILON);
        }
    }
}
