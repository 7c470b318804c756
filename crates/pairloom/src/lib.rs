//! Factorization machines: from raw rows to calibrated probabilities.

pub mod error;
pub mod input;
pub mod synth;

pub use error::{Error, Result};
