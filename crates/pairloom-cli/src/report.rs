//! From a model and its evaluation to the library's report page.

use crate::describe::{classes, constant, schema_rows, sentence, setting_rows, spread};
use crate::screen::{figure, metric_title, thousands, write_text};
use crate::segments;
use crate::tell::loss_name;
use pairloom::batch::Outcomes;
use pairloom::encode::Target;
use pairloom::loss::Loss;
use pairloom::metric::{CALIBRATION_BINS, Constant, Measure, Metrics};
use pairloom::parallel::Threads;
use pairloom::predict::Evaluated;
use pairloom::report::{Evaluation, Figure, Kind, Report, Table, epochs, html};
use pairloom::segment::Segments;
use pairloom::train::{Start, Trained};
use pairloom::{Model, Result};

/// What a page is about, and the file it goes to.
pub struct Page<'a> {
    /// The page.
    pub file: &'a str,
    /// The model's file.
    pub name: &'a str,
    /// The model.
    pub model: &'a Model,
    /// The command that repeats the run.
    pub command: String,
}

/// Rows whose predictions are drawn.
struct Drawn<'a> {
    title: &'a str,
    predictions: &'a [f64],
    outcomes: &'a Outcomes,
    metrics: Metrics,
    constant: Constant,
}

impl Page<'_> {
    /// Writes the page of a training run.
    pub fn write_training(&self, trained: &Trained, threads: usize) -> Result<()> {
        let start = trained.start.as_ref();
        if trained.valid.is_empty() {
            return self.write(start, None, &[]);
        }
        let (predictions, outcomes) = trained.predictions(&Threads::new(threads)?)?;
        let scale = self.model.encoding.target.scale();
        let kept = self.model.kept_epoch().and_then(|epoch| epoch.valid.clone());
        let metrics = match kept {
            // Each of the rows may have been ranked among others that were drawn.
            Some(metrics @ Metrics::Ranking(_)) => metrics,
            _ => Measure::new(self.loss(), scale).measure(&predictions, &outcomes)?,
        };
        let title = match trained.stands_for {
            [1.0, 1.0] => "Validation rows",
            _ => "Validation rows, each as the rows that it stands for",
        };
        self.write(start, Some(&self.drawn(title, &predictions, &outcomes, metrics)?), &[])
    }

    /// Writes the page of an evaluation.
    pub fn write_evaluation(&self, data: &str, found: &Evaluated) -> Result<()> {
        let Evaluated { predictions, labels, metrics, segments, .. } = found;
        self.write(None, Some(&self.drawn(data, predictions, labels, metrics.clone())?), segments)
    }

    fn target(&self) -> &Target {
        &self.model.encoding.target
    }

    fn loss(&self) -> Loss {
        self.model.config.resolved_loss()
    }

    fn drawn<'a>(
        &self,
        title: &'a str,
        predictions: &'a [f64],
        outcomes: &'a Outcomes,
        metrics: Metrics,
    ) -> Result<Drawn<'a>> {
        let constant = constant(self.target(), outcomes)?;
        Ok(Drawn { title, predictions, outcomes, metrics, constant })
    }

    fn write(
        &self,
        start: Option<&Start>,
        drawn: Option<&Drawn<'_>>,
        segments: &[Segments],
    ) -> Result<()> {
        let model = self.model;
        let classes = classes(model);
        let page = Report {
            title: self.name.into(),
            lead: sentence(model),
            summary: self.tiles(start, drawn),
            command: Some(self.command.clone()),
            history: epochs(model),
            loss_name: metric_title(self.loss().figure()),
            kept_epoch: Some(model.epoch),
            evaluation: drawn.and_then(|drawn| drawn.evaluation(classes.as_ref())),
            metrics: drawn.map_or(Vec::new(), |drawn| drawn.figures()),
            segments: segments.iter().map(table).collect(),
            settings: setting_rows(model),
            schema: schema_rows(model),
            importance: None,
        };
        write_text(self.file, &html(&page))
    }

    /// What to see first: how good it is beside doing nothing, on how many rows of what kind.
    fn tiles(&self, start: Option<&Start>, drawn: Option<&Drawn<'_>>) -> Vec<Figure> {
        let (model, target) = (self.model, self.target());
        let rows = |name, rows: usize, constant| {
            tile(name, thousands(rows as i64), spread(constant, target))
        };
        let mut tiles = match (drawn, model.history.last(), start) {
            (Some(drawn), ..) => drawn.quality(),
            (None, Some(last), Some(start)) => {
                let name = format!("training {}", loss_name(self.loss()));
                let loss = figure(Some(self.loss().shown(last.train_loss)));
                vec![tile(&name, loss, beside(start.constant.loss))]
            }
            _ => Vec::new(),
        };
        if let Some(drawn) = drawn {
            let name = if start.is_some() { "validation rows" } else { "rows" };
            tiles.push(rows(name, drawn.outcomes.len(), &drawn.constant));
        }
        if let Some(start) = start {
            tiles.push(rows("training rows", start.train, &start.constant));
        }
        // An average has no epochs.
        if !model.history.is_empty() {
            let validated = model.history.iter().any(|epoch| epoch.valid.is_some());
            let name = if validated { "best epoch" } else { "last epoch" };
            tiles.push(tile(name, model.epoch.to_string(), format!("of {}", model.history.len())));
        }
        tiles
    }
}

