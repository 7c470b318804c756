//! `pairloom evaluate`.

use crate::args::InputArgs;
use crate::catalogue::{CatalogueArgs, Opening};
use crate::figures::FigureArgs;
use crate::output;
use crate::parse;
use crate::ranked::{self, Ranked};
use crate::report::Page;
use crate::screen::{
    Screen, command_line, figure, metric_rows, notice_few, notice_skipped, notice_unseen, one_line,
    own_words, percent,
};
use crate::segments;
use pairloom::backend::DeviceName;
use pairloom::encode::Target;
use pairloom::input;
use pairloom::metric::{Bootstrap, Interval, Measure, Metrics, OfClass, drawn_from, of_classes};
use pairloom::parallel::Threads;
use pairloom::predict::{EvaluateOptions, Evaluated};
use pairloom::segment::DEFAULT_TOP;
use pairloom::{Model, Result};
use serde_json::Map;

/// Arguments of `pairloom evaluate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model
    model: String,
    /// Rows with labels, in the format of the training rows, or a file that pairloom convert has
    /// made; - for standard input
    data: String,
    /// Write a page with ROC, calibration and the model's learning curves
    #[arg(long, value_name = "HTML")]
    report: Option<String>,
    #[command(flatten)]
    figures: FigureArgs,
    /// Draw the rows again, a thousand times, and say between which figures so many of these samples are
    #[arg(
        long,
        value_name = "LEVEL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "0.95"
    )]
    ci: Option<f64>,
    /// Measure the rows of each value of these columns too: mean prediction beside mean label, log loss and
    /// calibration; columns of numbers with more values than --top are cut into ranges of equally many rows
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    segment: Vec<String>,
    /// Values of each such column that are measured, those that weigh most; all others are one
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TOP, requires = "segment")]
    top: usize,
    /// Rank these items, a row for each, for each context of the rows, which is all features that are not the
    /// item's, and measure where those stand that it has with a label above 0
    #[arg(long, value_name = "FILE", conflicts_with_all = ["report", "ci", "segment", "device"])]
    items: Option<String>,
    #[command(flatten)]
    catalogue: CatalogueArgs,
    /// Threads, 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// What scores are worked out on: cpu, cuda (NVIDIA's GPUs; see pairloom devices), or auto, which is the
    /// processor, since encoding rows takes longer
    #[arg(long, value_name = "DEVICE", value_parser = parse::device, default_value = DeviceName::default().name())]
    device: DeviceName,
    /// Write one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    input: InputArgs,
}

