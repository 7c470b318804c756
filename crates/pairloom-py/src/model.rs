//! A trained model.

use super::failure::{failed, guarded};
use super::job::{find_device, on_error};
use super::rows::Rows;
use super::watch::Watch;
use super::weights;
use numpy::{PyArray1, PyArray2, PyArrayDyn, PyArrayMethods};
use pairloom::Error;
use pairloom::explain::{ExplainOptions, ImportanceOptions};
use pairloom::parallel::Threads;
use pairloom::predict::{EvaluateOptions, PredictOptions};
use pairloom::reading::Outcome;
use pairloom::report::{self, Figure, Report};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::io::Write;
use std::sync::Arc;

/// A trained model.
#[pyclass(frozen)]
pub struct Model {
    pub of: Arc<pairloom::Model>,
}

/// Predictions, raw scores and what there is to tell of the rows.
type Predicted<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>, Vec<String>);

#[pymethods]
impl Model {
    /// Reads a model from a file.
    #[staticmethod]
    fn load(py: Python<'_>, path: String) -> PyResult<Self> {
        let of = Arc::new(guarded(py, || pairloom::Model::load(&path))?);
        Ok(Model { of })
    }

    /// Writes the model to a file, whole or not at all.
    fn save(&self, py: Python<'_>, path: String) -> PyResult<()> {
        guarded(py, || self.of.save(&path))
    }

