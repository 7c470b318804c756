//! `pairloom study`.

use crate::args::JobArgs;
use crate::grid::GridArgs;
use crate::long::{LongArgs, Telling};
use crate::output;
use crate::screen::{
    Screen, command_line, figure, metric_title, notice, one_line, own_words, percent, thousands,
    write_text,
};
use crate::signals::Signals;
use crate::tell;
use pairloom::report::{Table, study_html};
use pairloom::schema::Schema;
use pairloom::study::{
    Difference, Estimate, Event, OfPoint, Outcome, Run, Study, Summary, TestRows, check_level,
};
use pairloom::train::{Job, TestPart};
use pairloom::{Error, Result};
use std::ops::RangeInclusive;
use std::process::ExitCode;

/// Arguments of `pairloom study`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("resume", |arg| arg.help("Keep the runs of the file that is there, and do the others")))]
#[command(mut_arg("restart", |arg| arg.help("Begin anew even if there is such a file, which is replaced")))]
#[command(mut_arg("threads", |arg| {
    arg.help("Threads, 0 for one a core; the figures do not depend on it")
}))]
pub struct Args {
    /// Rows to learn from and to test on, as for pairloom train; they are read once, from a file
    data: String,
    /// Test on these rows instead of a part of the others
    #[arg(long, value_name = "DATA", conflicts_with_all = ["test_fraction", "test_tail", "folds"])]
    test: Option<String>,
    /// Share of the rows that each seed draws to test on
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, conflicts_with_all = ["test_tail", "folds"])]
    test_fraction: f64,
    /// Share of the rows at the end of the file to test on instead, for rows in order of time
    #[arg(long, value_name = "SHARE", conflicts_with = "folds")]
    test_tail: Option<f64>,
    /// Test on each of K parts of the rows in turn instead
    #[arg(long, value_name = "K")]
    folds: Option<u32>,
    /// How often each is trained: with the seed of the settings, one more, ...
    #[arg(long, value_name = "N", default_value_t = 3)]
    seeds: u32,
    /// The figure to compare by, as evaluate --json calls it: auc, rmse, .. [default: the loss, to rank NDCG]
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// What the others are compared with, by the name in the table, as in 'fm k=10' [default: the first]
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// Level of the intervals: how often they should hold what they are of
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    ci: f64,
    /// The two columns that --model mf learns from, where there are others
    #[arg(long, value_name = "COLUMN,COLUMN", value_delimiter = ',')]
    mf: Option<Vec<String>>,
    /// File of finished runs, a JSON object a line, which --resume goes on from
    #[arg(long, short, value_name = "FILE", default_value = "study.jsonl")]
    output: String,
    /// Write a page with quality over the number of factors, and over time
    #[arg(long, value_name = "HTML")]
    report: Option<String>,
    #[command(flatten)]
    long: LongArgs,
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    grid: GridArgs,
}

/// Runs `pairloom study`.
pub fn run(args: &Args) -> Result<ExitCode> {
    let study = study(args)?;
    let baseline = baseline(args, &study)?;
    study.check()?;
    check_level(args.ci)?;
    let save_schema = &args.job.schema.save_schema;
    let outputs: Vec<_> =
        std::iter::once(&args.output).chain(&args.report).chain(save_schema).collect();
    output::check(&outputs, &std::iter::once(&args.data).chain(&args.test).collect::<Vec<_>>())?;
    args.long.check(&study.journal, study.is_begun())?;
    let mut screen = args.job.screen();
    let (signals, mut told) = (Signals::default(), Ok(()));
    signals.listen()?;
    let telling = Telling::new(&mut screen);
    let mut watching = Watching { args, telling };
    let studied = study.run(&mut |event| {
        if told.is_ok() {
            told = watching.hear(&event);
        }
        told.is_ok() && signals.status().is_none()
    });
    watching.telling.end();
    let schema = watching.telling.schema.take();
    told?;
    let status = signals.status();
    let studied = match studied {
        Err(Error::Interrupted) => None,
        studied => Some(studied?),
    };
    match (studied, status) {
        (Some(studied), None) => {
            let summary = study.summary(&studied, baseline, args.ci)?;
            let save = |schema: Schema| tell::save_schema(&schema, save_schema.as_deref());
            schema.map_or(Ok(()), save)?;
            end(args, &study, &summary, &mut screen).map(|()| ExitCode::SUCCESS)
        }
        (_, status) => {
            notice(&match study.is_begun() {
                true => {
                    let file = &args.output;
                    format!("stopped; what was finished is in {file}: go on with --resume")
                }
                false => "stopped before the first run".into(),
            });
            Ok(ExitCode::from(status.unwrap_or(1)))
        }
    }
}

