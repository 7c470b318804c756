//! `pairloom inspect`.

use crate::describe::{schema_rows, setting_rows};
use crate::screen::{Screen, metric_rows, thousands};
use pairloom::{Error, Model, Result};

/// Arguments of `pairloom inspect`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model
    model: String,
    /// Write one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Runs `pairloom inspect`.
pub fn run(args: &Args) -> Result<()> {
    let model = Model::load(&args.model)?;
    let bytes = std::fs::metadata(&args.model).map_err(|e| Error::io(&args.model, e))?.len();
    let mut screen = Screen::new(args.json, false);
    let (features, factors) = (model.encoding.features(), model.config.resolved_factors());
    let y = if model.outputs() > 1 { "the score of each class" } else { "y(x)" };
    screen.text(&format!("{y} = {}\n", model.config.formula()))?;
    let weights = match model.history.len() {
        0 => "average".into(),
        epochs => format!("weights of epoch {} of {epochs}", model.epoch),
    };
    let classes = match model.outputs() {
        1 => String::new(),
        classes => format!("{classes} classes, "),
    };
    screen.text(&format!(
        "{classes}{} features, {factors} factors in a vector, {:.2} MiB; {weights}\n",
        thousands(features as i64),
        bytes as f64 / (1 << 20) as f64,
    ))?;
    let header = pairloom::report::SCHEMA_HEADER.map(String::from).to_vec();
    let rows: Vec<Vec<String>> =
        [header].into_iter().chain(schema_rows(&model).into_iter().map(Vec::from)).collect();
    screen.table(&rows, false)?;
    screen.text("\nsettings:")?;
    let settings = setting_rows(&model).into_iter().map(|(name, value)| vec![name, value]);
    screen.table(&settings.collect::<Vec<_>>(), false)?;
    if let Some(calibration) = &model.calibration {
        screen.text(&format!("\ncalibration: {calibration}"))?;
    }
    let valid = model.kept_epoch().and_then(|epoch| epoch.valid.as_ref());
    if let Some(valid) = valid {
        let raw = model.calibration.is_some() || model.config.negative_rate != 1.0;
        let raw = if raw { ", uncorrected and uncalibrated" } else { "" };
        screen.text(&format!("\non the validation rows{raw}:"))?;
        screen.table(&metric_rows(valid), true)?;
    }
    screen.json(&serde_json::json!({
        "schema": model.schema, "config": model.config, "target": model.encoding.target,
        "features": features, "epoch": model.epoch, "history": model.history,
        "valid": valid, "calibration": model.calibration, "bytes": bytes,
    }))
}
