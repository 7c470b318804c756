//! `pairloom inspect`.

use crate::describe::{schema_rows, setting_rows};
use crate::output;
use crate::screen::{Screen, figure, metric_rows, metric_title, one_line, thousands};
use pairloom::explain::{DEFAULT_TOP, Names, Weighted};
use pairloom::metric::Metrics;
use pairloom::{Error, Model, Result};
use serde_json::{Value, json};

/// Arguments of `pairloom inspect`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model
    model: String,
    /// Features of each list of largest weights
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TOP)]
    top: usize,
    /// Write all weights by name into a CSV: field, value, id, the linear weight w and the factors v1, v2, ...;
    /// of several classes a line for each. - for standard output, and nothing else there
    #[arg(long, value_name = "CSV")]
    weights: Option<String>,
    /// Write one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Places that the name of a feature may take.
const NAME: usize = 60;

/// Runs `pairloom inspect`.
pub fn run(args: &Args) -> Result<()> {
    output::check(&args.weights.iter().collect::<Vec<_>>(), &[&args.model])?;
    let model = Model::load(&args.model)?;
    let bytes = std::fs::metadata(&args.model).map_err(|e| Error::io(&args.model, e))?.len();
    if let Some(file) = &args.weights {
        model.save_weights(file)?;
    }
    let mut screen = Screen::new(args.json, args.weights.as_deref() == Some("-"));
    let shown = Shown { model: &model, bytes, top: args.top };
    shown.text(&mut screen)?;
    if let Some(file) = args.weights.as_ref().filter(|file| *file != "-") {
        screen.text(&format!("\nwrote {file}"))?;
    }
    screen.json(&shown.json())
}

struct Shown<'a> {
    model: &'a Model,
    bytes: u64,
    top: usize,
}

