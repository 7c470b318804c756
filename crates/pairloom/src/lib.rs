//! Factorization machines: from raw rows to calibrated probabilities.

pub mod backend;
pub mod batch;
pub mod config;
pub mod data;
pub mod encode;
pub mod error;
pub mod file;
pub mod fit;
pub mod input;
pub mod interaction;
pub mod loss;
mod memory;
pub mod metric;
pub mod model;
pub mod optimizer;
pub mod parallel;
pub mod predict;
pub mod preset;
pub mod reading;
pub mod report;
pub mod schema;
pub mod synth;
pub mod table;
pub mod train;

pub use config::Config;
pub use error::{Error, Result};
pub use model::Model;
