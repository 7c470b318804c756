//! Training.

use super::dataset::read;
use super::failure::{failed, guarded};
use super::job::Asked;
use super::model::Model;
use super::rows::Rows;
use super::watch::Watch;
use pairloom::fit::Stop;
use pairloom::train::{Job, Trained, train_on};
use pyo3::exceptions::PyFloatingPointError;
use pyo3::prelude::*;
use std::sync::Arc;

/// Trains a model; where labels are to be classes (`classify`), numbers are too. Returns it with a JSON object that says how the training ended.
#[pyfunction]
#[pyo3(signature = (rows, asked, valid=None, classify=false, on_epoch=None, on_progress=None))]
pub fn train(
    py: Python<'_>,
    rows: &Rows,
    asked: &Bound<'_, PyAny>,
    valid: Option<&Rows>,
    classify: bool,
    on_epoch: Option<Py<PyAny>>,
    on_progress: Option<Py<PyAny>>,
) -> PyResult<(Model, String)> {
    let asked: Asked = asked.extract()?;
    let mut watch = Watch::new(on_epoch, on_progress);
    let dataset = read(py, rows, &asked, &mut watch)?;
    let schema = dataset.schema().clone();
    let mut job = asked.job(rows.name()).map_err(failed)?;
    if classify && job.config.loss.is_none() {
        job.config.loss = Some(dataset.loss_of_classes());
    }
    job.valid = valid.map(|valid| valid.name().to_string());
    let hear = &mut |event: pairloom::train::Event<'_>| watch.hear(event);
    let trained = match valid {
        Some(valid) => {
            valid.read(py, Some(&schema), |given| train_on(dataset, Some(given), &job, hear))
        }
        None => guarded(py, || train_on(dataset, None, &job, hear)),
    };
    let mut trained = watch.end(trained)?;
    let report = report(&trained, &watch.notices);
    let Some(model) = trained.model.take() else { return Err(none(&trained, &job)) };
    Ok((Model { of: Arc::new(model) }, report))
}

/// Why there is no model.
fn none(trained: &Trained, job: &Job) -> PyErr {
    match trained.stop {
        Stop::Diverged { epoch, row, rate } => {
            let line = trained.diverged_line.or(row.map(|row| row as u64 + 1));
            let at = line.map_or(String::new(), |line| format!(" at {}:{line}", job.data));
            let message = format!(
                "training diverged in epoch {epoch}{at} at learning_rate {rate}: lower it, or scale numbers"
            );
            PyFloatingPointError::new_err(message)
        }
        _ => failed(pairloom::Error::Interrupted),
    }
}

/// How a training ended, and what users should know of it.
fn report(trained: &Trained, notices: &[String]) -> String {
    let stop = match trained.stop {
        Stop::Finished => "finished",
        Stop::NoBetter => "no better",
        Stop::Interrupted => "interrupted",
        Stop::Diverged { .. } => "diverged",
    };
    serde_json::json!({ "stop": stop, "notices": notices }).to_string()
}
