//! Factorization machines: from raw rows to calibrated probabilities.
//!
//! A file of raw rows (CSV, TSV, libsvm, libffm, MovieLens, Parquet) goes in, a model file comes out, and that file
//! alone turns new raw rows into predictions:
//!
//! ```
//! use pairloom::train::{Job, train};
//! use pairloom::predict::PredictOptions;
//! use pairloom::{Model, input, parallel::Threads, reading, synth};
//!
//! # fn main() -> pairloom::Result<()> {
//! # let folder = tempfile::tempdir().map_err(|e| pairloom::Error::io("folder", e))?;
//! # let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
//! # let (clicks, saved) = (file("clicks.tsv"), file("clicks.pairloom"));
//! // A click log from a planted machine: 3,000 rows of a label and 34 hashed columns.
//! let log = synth::SynthConfig { rows: 3_000, features: 2_000, ..Default::default() };
//! let format = input::Format::Csv { delimiter: '\t', header: false };
//! synth::Synth::new(&log, Threads::new(0)?)?.write_file(format, &clicks)?;
//!
//! let mut job = Job::new(&clicks);
//! job.config.factors = Some(8);
//! let trained = train(&job, &mut |_event| true)?;
//! trained.model.expect("an epoch was completed").save(&saved)?;
//!
//! let model = Model::load(&saved)?;
//! let mut rows = reading::open(&clicks, &input::OpenOptions::default(), &model.schema)?;
//! let mut probabilities = Vec::new();
//! let options = PredictOptions::default();
//! model.predict_rows(&mut *rows, &clicks, &options, &Threads::new(1)?, |piece| {
//!     probabilities.extend_from_slice(&piece.predictions);
//!     Ok(())
//! })?;
//! assert_eq!(probabilities.len(), 3_000);
//! # Ok(())
//! # }
//! ```
//!
//! [`train`] and [`predict`] are the two ways through the whole library; the modules between are its
//! stations, in the order of `ARCHITECTURE.md`. The library neither prints nor exits: what happens is
//! told to a callback, and every failure is an [`Error`] that says where, what, and what to do.

mod average;
pub mod backend;
pub mod batch;
pub mod calibration;
pub mod compare;
pub mod config;
pub mod data;
pub mod encode;
pub mod error;
pub mod explain;
pub mod file;
pub mod fit;
pub mod input;
pub mod interaction;
mod journal;
pub mod loss;
pub mod memory;
pub mod metric;
pub mod model;
pub mod negatives;
pub mod optimizer;
pub mod parallel;
mod pieces;
pub mod precision;
pub mod predict;
pub mod preset;
pub mod reading;
pub mod recommend;
pub mod report;
pub mod schema;
pub mod segment;
mod simd;
pub mod store;
pub mod study;
pub mod synth;
pub mod table;
pub mod train;
pub mod tune;

pub use config::Config;
pub use error::{Error, Result};
pub use model::Model;