impl<'a> Drawn<'a> {
    fn quality(&self) -> Vec<Figure> {
        let constant = self.constant.loss;
        match &self.metrics {
            Metrics::Binary(m) => vec![
                tile("log loss", figure(Some(m.log_loss)), beside(constant)),
                tile("AUC", figure(m.auc), beside(0.5)),
                calibration_tile(m.expected_calibration_error),
            ],
            Metrics::Classes(m) => vec![
                tile("log loss", figure(Some(m.log_loss)), beside(constant)),
                tile("accuracy", figure(Some(m.accuracy)), beside(self.constant.mean)),
                calibration_tile(m.expected_calibration_error),
            ],
            Metrics::Ranking(m) => vec![
                tile(
                    &format!("NDCG at {}", m.at),
                    figure(Some(m.ndcg)),
                    "1 for the best order".into(),
                ),
                tile("MRR", figure(Some(m.mrr)), "mean reciprocal rank".into()),
                tile("AUC in groups", figure(m.grouped_auc), beside(0.5)),
            ],
            Metrics::Regression(m) => vec![
                tile("RMSE", figure(Some(m.rmse)), beside(constant)),
                tile("MAE", figure(Some(m.mae)), "mean absolute error".into()),
                tile("R2", figure(m.r2), beside(0.0)),
            ],
        }
    }

    /// All figures, with what a constant prediction comes to after the model's.
    fn figures(&self) -> Vec<(String, String)> {
        let mut figures = Vec::new();
        for (name, value) in self.metrics.iter() {
            let title = metric_title(name);
            figures.push((title.clone(), figure(value)));
            if matches!(name, "log_loss" | "rmse") {
                let name = format!("{title} of a constant prediction");
                figures.push((name, figure(Some(self.constant.loss))));
            }
        }
        figures
    }

    /// The charts; there are none of ranks.
    fn evaluation(&self, classes: Option<&'a [String; 2]>) -> Option<Evaluation<'a>> {
        if matches!(self.metrics, Metrics::Ranking(_)) {
            return None;
        }
        let (label, weight) = (self.outcomes.labels(), self.outcomes.weights());
        let kind = match classes {
            Some([negative, positive]) => Kind::Binary {
                probability: self.predictions,
                label,
                weight,
                classes: [negative, positive],
            },
            None if matches!(self.metrics, Metrics::Classes(_)) => {
                Kind::Classes { probability: self.predictions, label, weight }
            }
            None => Kind::Regression { prediction: self.predictions, target: label, weight },
        };
        Some(Evaluation { title: self.title.into(), kind })
    }
}

/// The segments of a column as the page shows them.
fn table(of: &Segments) -> Table {
    let mut rows = segments::rows(of);
    let header = rows.remove(0);
    Table { title: format!("By {}", of.column), header, rows }
}

fn calibration_tile(error: f64) -> Figure {
    let note = format!("expected, {CALIBRATION_BINS} bins");
    tile("calibration error", figure(Some(error)), note)
}

fn tile(name: &str, value: String, note: String) -> Figure {
    Figure { name: name.into(), value, note }
}

/// What to read a figure beside.
fn beside(constant: f64) -> String {
    let constant = if constant.fract() == 0.5 { "0.5".into() } else { figure(Some(constant)) };
    format!("{constant} for a constant prediction")
}
