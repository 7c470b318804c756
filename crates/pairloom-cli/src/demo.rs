//! `pairloom demo`: the main job on a real data set that is part of the program.

use crate::report::Page;
use crate::screen::{Screen, figure, thousands, write_text};
use crate::train::train_on_screen;
use pairloom::metric::{Binary, Metrics};
use pairloom::parallel::Threads;
use pairloom::predict::EvaluateOptions;
use pairloom::schema::Hints;
use pairloom::train::{Job, SchemaSource};
use pairloom::{Error, Model, Result, input};
use std::path::Path;

/// Online Shoppers Purchasing Intention (Sakar, Kastro 2018), UCI, CC BY 4.0: see `data/README.md`.
const SHOPPERS: &str = include_str!("../data/online_shoppers_intention.csv");

/// One row in ten is kept for the test.
const TEST_EVERY: usize = 10;

/// Arguments of `pairloom demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write the rows, the model and the report to; it is made if need be
    #[arg(long, value_name = "FOLDER", default_value = "pairloom-demo")]
    output: String,
    /// Write one JSON object a line instead of text
    #[arg(long)]
    json: bool,
}

/// Runs `pairloom demo`.
pub fn run(args: &Args) -> Result<()> {
    let folder = Path::new(&args.output);
    std::fs::create_dir_all(folder).map_err(|e| Error::io(&args.output, e))?;
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (train, test) = (file("train.csv"), file("test.csv"));
    write_rows(&train, &test)?;
    let mut screen = Screen::new(args.json, false);
    screen.text(
        "12,330 sessions of an online shop: which will end in a purchase?\n\
         (Online Shoppers Purchasing Intention, Sakar and Kastro 2018, UCI, CC BY 4.0)\n",
    )?;
    let hints = Hints { label: Some("Revenue".into()), ..Hints::default() };
    let mut job = Job { schema: SchemaSource::Infer(hints), ..Job::new(train.clone()) };
    screen.text(&format!("$ pairloom train {train} --label Revenue"))?;
    let trained = train_on_screen(&job, &mut screen, None, false)?;
    let stopped = || Error::data(&train, "training did not complete an epoch");
    let machine = trained.model.as_ref().ok_or_else(stopped)?;
    job.config.factors = Some(0);
    let linear = pairloom::train::train(&job, &mut |_| true)?.model.ok_or_else(stopped)?;
    let (model_file, report_file) = (file("model.pairloom"), file("report.html"));
    machine.save(&model_file)?;
    let command = format!("pairloom train {train} --label Revenue");
    let page = Page { file: &report_file, name: &model_file, model: machine, command };
    page.write_training(&trained, job.threads)?;
    compare(&evaluate(machine, &test)?, &evaluate(&linear, &test)?, &test, &mut screen)?;
    screen.text(&format!(
        "\nwrote {model_file} and {report_file}\n\nnext:\n  \
         pairloom evaluate {model_file} {test}\n  \
         pairloom predict {model_file} {test} --keep Month,VisitorType | head\n  \
         pairloom train YOUR.csv --label COLUMN --report report.html"
    ))
}

/// Splits the rows into two files.
fn write_rows(train: &str, test: &str) -> Result<()> {
    let (header, rows) = SHOPPERS.split_once('\n').unwrap_or_default();
    for (file, wanted) in [(train, false), (test, true)] {
        let mine = rows.lines().enumerate().filter(|(i, _)| (i % TEST_EVERY == 0) == wanted);
        let lines = std::iter::once(header).chain(mine.map(|(_, line)| line));
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        write_text(file, &text)?;
    }
    Ok(())
}

fn evaluate(model: &Model, test: &str) -> Result<Binary> {
    let mut reader = input::open_as(test, model.schema.format)?;
    match model
        .evaluate(&mut *reader, test, &EvaluateOptions::default(), &Threads::new(0)?)?
        .metrics
    {
        Metrics::Binary(metrics) => Ok(metrics),
        _ => Err(Error::data(test, "the labels are not two values")),
    }
}

fn compare(machine: &Binary, linear: &Binary, test: &str, screen: &mut Screen) -> Result<()> {
    screen.text(&format!(
        "\non the {} rows of {test}, which the models have not seen:",
        thousands(machine.rows as i64)
    ))?;
    let row = |name: &str, of: fn(&Binary) -> Option<f64>| {
        vec![name.to_string(), figure(of(machine)), figure(of(linear))]
    };
    screen.table(
        &[
            vec!["".into(), "factorization machine".into(), "linear model".into()],
            row("log loss", |m| Some(m.log_loss)),
            row("AUC", |m| m.auc),
            row("accuracy", |m| Some(m.accuracy)),
            row("expected calibration error", |m| Some(m.expected_calibration_error)),
        ],
        true,
    )?;
    screen.json(&serde_json::json!({ "event": "test", "fm": machine, "linear": linear }))
}
