//! `pairloom tune`.

use crate::args::JobArgs;
use crate::grid::GridArgs;
use crate::long::{LongArgs, Telling};
use crate::output;
use crate::parse;
use crate::screen::{Screen, command_line, figure, metric_title, notice};
use crate::signals::Signals;
use crate::tell;
use clap::ArgMatches;
use clap::parser::ValueSource;
use pairloom::schema::Schema;
use pairloom::train::Job;
use pairloom::tune::{Axis, Ended, Event, Trial, Tune, Tuned, Values, usual_axes};
use pairloom::{Config, Error, Result};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `pairloom tune`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("resume", |arg| arg.help("Keep the trials of MODEL.tune, and go on")))]
#[command(mut_arg("restart", |arg| arg.help("Begin anew even if there are such trials, which are forgotten")))]
pub struct Args {
    /// Training rows, as for pairloom train; they are read once, from a file
    data: String,
    /// Validation rows, by which trials are compared
    #[arg(long, value_name = "DATA", conflicts_with_all = ["valid_fraction", "valid_tail"])]
    valid: Option<String>,
    /// File to write the best model to
    #[arg(long, short, value_name = "MODEL", default_value = "model.pairloom")]
    output: String,
    /// What it may cost: as much as so many trainings with the defaults
    #[arg(long, value_name = "N", default_value_t = 20.0)]
    runs: f64,
    /// Time after which no more trials begin, as 90s, 10m or 2h; the best so far is then trained to its end
    #[arg(long, value_name = "TIME", value_parser = parse::duration)]
    time_limit: Option<Duration>,
    /// The figure of the validation rows to compare by, as evaluate --json calls it: auc, rmse, .. [default: the loss, to rank NDCG]
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Where to look for a setting: NAME=LOW:HIGH, a range whose logarithms are alike, or NAME=VALUE,VALUE,..
    /// [default: a model that knows fields, and around the usual values of factors, L2 strengths, learning rate, batch
    /// size, initial deviation, minimum count and transform]
    #[arg(long, value_name = "RANGE")]
    search: Vec<String>,
    #[command(flatten)]
    long: LongArgs,
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    grid: GridArgs,
}

/// Runs `pairloom tune`.
pub fn run(args: &Args) -> Result<ExitCode> {
    let tune = tune(args)?;
    let save_schema = &args.job.schema.save_schema;
    let outputs: Vec<_> = [&args.output, &tune.journal].into_iter().chain(save_schema).collect();
    output::check(&outputs, &std::iter::once(&args.data).chain(&args.valid).collect::<Vec<_>>())?;
    tune.check()?;
    args.long.check(&tune.journal, tune.is_begun())?;
    let mut screen = args.job.screen();
    let (signals, mut told) = (Signals::default(), Ok(()));
    signals.listen()?;
    let telling = Telling::new(&mut screen);
    let mut watching = Watching { args, telling };
    let tuned = tune.run(&mut |event| {
        if told.is_ok() {
            told = watching.hear(&event);
        }
        told.is_ok() && signals.status().is_none()
    });
    watching.telling.end();
    let schema = watching.telling.schema.take();
    told?;
    match (tuned, signals.status()) {
        (Err(Error::Interrupted), Some(status)) => {
            notice(&match tune.is_begun() {
                true => format!("stopped; the trials are in {}: go on with --resume", tune.journal),
                false => "stopped before the first trial".into(),
            });
            Ok(ExitCode::from(status))
        }
        (tuned, _) => {
            let tuned = tuned?;
            save(args, &tune, &tuned, schema.as_ref())?;
            end(args, &tuned, &mut screen).map(|()| ExitCode::SUCCESS)
        }
    }
}

fn tune(args: &Args) -> Result<Tune> {
    let mut job = Job { valid: args.valid.clone(), ..args.job.job(&args.data)? };
    args.grid.config.apply(&mut job.config)?;
    let axes = axes(args, &job.config)?;
    Ok(Tune {
        first: first(&axes[..said(args)]),
        axes,
        job,
        metric: args.metric.clone(),
        runs: args.runs,
        time: args.time_limit,
        parallel: args.long.parallel,
        journal: format!("{}.tune", args.output),
        restart: args.long.restart,
    })
}

