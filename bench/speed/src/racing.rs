//! The fastest unsafe loop that we know: what deterministic, sound training is compared with.
//!
//! One row is one step, as in Hogwild (Recht, Re, Wright, Niu 2011): threads change the same table
//! without asking each other. **The race is on purpose and makes this undefined in Rust's memory
//! model**; it stands here as a yardstick and is no part of the library. Written for 16 factors and
//! AVX2 with fused products, exact roots and quotients, vectors and data asked for ahead.
#![allow(unsafe_code)]

use crate::Result;
use crate::rows::FEATURES;
use crate::step::RATE;
use pairloom::batch::Rows;
use pairloom::table::Table;

/// How many rows ahead the ids and then the vectors are asked for.
const ROWS_AHEAD: usize = 8;
const VECTORS_AHEAD: usize = 2;

/// The penalty of an occurrence, in this loop the same for all features.
const L2: f32 = 2e-5;

/// Asks for the cache lines of a slice.
#[inline(always)]
pub fn prefetch<T>(data: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        for offset in (0..size_of_val(data)).step_by(64) {
            let line = data.as_ptr().cast::<i8>().wrapping_add(offset);
            // SAFETY: a prefetch is a hint: it neither reads nor faults, whatever the address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = data;
}

/// Rows as the loop likes them.
pub struct Flat {
    ids: Vec<[u32; FEATURES]>,
    labels: Vec<f32>,
}

impl Flat {
    /// Copies rows of 39 features.
    pub fn new(rows: &Rows) -> Result<Self> {
        let ids = (0..rows.len()).map(|i| rows.row(i).ids.try_into());
        let ids = ids.collect::<std::result::Result<_, _>>()?;
        Ok(Flat { ids, labels: (0..rows.len()).map(|i| rows.label(i).0).collect() })
    }
}

/// A machine of 16 factors that threads race on.
pub struct Racing {
    factors: Table,
    linear: Table,
    bias: [f32; 2],
}

/// Where the tables lie, for every thread.
#[derive(Clone, Copy)]
struct Shared {
    factors: *mut f32,
    linear: *mut f32,
    bias: *mut f32,
    features: usize,
}

// SAFETY: none in Rust's memory model, and none is claimed: a data race on purpose. The tables
// outlive the threads, which are scoped, and no thread leaves the bounds of the tables.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Racing {
    /// Starts from these factors and no linear weights.
    pub fn new(start: &Table) -> Result<Self> {
        let mut factors = Table::new(start.features(), 16, 1)?;
        for id in 0..start.features() as u32 {
            factors.vector_mut(id).copy_from_slice(start.vector(id));
        }
        let linear = Table::new(start.features(), 1, 1)?;
        Ok(Racing { factors, linear, bias: [0.0; 2] })
    }

    /// One pass on so many threads. Returns the mean loss.
    pub fn pass(&mut self, rows: &Flat, order: &[u32], threads: usize) -> Result<f64> {
        let shared = Shared {
            features: self.factors.features(),
            factors: self.factors.floats_mut().as_mut_ptr(),
            linear: self.linear.floats_mut().as_mut_ptr(),
            bias: self.bias.as_mut_ptr(),
        };
        check(rows, shared.features)?;
        let share = order.len().div_ceil(threads);
        let loss: f64 = std::thread::scope(|scope| {
            let work = |part| scope.spawn(move || race(shared, rows, part));
            let started: Vec<_> = order.chunks(share).map(work).collect();
            started.into_iter().map(|thread| thread.join().unwrap_or(f64::NAN)).sum()
        });
        Ok(loss / order.len() as f64)
    }
}

