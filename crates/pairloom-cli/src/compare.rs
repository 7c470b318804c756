//! `pairloom compare`.

use crate::args::{InputArgs, ThreadArgs};
use crate::catalogue::Opening;
use crate::figures::FigureArgs;
use crate::screen::{
    Screen, figure, metric_title, notice_few, notice_skipped, notice_unseen, one_line, percent,
    thousands,
};
use pairloom::compare::{CompareOptions, Compared, Comparison, compare};
use pairloom::metric::Bootstrap;
use pairloom::{Error, Model, Result, input};
use serde_json::json;

/// Arguments of `pairloom compare`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A model
    a: String,
    /// Another one, which predicts the same
    b: String,
    /// Rows with labels, which neither was trained on, in the format of the training rows, or a file that
    /// pairloom convert has made; it is read once for each model
    data: String,
    /// Share of a thousand samples of the rows that an interval of a difference holds
    #[arg(long, value_name = "LEVEL", default_value_t = Bootstrap::default().level)]
    ci: f64,
    #[command(flatten)]
    figures: FigureArgs,
    /// What samples are drawn by
    #[arg(long, value_name = "SEED", default_value_t = Bootstrap::default().seed)]
    seed: u64,
    #[command(flatten)]
    threads: ThreadArgs,
    /// Write one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    input: InputArgs,
}

/// Runs `pairloom compare`.
pub fn run(args: &Args) -> Result<()> {
    if args.data == "-" {
        let message = "the rows are read once for each model: give a file, and not -";
        return Err(Error::usage(message));
    }
    let models = [Model::load(&args.a)?, Model::load(&args.b)?];
    args.figures.check(&models[0], false)?;
    let threads = args.threads.start()?;
    let options = CompareOptions {
        on_error: args.input.on_error(),
        threshold: args.figures.threshold(),
        at: args.figures.at(),
        bootstrap: Bootstrap { level: args.ci, seed: args.seed, ..Bootstrap::default() },
    };
    let named = [(args.a.as_str(), &models[0]), (args.b.as_str(), &models[1])];
    let open =
        |model: &Model| Opening { model, input: &args.input, threads: &threads }.open(&args.data);
    let found = compare(named, open, input::name(&args.data), &options, &threads)?;
    notice_skipped(&found.outcomes[0].skipped);
    found.outcomes.iter().for_each(|outcome| notice_unseen(&outcome.unseen));
    notice_few(found.drawn_from, &found.metrics[0]);
    tell(args, &found, &mut Screen::new(args.json, false))
}

fn tell(args: &Args, found: &Comparison, screen: &mut Screen) -> Result<()> {
    let size = found.metrics[0].iter().find(|(name, _)| *name == "rows").and_then(|of| of.1);
    let rows = if size == Some(1.0) {
        "1 row".into()
    } else {
        format!("{} rows", thousands(size.unwrap_or(0.0) as i64))
    };
    let (a, b) = (one_line(&args.a, 60), one_line(&args.b, 60));
    let level = percent(args.ci);
    screen.text(&format!("A is {a}, B is {b}; {rows}, {level} intervals of B - A\n"))?;
    let header = ["", "A", "B", "B - A", "from", "to", "better"].map(String::from).to_vec();
    let rows = found.figures.iter().map(|of| row(of, found.better(of)));
    screen.table(&std::iter::once(header).chain(rows).collect::<Vec<_>>(), true)?;
    screen.text(&format!("\n{}", verdict(found)))?;
    let figure = |of: &Compared| {
        json!({
            "name": of.name, "a": of.values[0], "b": of.values[1], "difference": of.difference,
            "interval": of.interval, "better": found.better(of).map(letter),
        })
    };
    screen.json(&json!({
        "a": args.a, "b": args.b, "ci": args.ci, "rows": size.map(|rows| rows as u64), "drawn_from": found.drawn_from,
        "metrics": found.metrics,
        "figures": found.figures.iter().map(figure).collect::<Vec<_>>(),
        "skipped_rows": found.outcomes[0].skipped.rows,
    }))
}

fn letter(model: usize) -> &'static str {
    ["A", "B"][model.min(1)]
}

fn row(of: &Compared, better: Option<usize>) -> Vec<String> {
    let [from, to] = [0, 1].map(|end| of.interval.map(|ends| ends[end]));
    let numbers = [of.values[0], of.values[1], of.difference, from, to].map(figure);
    let better = better.map_or("-", letter).to_string();
    [vec![metric_title(of.name)], numbers.to_vec(), vec![better]].concat()
}

/// Which is better at what, in words.
fn verdict(found: &Comparison) -> String {
    let named = |is_one: &dyn Fn(&Compared) -> bool| {
        let names = found.figures.iter().filter(|of| is_one(of));
        names.map(|of| metric_title(of.name)).collect::<Vec<_>>().join(", ")
    };
    let is_told = |of: &Compared, model| of.interval.is_some() && found.better(of) == model;
    let told = |model| named(&|of| is_told(of, model));
    let said = match found.has_few() {
        true => vec![("Too few to tell them apart", told(None))],
        false => vec![
            ("A is better", told(Some(0))),
            ("B is better", told(Some(1))),
            ("They cannot be told apart", told(None)),
        ],
    };
    let undefined = ("Undefined on these rows", named(&|of| of.interval.is_none()));
    let all = said.into_iter().chain([undefined]).filter(|(_, names)| !names.is_empty());
    all.map(|(said, names)| format!("{said}: {names}.")).collect::<Vec<_>>().join("\n")
}
