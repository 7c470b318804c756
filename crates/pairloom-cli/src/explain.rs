//! `pairloom explain`.

use crate::args::{InputArgs, ThreadArgs};
use crate::catalogue::Opening;
use crate::importance;
use crate::output;
use crate::screen::{Screen, figure, notice_skipped, one_line};
use pairloom::encode::Target;
use pairloom::explain::{
    ByField, DEFAULT_REPEATS, DEFAULT_SAMPLE, DEFAULT_TOP, ExplainOptions, Explained, Names,
};
use pairloom::loss::Loss;
use pairloom::{Model, Result, input};

/// Arguments of `pairloom explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model
    pub model: String,
    /// Rows in the format of the training rows, or a file that pairloom convert has made; - for standard input.
    /// With --importance they must have labels
    pub data: String,
    /// Rows to explain, counted from 1 [default: the first]
    #[arg(long, value_name = "N,..", value_delimiter = ',', conflicts_with = "importance")]
    row: Vec<u64>,
    /// Class whose score is explained, of several [default: the one that is predicted]
    #[arg(long, value_name = "CLASS", conflicts_with = "importance")]
    class: Option<String>,
    /// Instead of single rows: what columns, pairs of columns and pairs of values are worth over all rows, by how
    /// much they add to scores and by how much worse predictions become if that is exchanged among the rows
    #[arg(long)]
    importance: bool,
    /// Rows that importance is looked for on.
    #[arg(long, value_name = "N", requires = "importance", help = format!(
        "Rows that importance is looked for on, drawn at random where there are more [default: {DEFAULT_SAMPLE}, fewer \
         where rows have hundreds of features; the first line says how many]"
    ))]
    pub sample: Option<usize>,
    /// How often each exchange is repeated
    #[arg(long, value_name = "N", default_value_t = DEFAULT_REPEATS, requires = "importance")]
    pub repeats: usize,
    /// What rows and exchanges are drawn by
    #[arg(long, value_name = "SEED", default_value_t = 0, requires = "importance")]
    pub seed: u64,
    /// Write a page with a heat map of pairs of columns
    #[arg(long, value_name = "HTML", requires = "importance")]
    pub report: Option<String>,
    /// Lines of each table, the largest first
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TOP)]
    pub top: usize,
    #[command(flatten)]
    threads: ThreadArgs,
    /// Write JSON instead of text: all parts, an object a row; or one object of what is important
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub input: InputArgs,
}

/// Runs `pairloom explain`.
pub fn run(args: &Args) -> Result<()> {
    output::check(&args.report.iter().collect::<Vec<_>>(), &[&args.model, &args.data])?;
    let model = Model::load(&args.model)?;
    let threads = args.threads.start()?;
    let opening = Opening { model: &model, input: &args.input, threads: &threads };
    let mut screen = Screen::new(args.json, false);
    if args.importance {
        return importance::run(args, opening, &mut screen);
    }
    let class = args.class.as_deref().map(|name| model.class(name)).transpose()?;
    let mut options =
        ExplainOptions { class, on_error: args.input.on_error(), ..ExplainOptions::default() };
    if !args.row.is_empty() {
        options.rows.clone_from(&args.row);
    }
    let (mut reader, name) = (opening.open(&args.data)?, input::name(&args.data));
    let (rows, skipped) = model.explain_rows(&mut *reader, name, &options)?;
    notice_skipped(&skipped);
    for (at, row) in rows.iter().enumerate() {
        let told = Told { model: &model, names: Names::new(&model), row };
        if at > 0 {
            screen.text("")?;
        }
        told.text(args.top, &mut screen)?;
        screen.json(&row.to_json(&model))?;
    }
    Ok(())
}

/// Places that a column and its cell may take.
const NAME: usize = 32;

/// A row and the names of what is in it.
struct Told<'a> {
    model: &'a Model,
    names: Names<'a>,
    row: &'a Explained,
}