/// The settings that are looked for.
fn axes(args: &Args, config: &Config) -> Result<Vec<Axis>> {
    let mut axes: Vec<Axis> =
        args.search.iter().map(|text| Axis::said(text, config)).collect::<Result<_>>()?;
    let choice = |(name, values): &(String, Vec<String>)| Axis {
        name: name.clone(),
        values: Values::Choice(values.clone()),
        always: true,
    };
    axes.extend(args.grid.axes.iter().map(choice));
    for (at, axis) in axes.iter().enumerate() {
        let is_said = |name: &String| *name == axis.name;
        if axes[..at].iter().any(|other| is_said(&other.name)) || args.grid.said.iter().any(is_said)
        {
            let flag = axis.name.replace('_', "-");
            return Err(Error::usage(format!(
                "--{flag} is said twice: as a value and as what to search"
            )));
        }
    }
    if args.search.is_empty() {
        // What is said by a flag stays.
        let is_said = |name: &String| {
            args.grid.said.contains(name) || axes.iter().any(|axis| axis.name == *name)
        };
        let usual = usual_axes(config).into_iter().filter(|axis| !is_said(&axis.name));
        axes.extend(usual.collect::<Vec<_>>());
    }
    Ok(axes)
}

/// The axes that were asked for, which come before the usual ones.
fn said(args: &Args) -> usize {
    args.search.len() + args.grid.axes.len()
}

/// The first value of each list: what the user would have said if it were the only one.
fn first(axes: &[Axis]) -> Vec<(String, String)> {
    let first = |axis: &Axis| match &axis.values {
        Values::Choice(all) => Some((axis.name.clone(), all.first()?.clone())),
        _ => None,
    };
    axes.iter().filter_map(first).collect()
}

/// What is told meanwhile.
struct Watching<'a> {
    args: &'a Args,
    telling: Telling<'a>,
}

impl Watching<'_> {
    fn hear(&mut self, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Rows(event) => self.telling.rows(event),
            Event::Rung { trials, epochs, near } => self.rung(*trials, *epochs, *near),
            Event::Working => self.telling.tick(),
            Event::Trial(trial) => self.trial(trial),
        }
    }

    fn rung(&mut self, trials: usize, epochs: Option<u32>, near: bool) -> Result<()> {
        self.telling.begin("trials", 0, trials)?;
        let what = if trials == 1 { "trial" } else { "trials" };
        let what = if near { format!("{what} near the best") } else { what.into() };
        let line = match epochs {
            Some(1) => format!("{trials} {what}, an epoch of each"),
            Some(epochs) => format!("{trials} {what}, {epochs} epochs of each"),
            None => format!("{trials} {what}, each to its end"),
        };
        self.telling.screen.text(&line)?;
        self.telling.screen.json(&serde_json::json!({
            "event": "rung", "trials": trials, "epochs": epochs, "near": near
        }))
    }

    /// Those that were trained to their end have a line.
    fn trial(&mut self, trial: &Trial) -> Result<()> {
        let said = match (&trial.ended, trial.stopped) {
            (Ended::Failed(why), _) => Some(format!("failed: {why}")),
            (Ended::Done(measured), None) => measured.best.valid.as_ref().map(|valid| {
                let metric = self.args.metric.as_deref().unwrap_or(valid.main());
                let (title, value) = (metric_title(metric), figure(valid.find(metric)));
                format!(
                    "{title} {value} after {} of {} epochs",
                    measured.best.epoch, measured.epochs
                )
            }),
            _ => None,
        };
        let line = said.map(|said| format!("  {said}: {}", name(trial)));
        self.telling.ended(line.as_deref())?;
        let trial = serde_json::to_value(trial).unwrap_or_default();
        self.telling.screen.json(&serde_json::json!({ "event": "trial", "trial": trial }))
    }
}