impl Shown<'_> {
    fn text(&self, screen: &mut Screen) -> Result<()> {
        let model = self.model;
        self.head(screen)?;
        let header = pairloom::report::SCHEMA_HEADER.map(String::from).to_vec();
        let rows: Vec<Vec<String>> =
            [header].into_iter().chain(schema_rows(model).into_iter().map(Vec::from)).collect();
        screen.table(&rows, false)?;
        screen.text("\nsettings:")?;
        let settings = setting_rows(model).into_iter().map(|(name, value)| vec![name, value]);
        screen.table(&settings.collect::<Vec<_>>(), false)?;
        screen.text("\nsizes:")?;
        screen.table(&self.sizes(), false)?;
        self.largest(screen)?;
        if !model.history.is_empty() {
            screen.text("\nhistory:")?;
            screen.table(&self.history(), true)?;
        }
        if let Some(calibration) = &model.calibration {
            screen.text(&format!("\ncalibration: {calibration}"))?;
        }
        if let Some(valid) = self.valid() {
            let raw = model.calibration.is_some() || model.config.negative_rate != 1.0;
            let raw = if raw { ", uncorrected and uncalibrated" } else { "" };
            screen.text(&format!("\non the validation rows{raw}:"))?;
            screen.table(&metric_rows(valid), true)?;
        }
        Ok(())
    }

    fn head(&self, screen: &mut Screen) -> Result<()> {
        let model = self.model;
        let (features, factors) = (model.encoding.features(), model.config.resolved_factors());
        let y = if model.outputs() > 1 { "the score of each class" } else { "y(x)" };
        screen.text(&format!("{y} = {}\n", model.config.formula()))?;
        let weights = match model.history.len() {
            0 => "average".into(),
            epochs => format!("weights of epoch {} of {epochs}", model.epoch),
        };
        let classes = match model.outputs() {
            1 => String::new(),
            classes => format!("{classes} classes, "),
        };
        screen.text(&format!(
            "{classes}{} features, {factors} factors in a vector, {:.2} MiB; {weights}\n",
            thousands(features as i64),
            self.bytes as f64 / (1 << 20) as f64,
        ))
    }

    fn valid(&self) -> Option<&Metrics> {
        self.model.kept_epoch().and_then(|epoch| epoch.valid.as_ref())
    }

    /// The tables of weights: rows and numbers in each.
    fn sizes(&self) -> Vec<Vec<String>> {
        let weights = &self.model.weights;
        let row = |name: &str, rows: usize, width: usize, bytes: u128| {
            let size = format!("{} x {width}", thousands(rows as i64));
            vec![name.to_string(), size, format!("{} bytes", thousands(bytes as i64))]
        };
        let (linear, factors) = (&weights.linear, &weights.factors);
        let each = factors.precision().bytes();
        let mut rows = vec![
            row("bias", weights.bias.len(), 1, 4 * weights.bias.len() as u128),
            row("linear", linear.features(), 1, 4 * linear.features() as u128),
        ];
        if factors.width() > 0 {
            let numbers = factors.features() as u128 * factors.width() as u128;
            let mut of =
                row("factors", factors.features(), factors.width(), numbers * each as u128);
            of.push(self.model.config.precision.name().into());
            rows.push(of);
        }
        if !weights.shared.is_empty() {
            rows.push(row("shared", weights.shared.len(), 1, 4 * weights.shared.len() as u128));
        }
        rows
    }

    fn name(&self, of: &Weighted) -> String {
        let name = one_line(&Names::new(self.model).feature(of.id), NAME);
        match of.class {
            None => name,
            Some(class) => {
                let class = one_line(&self.model.encoding.target.names()[class], NAME);
                format!("{name}, class {class}")
            }
        }
    }

    fn largest(&self, screen: &mut Screen) -> Result<()> {
        let largest = self.model.largest(self.top);
        let lists = [
            ("largest linear weights:", &largest.linear),
            ("longest factor vectors:", &largest.factors),
        ];
        for (title, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            screen.text(&format!("\n{title}"))?;
            let row = |of: &Weighted| vec![self.name(of), figure(Some(of.value))];
            screen.table(&list.iter().map(row).collect::<Vec<_>>(), true)?;
        }
        Ok(())
    }

    /// A line an epoch: the loss of training, the loss of validation and the first figure beside it.
    fn history(&self) -> Vec<Vec<String>> {
        let (model, loss) = (self.model, self.model.config.resolved_loss());
        let title = metric_title(loss.figure());
        let main = model.history.iter().find_map(|epoch| main_figure(epoch.valid.as_ref()?));
        let mut header = vec!["epoch".into(), "rate".into(), format!("train {title}")];
        if let Some((name, _)) = main {
            header.extend([format!("valid {title}"), format!("valid {}", metric_title(name))]);
        }
        let row = |epoch: &pairloom::fit::Epoch| {
            let kept = if epoch.epoch == model.epoch { "*" } else { "" };
            let mut row = vec![format!("{}{kept}", epoch.epoch)];
            row.push(figure(Some(epoch.learning_rate)));
            row.push(figure(Some(loss.shown(epoch.train_loss))));
            if let Some(valid) = &epoch.valid {
                row.push(figure(Some(loss.shown(valid.loss()))));
                row.push(figure(main_figure(valid).and_then(|(_, value)| value)));
            }
            row
        };
        std::iter::once(header).chain(model.history.iter().map(row)).collect()
    }

    fn json(&self) -> Value {
        let model = self.model;
        let largest = model.largest(self.top);
        let list = |list: &[Weighted]| -> Vec<Value> {
            let names = Names::new(model);
            let class = |of: &Weighted| of.class.map(|at| &model.encoding.target.names()[at]);
            let one = |of: &Weighted| {
                json!({
                    "id": of.id, "name": names.feature(of.id), "class": class(of), "value": of.value,
                })
            };
            list.iter().map(one).collect()
        };
        json!({
            "schema": model.schema, "config": model.config, "target": model.encoding.target,
            "formula": model.config.formula(),
            "features": model.encoding.features(), "epoch": model.epoch, "history": model.history,
            "valid": self.valid(), "calibration": model.calibration, "bytes": self.bytes,
            "largest": { "linear": list(&largest.linear), "factors": list(&largest.factors) },
        })
    }
}

/// The first figure beside the loss that says how good the model is.
fn main_figure(valid: &Metrics) -> Option<(&'static str, Option<f64>)> {
    let wanted = match valid {
        Metrics::Binary(_) | Metrics::Classes(_) => "auc",
        Metrics::Regression(_) => "r2",
        Metrics::Ranking(_) => "ndcg",
    };
    valid.iter().find(|(name, _)| *name == wanted)
}
