//! `pairloom train`.

use crate::args::{ColumnArgs, ConfigArgs, InputArgs};
use crate::progress::Progress;
use crate::report;
use crate::screen::{Screen, figure, metric_rows, notice, notice_skipped, stdout_error, thousands};
use pairloom::fit::{Checkpoints, Epoch, FitEvent, Stop};
use pairloom::input;
use pairloom::metric::Metrics;
use pairloom::preset::{self, Preset};
use pairloom::schema::{Column, Schema};
use pairloom::train::{Event, Job, SchemaSource, Start, Trained, train};
use pairloom::{Config, Error, Model, Result};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

/// Arguments of `pairloom train`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Training rows: a file of CSV, TSV, libsvm or libffm, plain or compressed with gzip or zstd;
    /// - for standard input
    data: String,
    /// Validation rows, in the format of the training rows
    #[arg(long, value_name = "DATA", conflicts_with_all = ["valid_fraction", "valid_tail"])]
    valid: Option<String>,
    /// File to write the model to; - for standard output
    #[arg(long, short, value_name = "MODEL", default_value = "model.pairloom")]
    output: String,
    /// Write a page with learning curves, ROC and calibration of the validation rows
    #[arg(long, value_name = "HTML")]
    report: Option<String>,
    /// A recipe for schema and settings; further flags change it
    #[arg(long, value_name = "NAME")]
    preset: Option<Preset>,
    /// Read the schema from a file instead of inferring it
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    schema: Option<String>,
    /// Write the schema to a file, to be edited and used again
    #[arg(long, value_name = "FILE")]
    save_schema: Option<String>,
    /// Threads, 0 for one a core; the model does not depend on it
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Seconds between two checkpoints, which are written to MODEL.checkpoint
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    checkpoint_every: f64,
    /// Go on from MODEL.checkpoint, if it is there
    #[arg(long)]
    resume: bool,
    /// Write one JSON object a line instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    columns: ColumnArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Runs `pairloom train`.
pub fn run(args: &Args) -> Result<()> {
    let job = job(args)?;
    check_writable(&args.output)?;
    args.report.iter().chain(&args.save_schema).try_for_each(|file| check_writable(file))?;
    let mut screen = Screen::new(args.json, args.output == "-");
    let trained = train_on_screen(&job, &mut screen, args.save_schema.as_deref())?;
    finish(args, &job, trained, &mut screen)
}

fn job(args: &Args) -> Result<Job> {
    let (schema, mut config) = match (&args.preset, &args.schema) {
        (Some(preset), _) => {
            let (schema, config) = preset::get(*preset);
            (SchemaSource::Given(schema), config)
        }
        (None, Some(file)) => (SchemaSource::Given(read_schema(file)?), Config::default()),
        (None, None) => (SchemaSource::Infer(args.columns.hints()), Config::default()),
    };
    let schema = match schema {
        SchemaSource::Given(schema) => SchemaSource::Given(args.columns.hints().apply(schema)?),
        infer => infer,
    };
    args.config.apply(&mut config);
    let every = Duration::try_from_secs_f64(args.checkpoint_every)
        .map_err(|_| Error::usage("--checkpoint-every must be a number of seconds"))?;
    let path = format!("{}.checkpoint", args.output);
    let checkpoints = Checkpoints { path, every, resume: args.resume };
    Ok(Job {
        data: args.data.clone(),
        valid: args.valid.clone(),
        open: args.input.open(),
        schema,
        config,
        threads: args.threads,
        on_error: args.input.on_error(),
        checkpoints: Some(checkpoints).filter(|_| args.output != "-"),
    })
}

fn read_schema(file: &str) -> Result<Schema> {
    let text = std::fs::read_to_string(file).map_err(|e| Error::io(file, e))?;
    Schema::from_toml(file, &text)
}

