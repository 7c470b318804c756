//! `pairloom train`.

use crate::args::{ColumnArgs, InputArgs, SchemaArgs};
use crate::output;
use crate::parse;
use crate::progress::Progress;
use crate::report::Page;
use crate::screen::{Screen, command_line, notice, notice_unseen, own_words};
use crate::settings::ConfigArgs;
use crate::signals::Signals;
use crate::tell;
use pairloom::backend::DeviceName;
use pairloom::file;
use pairloom::fit::{Checkpoints, FitEvent, Stop};
use pairloom::input;
use pairloom::loss::Loss;
use pairloom::train::{Event, Job, SchemaSource, Trained, train};
use pairloom::{Error, Model, Result};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Arguments of `pairloom train`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Training rows: a file of Parquet, or of CSV, TSV, libsvm or libffm in UTF-8, plain or compressed with gzip or
    /// zstd, or one that pairloom convert has made; - for standard input
    data: String,
    /// Validation rows, in the format of the training rows, or a file that pairloom convert has made
    #[arg(long, value_name = "DATA", conflicts_with_all = ["valid_fraction", "valid_tail"])]
    valid: Option<String>,
    /// File to write the model to; - for standard output
    #[arg(long, short, value_name = "MODEL", default_value = "model.pairloom")]
    output: String,
    /// Write a page with learning curves, ROC and calibration of the validation rows
    #[arg(long, value_name = "HTML")]
    report: Option<String>,
    #[command(flatten)]
    schema: SchemaArgs,
    /// Go on from this model with other rows, or the same: its columns, its ids and its settings stay, but for what
    /// is said, and its weights are where training begins
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["schema", "preset"])]
    init: Option<String>,
    /// Threads, 0 for one a core; the model does not depend on it
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// What training runs on: cpu, cuda (NVIDIA's GPUs, where large sets have large batches; see pairloom devices), or auto (the GPU, if there is
    /// one and the work is large)
    #[arg(long, value_name = "DEVICE", value_parser = parse::device, default_value = DeviceName::default().name())]
    device: DeviceName,
    /// Keep the rows as they were read in this file, and take them from it when the same rows are
    /// trained on again
    #[arg(long, value_name = "ROWS")]
    cache: Option<String>,
    /// Folder of temporary files, for rows that --memory has no room for [default: TMPDIR, else that of
    /// the model]
    #[arg(long, value_name = "DIR")]
    temp_dir: Option<String>,
    /// Seconds between two checkpoints, which are written to MODEL.checkpoint
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    checkpoint_every: f64,
    /// Go on from MODEL.checkpoint, if it is there
    #[arg(long)]
    resume: bool,
    /// Start anew even if an unfinished run has left MODEL.checkpoint, which is replaced
    #[arg(long, conflicts_with = "resume")]
    restart: bool,
    /// Draw the loss and figures of the validation rows as curves while training, in a terminal of at least
    /// 40 places and 12 rows behind standard error; they stand for the table of epochs if standard output is
    /// a terminal too. Ignored in any other place, and with --json or --quiet
    #[arg(long)]
    live: bool,
    /// Write one JSON object a line instead of text
    #[arg(long)]
    json: bool,
    /// Write nothing but warnings and errors
    #[arg(long, short, conflicts_with = "json")]
    quiet: bool,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    columns: ColumnArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Runs `pairloom train`.
pub fn run(args: &Args) -> Result<ExitCode> {
    let job = job(args)?;
    check_flags(args, &job)?;
    check_outputs(args, &job)?;
    let mut screen = Screen::new(args.json, args.output == "-").quiet(args.quiet);
    let signals = Signals::default();
    if job.cache.is_some() {
        // What is written of it meanwhile is removed before the command ends.
        signals.listen()?;
    }
    let trained = train_on_screen(&job, &mut screen, Some(&signals), args.live)?;
    match signals.status().filter(|_| trained.stop == Stop::Interrupted) {
        Some(status) => {
            tell::interrupted(&job, &trained, &mut screen)?;
            Ok(ExitCode::from(status))
        }
        None => finish(args, &job, trained, &mut screen).map(|()| ExitCode::SUCCESS),
    }
}

/// Refuses flags that mean nothing beside others.
fn check_flags(args: &Args, job: &Job) -> Result<()> {
    let to_output = args.output == "-";
    let moot = [
        ("--resume", args.resume && to_output, "a model for standard output has no checkpoint"),
        ("--restart", args.restart && to_output, "a model for standard output has no checkpoint"),
        (
            "--temp-dir",
            args.temp_dir.is_some() && job.config.memory.is_none(),
            "rows go to temporary files only where --memory says what there is room for",
        ),
    ];
    match moot.into_iter().find(|(_, is_moot, _)| *is_moot) {
        None => Ok(()),
        Some((flag, _, why)) => Err(Error::usage(format!("{flag} means nothing here: {why}"))),
    }
}

