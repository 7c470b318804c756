//! Which charts a run deserves, drawn from its history and its scores.

use super::svg::{Axis, Chart, number};
use super::{Epoch, Kind, Report};
use crate::Result;
use crate::metric::{self, Binary, CALIBRATION_BINS, DEFAULT_THRESHOLD, Regression};

/// Curves beyond this many epochs get no dots, which would run into a band.
const DOTTED_EPOCHS: usize = 40;
const ROC_POINTS: usize = 300;
const HISTOGRAM_BINS: usize = 40;
const ACTUAL_BINS: usize = 20;

/// Values over epochs.
type Curve = Vec<(f64, f64)>;

/// Loss over epochs, and the validation AUC if it was measured.
pub(super) fn training(report: &Report<'_>) -> Vec<String> {
    let train = curve(report, |epoch| Some(epoch.train_loss));
    let valid = curve(report, |epoch| named(epoch, &report.loss_name));
    let auc = curve(report, |epoch| named(epoch, "AUC"));
    let mut charts = Vec::new();
    if !train.is_empty() || !valid.is_empty() {
        let unit = match report.loss_name.as_str() {
            "log loss" => " (nats)",
            "RMSE" => " (target units)",
            _ => "",
        };
        let name = format!("{}{unit}", report.loss_name);
        let series = [("a dashed", "training", train), ("b", "validation", valid)];
        charts.push(over_epochs(report, "loss", "Learning curve", &name, &series));
    }
    if !auc.is_empty() {
        let series = [("a", "", Curve::new()), ("b", "validation", auc)];
        charts.push(over_epochs(report, "auc", "Validation AUC", "area under the curve", &series));
    }
    charts
}

fn curve(report: &Report<'_>, value: impl Fn(&Epoch) -> Option<f64>) -> Curve {
    let point = |epoch: &Epoch| Some((f64::from(epoch.epoch), value(epoch)?));
    report.history.iter().filter_map(point).filter(|point| point.1.is_finite()).collect()
}

fn named(epoch: &Epoch, name: &str) -> Option<f64> {
    epoch.valid.iter().find(|pair| pair.0 == name).map(|pair| pair.1)
}