/// Finds out before the training rather than after it.
fn check_writable(path: &str) -> Result<()> {
    let folder = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
    let problem = if Path::new(path).is_dir() {
        Some("is a folder: give a file's name")
    } else if folder.is_some_and(|folder| !folder.is_dir()) {
        Some("cannot be written: its folder does not exist")
    } else {
        None
    };
    problem.map_or(Ok(()), |problem| Err(Error::data(path, problem)))
}

/// Trains, telling what happens.
pub fn train_on_screen(
    job: &Job,
    screen: &mut Screen,
    save_schema: Option<&str>,
) -> Result<Trained> {
    let mut progress = Progress::new();
    let mut told = Ok(());
    let trained = train(job, &mut |event| {
        progress.show(&event);
        told = std::mem::replace(&mut told, Ok(())).and_then(|()| match &event {
            Event::Schema(schema) => {
                save_schema.map_or(Ok(()), |file| save(schema, file))?;
                tell_schema(schema, screen)
            }
            Event::Start(start) => tell_start(start, screen),
            Event::Fit(FitEvent::Epoch(epoch)) => {
                tell_epoch(epoch, progress.rates.last().copied().unwrap_or(0.0), screen)
            }
            _ => Ok(()),
        });
        told.is_ok()
    });
    // What could not be told (a full disk, say) explains a run that was stopped for it.
    told?;
    trained
}

fn save(schema: &Schema, file: &str) -> Result<()> {
    let text = schema.to_toml()?;
    pairloom::file::write_whole(file, |temporary| std::fs::write(temporary, &text))
}

fn tell_schema(schema: &Schema, screen: &mut Screen) -> Result<()> {
    let mut rows = vec![vec!["column".into(), "role".into(), "because".into()]];
    let why =
        |column: &Column| if column.why.is_empty() { "given".into() } else { column.why.clone() };
    let row = |column: &Column| vec![column.name.clone(), column.role.name().into(), why(column)];
    rows.extend(schema.columns.iter().map(row));
    screen.table(&rows, false)?;
    screen.text("")?;
    screen.json(&serde_json::json!({ "event": "schema", "schema": schema }))
}

fn tell_start(start: &Start, screen: &mut Screen) -> Result<()> {
    let target = serde_json::to_value(&start.target).unwrap_or_default();
    let text = |key: &str| target[key].as_str().unwrap_or_default().to_string();
    screen.text(&match start.target.is_binary() {
        true => format!(
            "predicting the probability of '{}' against '{}'",
            text("positive"),
            text("negative")
        ),
        false => format!(
            "predicting a number (mean {}, standard deviation {})",
            figure(target["mean"].as_f64()),
            figure(target["scale"].as_f64())
        ),
    })?;
    screen.text(&format!(
        "{} training rows, {} validation rows, {} features, {:.1} MiB of rows and model\n",
        thousands(start.train as i64),
        thousands(start.valid as i64),
        thousands(start.features as i64),
        start.bytes as f64 / (1 << 20) as f64,
    ))?;
    screen.text(&epoch_line(
        &["epoch", "train loss", "valid loss", "AUC/R2", "acc./MAE", "rate", "rows/s"]
            .map(String::from),
    ))?;
    let Start { train, valid, features, .. } = start;
    screen.json(&serde_json::json!({
        "event": "start", "target": target, "train_rows": train, "valid_rows": valid, "features": features,
    }))
}

fn tell_epoch(epoch: &Epoch, rows_per_second: f64, screen: &mut Screen) -> Result<()> {
    let (loss, quality, second) = match &epoch.valid {
        None => (None, None, None),
        Some(valid @ Metrics::Binary(m)) => (Some(valid.loss()), m.auc, Some(m.accuracy)),
        Some(valid @ Metrics::Regression(m)) => (Some(valid.loss()), m.r2, Some(m.mae)),
    };
    screen.text(&epoch_line(&[
        epoch.epoch.to_string(),
        figure(Some(epoch.train_loss)),
        figure(loss),
        figure(quality),
        figure(second),
        format!("{:.4}", epoch.learning_rate),
        thousands(rows_per_second as i64),
    ]))?;
    let mut line = serde_json::to_value(epoch).unwrap_or_default();
    line["event"] = "epoch".into();
    line["rows_per_second"] = rows_per_second.into();
    screen.json(&line)
}

