//! From a model and its evaluation to the library's report page.

use crate::screen::{figure, metric_title, write_text};
use pairloom::batch::Rows;
use pairloom::encode::{Field, FieldKind, Number, Vocabulary};
use pairloom::fit::measure;
use pairloom::metric::{DEFAULT_THRESHOLD, Metrics};
use pairloom::parallel::Threads;
use pairloom::predict::Evaluated;
use pairloom::report::{Epoch, Evaluation, Kind, Report, html};
use pairloom::{Model, Result};

/// Writes the page of a training run.
pub fn write(file: &str, model: &Model, valid: &Rows, command: &str, threads: usize) -> Result<()> {
    let command = Some(command.to_string());
    if valid.is_empty() {
        return write_page(file, &page(model, command, None));
    }
    let predictions = model.predict(valid, &Threads::new(threads)?);
    let metrics = measure(&model.encoding.target, &predictions, valid, DEFAULT_THRESHOLD)?;
    let drawn = Drawn { title: "Validation rows", predictions: &predictions, rows: valid, metrics };
    write_page(file, &page(model, command, Some(&drawn)))
}

/// Writes the page of an evaluation.
pub fn write_evaluation(file: &str, model: &Model, data: &str, found: &Evaluated) -> Result<()> {
    let drawn = Drawn {
        title: data,
        predictions: &found.predictions,
        rows: &found.labels,
        metrics: found.metrics.clone(),
    };
    write_page(file, &page(model, None, Some(&drawn)))
}

fn write_page(file: &str, page: &Report<'_>) -> Result<()> {
    let text = html(page);
    write_text(file, &text)
}

/// Rows whose predictions are drawn.
struct Drawn<'a> {
    title: &'a str,
    predictions: &'a [f64],
    rows: &'a Rows,
    metrics: Metrics,
}

fn page<'a>(model: &Model, command: Option<String>, drawn: Option<&Drawn<'a>>) -> Report<'a> {
    let binary = model.encoding.target.is_binary();
    let named = |metrics: &Metrics| -> Vec<(String, Option<f64>)> {
        metrics.iter().map(|(name, value)| (name.to_string(), value)).collect()
    };
    let history = model.history.iter().map(|epoch| Epoch {
        epoch: epoch.epoch,
        train_loss: epoch.train_loss,
        valid: epoch.valid.iter().flat_map(&named).filter_map(|(n, v)| Some((n, v?))).collect(),
        learning_rate: epoch.learning_rate,
    });
    let metrics: Vec<(String, String)> = drawn
        .iter()
        .flat_map(|drawn| named(&drawn.metrics))
        .map(|(name, value)| (metric_title(&name), figure(value)))
        .collect();
    let key = |(name, _): &&(String, String)| {
        ["log loss", "AUC", "expected calibration error", "RMSE", "MAE", "R2"]
            .contains(&name.as_str())
    };
    Report {
        title: "pairloom: a factorization machine".into(),
        summary: metrics.iter().filter(key).cloned().collect(),
        command,
        history: history.collect(),
        loss_name: if binary { "log loss" } else { "mean squared error" }.into(),
        best_epoch: Some(model.epoch),
        evaluation: drawn.map(|drawn| Evaluation {
            title: drawn.title.into(),
            kind: kind(binary, drawn.predictions, drawn.rows),
        }),
        metrics,
        settings: setting_rows(model),
        schema: schema_rows(model),
    }
}

fn kind<'a>(binary: bool, predictions: &'a [f64], rows: &'a Rows) -> Kind<'a> {
    let (labels, weight) = (rows.labels(), rows.weights());
    if binary {
        Kind::Binary { probability: predictions, label: labels, weight }
    } else {
        Kind::Regression { prediction: predictions, target: labels, weight }
    }
}

/// The settings as (name, value).
pub fn setting_rows(model: &Model) -> Vec<(String, String)> {
    let config = serde_json::to_value(&model.config).unwrap_or_default();
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::Null => "off".into(),
        value => value.to_string().replace('"', ""),
    };
    let rows = config.as_object().into_iter().flatten();
    rows.map(|(name, value)| (name.clone(), text(value))).collect()
}

/// The columns as (name, role, encoding, ids).
pub fn schema_rows(model: &Model) -> Vec<[String; 4]> {
    let fields = &model.encoding.fields;
    let row = |(number, column): (usize, &pairloom::schema::Column)| {
        let mine: Vec<&Field> = fields.iter().filter(|field| field.column == number).collect();
        let how = mine.first().map_or(String::new(), |field| encoding(field));
        let ids: u64 = mine.iter().map(|field| field.len()).sum();
        let ids = if mine.is_empty() { String::new() } else { ids.to_string() };
        [column.name.clone(), column.role.name().into(), how, ids]
    };
    model.schema.columns.iter().enumerate().map(row).collect()
}

fn encoding(field: &Field) -> String {
    match &field.kind {
        FieldKind::Values(Vocabulary::Dictionary { .. }) => "dictionary".into(),
        FieldKind::Values(Vocabulary::Hash { bits }) => format!("hash of {bits} bits"),
        FieldKind::Number(Number::Piecewise { .. }) => "piecewise linear".into(),
        FieldKind::Number(Number::Quantile { edges }) => {
            format!("{} quantile bins", edges.len() + 1)
        }
        FieldKind::Number(Number::Standard { .. }) => "standardised".into(),
        FieldKind::Number(Number::Log { .. }) => "log, standardised".into(),
        FieldKind::Number(Number::LogSquare { .. }) => "log-square buckets".into(),
    }
}
