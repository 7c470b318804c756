//! Two models on the same rows: which is better, and whether that is more than chance.

use crate::batch::Outcomes;
use crate::encode::Target;
use crate::input::Reader;
use crate::loss::Loss;
use crate::metric::{
    self, Bootstrap, DEFAULT_AT, DEFAULT_THRESHOLD, LEAST_DRAWN, Measure, Metrics,
};
use crate::model::Model;
use crate::parallel::Threads;
use crate::predict::PredictOptions;
use crate::reading::{OnError, Outcome};
use crate::{Error, Result};

/// How to compare.
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// What to do with rows that cannot be used; both models must leave out the same.
    pub on_error: OnError,
    /// The probability from which a row counts as predicted positive.
    pub threshold: f64,
    /// The place at which ranked lists end.
    pub at: usize,
    /// How samples of the rows are drawn.
    pub bootstrap: Bootstrap,
}

impl Default for CompareOptions {
    fn default() -> Self {
        CompareOptions {
            on_error: OnError::default(),
            threshold: DEFAULT_THRESHOLD,
            at: DEFAULT_AT,
            bootstrap: Bootstrap::default(),
        }
    }
}

/// A figure of two models.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// Its name among the metrics.
    pub name: &'static str,
    /// What each has; nothing where it is undefined on these rows.
    pub values: [Option<f64>; 2],
    /// The second less the first.
    pub difference: Option<f64>,
    /// Between what the difference is, by [`Bootstrap::differences`].
    pub interval: Option<[f64; 2]>,
}

impl Compared {
    /// Which of the two is better: 0 or 1, or nothing if the interval has 0 in it.
    pub fn better(&self) -> Option<usize> {
        let [from, to] = self.interval?;
        let is_loss = metric::is_loss(self.name);
        match () {
            () if from > 0.0 => Some(usize::from(!is_loss)),
            () if to < 0.0 => Some(usize::from(is_loss)),
            () => None,
        }
    }
}

/// Two models beside each other.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// All figures of each.
    pub metrics: [Metrics; 2],
    /// The figures that both have, but the number of rows and the like.
    pub figures: Vec<Compared>,
    /// How many rows, or groups of them, samples were drawn from.
    pub drawn_from: usize,
    /// What there is to tell of the rows, for each.
    pub outcomes: [Outcome; 2],
}

impl Comparison {
    /// Whether fewer than [`LEAST_DRAWN`] rows or groups were drawn from, of which intervals say little.
    pub fn has_few(&self) -> bool {
        self.drawn_from < LEAST_DRAWN
    }

    /// Which of the two is better at a figure, as [`Compared::better`] has it, if that can be said of so many rows.
    pub fn better(&self, of: &Compared) -> Option<usize> {
        of.better().filter(|_| !self.has_few())
    }
}

/// A model, and what errors call it.
pub type Named<'a> = (&'a str, &'a Model);

/// Measures two models on the rows of a file (called `file` in errors), which `open` opens for each of them in turn.
///
/// # Errors
/// [`Error::Data`] if they do not predict the same, or if rows, labels, weights or groups are not the same for both;
/// those of [`Model::predict_rows`] and [`Bootstrap::differences`].
pub fn compare(
    models: [Named<'_>; 2],
    mut open: impl FnMut(&Model) -> Result<Box<dyn Reader>>,
    file: &str,
    options: &CompareOptions,
    threads: &Threads,
) -> Result<Comparison> {
    if let Some(difference) = difference(models) {
        let message = format!("{difference}: two models are compared if they predict the same");
        return Err(Error::data(models[1].0, message));
    }
    let mut read = |(_, model): Named<'_>| {
        Predicted::read(model, &mut *open(model)?, file, options.on_error, threads)
    };
    let [one, other] = [read(models[0])?, read(models[1])?];
    same_rows(models, file, [&one, &other])?;
    let rows = &one.labels;
    if rows.is_empty() {
        return Err(Error::data(file, "no rows to compare models on"));
    }
    let measures = models.map(|(_, model)| measure(model, options));
    let predictions = [&one.predictions[..], &other.predictions[..]];
    let metrics = [0, 1].map(|at| measures[at].measure(predictions[at], rows));
    let [one_metrics, other_metrics] = metrics.map(|found| found.map_err(metric::of_file(file)));
    let metrics = [one_metrics?, other_metrics?];
    let [a, b] = &measures;
    let intervals = options.bootstrap.differences([a, b], predictions, rows, threads)?;
    // Losses of another kind, or in another unit, have nothing to be less than.
    let is_other = a.loss != b.loss || (matches!(a.loss, Loss::Huber(_)) && a.scale != b.scale);
    let left_out = if is_other { losses_of(a.loss, b.loss) } else { &[] };
    let named = |at: usize, wanted: &str| metrics[at].iter().find(|(n, _)| *n == wanted)?.1;
    let figures = metric::differences(&metrics[0], &metrics[1]).into_iter().zip(intervals);
    let figures = figures.filter(|((name, _), _)| !left_out.contains(name));
    let figure = |((name, difference), (_, interval))| {
        let values = [named(0, name), named(1, name)];
        Compared { name, values, difference, interval }
    };
    let figures = figures.map(figure).collect();
    let drawn_from = metric::drawn_from(rows);
    Ok(Comparison { metrics, figures, drawn_from, outcomes: [one.outcome, other.outcome] })
}