/// What the epoch is whose weights were kept.
pub(super) fn kept(report: &Report<'_>) -> &'static str {
    if report.history.iter().any(|epoch| !epoch.valid.is_empty()) { "best" } else { "last" }
}

/// One chart with the epochs along the bottom and the one that was kept marked.
fn over_epochs(
    report: &Report<'_>,
    id: &str,
    title: &str,
    name: &str,
    series: &[(&str, &str, Curve)],
) -> String {
    let epochs = report.history.iter().map(|epoch| epoch.epoch);
    let x = Axis::whole("epoch", epochs.clone().min().unwrap_or(1), epochs.max().unwrap_or(1));
    let y = Axis::around(name, series.iter().flat_map(|series| series.2.iter().map(|p| p.1)));
    let mut chart = Chart::new(title, x, y);
    let known = report.history.iter().any(|epoch| Some(epoch.epoch) == report.kept_epoch);
    if let Some(epoch) = report.kept_epoch.filter(|_| known) {
        chart.mark(f64::from(epoch), &format!("{}: epoch {epoch}", kept(report)));
    }
    let mut said = format!("{name} by epoch.");
    for (class, label, points) in series.iter().filter(|series| !series.2.is_empty()) {
        chart.key(class, label);
        chart.line(class, points);
        for &(epoch, value) in points.iter().filter(|_| points.len() <= DOTTED_EPOCHS) {
            let note = format!("{label}, epoch {epoch}: {}", number(value));
            chart.dot(class, (epoch, value), 3.0, &note);
        }
        let (first, last) = (points[0], points[points.len() - 1]);
        let (from, to) = (number(first.1), number(last.1));
        said += &format!(" {label}: {from} at epoch {}, {to} at epoch {}.", first.0, last.0);
    }
    chart.render(id, &said)
}

/// The charts of an evaluation.
pub(super) fn evaluation(kind: &Kind<'_>) -> Result<Vec<String>> {
    match *kind {
        Kind::Binary { probability, label, weight, classes } => Ok(vec![
            roc(probability, label, weight)?,
            calibration(probability, label, weight)?,
            scores(probability, label, weight, classes)?,
        ]),
        Kind::Classes { probability, label, weight } => {
            let (top, right) = metric::top_class(probability, label);
            Ok(vec![calibration(&top, &right, weight)?])
        }
        Kind::Regression { prediction, target, weight } => {
            Ok(vec![actual(prediction, target, weight)?, residuals(prediction, target, weight)?])
        }
    }
}

fn roc(probability: &[f64], label: &[f32], weight: Option<&[f32]>) -> Result<String> {
    let auc = Binary::measure(probability, label, weight, DEFAULT_THRESHOLD)?.auc;
    let x = Axis::around("false positive rate", [0.0, 1.0]);
    let y = Axis::around("true positive rate", [0.0, 1.0]);
    let mut chart = Chart::new("ROC curve", x, y);
    chart.line("guide", &[(0.0, 0.0), (1.0, 1.0)]);
    let Some(auc) = auc else {
        chart.key("guide", "no curve: the rows have only one class");
        return Ok(chart.render("roc", "No curve: the rows have only one class."));
    };
    chart.line("a", &metric::roc_curve(probability, label, weight, ROC_POINTS)?);
    chart.key("a", &format!("model, AUC {}", number(auc)));
    chart.key("guide", "chance, AUC 0.5");
    let said = format!("True positive rate against false positive rate; area {}.", number(auc));
    Ok(chart.render("roc", &said))
}

/// As many bins as in the calibration error, but over the range the scores reach: of rare clicks
/// all would otherwise share one dot.
fn calibration(probability: &[f64], label: &[f32], weight: Option<&[f32]>) -> Result<String> {
    let bins = (CALIBRATION_BINS as f64 / score_axis(probability).high.min(1.0)).ceil() as usize;
    let bins = metric::calibration(probability, label, weight, bins)?;
    let all = || bins.iter().flat_map(|bin| [0.0, 1e-3, bin.mean_probability, bin.positive_rate]);
    let x = Axis::around("mean predicted probability", all());
    let y = Axis::around("observed share", all());
    let (total, high) = (bins.iter().map(|bin| bin.weight).sum::<f64>(), x.high);
    let mut chart = Chart::new("Calibration", x, y);
    chart.line("guide", &[(0.0, 0.0), (high, high)]);
    let points: Vec<_> = bins.iter().map(|bin| (bin.mean_probability, bin.positive_rate)).collect();
    chart.line("a thin", &points);
    for (bin, &point) in bins.iter().zip(&points) {
        let share = bin.weight / total;
        let note = format!(
            "predicted {}, observed {}, {}% of the rows",
            number(point.0),
            number(point.1),
            number(100.0 * share)
        );
        chart.dot("a", point, (15.0 * share.sqrt()).clamp(2.5, 9.0), &note);
    }
    chart.key("a round", "bin of scores; area: share of the rows");
    chart.key("guide", "perfect");
    let rows: Vec<String> = points
        .iter()
        .map(|point| format!("{} predicted, {} observed", number(point.0), number(point.1)))
        .collect();
    Ok(chart.render("calibration", &format!("By bin: {}.", rows.join("; "))))
}

/// From 0 to the highest score, or a little more where all are zero.
fn score_axis(probability: &[f64]) -> Axis {
    Axis::around("predicted probability", probability.iter().copied().chain([0.0, 1e-3]))
}

fn scores(
    probability: &[f64],
    label: &[f32],
    weight: Option<&[f32]>,
    [negative, positive]: [&str; 2],
) -> Result<String> {
    let x = score_axis(probability);
    let range = (0.0, x.high.min(1.0));
    let counts = metric::score_histogram(probability, label, weight, range, HISTOGRAM_BINS)?;
    let shares = counts.map(|counts| percent(&counts));
    let y = Axis::around("share of the class (%)", shares.iter().flatten().copied().chain([0.0]));
    let mut chart = Chart::new("Scores by class", x, y);
    let mut said = "Histogram of predicted probabilities.".to_string();
    for (class, name, shares) in [("a", negative, &shares[0]), ("b", positive, &shares[1])] {
        if shares.iter().any(|share| *share > 0.0) {
            chart.key(&format!("{class} filled"), name);
            chart.bars(class, shares, |bin| note(name, range, shares, bin));
            said += &format!(" {name} peaks in {}.", note(name, range, shares, peak(shares)));
        }
    }
    Ok(chart.render("scores", &said))
}

fn actual(prediction: &[f64], target: &[f32], weight: Option<&[f32]>) -> Result<String> {
    let bins = metric::predicted_actual(prediction, target, weight, ACTUAL_BINS)?;
    let all = || bins.iter().flat_map(|bin| [bin.mean_prediction, bin.mean_target]);
    let x = Axis::around("mean prediction (target units)", all());
    let y = Axis::around("mean target (target units)", all());
    let ends = (x.low, x.high);
    let mut chart = Chart::new("Predicted against actual", x, y);
    chart.line("guide", &[(ends.0, ends.0), (ends.1, ends.1)]);
    chart.key("a round", "groups of equal weight by prediction");
    chart.key("guide", "perfect");
    let mut said = "Means by group:".to_string();
    for bin in &bins {
        let (x, y) = (number(bin.mean_prediction), number(bin.mean_target));
        let note = format!("predicted {x}, actual {y}");
        chart.dot("a", (bin.mean_prediction, bin.mean_target), 4.5, &note);
        said += &format!(" {note};");
    }
    Ok(chart.render("actual", said.trim_end_matches(';')))
}

/// Residuals within four root mean squared errors; the end bars hold those beyond.
fn residuals(prediction: &[f64], target: &[f32], weight: Option<&[f32]>) -> Result<String> {
    let limit = 4.0 * Regression::measure(prediction, target, weight)?.rmse;
    let residuals: Vec<f64> = prediction
        .iter()
        .zip(target)
        .map(|(p, y)| (p - f64::from(*y)).clamp(-limit, limit))
        .collect();
    let x = Axis::around("prediction minus target (target units)", residuals.iter().copied());
    let range = (x.low, x.high);
    let shares = percent(&metric::histogram(&residuals, weight, range, HISTOGRAM_BINS)?);
    let y = Axis::around("share of the rows (%)", shares.iter().copied().chain([0.0]));
    let mut chart = Chart::new("Residuals", x, y);
    chart.bars("a", &shares, |bin| note("residuals", range, &shares, bin));
    chart.key("a filled", "share of the rows");
    if range.0 < 0.0 && range.1 > 0.0 {
        chart.mark(0.0, "no error");
    }
    let said =
        format!("Histogram; it peaks in {}.", note("residuals", range, &shares, peak(&shares)));
    Ok(chart.render("residuals", &said))
}

/// Each count as a percentage of all of them.
fn percent(counts: &[f64]) -> Vec<f64> {
    let total: f64 = counts.iter().sum();
    let share = |count: &f64| if total > 0.0 { 100.0 * count / total } else { 0.0 };
    counts.iter().map(share).collect()
}

fn peak(shares: &[f64]) -> usize {
    (0..shares.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b])).unwrap_or_default()
}

fn note(name: &str, range: (f64, f64), shares: &[f64], bin: usize) -> String {
    let edge = |n: usize| number(range.0 + (range.1 - range.0) * n as f64 / shares.len() as f64);
    format!("{name}, {} to {}: {}%", edge(bin), edge(bin + 1), number(shares[bin]))
}