fn study(args: &Args) -> Result<Study> {
    let job = args.job.job(&args.data)?;
    let (config, points) = args.grid.points(job.config.clone())?;
    let job = Job { config, ..job };
    let test = match (&args.test, args.test_tail, args.folds) {
        (Some(file), ..) => TestRows::File(file.clone()),
        (_, Some(share), _) => TestRows::Tail(share),
        (.., Some(folds)) => TestRows::Folds(folds),
        _ => TestRows::Share(args.test_fraction),
    };
    Ok(Study {
        job,
        points,
        mf: args.mf.clone(),
        test,
        seeds: args.seeds,
        parallel: args.long.parallel,
        metric: args.metric.clone(),
        journal: args.output.clone(),
        restart: args.long.restart,
    })
}

fn baseline(args: &Args, study: &Study) -> Result<usize> {
    let Some(name) = &args.baseline else { return Ok(0) };
    let names: Vec<String> = study.points.iter().map(|point| point.name()).collect();
    names.iter().position(|known| known == name).ok_or_else(|| {
        Error::usage(format!("--baseline: none is called '{name}': there are {}", names.join(", ")))
    })
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
            Event::Begin { done, runs } => self.begin(*done, *runs),
            Event::Working => self.telling.tick(),
            Event::Run { point, run, done, runs } => self.run(&point.name(), run, *done, *runs),
        }
    }

    fn begin(&mut self, done: usize, runs: usize) -> Result<()> {
        self.telling.begin("runs", done, runs)?;
        let kept = if done > 0 { format!(", {done} of them kept") } else { String::new() };
        self.telling.screen.text(&format!("{runs} runs{kept}\n"))?;
        self.telling
            .screen
            .json(&serde_json::json!({ "event": "begin", "runs": runs, "done": done }))
    }

    fn run(&mut self, name: &str, run: &Run, done: usize, runs: usize) -> Result<()> {
        let seed = run.config.seed;
        let fold = match run.test {
            Some(TestPart::Fold { at, of, .. }) => format!(", fold {} of {of}", at + 1),
            _ => String::new(),
        };
        let said = match &run.outcome {
            Outcome::Done(figures) => {
                let metric = self.args.metric.as_deref().unwrap_or(figures.metrics.main());
                let (title, value) = (metric_title(metric), figure(figures.metrics.find(metric)));
                let epochs = match figures.epochs {
                    1 => "1 epoch".into(),
                    epochs => format!("{epochs} epochs"),
                };
                format!("{title} {value}, {epochs}, {:.1} s", figures.seconds)
            }
            Outcome::Failed(why) => format!("failed: {why}"),
        };
        let line = format!("{done:>4}  {}, seed {seed}{fold}: {said}", one_line(name, 60));
        self.telling.ended(Some(&line))?;
        let run = serde_json::to_value(run).unwrap_or_default();
        self.telling.screen.json(&serde_json::json!({
            "event": "run", "point": name, "run": run, "done": done, "runs": runs,
        }))
    }
}

fn end(args: &Args, study: &Study, summary: &Summary, screen: &mut Screen) -> Result<()> {
    let lead = lead(args, study, summary);
    screen.text(&format!("\n{lead}\n"))?;
    screen.table(&table(summary), true)?;
    for point in summary.points.iter().filter(|point| point.failed > 0) {
        let why = point.failure.as_deref().unwrap_or_default();
        notice(&format!("{}: {} of its runs failed: {why}", point.name, point.failed));
    }
    let baseline = &summary.points[summary.baseline];
    if baseline.figure.is_none() && summary.points.len() > 1 {
        let none = "that the others are to be compared with: there are no differences";
        notice(&format!("{}: there is no figure of it {none}", baseline.name));
    }
    if let Some(file) = &args.report {
        let mut rows = table(summary);
        let table = Table { title: "All points".into(), header: rows.remove(0), rows };
        let metric = metric_title(&summary.metric);
        let page = study_html(summary, &metric, &lead, &command_line(own_words()), &table);
        write_text(file, &page)?;
        screen.text(&format!("\nwrote {file}"))?;
    }
    let mut object = serde_json::to_value(summary).unwrap_or_default();
    object["event"] = "end".into();
    screen.json(&object)
}