impl Told<'_> {
    fn text(&self, top: usize, screen: &mut Screen) -> Result<()> {
        let Explained { row, line, label, explanation, .. } = self.row;
        let label = label.as_ref().map(|label| format!(", label {}", one_line(label, NAME)));
        // Without a header each line is a row, and tables of Parquet have no lines.
        let line = if line == row { String::new() } else { format!(" (line {line})") };
        screen.text(&format!("row {row}{line}{}", label.unwrap_or_default()))?;
        let class = explanation.class.map(|at| &self.model.encoding.target.names()[at]);
        let of =
            class.map_or(String::new(), |name| format!(" of class '{}'", one_line(name, NAME)));
        let score = figure(Some(explanation.score.into()));
        screen.text(&format!("score{of} {score}, the sum of these parts:"))?;
        screen.table(&self.parts(top), true)?;
        self.steps().iter().try_for_each(|step| screen.text(step))
    }

    /// The parts by columns, the largest first.
    fn parts(&self, top: usize) -> Vec<Vec<String>> {
        let explanation = &self.row.explanation;
        let ByField { fields, pairs } = explanation.by_field(&self.model.encoding);
        let mut parts = vec![("bias".to_string(), explanation.bias)];
        parts.extend(fields.iter().map(|part| (self.field(part.field), part.contribution())));
        parts.extend(pairs.iter().map(|pair| {
            (pair.fields.map(|field| self.field(field)).join(" x "), pair.contribution)
        }));
        let products = explanation.products.iter();
        parts.extend(products.map(|(order, sum)| (format!("products of {order} features"), *sum)));
        parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let others = parts.split_off(top.min(parts.len()));
        if !others.is_empty() {
            let sum = others.iter().map(|part| part.1).sum();
            parts.push((format!("({} others)", others.len()), sum));
        }
        parts.push(("rounding to 32 bits".into(), explanation.rounding));
        parts.into_iter().map(|(name, part)| vec![name, figure(Some(part))]).collect()
    }

    /// A column and what the row has in it.
    fn field(&self, field: usize) -> String {
        let (name, cell) = (one_line(&self.names.field(field), NAME), &self.row.cells[field]);
        let cell = match cell.trim().is_empty() {
            true => "(missing)".into(),
            false => one_line(cell, NAME),
        };
        let unknown = if self.has_unknown(field) { " (rare or unseen)" } else { "" };
        format!("{name} = {cell}{unknown}")
    }

    /// Whether the row has a value there that training rows had rarely or not at all.
    fn has_unknown(&self, field: usize) -> bool {
        let ids = self.row.explanation.values.iter().map(|value| value.id);
        let mut unknown = ids.filter(|&id| self.names.is_unknown(id));
        unknown.any(|id| self.names.field_of(id) == field)
    }

    /// The way from the score to the prediction.
    fn steps(&self) -> Vec<String> {
        let (model, explanation) = (self.model, &self.row.explanation);
        let [score, corrected, uncalibrated, prediction] = [
            explanation.score.into(),
            explanation.steps.corrected,
            explanation.steps.uncalibrated,
            explanation.steps.prediction,
        ]
        .map(|number| figure(Some(number)));
        let mut steps = Vec::new();
        if model.config.negative_rate != 1.0 {
            let rate = model.config.negative_rate;
            steps.push(format!("of all rows: {score} + ln {rate} = {corrected}"));
        }
        match (&model.encoding.target, model.config.resolved_loss()) {
            (_, loss) if loss.is_ranking() => {
                steps.push("scores are for comparing the rows of a group".into());
            }
            (Target::Classes { .. }, _) => {
                steps.push(format!(
                    "probability: e^score over its sum over all classes = {prediction}"
                ));
            }
            (_, Loss::Poisson) => steps.push(format!("prediction: e^score = {uncalibrated}")),
            (Target::Real { mean, scale }, _) => {
                let [mean, scale] = [*mean, *scale].map(|number| figure(Some(number)));
                steps.push(format!("prediction: {mean} + {scale} score = {uncalibrated}"));
            }
            (Target::Binary { positive, .. }, _) => {
                let positive = one_line(positive, NAME);
                steps.push(format!(
                    "probability of '{positive}': 1 / (1 + e^-score) = {uncalibrated}"
                ));
            }
            _ => steps.push(format!("prediction: {uncalibrated}")),
        }
        if let Some(calibration) = &model.calibration {
            steps.push(format!("calibrated ({calibration}): {prediction}"));
        }
        steps
    }
}
