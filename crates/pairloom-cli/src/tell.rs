//! What `pairloom train` says on the way: the schema and its reasons, the sizes, a line an epoch; and
//! at the end.

use crate::calibrate as calibration;
use crate::describe::{role, spread};
use crate::screen::{
    Screen, command_line, figure, metric_rows, notice, notice_skipped, one_line, percent,
    thousands, write_text,
};
use pairloom::batch::Outcomes;
use pairloom::encode::Target;
use pairloom::fit::{Epoch, Stop};
use pairloom::loss::Loss;
use pairloom::memory::{self, gib};
use pairloom::metric::Metrics;
use pairloom::reading::Skipped;
use pairloom::schema::{Column, Role, Schema};
use pairloom::train::{Event, Groups, Job, Start, Trained};
use pairloom::{Config, Error, Model, Result};
use serde_json::Value;

/// How many classes are named.
const SHOWN: usize = 8;

/// With fewer validation rows than this (of the rarer class) their figures say little: the standard
/// error of an AUC is then .1 and more.
const ROUGH: usize = 10;

/// What the loss is called as it is shown, in eight places.
pub fn loss_name(loss: Loss) -> &'static str {
    match loss {
        Loss::Logistic | Loss::Softmax => "log loss",
        Loss::Squared => "RMSE",
        Loss::Poisson => "deviance",
        _ => loss.name(),
    }
}

/// What happens while rows are read.
pub fn reading(event: &Event<'_>, screen: &mut Screen) -> Result<()> {
    match event {
        Event::Schema(known) => schema(known, screen),
        Event::Revised { schema, notes } => revised(schema, notes, screen),
        Event::Skipped(rows) => skipped(rows, screen),
        Event::Cache { path, stale } => cache(path, *stale, screen),
        _ => Ok(()),
    }
}

/// Writes the schema to the file that `--save-schema` names: of rows that were of no use nothing is left.
pub fn save_schema(schema: &Schema, file: Option<&str>) -> Result<()> {
    file.map_or(Ok(()), |file| write_text(file, &schema.to_toml()?))
}

/// Rows that are taken from a cache, or why they are not.
fn cache(path: &str, stale: Option<&Error>, screen: &mut Screen) -> Result<()> {
    match stale {
        None => screen.text(&format!("rows as they were read before, from {path}\n"))?,
        Some(error) if !screen.is_quiet() => {
            notice(&format!("note: {error}; the cache is made anew"));
        }
        Some(_) => {}
    }
    let stale = stale.map(ToString::to_string);
    screen.json(&serde_json::json!({ "event": "cache", "cache": path, "stale": stale }))
}

/// The schema, with the reason for each guess.
fn schema(schema: &Schema, screen: &mut Screen) -> Result<()> {
    let mut rows = vec![["column", "role", "because"].map(String::from).to_vec()];
    let row = |column: &Column| {
        let why = if column.why.is_empty() { "given" } else { &column.why };
        let positive = schema.positive.as_ref().filter(|_| column.role == Role::Label);
        let positive = positive
            .map_or(String::new(), |value| format!("; '{}' is positive", one_line(value, 40)));
        vec![one_line(&column.name, 40), role(column, schema), format!("{why}{positive}")]
    };
    rows.extend(schema.columns.iter().map(row));
    screen.table(&rows, false)?;
    screen.text("")?;
    screen.json(&serde_json::json!({ "event": "schema", "schema": with_reasons(schema) }))
}

/// The schema with the reasons that its files leave out.
fn with_reasons(schema: &Schema) -> Value {
    let mut value = serde_json::to_value(schema).unwrap_or_default();
    for (number, column) in schema.columns.iter().enumerate() {
        let because = if column.why.is_empty() { "given" } else { &column.why };
        value["columns"][number]["because"] = because.into();
    }
    value
}

/// Guesses that the rows after the first have changed.
fn revised(schema: &Schema, notes: &[String], screen: &mut Screen) -> Result<()> {
    notes.iter().for_each(|note| notice(&format!("warning: {note}")));
    let schema = with_reasons(schema);
    screen.json(&serde_json::json!({ "event": "revised", "schema": schema, "notes": notes }))
}