/// What was measured on what.
fn lead(args: &Args, study: &Study, summary: &Summary) -> String {
    let seeds = args.seeds;
    let times = if seeds == 1 { "one seed".into() } else { format!("{seeds} seeds") };
    let rows = match &study.test {
        TestRows::Share(share) => format!("a random {} of the rows each", percent(*share)),
        TestRows::Folds(folds) => format!("each of {folds} folds"),
        TestRows::Tail(share) => format!("the last {} of the rows", percent(*share)),
        TestRows::File(file) => one_line(file, 60),
    };
    let better = if summary.is_greater_better { "more" } else { "less" };
    let what = if study.draws_rows() { "other rows and seeds" } else { "other seeds" };
    let metric = metric_title(&summary.metric);
    let level = percent(summary.level);
    let has_interval = |point: &OfPoint| point.figure.is_some_and(|of| of.margin.is_some());
    let mut told = Vec::new();
    if summary.points.iter().any(has_interval) {
        told.push(format!("{level} intervals tell of {what}"));
    }
    if summary.points.iter().any(|point| point.difference.is_some()) {
        told.push(format!("differences are from {}", summary.points[summary.baseline].name));
    }
    let told = if told.is_empty() { String::new() } else { format!("; {}", told.join(", ")) };
    format!("{metric} ({better} is better) on {rows}, {times}{told}.").replace(".0%", "%")
}

/// The points, and what sets them apart.
fn table(summary: &Summary) -> Vec<Vec<String>> {
    let metric = metric_title(&summary.metric);
    let baseline = &summary.points[summary.baseline].name;
    // Longer names are in the line above.
    let baseline = format!("- {}", if baseline.len() > 16 { "baseline" } else { baseline });
    let header = ["", "runs", &metric, "", &baseline, "", "p", "seconds", "epochs", "weights"];
    let row = |point: &OfPoint| {
        let [mean, margin] = estimate(point.figure, figure);
        let [less, less_margin] = estimate(point.difference.map(|d| d.of), signed);
        let p = point.difference.and_then(|Difference { p, .. }| p);
        let failed =
            if point.failed > 0 { format!(" ({} failed)", point.failed) } else { String::new() };
        let whole = |value: Option<f64>| value.map_or("-".into(), |v| thousands(v.round() as i64));
        vec![
            point.name.clone(),
            format!("{}{failed}", point.runs),
            mean,
            margin,
            less,
            less_margin,
            p.map_or(String::new(), |p| if p < 1e-3 { "<.001".into() } else { format!("{p:.3}") }),
            point.seconds.map_or("-".into(), |seconds| format!("{seconds:.2}")),
            point.epochs.map_or("-".into(), |epochs| format!("{epochs:.1}")),
            whole(point.weights),
        ]
    };
    let header = header.map(String::from).to_vec();
    let mut rows: Vec<_> = [header].into_iter().chain(summary.points.iter().map(row)).collect();
    // Where there are no differences, nothing is said of any.
    let is_empty = |at: usize| rows[1..].iter().all(|row| row[at].is_empty());
    let without = DIFFERENCES.into_iter().find(|columns| columns.clone().all(is_empty));
    if let Some(columns) = without {
        rows.iter_mut().for_each(|row| drop(row.drain(columns.clone())));
    }
    rows
}

/// Columns of the difference, its interval and its chance; and that of the chance alone.
const DIFFERENCES: [RangeInclusive<usize>; 2] = [4..=6, 6..=6];

fn estimate(of: Option<Estimate>, shown: fn(Option<f64>) -> String) -> [String; 2] {
    let margin = of.and_then(|of| of.margin);
    let margin = margin.map_or(String::new(), |margin| format!("\u{b1} {}", figure(Some(margin))));
    [of.map_or(String::new(), |of| shown(Some(of.mean))), margin]
}

/// A figure with its sign.
fn signed(value: Option<f64>) -> String {
    let plus = if value.is_some_and(|value| value > 0.0) { "+" } else { "" };
    format!("{plus}{}", figure(value))
}
