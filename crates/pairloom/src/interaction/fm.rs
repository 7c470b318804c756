//! The two-way factorization machine (Rendle 2010, "Factorization Machines", equations 1 and 5).
//!
//! ```text
//! y(x) = w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j
//!      = w0 + sum_i w_i x_i + 1/2 sum_f [ (sum_i v_if x_i)^2 - sum_i (v_if x_i)^2 ]
//! ```
//!
//! The second line costs O(k nnz) where the first costs O(k nnz^2). Its gradient is
//! `dy/dw_i = x_i` and `dy/dv_if = x_i (S_f - v_if x_i)` with `S_f = sum_j v_jf x_j`.
//!
//! Lane 0 of a vector holds `w`, so that one pass over the lanes sums the linear term too.

use super::{Interaction, LANES};

/// A factorization machine with `factors` floats in each `v`; 0 makes it a linear model.
#[derive(Debug, Clone)]
pub struct Fm {
    factors: usize,
    linear: bool,
}

impl Fm {
    /// `linear` says whether the `w_i` are learned (else they stay 0).
    pub fn new(factors: usize, linear: bool) -> Self {
        Fm { factors, linear }
    }
}

impl Interaction for Fm {
    fn width(&self) -> usize {
        (1 + self.factors).next_multiple_of(LANES)
    }

    /// `[sum_i v_i x_i | sum_i (v_i x_i)^2]`, each as wide as a vector.
    fn sums(&self) -> usize {
        2 * self.width()
    }

    #[inline]
    fn absorb(&self, vector: &[f32], x: f32, sums: &mut [f32]) {
        let (sum, squares) = sums.split_at_mut(vector.len());
        let lanes = blocks_mut(sum).zip(blocks_mut(squares));
        for (v, (s, q)) in blocks(vector).zip(lanes) {
            for l in 0..LANES {
                let t = v[l] * x;
                s[l] += t;
                q[l] += t * t;
            }
        }
    }

    #[inline]
    fn score(&self, sums: &[f32]) -> f32 {
        let (sum, squares) = sums.split_at(sums.len() / 2);
        let mut twice = [0.0; LANES];
        for (s, q) in blocks(sum).zip(blocks(squares)) {
            for l in 0..LANES {
                twice[l] += s[l] * s[l] - q[l];
            }
        }
        let (linear, linear_squares) = (sum[0], squares[0]);
        twice[0] -= linear * linear - linear_squares;
        linear + 0.5 * twice.iter().sum::<f32>()
    }

    #[inline]
    fn backward(&self, vector: &[f32], x: f32, sums: &[f32], slope: f32, gradient: &mut [f32]) {
        let step = slope * x;
        let linear = gradient[0];
        for ((v, s), g) in blocks(vector).zip(blocks(sums)).zip(blocks_mut(gradient)) {
            for l in 0..LANES {
                g[l] += step * (s[l] - v[l] * x);
            }
        }
        gradient[0] = if self.linear { linear + step } else { linear };
    }
}

/// Fixed-length pieces: what lets the compiler keep a piece in a vector register.
fn blocks(floats: &[f32]) -> impl Iterator<Item = &[f32; LANES]> {
    floats.as_chunks().0.iter()
}

fn blocks_mut(floats: &mut [f32]) -> impl Iterator<Item = &mut [f32; LANES]> {
    floats.as_chunks_mut().0.iter_mut()
}