/// The loop reads without looking: everything is looked at before.
fn check(rows: &Flat, features: usize) -> Result<()> {
    if !rows.ids.as_flattened().iter().all(|&id| (id as usize) < features) {
        return Err("the table has too few features".into());
    }
    if !has_avx2() {
        return Err("the racing loop is written for AVX2 with FMA, which is missing here".into());
    }
    Ok(())
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn race(_: Shared, _: &Flat, _: &[u32]) -> f64 {
    f64::NAN
}

#[cfg(target_arch = "x86_64")]
fn race(shared: Shared, rows: &Flat, part: &[u32]) -> f64 {
    // SAFETY: `check` has found AVX2 and FMA, and that all ids are of the table. That
    // other threads write to the same floats is the race on purpose.
    unsafe { avx2::pass(shared, rows, part) }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{Flat, L2, RATE, ROWS_AHEAD, Shared, VECTORS_AHEAD, prefetch};
    use std::arch::x86_64::*;

    /// Floats of a vector with its sums of squares: two cache lines.
    const STRIDE: usize = 32;

    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn pass(shared: Shared, rows: &Flat, part: &[u32]) -> f64 {
        let mut loss = 0.0;
        for (at, &i) in part.iter().enumerate() {
            if let Some(&coming) = part.get(at + ROWS_AHEAD) {
                prefetch(&rows.ids[coming as usize]);
                prefetch(&rows.labels[coming as usize..][..1]);
            }
            if let Some(&coming) = part.get(at + VECTORS_AHEAD) {
                // SAFETY: the caller's.
                unsafe { ask(shared, &rows.ids[coming as usize]) };
            }
            // SAFETY: the caller's.
            loss += unsafe { learn(shared, &rows.ids[i as usize], rows.labels[i as usize]) };
        }
        loss
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn ask(shared: Shared, ids: &[u32]) {
        for &id in ids {
            let vector = shared.factors.wrapping_add(id as usize * STRIDE).cast::<i8>();
            _mm_prefetch::<_MM_HINT_T0>(vector);
            _mm_prefetch::<_MM_HINT_T0>(vector.wrapping_add(64));
            _mm_prefetch::<_MM_HINT_T0>(shared.linear.wrapping_add(id as usize * 2).cast());
        }
    }

    /// One row, one step. Returns its loss before.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn learn(shared: Shared, ids: &[u32], label: f32) -> f64 {
        let mut sums = [_mm256_setzero_ps(); 2];
        let mut squares = sums;
        // SAFETY: the bias has two floats, and the ids are of the table.
        let mut score = unsafe { *shared.bias };
        for &id in ids {
            // SAFETY: as above.
            unsafe {
                score += *shared.linear.add(id as usize * 2);
                let vector = shared.factors.add(id as usize * STRIDE);
                for half in 0..2 {
                    let v = _mm256_loadu_ps(vector.add(8 * half));
                    sums[half] = _mm256_add_ps(sums[half], v);
                    squares[half] = _mm256_fmadd_ps(v, v, squares[half]);
                }
            }
        }
        let pairs = _mm256_add_ps(
            _mm256_fmsub_ps(sums[0], sums[0], squares[0]),
            _mm256_fmsub_ps(sums[1], sums[1], squares[1]),
        );
        let mut lanes = [0.0f32; 8];
        // SAFETY: eight floats.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), pairs) };
        score += 0.5 * lanes.iter().sum::<f32>();
        let p = 1.0 / (1.0 + f64::from(-score).exp());
        let slope = (p - f64::from(label)) as f32;
        // SAFETY: as above.
        unsafe {
            scalar(shared.bias, slope, 0.0);
            for &id in ids {
                scalar(shared.linear.add(id as usize * 2), slope, L2);
                vector(shared.factors.add(id as usize * STRIDE), sums, slope);
            }
        }
        -(if label > 0.5 { p } else { 1.0 - p }).ln()
    }

    /// AdaGrad on one weight and its sum beside it.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn scalar(weight: *mut f32, slope: f32, l2: f32) {
        // SAFETY: the caller's: two floats.
        unsafe {
            let g = slope + l2 * *weight;
            let sum = *weight.add(1) + g * g;
            *weight.add(1) = sum;
            *weight -= RATE * g / (1.0 + sum).sqrt();
        }
    }

    /// AdaGrad on one vector and its sums behind it.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn vector(vector: *mut f32, sums: [__m256; 2], slope: f32) {
        let (slope, l2) = (_mm256_set1_ps(slope), _mm256_set1_ps(L2));
        let (one, rate) = (_mm256_set1_ps(1.0), _mm256_set1_ps(RATE));
        for (half, s) in sums.into_iter().enumerate() {
            // SAFETY: the caller's: 32 floats.
            unsafe {
                let (place, state) = (vector.add(8 * half), vector.add(16 + 8 * half));
                let v = _mm256_loadu_ps(place);
                let g = _mm256_fmadd_ps(slope, _mm256_sub_ps(s, v), _mm256_mul_ps(l2, v));
                let sum = _mm256_fmadd_ps(g, g, _mm256_loadu_ps(state));
                _mm256_storeu_ps(state, sum);
                let root = _mm256_sqrt_ps(_mm256_add_ps(one, sum));
                let step = _mm256_div_ps(_mm256_mul_ps(rate, g), root);
                _mm256_storeu_ps(place, _mm256_sub_ps(v, step));
            }
        }
    }
}
