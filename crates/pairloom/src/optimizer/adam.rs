//! Adam (Kingma, Ba 2015, algorithm 1), with their beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8.

use super::{Moment, Update};

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Adam with two moments per parameter.
#[derive(Debug, Clone, Copy)]
pub struct Adam;

impl Update for Adam {
    fn states(&self) -> usize {
        2
    }

    #[inline(always)]
    fn step(&self, now: Moment, parameters: &mut [f32], state: &mut [f32], gradient: &[f32]) {
        let (rate, root) = Adam::corrected(now.rate, now.time);
        let (first, second) = state.split_at_mut(parameters.len());
        let second = &mut second[..parameters.len()];
        for (((p, m), s), g) in parameters.iter_mut().zip(first).zip(second).zip(gradient) {
            *m = BETA1 * *m + (1.0 - BETA1) * g;
            *s = BETA2 * *s + (1.0 - BETA2) * g * g;
            *p -= rate * *m / (s.sqrt() * root + EPSILON);
        }
    }
}

impl Adam {
    /// The rate over `1 - beta1^t`, and `1 / sqrt(1 - beta2^t)`: the bias corrections, in f64 since
    /// `beta2^t` is close to 1 for the first steps.
    pub(crate) fn corrected(rate: f32, time: u64) -> (f32, f32) {
        let time = time.min(i32::MAX as u64) as i32;
        let first = 1.0 - f64::from(BETA1).powi(time);
        let second = 1.0 - f64::from(BETA2).powi(time);
        ((f64::from(rate) / first) as f32, (1.0 / second.sqrt()) as f32)
    }
}
