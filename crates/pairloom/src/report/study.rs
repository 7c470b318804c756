//! The page of a study: quality over the number of factors, of all points, and beside the time they take.

use super::page::{escape, page, section, table};
use super::svg::{Axis, Chart, number};
use super::{Figure, Table};
use crate::study::{Estimate, OfPoint, Summary};

/// Classes of the style sheet for the models, in their order; more than these share the last.
const SERIES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// How far the points of two models lie from each other, in units of the drawing.
const ASIDE: f64 = 6.0;

/// Numbers that have room at an axis.
const MOST_NUMBERS: usize = 12;

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
    // The charts call them by these numbers.
    let with = |first: String, row: &Vec<String>| [vec![first], row.clone()].concat();
    let rows: Vec<_> = (1..).zip(&all.rows).map(|(n, row)| with(n.to_string(), row)).collect();
    let numbers = format!(
        "<div class=\"card numbers points wide\">\n<h3>{}</h3>\n{}</div>\n",
        escape(&all.title),
        table("Points", &with(String::new(), &all.header), &rows)
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

/// Quality over the number of factors, a line for each model that has several, through the best of each.
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
    let drawn: Vec<_> = lines.iter().filter(|(.., points)| !points.is_empty()).collect();
    for (at, (model, class, points)) in drawn.iter().enumerate() {
        // Beside each other, or intervals of one k hide each other.
        let aside = ASIDE * (at as f64 - (drawn.len() - 1) as f64 / 2.0);
        chart.key_of_shape(class, model);
        chart.line(class, &best_of_each(points, summary.is_greater_better));
        for &(k, of) in points {
            let note = format!("{model}, k = {k}: {} {}", number(of.mean), within(of));
            chart.whisker(class, k as f64, ends(of), aside);
            chart.point(class, (k as f64, of.mean), aside, &note);
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

/// The best mean of each number of factors, which are in order: points that differ in other settings too are no line.
fn best_of_each(points: &[(usize, Estimate)], is_greater_better: bool) -> Vec<(f64, f64)> {
    let best = |same: &[(usize, Estimate)]| {
        let means = same.iter().map(|(_, of)| of.mean);
        let best = if is_greater_better {
            means.max_by(f64::total_cmp)
        } else {
            means.min_by(f64::total_cmp)
        };
        Some((same.first()?.0 as f64, best?))
    };
    points.chunk_by(|a, b| a.0 == b.0).filter_map(best).collect()
}

/// All points beside each other with their intervals.
fn points(summary: &Summary, metric: &str) -> Option<String> {
    let classes = models(summary);
    let count = summary.points.len();
    let mut x = Axis::whole("point, as numbered in the table", 1, count as u32);
    (x.low, x.high) = (0.5, count as f64 + 0.5);
    x.ticks = (1..=count).step_by(count.div_ceil(MOST_NUMBERS).max(1)).map(|n| n as f64).collect();
    let mut chart = Chart::new("All points", x, Axis::around(metric, all_ends(summary)));
    let mut said = format!("{metric} of each point with its interval.");
    for (model, class) in &classes {
        chart.key_of_shape(class, model);
    }
    for (number_of, point) in (1..).zip(&summary.points) {
        let Some(of) = point.figure else { continue };
        let class = classes.iter().find(|(model, _)| *model == point.model).map_or("a", |c| c.1);
        let note = format!("{}: {} {}", point.name, number(of.mean), within(of));
        chart.whisker(class, f64::from(number_of), ends(of), 0.0);
        chart.point(class, (f64::from(number_of), of.mean), 0.0, &note);
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
        chart.key_of_shape(class, model);
    }
    for point in &summary.points {
        let (Some(of), Some(seconds)) = (point.figure, point.seconds) else { continue };
        let class = classes.iter().find(|(model, _)| *model == point.model).map_or("a", |c| c.1);
        let note = format!("{}: {} in {} s", point.name, number(of.mean), number(seconds));
        chart.point(class, (seconds, of.mean), 0.0, &note);
        said += &format!(" {note}.");
    }
    (summary.points.len() > 1).then(|| chart.render("time", &said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_the_best_of_each_number() {
        let of = |mean| Estimate { mean, margin: None };
        let points = [(2, of(0.5)), (2, of(0.3)), (8, of(0.4)), (8, of(0.6))];
        assert_eq!(best_of_each(&points, false), [(2.0, 0.3), (8.0, 0.4)]);
        assert_eq!(best_of_each(&points, true), [(2.0, 0.5), (8.0, 0.6)]);
    }
}
