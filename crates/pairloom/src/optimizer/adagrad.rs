//! AdaGrad (Duchi, Hazan, Singer 2011, the diagonal form): `G += g^2; p -= rate * g / sqrt(1 + G)`.
//!
//! The 1 is the start of the sum in the field-aware machines of Juan, Zhuang, Chin and Lin (2016):
//! beside it the first gradients of a rare feature are small, and so are its first steps.
//!
//! With momentum `b` it steps along `u` for `g`, where `m = b m + (1 - b) g` and `u = b m + (1 - b) g` (the form of
//! Nesterov's that Dozat 2016 has, without its bias correction): what many small batches would have
//! done one after the other, few large ones do by what they have in common.

use super::{LANES, Moment, Update};

/// AdaGrad with one sum of squared gradients per parameter. The state holds the sum without the 1, and then the mean
/// `m` of a momentum.
#[derive(Debug, Clone, Copy)]
pub struct AdaGrad;

impl Update for AdaGrad {
    fn states(&self) -> usize {
        1
    }

    #[inline(always)]
    fn step(&self, now: Moment, parameters: &mut [f32], state: &mut [f32], gradient: &[f32]) {
        let length = parameters.len();
        let (sums, means) = state.split_at_mut(length);
        if now.momentum > 0.0 {
            let state = sums.iter_mut().zip(means);
            for ((p, (s, m)), &g) in parameters.iter_mut().zip(state).zip(gradient) {
                step_with_mean(now, p, s, m, g);
            }
            return;
        }
        let (p8, p1) = parameters.as_chunks_mut::<LANES>();
        let (s8, s1) = sums.as_chunks_mut::<LANES>();
        let (g8, g1) = gradient[..length].as_chunks::<LANES>();
        for ((p, s), g) in p8.iter_mut().zip(s8).zip(g8) {
            let (mut moved, mut sums) = (*p, *s);
            for l in 0..LANES {
                step(now.rate, &mut moved[l], &mut sums[l], g[l]);
            }
            (*p, *s) = (moved, sums);
        }
        for ((p, s), &g) in p1.iter_mut().zip(s1).zip(g1) {
            step(now.rate, p, s, g);
        }
    }
}

#[inline(always)]
fn step(rate: f32, parameter: &mut f32, sum: &mut f32, gradient: f32) {
    *sum += gradient * gradient;
    *parameter -= rate * gradient / (1.0 + *sum).sqrt();
}

#[inline(always)]
fn step_with_mean(now: Moment, parameter: &mut f32, sum: &mut f32, mean: &mut f32, gradient: f32) {
    let own = (1.0 - now.momentum) * gradient;
    *mean = now.momentum * *mean + own;
    *sum += gradient * gradient;
    *parameter -= now.rate * (now.momentum * *mean + own) / (1.0 + *sum).sqrt();
}
