//! `pairloom calibrate`, and what a calibration has brought.

use crate::args::{InputArgs, ThreadArgs};
use crate::output;
use crate::parse;
use crate::screen::{
    Screen, figure, metric_title, notice, notice_skipped, notice_unseen, thousands,
};
use pairloom::calibration::{Calibrated, Method};
use pairloom::input;
use pairloom::metric::{Binary, Metrics};
use pairloom::{Model, Result, reading};
use serde_json::Value;

/// Figures that a calibration may change.
const FIGURES: [&str; 5] =
    ["log_loss", "normalized_entropy", "expected_calibration_error", "brier_score", "auc"];

/// Isotonic regression overfits fewer rows than this (Niculescu-Mizil and Caruana 2005, "Predicting Good
/// Probabilities with Supervised Learning").
const FEW: u64 = 1000;

/// Arguments of `pairloom calibrate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model, of classes; if it is calibrated already, that is replaced
    model: String,
    /// Rows with labels that the model was not trained on, in the format of the training rows, or a file that
    /// pairloom convert has made; - for standard input
    data: String,
    /// How: platt (a line through the log-odds, for few rows), isotonic (rising, in pieces, for thousands of rows) or
    /// beta (a curve of three numbers, between the two)
    #[arg(long, value_name = "METHOD", value_parser = parse::calibration)]
    method: Method,
    /// File to write the calibrated model to; - for standard output
    #[arg(long, short, value_name = "MODEL")]
    output: String,
    #[command(flatten)]
    threads: ThreadArgs,
    /// Write one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    input: InputArgs,
}

/// Runs `pairloom calibrate`.
pub fn run(args: &Args) -> Result<()> {
    // The model may be replaced by itself.
    output::check(&[&args.output], &[&args.data])?;
    let mut model = Model::load(&args.model)?;
    let threads = args.threads.start()?;
    let reader = reading::open(&args.data, &args.input.open(), &model.schema)?;
    let mut reader = reading::ahead(reader, &threads)?;
    let (file, on_error) = (input::name(&args.data), args.input.on_error());
    let (found, outcome) = model.calibrate(args.method, &mut *reader, file, on_error, &threads)?;
    notice_skipped(&outcome.skipped);
    notice_unseen(&outcome.unseen);
    model.save(&args.output)?;
    let mut screen = Screen::new(args.json, args.output == "-");
    tell(&model, &found, &mut screen)?;
    if args.output != "-" {
        screen.text(&format!("\nwrote {}", args.output))?;
    }
    let mut object = json(&model, &found);
    object["output"] = args.output.as_str().into();
    object["skipped_rows"] = outcome.skipped.rows.into();
    screen.json(&object)
}

/// The calibration of a model, and figures without and with it.
pub fn tell(model: &Model, found: &Calibrated, screen: &mut Screen) -> Result<()> {
    let Some(calibration) = &model.calibration else { return Ok(()) };
    screen.text(&format!("\ncalibration: {calibration}"))?;
    let rows = thousands(found.before.rows as i64);
    screen.text(&format!("on the {rows} rows that it was fitted to:"))?;
    let mut table = vec![["", "before", "after"].map(String::from).to_vec()];
    let (before, after) = (values(&found.before), values(&found.after));
    table.extend(before.into_iter().zip(after).map(|((name, before), (_, after))| {
        vec![metric_title(name), figure(before), figure(after)]
    }));
    if calibration.method() == Method::Isotonic && found.before.rows < FEW && !screen.is_quiet() {
        notice(&format!("note: {rows} rows are few for isotonic: platt and beta take less"));
    }
    screen.table(&table, true)
}

fn values(figures: &Binary) -> Vec<(&'static str, Option<f64>)> {
    let all: Vec<_> = Metrics::Binary(figures.clone()).iter().collect();
    let of = |name: &str| all.iter().find(|(of, _)| *of == name).copied();
    FIGURES.into_iter().filter_map(of).collect()
}

/// The same for programs.
pub fn json(model: &Model, found: &Calibrated) -> Value {
    serde_json::json!({
        "calibration": model.calibration, "before": found.before, "after": found.after,
    })
}
