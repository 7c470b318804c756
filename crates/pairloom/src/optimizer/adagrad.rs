//! AdaGrad (Duchi, Hazan, Singer 2011, the diagonal form): `G += g^2; p -= rate * g / sqrt(1 + G)`.
//!
//! The 1 is the start of the sum in the field-aware machines of Juan, Zhuang, Chin and Lin (2016):
//! beside it the first gradients of a rare feature are small, and so are its first steps.

use super::{Moment, Update};

/// AdaGrad with one sum of squared gradients per parameter. The state holds the sum without the 1.
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
            *p -= now.rate * g / (1.0 + *sum).sqrt();
        }
    }
}