/// Figures of models with these losses that are not the same, though their names are.
fn losses_of(one: Loss, other: Loss) -> &'static [&'static str] {
    match one.is_ranking() || other.is_ranking() {
        true => &["loss"],
        false => &["huber_loss", "quantile_loss"],
    }
}

fn measure(model: &Model, options: &CompareOptions) -> Measure {
    Measure {
        loss: model.config.resolved_loss(),
        scale: model.encoding.target.scale(),
        threshold: options.threshold,
        at: options.at,
    }
}

/// What each of two models predicts, if that is not the same.
fn difference([one, other]: [Named<'_>; 2]) -> Option<String> {
    let [a, b] = [one, other].map(|(_, model)| &model.encoding.target);
    let is_ranking = |(_, model): Named<'_>| model.config.resolved_loss().is_ranking();
    let is_same = match (a, b) {
        _ if is_ranking(one) != is_ranking(other) => false,
        _ if is_ranking(one) => true,
        _ if a.is_number() => b.is_number(),
        _ => a == b,
    };
    let said = [one, other].map(|(_, model)| predicted(model));
    (!is_same).then(|| format!("it predicts {}, and {} predicts {}", said[1], one.0, said[0]))
}

/// What a model predicts, in words.
fn predicted(model: &Model) -> String {
    match &model.encoding.target {
        _ if model.config.resolved_loss().is_ranking() => "an order of rows".into(),
        Target::Binary { positive, negative } => {
            let others = negative.as_ref().map_or("all others".into(), |name| format!("'{name}'"));
            format!("the probability of '{positive}' against {others}")
        }
        Target::Classes { names } => {
            let shown: Vec<String> = names.iter().take(8).map(|name| format!("'{name}'")).collect();
            let more = if names.len() > shown.len() { ", ..." } else { "" };
            format!("the probabilities of {} classes ({}{more})", names.len(), shown.join(", "))
        }
        _ => "a number".into(),
    }
}

/// The rows of a file as a model sees them.
struct Predicted {
    predictions: Vec<f64>,
    labels: Outcomes,
    lines: Vec<u64>,
    outcome: Outcome,
}

impl Predicted {
    fn read(
        model: &Model,
        reader: &mut dyn Reader,
        file: &str,
        on_error: OnError,
        threads: &Threads,
    ) -> Result<Self> {
        let groups = model.config.resolved_loss().is_ranking();
        let options =
            PredictOptions { labelled: true, groups, on_error, ..PredictOptions::default() };
        let (mut predictions, mut lines) = (Vec::new(), Vec::new());
        let mut labels = Outcomes::default();
        let outcome = model.predict_rows(reader, file, &options, threads, |piece| {
            predictions.extend_from_slice(&piece.predictions);
            lines.extend_from_slice(piece.lines());
            labels.append(&piece.labels);
            Ok(())
        })?;
        Ok(Predicted { predictions, labels, lines, outcome })
    }
}

/// Refuses rows that are not the same for both.
fn same_rows(
    [(one, _), (other, _)]: [Named<'_>; 2],
    file: &str,
    [a, b]: [&Predicted; 2],
) -> Result<()> {
    let differ = |line: u64, what: String| {
        Err(Error::data(file, format!("line {line}: {what}: both models must take the same rows")))
    };
    let at = a.lines.iter().zip(&b.lines).position(|(a, b)| a != b);
    let at = at.unwrap_or_else(|| a.lines.len().min(b.lines.len()));
    match (a.lines.get(at), b.lines.get(at)) {
        (None, None) => {}
        // The line that comes first is the one that the other model lacks.
        (Some(&mine), theirs) if theirs.is_none_or(|&theirs| mine < theirs) => {
            return differ(mine, format!("{one} takes the row and {other} leaves it out"));
        }
        (_, theirs) => {
            let line = theirs.copied().unwrap_or(0);
            return differ(line, format!("{other} takes the row and {one} leaves it out"));
        }
    }
    for (row, &line) in a.lines.iter().enumerate() {
        let [mine, theirs] = [a, b].map(|of| (of.labels.outcome(row), of.labels.group(row)));
        let said = |what: &str, mine: f32, theirs: f32| {
            differ(line, format!("its {what} is {mine} for {one} and {theirs} for {other}"))
        };
        if mine.0.0 != theirs.0.0 {
            return said("label", mine.0.0, theirs.0.0);
        }
        if mine.0.1 != theirs.0.1 {
            return said("weight", mine.0.1, theirs.0.1);
        }
        if mine.1 != theirs.1 {
            return differ(line, format!("{one} and {other} have it in other groups"));
        }
    }
    Ok(())
}
