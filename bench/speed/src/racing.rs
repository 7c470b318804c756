//! The fastest unsafe loop that we know: what deterministic, sound training is compared with.
//!
//! One row is one step, as in Hogwild (Recht, Re, Wright, Niu 2011): threads change the same table
//! without asking each other. **The race is on purpose and makes this undefined in Rust's memory
//! model**; it stands here as a yardstick and is no part of the library. Written for 16 factors and
//! AVX2 with fused products, exact roots and quotients, eight linear weights at a time, vectors and
//! data asked for ahead.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;

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