/// Rows that were left out.
fn skipped(skipped: &Skipped, screen: &mut Screen) -> Result<()> {
    notice_skipped(skipped);
    let Skipped { rows, first } = skipped;
    screen.json(&serde_json::json!({ "event": "skipped", "rows": rows, "first": first }))
}

/// What is predicted, from how much; and the heading of the epochs.
pub fn start(start: &Start, screen: &mut Screen) -> Result<()> {
    let spread = spread(&start.constant, &start.target);
    screen.text(&match &start.target {
        _ if start.loss.is_ranking() => ranking(start),
        Target::Binary { positive, negative } => {
            let [positive, others] = [Some(positive), negative.as_ref()].map(|class| {
                class.map_or("all others".into(), |name| format!("'{}'", one_line(name, 40)))
            });
            format!("predicting the probability of {positive} against {others} ({spread})")
        }
        Target::Classes { names } => {
            let shown: Vec<String> =
                names.iter().take(SHOWN).map(|name| format!("'{}'", one_line(name, 40))).collect();
            let more = if names.len() > SHOWN { ", ..." } else { "" };
            format!("predicting the probability of each of {}{more} ({spread})", shown.join(", "))
        }
        Target::Count => format!("predicting a count ({spread})"),
        Target::Real { .. } | Target::Grade => format!("predicting a number ({spread})"),
    })?;
    let disk = match start.disk_bytes {
        0 => String::new(),
        bytes => format!(", {} of rows in a temporary file", gib(bytes.into())),
    };
    screen.text(&format!(
        "{} training rows, {} validation rows, {} features, {} of rows and model{disk}\n",
        thousands(start.train as i64),
        thousands(start.valid as i64),
        thousands(start.features as i64),
        gib(start.row_bytes + start.model_bytes),
    ))?;
    if let Some(why) = start.no_gpu.as_ref().filter(|_| !screen.is_quiet()) {
        notice(&format!("note: training on the CPU: {why}"));
    }
    let loss = loss_name(start.loss);
    let [quality, second] = quality_names(start);
    let heading = ["epoch", "rate", loss, loss, quality, second, "rows/s"];
    screen.epoch(&line(heading.map(String::from)))?;
    screen.epoch(&line(["", "", "train", "valid", "valid", "valid", ""].map(String::from)))?;
    let may_be_classes = start.loss == Loss::Squared && !screen.is_quiet();
    if let Some(classes @ 3..) = start.classes.filter(|_| may_be_classes) {
        notice(&format!(
            "note: the label has {classes} distinct whole numbers, and they are predicted as a number; \
             --loss softmax learns the probability of each, --positive VALUE of one against the rest"
        ));
    }
    notice_classes(start, screen.is_quiet());
    if let Some(note) = start.note_of_weights().filter(|_| !screen.is_quiet()) {
        notice(&format!("note: {note}"));
    }
    let Start { target, train, valid, features, disk_bytes, .. } = start;
    screen.json(&serde_json::json!({
        "event": "start", "target": target,
        "train_rows": train, "valid_rows": valid, "features": features, "on_disk": disk_bytes,
        "device": start.device.name(),
    }))
}

/// What the two figures of the validation rows beside the loss are called.
pub fn quality_names(start: &Start) -> [&'static str; 2] {
    match start.target {
        _ if start.loss.is_ranking() => ["NDCG", "MRR"],
        Target::Binary { .. } | Target::Classes { .. } => ["AUC", "accuracy"],
        _ => ["MAE", "R2"],
    }
}

/// These figures after an epoch.
pub fn qualities(epoch: &Epoch) -> [Option<f64>; 2] {
    match &epoch.valid {
        None => [None; 2],
        Some(Metrics::Binary(m)) => [m.auc, Some(m.accuracy)],
        Some(Metrics::Classes(m)) => [m.auc, Some(m.accuracy)],
        Some(Metrics::Regression(m)) => [Some(m.mae), m.r2],
        Some(Metrics::Ranking(m)) => [Some(m.ndcg), Some(m.mrr)],
    }
}

