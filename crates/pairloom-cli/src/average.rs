//! `pairloom average`.

use crate::output;
use crate::screen::{Screen, notice, thousands};
use pairloom::memory::gib;
use pairloom::{Error, Model, Result};

/// Arguments of `pairloom average`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Models of the same rows (the same --valid or --valid-tail) and the same --model, which is linear,
    /// mf, fm, ffm or hofm; seeds, factors, rates and penalties may differ. Each counts as one, also if it
    /// is an average
    #[arg(value_name = "MODEL", required = true, num_args = 1..)]
    models: Vec<String>,
    /// File to write the model to whose score is the mean of theirs; it has the factors of all
    #[arg(long, short, value_name = "MODEL")]
    output: String,
    /// Write one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Runs `pairloom average`.
pub fn run(args: &Args) -> Result<()> {
    output::check(&[&args.output], &args.models.iter().collect::<Vec<_>>())?;
    let models: Vec<Model> =
        args.models.iter().map(|path| Model::load(path)).collect::<Result<_>>()?;
    let named: Vec<(&str, &Model)> = args.models.iter().map(String::as_str).zip(&models).collect();
    let average = Model::average(&named)?;
    average.save(&args.output)?;
    if models.iter().any(|model| model.calibration.is_some()) {
        notice("note: calibrations are left out: one of the mean is made by pairloom calibrate");
    }
    let bytes = std::fs::metadata(&args.output).map_err(|e| Error::io(&args.output, e))?.len();
    let (features, factors) = (average.encoding.features(), average.config.resolved_factors());
    let mut screen = Screen::new(args.json, false);
    let size = gib(bytes.into());
    screen.text(&format!(
        "the mean of {} models: {} features, {factors} factors in a vector, {size}\n",
        models.len(),
        thousands(features as i64)
    ))?;
    screen.text(&format!("wrote {}", args.output))?;
    screen.text(&format!("next: pairloom evaluate {} ROWS", args.output))?;
    screen.json(&serde_json::json!({
        "models": models.len(), "features": features, "factors": factors, "bytes": bytes,
        "output": args.output,
    }))
}