/// Runs `pairloom evaluate`.
pub fn run(args: &Args) -> Result<()> {
    output::check(&args.report.iter().collect::<Vec<_>>(), &[&args.model, &args.data])?;
    let model = Model::load(&args.model)?;
    args.figures.check(&model, args.items.is_some())?;
    let threads = Threads::new(args.threads)?;
    let opening = Opening { model: &model, input: &args.input, threads: &threads };
    let mut screen = Screen::new(args.json, false);
    if let Some(items) = &args.items {
        let Args { data, catalogue, .. } = args;
        let at = args.figures.at();
        return ranked::run(&Ranked { data, items, catalogue, at }, opening, &mut screen);
    }
    let mut reader = opening.open(&args.data)?;
    let options = EvaluateOptions {
        on_error: args.input.on_error(),
        threshold: args.figures.threshold(),
        at: args.figures.at(),
        segments: args.segment.clone(),
        top: args.top,
        device: args.device,
        ..EvaluateOptions::default()
    };
    let found = model.evaluate(&mut *reader, input::name(&args.data), &options, &threads)?;
    notice_skipped(&found.outcome.skipped);
    notice_unseen(&found.outcome.unseen);
    if let Some(file) = &args.report {
        let page =
            Page { file, name: &args.model, model: &model, command: command_line(own_words()) };
        page.write_evaluation(input::name(&args.data), &found)?;
    }
    let intervals = args.ci.map(|level| intervals(args, &model, &found, level, &threads));
    let intervals = intervals.transpose()?;
    if let Some(level) = args.ci {
        notice_few(drawn_from(&found.labels), &found.metrics);
        let drawn = if matches!(found.metrics, Metrics::Ranking(_)) { "groups" } else { "rows" };
        screen.text(&format!("{} intervals over 1,000 samples of the {drawn}:", percent(level)))?;
    }
    screen.table(&rows(&found.metrics, intervals.as_deref()), true)?;
    for of in &found.segments {
        screen.text(&format!("\nby {}:", one_line(&of.column, 60)))?;
        screen.table(&segments::rows(of), true)?;
    }
    let mut object = serde_json::to_value(&found.metrics).unwrap_or_default();
    if let Target::Classes { names } = &model.encoding.target {
        let Evaluated { predictions, labels, .. } = &found;
        let figures = of_classes(predictions, labels.labels(), labels.weights())?;
        screen.text("")?;
        screen.table(&class_rows(names, &figures), true)?;
        object["classes"] = names.iter().zip(&figures).map(class_object).collect();
    }
    if let Some(intervals) = intervals {
        let all = intervals.iter().map(|(name, ends)| ((*name).into(), serde_json::json!(ends)));
        object["ci"] = all.collect::<Map<_, _>>().into();
    }
    if !found.segments.is_empty() {
        let all = found.segments.iter().map(|of| (of.column.clone(), segments::json(of)));
        object["segments"] = all.collect::<Map<_, _>>().into();
    }
    object["skipped_rows"] = found.outcome.skipped.rows.into();
    let unseen = found.outcome.unseen.iter().map(|unseen| (unseen.column.clone(), unseen.share()));
    object["unseen"] =
        unseen.map(|(name, share)| (name, share.into())).collect::<Map<_, _>>().into();
    screen.json(&object)
}

/// How well each class is told from the others, for people.
fn class_rows(names: &[String], figures: &[OfClass]) -> Vec<Vec<String>> {
    let heading = ["class", "precision", "recall", "F1", "weight"].map(String::from).to_vec();
    let row = |(name, of): (&String, &OfClass)| {
        let figures = [of.precision, of.recall, of.f1, Some(of.weight)].map(figure);
        [vec![one_line(name, 40)], figures.to_vec()].concat()
    };
    [heading].into_iter().chain(names.iter().zip(figures).map(row)).collect()
}

/// The same of one class, for programs.
fn class_object((name, figures): (&String, &OfClass)) -> serde_json::Value {
    let mut object = serde_json::to_value(figures).unwrap_or_default();
    object["class"] = name.as_str().into();
    object
}

fn intervals(
    args: &Args,
    model: &Model,
    found: &Evaluated,
    level: f64,
    threads: &Threads,
) -> Result<Vec<Interval>> {
    let (loss, scale) = (model.config.resolved_loss(), model.encoding.target.scale());
    let Evaluated { predictions, labels, .. } = found;
    let bootstrap = Bootstrap { level, ..Bootstrap::default() };
    let (threshold, at) = (args.figures.threshold(), args.figures.at());
    let measure = Measure { loss, scale, threshold, at };
    bootstrap.intervals(&measure, predictions, labels, threads)
}

/// The figures, and their intervals if there are any.
fn rows(metrics: &Metrics, intervals: Option<&[Interval]>) -> Vec<Vec<String>> {
    let mut rows = metric_rows(metrics);
    let Some(intervals) = intervals else { return rows };
    for (row, (name, _)) in rows.iter_mut().zip(metrics.iter()) {
        let ends = intervals.iter().find(|(of, _)| *of == name).and_then(|(_, ends)| *ends);
        row.extend(
            ends.map_or([const { String::new() }; 2], |ends| ends.map(|end| figure(Some(end)))),
        );
    }
    rows.insert(0, ["", "", "from", "to"].map(String::from).to_vec());
    rows
}