/// What is ranked.
fn ranking(start: &Start) -> String {
    match (start.items, start.groups) {
        (Some(items), _) => {
            let items = thousands(items as i64);
            let left_out = match start.left_out {
                0 => String::new(),
                rows => format!("; {} rows of label 0 are left out", thousands(rows as i64)),
            };
            format!("ranking the items of each group above others, drawn from {items}{left_out}")
        }
        (None, Some(Groups { ranked, all })) => {
            let [ranked, all] = [ranked, all].map(|groups| thousands(groups as i64));
            format!("ranking the rows of {ranked} groups, of {all} (the others have one label)")
        }
        (None, None) => "ranking the rows of each group".into(),
    }
}

/// Says what may be wrong with classes.
fn notice_classes(start: &Start, is_quiet: bool) {
    if let Some(name) = start.target.missing_class() {
        notice(&format!(
            "warning: '{}' is taken for a class; if it says that a label is missing, leave these rows out",
            one_line(name, 40)
        ));
    }
    if start.single > 0 && !is_quiet {
        let (classes, have) =
            if start.single == 1 { ("class", "has") } else { ("classes", "have") };
        notice(&format!(
            "note: {} {classes} {have} one training row only: little can be learned of that",
            thousands(start.single as i64)
        ));
    }
}

/// A number in a few places.
pub fn short(number: f64) -> String {
    if (1e-3..1e6).contains(&number) { figure(Some(number)) } else { format!("{number:.0e}") }
}

/// Where a run goes on that was stopped before.
pub fn resumed(epoch: u32, rows: usize, file: &str, screen: &mut Screen) -> Result<()> {
    let rows_done = thousands(rows as i64);
    screen.text(&format!("going on from {file}: epoch {epoch}, after {rows_done} rows of it"))?;
    screen.json(&serde_json::json!({
        "event": "resume", "checkpoint": file, "epoch": epoch, "rows": rows,
    }))
}

/// One epoch.
pub fn epoch(epoch: &Epoch, loss: Loss, rows_per_second: f64, screen: &mut Screen) -> Result<()> {
    let [quality, second] = qualities(epoch);
    let valid = epoch.valid.as_ref().map(|valid| loss.shown(valid.loss()));
    screen.epoch(&line([
        epoch.epoch.to_string(),
        rate(epoch.learning_rate),
        figure(Some(loss.shown(epoch.train_loss))),
        figure(valid),
        figure(quality),
        figure(second),
        thousands(rows_per_second as i64),
    ]))?;
    let mut line = serde_json::to_value(epoch).unwrap_or_default();
    line["event"] = "epoch".into();
    line["rows_per_second"] = rows_per_second.into();
    screen.json(&line)
}

/// A learning rate in six places.
fn rate(rate: f64) -> String {
    if (0.001..1e5).contains(&rate) { format!("{rate:.4}") } else { format!("{rate:.0e}") }
}

/// Narrow enough for a window of 60 places.
fn line([epoch, rate, train, valid, quality, second, speed]: [String; 7]) -> String {
    let line = format!(
        "{epoch:>5} {rate:>6}  {train:>8}  {valid:>8}  {quality:>7}  {second:>8}  {speed:>7}"
    );
    line.trim_end().into()
}

/// Says where a run that a signal has stopped can be taken up again.
pub fn interrupted(job: &Job, trained: &Trained, screen: &mut Screen) -> Result<()> {
    let epochs = trained.model.as_ref().map_or(0, |model| model.history.len());
    let checkpoint = job.checkpoints.as_ref().map(|to| &to.path);
    notice(&match checkpoint {
        _ if trained.start.is_none() => "stopped while rows were read; nothing is kept".into(),
        None => "stopped; nothing is kept, as a model for standard output has no checkpoint".into(),
        Some(file) => {
            let mut words: Vec<_> = std::env::args().filter(|word| word != "--restart").collect();
            if !words.iter().any(|word| word == "--resume") {
                // After the command: what follows a -- would be no flag.
                words.insert(2, "--resume".into());
            }
            let command = command_line(words.into_iter());
            format!(
                "stopped after {epochs} whole epochs; {file} has all of it; go on with\n  {command}"
            )
        }
    });
    screen.json(&serde_json::json!({
        "event": "interrupted", "checkpoint": checkpoint, "epochs": epochs,
    }))
}

