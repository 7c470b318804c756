//! The native part of the Python package: Python's objects to the library's, and back.
//!
//! It has no numerics and no defaults. Classes and functions here are called by `python/pairloom`, which gives them
//! their names for users, and texts in JSON where a thing has many parts: settings, figures, parts of a score.

mod columns;
mod dataset;
mod failure;
mod job;
mod learner;
mod model;
mod recommend;
mod rows;
mod training;
mod watch;
mod weights;

use pyo3::prelude::*;

/// The native part of pairloom.
#[pymodule]
mod _pairloom {
    use super::failure::{failed, silence_panics};
    use pairloom::{Config, encode};
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::dataset::Dataset;
    #[pymodule_export]
    use super::learner::Learner;
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::recommend::recommend;
    #[pymodule_export]
    use super::rows::Rows;
    #[pymodule_export]
    use super::training::train;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        silence_panics();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    /// Two classes that a file cannot tell from each other, if there are two.
    #[pyfunction]
    fn same_classes(classes: Vec<String>) -> Option<[usize; 2]> {
        encode::same_classes(&classes)
    }

    /// The settings with their defaults, as a JSON object.
    #[pyfunction]
    fn settings() -> PyResult<String> {
        serde_json::to_string(&Config::default())
            .map_err(|e| failed(pairloom::Error::usage(e.to_string())))
    }
}
