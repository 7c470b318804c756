//! The page of a study: quality over the number of factors, of all points, and beside the time they take.

use super::page::{escape, page, section, table};
use super::svg::{Axis, Chart, number};
use super::{Figure, Table};
use crate::study::{Estimate, OfPoint, Summary};

/// Classes of the style sheet for the models, in their order; more than these share the last.
const SERIES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// The page. `metric` is the name of the figure for people, `lead` what was measured on what, `command` what repeats
/// it, and `all` the points as a table.
pub fn study_html(
    summary: &Summary,
    metric: &str,
    lead: &str,
    command: &str,
    all: &Table,
) -> String {
    let charts =
        [over_factors(summary, metric), points(summary, metric), over_time(summary, metric)];
    let charts: String = charts.into_iter().flatten().collect();
    let numbers = format!(
        "<div class=\"card numbers wide\">\n<h3>{}</h3>\n{}</div>\n",
        escape(&all.title),
        table("Points", &all.header, &all.rows)
    );
    let failed: String = summary.points.iter().filter_map(failure).collect();
    let body =
        section("Quality", &format!("<div class=\"grid\">\n{charts}{failed}{numbers}</div>\n"));
    page("pairloom study", "Study", lead, command, &tiles(summary, metric), &body)
}

fn failure(point: &OfPoint) -> Option<String> {
    let why = point.failure.as_ref()?;
    let (name, why) = (escape(&point.name), escape(why));
    Some(format!("<p class=\"card note\">{name}: {} of its runs failed: {why}</p>\n", point.failed))
}

/// The best point, and what it has more than the baseline.
fn tiles(summary: &Summary, metric: &str) -> Vec<Figure> {
    let sign = if summary.is_greater_better { -1.0 } else { 1.0 };
    let measured = summary.points.iter().filter_map(|point| Some((point, point.figure?)));
    let best = measured.min_by(|a, b| (sign * a.1.mean).total_cmp(&(sign * b.1.mean)));
    let Some((point, figure)) = best else { return Vec::new() };
    let baseline = &summary.points[summary.baseline];
    let mut tiles = vec![Figure {
        name: format!("best {metric}"),
        value: number(figure.mean),
        note: point.name.clone(),
    }];
    if let Some(difference) = point.difference {
        tiles.push(Figure {
            name: format!("beside {}", baseline.name),
            value: number(difference.of.mean),
            note: within(difference.of),
        });
    }
    let failed: usize = summary.points.iter().map(|point| point.failed).sum();
    let runs: usize = summary.points.iter().map(|point| point.runs).sum();
    let note = if failed > 0 { format!("{failed} failed") } else { String::new() };
    tiles.push(Figure { name: "runs".into(), value: runs.to_string(), note });
    tiles
}

fn within(of: Estimate) -> String {
    of.margin.map_or(String::new(), |margin| format!("\u{b1} {}", number(margin)))
}

/// The models that there are, each with the class of its series.
fn models(summary: &Summary) -> Vec<(&str, &'static str)> {
    let mut models: Vec<(&str, &str)> = Vec::new();
    for point in &summary.points {
        if !models.iter().any(|(name, _)| *name == point.model) {
            models.push((&point.model, SERIES[models.len().min(SERIES.len() - 1)]));
        }
    }
    models
}

fn ends(of: Estimate) -> [f64; 2] {
    let margin = of.margin.unwrap_or(0.0);
    [of.mean - margin, of.mean + margin]
}

fn all_ends(summary: &Summary) -> impl Iterator<Item = f64> {
    summary.points.iter().filter_map(|point| point.figure).flat_map(ends)
}