/// What sets a trial apart.
fn name(trial: &Trial) -> String {
    let said = |(name, value): &(String, String)| format!("{name}={value}");
    let said = trial.said.iter().map(said).collect::<Vec<_>>().join(" ");
    match (trial.trial, said.is_empty()) {
        (0, false) => format!("the defaults and {said}"),
        (_, true) => "the defaults".into(),
        _ => said,
    }
}

/// Writes what was found.
fn save(args: &Args, tune: &Tune, tuned: &Tuned, schema: Option<&Schema>) -> Result<()> {
    tuned.model.save(&args.output)?;
    // The model is there, and says all that it comes from.
    tune.forget()?;
    let to = args.job.schema.save_schema.as_deref();
    schema.map_or(Ok(()), |schema| tell::save_schema(schema, to))
}

fn end(args: &Args, tuned: &Tuned, screen: &mut Screen) -> Result<()> {
    let metric = &tuned.metric;
    let shown = |trial: &Trial| figure(trial.figure(metric));
    let best = tuned.best();
    let title = metric_title(metric);
    let defaults = tuned.defaults().map_or(String::new(), |trial| {
        let colon = if trial.said.is_empty() { "" } else { ":" };
        format!("; with {}{colon} {}", name(trial), shown(trial))
    });
    screen.text(&format!("\n{title} of the validation rows: {}{defaults}", shown(best)))?;
    let trials = tuned.trials.iter().map(|trial| format!("{:?}", trial.config));
    let trials = trials.collect::<BTreeSet<String>>().len();
    let what = if trials == 1 { "setting" } else { "settings" };
    screen.text(&format!("{trials} {what} tried, for {:.1} trainings' cost", tuned.cost))?;
    screen.text(&format!("\nwrote {}; the same again:\n", args.output))?;
    let command = command(args, best);
    screen.text(&format!("  {command}"))?;
    screen.json(&serde_json::json!({
        "event": "end", "metric": metric, "best": best, "defaults": tuned.defaults(),
        "cost": tuned.cost, "settings": trials, "output": args.output, "command": command,
    }))
}

/// The command that trains the model of a trial.
fn command(args: &Args, trial: &Trial) -> String {
    let mut words = vec!["pairloom".into(), "train".into(), args.data.clone()];
    let matches = crate::command().try_get_matches_from(std::env::args_os());
    if let Some(matches) = matches.ok().as_ref().and_then(|m| m.subcommand_matches("tune")) {
        words.extend(kept_words(matches, &args.grid));
    }
    for (name, value) in &trial.said {
        let flag = name.replace('_', "-");
        match value.as_str() {
            "true" => {}
            "false" => words.push(format!("--no-{flag}")),
            value => words.extend([format!("--{flag}"), value.to_string()]),
        }
    }
    words.extend(["-o".into(), args.output.clone()]);
    command_line(words.into_iter())
}

/// The flags that `train` has too, but for those of outputs and those that were looked for.
fn kept_words(matches: &ArgMatches, grid: &GridArgs) -> Vec<String> {
    const OTHERS: [&str; 8] =
        ["data", "output", "json", "quiet", "threads", "resume", "restart", "save_schema"];
    let (train, mut words) = (crate::command(), Vec::new());
    let arguments = train.find_subcommand("train").into_iter().flat_map(|c| c.get_arguments());
    for arg in arguments.filter(|arg| !OTHERS.contains(&arg.get_id().as_str())) {
        let id = arg.get_id().as_str();
        let is_there = matches.try_contains_id(id).is_ok();
        if !is_there || matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let flag = format!("--{}", arg.get_long().unwrap_or_default());
        let raw = matches.get_raw(id).into_iter().flatten();
        let values: Vec<String> = raw.map(|raw| raw.to_string_lossy().into_owned()).collect();
        match (arg.get_action().takes_values(), arg.get_value_delimiter()) {
            _ if grid.axes.iter().any(|(name, _)| name == id) => {}
            (false, _) => words.push(flag),
            (true, Some(_)) => words.extend([flag, values.join(",")]),
            (true, None) => {
                words.extend(values.into_iter().flat_map(|value| [flag.clone(), value]))
            }
        }
    }
    words
}