fn check_outputs(args: &Args, job: &Job) -> Result<()> {
    let checkpoint = job.checkpoints.as_ref().map(|to| &to.path);
    let files = [
        Some(&args.output),
        args.report.as_ref(),
        args.schema.save_schema.as_ref(),
        args.cache.as_ref(),
        checkpoint,
    ];
    let inputs: Vec<_> = std::iter::once(&args.data).chain(&args.valid).collect();
    output::check(&files.into_iter().flatten().collect::<Vec<_>>(), &inputs)?;
    let Some(checkpoint) = checkpoint else { return Ok(()) };
    match (Path::new(checkpoint).exists(), args.resume, args.restart) {
        (true, false, false) => Err(Error::data(
            checkpoint,
            "an unfinished run has left this checkpoint: go on from it with --resume, or start \
             anew with --restart",
        )),
        (false, true, _) => {
            notice(&format!("there is no {checkpoint} to go on from: training starts anew"));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn job(args: &Args) -> Result<Job> {
    let init = args.init.as_deref().map(Model::load).transpose()?.map(Arc::new);
    let (schema, mut config) = match &init {
        Some(model) => {
            let schema = args.columns.hints().apply(model.schema.clone())?;
            (SchemaSource::Given(schema), model.config.clone())
        }
        None => args.schema.source(&args.columns)?,
    };
    args.config.apply(&mut config)?;
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
        device: args.device,
        on_error: args.input.on_error(),
        checkpoints: Some(checkpoints).filter(|_| args.output != "-"),
        cache: args.cache.clone(),
        init,
        classes: None,
        only: None,
        test: None,
        temp_dir: args.temp_dir.clone().unwrap_or_else(|| temp_dir(&args.output)),
    })
}

/// Where temporary files go if nothing is said: what is called /tmp is memory on many systems, and
/// where the model goes there is room for something large.
fn temp_dir(output: &str) -> String {
    let folder = Path::new(output).parent().filter(|folder| *folder != Path::new(""));
    let beside = || folder.map_or(".".into(), |folder| folder.to_string_lossy().into_owned());
    std::env::var("TMPDIR").ok().filter(|folder| !folder.is_empty()).unwrap_or_else(beside)
}

/// Trains, telling what happens, with charts if `live`, until a signal asks for the end.
pub fn train_on_screen(
    job: &Job,
    screen: &mut Screen,
    signals: Option<&Signals>,
    live: bool,
) -> Result<Trained> {
    let checkpoint = job.checkpoints.as_ref().map_or("", |to| &to.path);
    let mut progress = Progress::new(screen.is_text()).live(screen.charts(live), job.config.epochs);
    let (mut told, mut loss) = (Ok(()), Loss::Logistic);
    let trained = train(job, &mut |event| {
        progress.show(&event);
        told = match &event {
            Event::Unseen(unseen) => {
                notice_unseen(unseen);
                Ok(())
            }
            Event::Start(start) => {
                loss = start.loss;
                signals.map_or(Ok(()), Signals::listen).and_then(|()| tell::start(start, screen))
            }
            Event::Fit(FitEvent::Resumed { epoch, rows }) => {
                tell::resumed(*epoch, *rows, checkpoint, screen)
            }
            Event::Fit(FitEvent::Epoch(epoch)) => {
                tell::epoch(epoch, loss, progress.rows_per_second, screen)
            }
            event => tell::reading(event, screen),
        };
        told.is_ok() && signals.and_then(Signals::status).is_none()
    });
    progress.end();
    // What could not be told (a full disk, say) explains a run that was stopped for it.
    told?;
    trained
}

fn finish(args: &Args, job: &Job, trained: Trained, screen: &mut Screen) -> Result<()> {
    if let Stop::Diverged { epoch, rate, .. } = &trained.stop {
        // Going on from the checkpoint would end here again.
        remove_checkpoint(job);
        return Err(diverged(*epoch, *rate, &trained, args));
    }
    let Some(model) = &trained.model else {
        return Err(Error::data(
            input::name(&args.data),
            "training was stopped before the first epoch's end",
        ));
    };
    model.save(&args.output)?;
    remove_checkpoint(job);
    tell::save_schema(&model.schema, args.schema.save_schema.as_deref())?;
    if let Some(file) = &args.report {
        let page = Page {
            file,
            name: file::name(&args.output),
            model,
            command: command_line(own_words()),
        };
        page.write_training(&trained, args.threads)?;
    }
    tell::end(model, &trained, &args.output, args.report.as_deref(), screen)
}

/// Removes the checkpoint of a run that is over.
fn remove_checkpoint(job: &Job) {
    if let Some(to) = &job.checkpoints {
        // There may be none.
        let _ = std::fs::remove_file(&to.path);
    }
}

/// The error of a run that diverged, with its last good model saved beside the output.
fn diverged(epoch: u32, rate: f64, trained: &Trained, args: &Args) -> Error {
    let place = match trained.diverged_line {
        Some(line) => format!("at {}:{line}", input::name(&args.data)),
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
    let start = trained.start.as_ref().filter(|start| start.has_great_weights());
    let remedy = match start {
        Some(start) => format!(
            "The rows weigh {} in the mean, which is likely why: scale weights (--weight, --trials, \
             --class-weight) to a mean of 1",
            tell::short(start.mean_weight)
        ),
        None => "Lower learning_rate (--learning-rate), or look for values that are far too large"
            .into(),
    };
    Error::Diverged(format!(
        "training diverged in epoch {epoch}, {place}: the loss is not finite at learning rate \
         {rate}. {remedy}; {kept}"
    ))
}