/// How training ended, the figures of the model that was kept, and the files written: the model and
/// perhaps a report.
pub fn end(
    model: &Model,
    trained: &Trained,
    output: &str,
    report: Option<&str>,
    screen: &mut Screen,
) -> Result<()> {
    let valid = model.kept_epoch().and_then(|epoch| epoch.valid.as_ref());
    let stop = &trained.stop;
    let why = match stop {
        Stop::NoBetter => "no epoch since was better on the validation rows",
        _ => "all epochs are done",
    };
    screen.text(&format!("\n{why}; the model is that of epoch {}", model.epoch))?;
    if let Some(valid) = valid {
        screen.text("on the validation rows:")?;
        screen.table(&metric_rows(valid), true)?;
        if valid.is_no_better_than_constant() {
            notice("warning: on these rows the model is no better than one constant prediction");
        }
        if model.config.negative_rate != 1.0 {
            let rate = percent(model.config.negative_rate);
            screen.text(&format!(
                "these rows have {rate} of all negatives; predictions are corrected to those of all rows"
            ))?;
        }
    }
    if let Some(calibrated) = &trained.calibrated {
        calibration::tell(model, calibrated, screen)?;
    }
    if !screen.is_quiet() {
        notice_limits(model, trained)?;
    }
    let memory = trained.start.as_ref().and_then(Memory::now);
    if let Some(Memory { peak, rows, model }) = memory {
        let [peak, rows, model] = [peak, rows, model].map(gib);
        screen
            .text(&format!("\nmemory: {peak} at the most; rows {rows}, model and state {model}"))?;
    }
    screen.text("")?;
    // What went to standard output is in no file.
    let model_file = Some(output).filter(|output| *output != "-");
    for file in model_file.into_iter().chain(report) {
        screen.text(&format!("wrote {file}"))?;
    }
    if let Some(file) = model_file {
        screen.text(&format!("next: pairloom predict {file} ROWS"))?;
    }
    let mut line = serde_json::json!({
        "event": "end", "model": output, "epoch": model.epoch, "valid": valid,
        "stopped_early": *stop == Stop::NoBetter,
        "memory": memory.map(|Memory { peak, rows, model }| serde_json::json!({
            "peak": peak as u64, "rows": rows as u64, "model": model as u64,
        })),
    });
    if let Some(calibrated) = &trained.calibrated {
        line["calibrated"] = calibration::json(model, calibrated);
    }
    screen.json(&line)
}

/// Bytes that the process has had at the most, and those of them that there is no way around.
#[derive(Clone, Copy)]
struct Memory {
    peak: u128,
    rows: u128,
    model: u128,
}

impl Memory {
    fn now(start: &Start) -> Option<Self> {
        let peak = memory::peak()?.into();
        Some(Memory { peak, rows: start.row_bytes, model: start.model_bytes })
    }
}

/// Says what the figures do not: that there is little to rely on, or that more may be had.
fn notice_limits(model: &Model, trained: &Trained) -> Result<()> {
    notice_rough(&trained.valid.outcomes()?, &model.encoding.target);
    let epochs = model.config.epochs;
    let was_last = trained.stop == Stop::Finished && model.epoch == epochs;
    // Who asks for few epochs knows that there could be more.
    if was_last && epochs >= Config::default().epochs && !trained.valid.is_empty() {
        notice("note: the last epoch was the best: with more --epochs it may be better still");
    }
    Ok(())
}

/// Says so where there are too few validation rows, or rows of one class, to rely on.
fn notice_rough(valid: &Outcomes, target: &Target) {
    let positive = valid.iter().filter(|&(label, _)| label == 1.0).count();
    let (few, of) = match target.is_binary() {
        true => (positive.min(valid.len() - positive), " of the rarer class"),
        // Rare ones among several classes tell little, and do not have to.
        false => (valid.len(), ""),
    };
    if valid.is_empty() {
        notice(
            "note: without validation rows nothing stops the training before its last epoch, or says how \
             good the model is on new rows: see first with some how many --epochs are best",
        );
    } else if few < ROUGH {
        notice(&format!("note: with {few} validation rows{of} these figures are rough"));
    }
}