/// Quality over the number of factors, a line for each model that has several.
fn over_factors(summary: &Summary, metric: &str) -> Option<String> {
    let of = |model: &str| {
        let mine = summary.points.iter().filter(|point| point.model == model && point.factors > 0);
        let mut points: Vec<(usize, Estimate)> =
            mine.filter_map(|point| Some((point.factors, point.figure?))).collect();
        points.sort_by_key(|(factors, _)| *factors);
        points
    };
    let lines: Vec<_> =
        models(summary).into_iter().map(|(model, class)| (model, class, of(model))).collect();
    let several = |points: &[(usize, Estimate)]| points.iter().any(|p| p.0 != points[0].0);
    if !lines.iter().any(|(.., points)| several(points)) {
        return None;
    }
    let factors = || lines.iter().flat_map(|(.., points)| points.iter().map(|p| p.0 as u32));
    let x = Axis::whole("number of factors k", 0, factors().max().unwrap_or(1));
    let mut chart = Chart::new(
        "Quality over the number of factors",
        x,
        Axis::around(metric, all_ends(summary)),
    );
    let mut said = format!("{metric} by number of factors.");
    for (model, class, points) in lines.iter().filter(|(.., points)| !points.is_empty()) {
        let places: Vec<_> = points.iter().map(|&(k, of)| (k as f64, of.mean)).collect();
        chart.key(class, model);
        chart.line(class, &places);
        for &(k, of) in points {
            let note = format!("{model}, k = {k}: {} {}", number(of.mean), within(of));
            let [low, high] = ends(of);
            chart.line(&format!("{class} thin"), &[(k as f64, low), (k as f64, high)]);
            chart.dot(class, (k as f64, of.mean), 4.0, &note);
            said += &format!(" {note}.");
        }
    }
    // A model without factors is a level.
    for point in summary.points.iter().filter(|point| point.factors == 0) {
        let Some(of) = point.figure else { continue };
        let end = f64::from(factors().max().unwrap_or(1));
        chart.key("guide", &point.name);
        chart.line("guide", &[(0.0, of.mean), (end, of.mean)]);
        said += &format!(" {}: {}.", point.name, number(of.mean));
    }
    Some(chart.render("factors", &said))
}

/// All points beside each other with their intervals.
fn points(summary: &Summary, metric: &str) -> Option<String> {
    let classes = models(summary);
    let x = Axis::whole("point, as numbered in the table", 1, summary.points.len() as u32);
    let mut chart = Chart::new("All points", x, Axis::around(metric, all_ends(summary)));
    let mut said = format!("{metric} of each point with its interval.");
    for (model, class) in &classes {
        chart.key(&format!("{class} round"), model);
    }
    for (number_of, point) in (1..).zip(&summary.points) {
        let Some(of) = point.figure else { continue };
        let class = classes.iter().find(|(model, _)| *model == point.model).map_or("a", |c| c.1);
        let note = format!("{}: {} {}", point.name, number(of.mean), within(of));
        let [low, high] = ends(of);
        chart.line(class, &[(f64::from(number_of), low), (f64::from(number_of), high)]);
        chart.dot(class, (f64::from(number_of), of.mean), 5.0, &note);
        said += &format!(" {number_of}, {note}.");
    }
    (summary.points.len() > 1).then(|| chart.render("points", &said))
}

/// Quality beside the time that training takes.
fn over_time(summary: &Summary, metric: &str) -> Option<String> {
    let classes = models(summary);
    let seconds = summary.points.iter().filter_map(|point| point.seconds).chain([0.0]);
    let x = Axis::around("seconds of training", seconds);
    let figures = summary.points.iter().filter_map(|point| point.figure).map(|of| of.mean);
    let mut chart = Chart::new("Quality beside time", x, Axis::around(metric, figures));
    let mut said = format!("{metric} and seconds of training.");
    for (model, class) in &classes {
        chart.key(&format!("{class} round"), model);
    }
    for point in &summary.points {
        let (Some(of), Some(seconds)) = (point.figure, point.seconds) else { continue };
        let class = classes.iter().find(|(model, _)| *model == point.model).map_or("a", |c| c.1);
        let note = format!("{}: {} in {} s", point.name, number(of.mean), number(seconds));
        chart.dot(class, (seconds, of.mean), 5.0, &note);
        said += &format!(" {note}.");
    }
    (summary.points.len() > 1).then(|| chart.render("time", &said))
}