fn epoch_line(cells: &[String; 7]) -> String {
    let [epoch, train, valid, quality, second, rate, speed] = cells;
    format!(
        "{epoch:>5}  {train:>10}  {valid:>10}  {quality:>8}  {second:>8}  {rate:>8}  {speed:>10}"
    )
}

fn finish(args: &Args, job: &Job, trained: Trained, screen: &mut Screen) -> Result<()> {
    notice_skipped(&trained.skipped);
    if let Stop::Diverged { epoch, rate, .. } = &trained.stop {
        return Err(diverged(*epoch, *rate, &trained, args));
    }
    let Some(model) = trained.model else {
        return Err(Error::data(
            input::name(&args.data),
            "training was stopped before the first epoch's end",
        ));
    };
    save_model(&model, &args.output)?;
    if let Some(to) = &job.checkpoints {
        // Only a run that is complete may lose its checkpoint; that there was none is no failure.
        let _ = std::fs::remove_file(&to.path);
    }
    let command = std::env::args().collect::<Vec<_>>().join(" ");
    if let Some(file) = &args.report {
        report::write(file, &model, &trained.valid, &command)?;
    }
    tell_end(&model, &trained.stop, args, screen)
}

/// To a file, or through standard output.
fn save_model(model: &Model, output: &str) -> Result<()> {
    if output != "-" {
        return model.save(output);
    }
    // Not by the name /dev/stdout: a socket has none, and a file would be replaced.
    let file = tempfile::NamedTempFile::new().map_err(stdout_error)?;
    model.save(&file.path().to_string_lossy())?;
    let mut saved = File::open(file.path()).map_err(stdout_error)?;
    let mut out = io::stdout();
    io::copy(&mut saved, &mut out).and_then(|_| out.flush()).map_err(stdout_error)
}

fn tell_end(model: &Model, stop: &Stop, args: &Args, screen: &mut Screen) -> Result<()> {
    let best = model.history.iter().find(|epoch| epoch.epoch == model.epoch);
    let valid = best.and_then(|epoch| epoch.valid.as_ref());
    let why = match stop {
        Stop::NoBetter => "no epoch since was better on the validation rows",
        _ => "all epochs are done",
    };
    screen.text(&format!("\n{why}; the model is that of epoch {}", model.epoch))?;
    if let Some(valid) = valid {
        screen.text("on the validation rows:")?;
        screen.table(&metric_rows(valid), true)?;
    }
    screen.text(&format!("\nwrote {}", args.output))?;
    if let Some(report) = &args.report {
        screen.text(&format!("wrote {report}"))?;
    }
    screen.text(&format!("next: pairloom predict {} ROWS", args.output))?;
    screen.json(&serde_json::json!({
        "event": "end", "model": args.output, "epoch": model.epoch, "valid": valid,
        "stopped_early": *stop == Stop::NoBetter,
    }))
}

/// The error of a run that diverged, with its last good model saved beside the output.
fn diverged(epoch: u32, rate: f64, trained: &Trained, args: &Args) -> Error {
    let place = match trained.diverged_row {
        Some(row) => format!("at row {row} of {}", input::name(&args.data)),
        None => "in the weights".into(),
    };
    let kept = match &trained.model {
        None => "no epoch was complete, so there is no model to keep".into(),
        Some(model) => {
            let path = format!("{}.last-good", args.output);
            match model.save(&path) {
                Ok(()) => format!("the model of epoch {} is in {path}", model.epoch),
                Err(error) => {
                    notice(&error.to_string());
                    "the last good model could not be written".into()
                }
            }
        }
    };
    Error::Diverged(format!(
        "training diverged in epoch {epoch}, {place}: the loss is not finite at learning rate \
         {rate}. Lower --learning-rate, or look for values that are far too large; {kept}"
    ))
}
