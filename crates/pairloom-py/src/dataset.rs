//! Rows that are read once.

use super::job::Asked;
use super::rows::Rows;
use super::watch::Watch;
use pairloom::train::Dataset as Read;
use pyo3::prelude::*;

/// Rows that were read, for many trainings.
#[pyclass(frozen)]
pub struct Dataset {
    pub of: Read,
    /// What there is to tell of reading them.
    #[pyo3(get)]
    notices: Vec<String>,
}

#[pymethods]
impl Dataset {
    /// Reads rows.
    #[new]
    #[pyo3(signature = (rows, asked, on_progress=None))]
    fn new(
        py: Python<'_>,
        rows: &Rows,
        asked: &Bound<'_, PyAny>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let mut watch = Watch::new(None, on_progress);
        let of = read(py, rows, &asked.extract()?, &mut watch)?;
        Ok(Dataset { of, notices: watch.notices })
    }

    /// Number of rows.
    fn __len__(&self) -> usize {
        self.of.len()
    }

    /// What the columns are, as a JSON object; with the reasons of what was guessed.
    fn schema(&self) -> String {
        let schema = self.of.schema();
        let why = |column: &pairloom::schema::Column| column.why.clone();
        let reasons: Vec<String> = schema.columns.iter().map(why).collect();
        serde_json::json!({ "schema": schema, "reasons": reasons }).to_string()
    }
}

/// Reads rows, unless they were read before.
///
/// # Errors
/// Those of reading; what was raised meanwhile.
pub fn read(py: Python<'_>, rows: &Rows, asked: &Asked, watch: &mut Watch) -> PyResult<Read> {
    if let Some(dataset) = rows.as_dataset() {
        return Ok(dataset.clone());
    }
    let mut job = asked.job(rows.name()).map_err(super::failure::failed)?;
    let hear = &mut |event: pairloom::train::Event<'_>| watch.hear(event);
    let read = match rows.file() {
        Some((path, options)) => {
            (job.data, job.open) = (path.into(), options.clone());
            super::failure::guarded(py, || Read::read(&job, hear))
        }
        None => rows.read(py, None, |given| Read::from_reader(given, &job, hear)),
    };
    let mut read = watch.end(read)?;
    if rows.has_beside(asked.weight().as_deref()) {
        read.make_weight_optional();
    }
    Ok(read)
}
