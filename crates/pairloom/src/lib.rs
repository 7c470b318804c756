//! Factorization machines: from raw rows to calibrated probabilities.

pub mod error;
pub mod input;
pub mod metric;
pub mod report;

pub use error::{Error, Result};