    /// The bytes of the model's file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let mut bytes = Vec::new();
        guarded(py, || self.of.write_to(&mut bytes, "bytes"))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The model of such bytes.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        let of = guarded(py, || {
            let failed = |e| Error::io("temporary file", e);
            let mut file = tempfile::NamedTempFile::new().map_err(failed)?;
            file.write_all(bytes).map_err(failed)?;
            pairloom::Model::load(&file.path().to_string_lossy())
        })?;
        Ok(Model { of: Arc::new(of) })
    }

    /// All but the numbers, as a JSON object: `schema`, `config`, `history`, `epoch`, `classes`, `calibration`, `formula`
    /// and `fields`, of each its name, the number of its first id and how many it has.
    fn document(&self) -> String {
        let model = &*self.of;
        let names = pairloom::explain::Names::new(model);
        let field = |(at, field): (usize, &pairloom::encode::Field)| serde_json::json!({ "name": names.field(at), "offset": field.offset, "len": field.len() });
        let fields: Vec<_> = model.encoding.fields.iter().enumerate().map(field).collect();
        serde_json::json!({
            "schema": model.schema,
            "config": model.config,
            "history": model.history,
            "epoch": model.epoch,
            "classes": model.encoding.target.class_names(),
            "calibration": model.calibration,
            "formula": model.config.formula(),
            "fields": fields,
        })
        .to_string()
    }

    /// What an id stands for, in words: column and value.
    fn feature_name(&self, id: u32) -> PyResult<String> {
        match (id as usize) < self.of.encoding.features() {
            true => Ok(pairloom::explain::Names::new(&self.of).feature(id)),
            false => Err(failed(Error::usage(format!("there is no feature {id}")))),
        }
    }

    /// Predictions `[rows, outputs]` and raw scores `[rows, outputs]` of rows.
    #[pyo3(signature = (rows, threads=0, skip_errors=false, device=None))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        rows: &Rows,
        threads: usize,
        skip_errors: bool,
        device: Option<&str>,
    ) -> PyResult<Predicted<'py>> {
        let on_error = on_error(if skip_errors { "skip" } else { "stop" }).map_err(failed)?;
        let (mut predictions, mut scores) = (Vec::new(), Vec::new());
        let device = find_device(device).map_err(failed)?;
        let options = PredictOptions { on_error, device, ..PredictOptions::default() };
        let model = &*self.of;
        let threads = &Threads::new(threads).map_err(failed)?;
        let outcome = rows.read_for(py, model, threads, |reader| {
            model.predict_rows(reader, rows.name(), &options, threads, |piece| {
                predictions.extend_from_slice(&piece.predictions);
                scores.extend(piece.scores.iter().map(|&score| scored(model, score)));
                Ok(())
            })
        })?;
        let outputs = model.outputs();
        let shape = [predictions.len() / outputs, outputs];
        let predictions = PyArray1::from_vec(py, predictions).reshape(shape)?;
        let scores = PyArray1::from_vec(py, scores).reshape(shape)?;
        Ok((predictions, scores, notices(&outcome)))
    }

    /// Metrics of labelled rows, as a JSON object.
    #[pyo3(signature = (rows, threads=0, threshold=None, at=None, weight=None, skip_errors=false, device=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn evaluate(
        &self,
        py: Python<'_>,
        rows: &Rows,
        threads: usize,
        threshold: Option<f64>,
        at: Option<usize>,
        weight: Option<String>,
        skip_errors: bool,
        device: Option<&str>,
    ) -> PyResult<(String, Vec<String>)> {
        let usual = EvaluateOptions::default();
        let options = EvaluateOptions {
            threshold: threshold.unwrap_or(usual.threshold),
            at: at.unwrap_or(usual.at),
            weight,
            device: find_device(device).map_err(failed)?,
            on_error: on_error(if skip_errors { "skip" } else { "stop" }).map_err(failed)?,
            ..usual
        };
        let model = &*self.of;
        let threads = &Threads::new(threads).map_err(failed)?;
        let evaluated = rows.read_for(py, model, threads, |reader| {
            model.evaluate(reader, rows.name(), &options, threads)
        })?;
        let metrics = serde_json::json!(evaluated.metrics).to_string();
        Ok((metrics, notices(&evaluated.outcome)))
    }

    /// The parts of the scores of some rows, counted from 1, as a JSON list.
    #[pyo3(signature = (rows, which, class_name=None))]
    fn explain(
        &self,
        py: Python<'_>,
        rows: &Rows,
        which: Vec<u64>,
        class_name: Option<String>,
    ) -> PyResult<String> {
        let model = &*self.of;
        let threads = &Threads::new(1).map_err(failed)?;
        // The parts are told with the text of their cells.
        rows.read_texts_for(py, model, threads, |reader| {
            let class = class_name.as_deref().map(|name| model.class(name)).transpose()?;
            let options = ExplainOptions { rows: which, class, ..ExplainOptions::default() };
            let (explained, _) = model.explain_rows(reader, rows.name(), &options)?;
            let each = explained.iter().map(|row| row.to_json(model));
            Ok(serde_json::Value::from_iter(each).to_string())
        })
    }

    /// What fields and pairs of them are worth over labelled rows, as a JSON object.
    #[pyo3(signature = (rows, sample=None, repeats=None, seed=0, top=None, threads=0))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn importance(
        &self,
        py: Python<'_>,
        rows: &Rows,
        sample: Option<usize>,
        repeats: Option<usize>,
        seed: u64,
        top: Option<usize>,
        threads: usize,
    ) -> PyResult<String> {
        let usual = ImportanceOptions::default();
        let options = ImportanceOptions {
            rows: sample.or(usual.rows),
            repeats: repeats.unwrap_or(usual.repeats),
            seed,
            top: top.unwrap_or(usual.top),
            ..usual
        };
        let model = &*self.of;
        let threads = &Threads::new(threads).map_err(failed)?;
        let mut watch = Watch::new(None, None);
        let go_on = &mut || watch.looks().is_ok();
        let found = rows.read_for(py, model, threads, |reader| {
            let found = model.importance(reader, rows.name(), &options, threads, go_on)?;
            Ok(found.to_json(model).to_string())
        });
        watch.end(found)
    }

    /// A page with learning curves, metrics and settings.
    fn html(&self, title: String) -> String {
        let model = &*self.of;
        let kept = report::epochs(model).into_iter().find(|epoch| epoch.epoch == model.epoch);
        let figure = |(name, value): (String, f64)| Figure {
            name,
            value: report::number(value),
            note: "validation rows".into(),
        };
        let settings = model.config.values().into_iter();
        let page = Report {
            title,
            lead: model.config.formula(),
            summary: kept
                .map_or(Vec::new(), |epoch| epoch.valid.into_iter().take(4).map(figure).collect()),
            history: report::epochs(model),
            loss_name: report::metric_title(model.config.resolved_loss().figure()),
            kept_epoch: Some(model.epoch),
            settings: settings
                .map(|(name, value)| (name, value.unwrap_or("none".into())))
                .collect(),
            ..Report::default()
        };
        report::html(&page)
    }

    /// The bias of each class, `[classes]`.
    #[getter]
    fn bias<'py>(slf: &Bound<'py, Self>) -> Bound<'py, PyArray1<f32>> {
        weights::bias(slf)
    }

    /// Linear weights, `[features]`, or `[features, classes]` of several classes: a view.
    #[getter]
    fn linear<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        weights::linear(slf)
    }

    /// Factors, `[features, factors]`; of several classes and of models with several vectors a feature
    /// `[features, classes, vectors, factors]`, without what is one: a view.
    #[getter]
    fn factors<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        weights::factors(slf)
    }

    /// What belongs to no feature, as the model file has it.
    #[getter]
    fn shared<'py>(slf: &Bound<'py, Self>) -> Bound<'py, PyArray1<f32>> {
        weights::shared(slf)
    }
}

/// A score as users have it: log-odds are those of all rows.
fn scored(model: &pairloom::Model, score: f32) -> f64 {
    match model.config.resolved_loss() {
        pairloom::loss::Loss::Logistic => model.corrected(score),
        _ => score.into(),
    }
}

/// What there is to tell of rows that were encoded.
pub fn notices(outcome: &Outcome) -> Vec<String> {
    let mut notices: Vec<String> = outcome.unseen.iter().map(ToString::to_string).collect();
    if outcome.skipped.rows > 0 {
        let (rows, first) = (outcome.skipped.rows, outcome.skipped.first.join("; "));
        notices.push(format!("{rows} rows were left out: {first}"));
    }
    notices
}
