//! A model that goes on learning.

use super::dataset::read;
use super::failure::failed;
use super::job::Asked;
use super::model::Model;
use super::rows::Rows;
use super::watch::{Watch, lock};
use pairloom::train::Learner as Learning;
use pyo3::prelude::*;
use std::sync::{Arc, Mutex};

/// A model that learns from rows as they come.
#[pyclass(frozen)]
pub struct Learner {
    of: Mutex<Learning>,
    /// What users should know of the first rows.
    #[pyo3(get)]
    notices: Vec<String>,
}

#[pymethods]
impl Learner {
    /// Learns from the first rows.
    #[new]
    #[pyo3(signature = (rows, asked, classes=None))]
    fn new(
        py: Python<'_>,
        rows: &Rows,
        asked: &Bound<'_, PyAny>,
        classes: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let asked: Asked = asked.extract()?;
        let mut watch = Watch::new(None, None);
        let dataset = read(py, rows, &asked, &mut watch)?;
        let mut job = asked.job(rows.name()).map_err(failed)?;
        job.classes = classes;
        let hear = &mut |event: pairloom::train::Event<'_>| watch.hear(event);
        let of = super::failure::guarded(py, || Learning::begin(dataset, &job, hear));
        Ok(Learner { of: Mutex::new(watch.end(of)?), notices: watch.notices })
    }

    /// Takes this learning rate from now on.
    fn set_learning_rate(&self, py: Python<'_>, rate: f64) -> PyResult<()> {
        // Whoever learns meanwhile has it locked, and asks for the interpreter now and then.
        super::failure::guarded(py, || lock(&self.of).set_learning_rate(rate))
    }

    /// Learns from further rows; returns what users should know of them.
    fn learn(&self, py: Python<'_>, rows: &Rows) -> PyResult<Vec<String>> {
        let mut watch = Watch::new(None, None);
        let schema = super::failure::guarded(py, || Ok(lock(&self.of).schema().clone()))?;
        let hear = &mut |event: pairloom::train::Event<'_>| watch.hear(event);
        let done =
            rows.read(py, Some(&schema), |given| lock(&self.of).learn(given, rows.name(), hear));
        watch.end(done)?;
        Ok(watch.notices)
    }

    /// The model as it is now.
    fn model(&self, py: Python<'_>) -> PyResult<Model> {
        let model = super::failure::guarded(py, || lock(&self.of).model())?;
        Ok(Model { of: Arc::new(model) })
    }
}
