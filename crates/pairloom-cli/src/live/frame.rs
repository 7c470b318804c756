//! The whole picture: charts where there is room for them, and two lines on how far training is.

use super::chart::{Chart, Series, TRAINING, VALIDATION};
use super::course::{Course, Done};
use super::window::{LEAST, Paint};
use crate::screen::{figure, thousands};
use console::{Alignment, measure_text_width, pad_str, truncate_str};

/// Places and rows of the largest picture.
const MOST: (usize, usize) = (100, 24);
/// Rows that two charts above each other take at the least.
const TWO_ABOVE: usize = 16;
/// Places that two charts beside each other take at the least: small ones, and one large and one small.
const TWO_BESIDE: usize = 60;
const LARGE_BESIDE: usize = 80;
/// Places between two of them.
const GAP: usize = 2;
/// The longest bar.
const BAR: usize = 40;

/// Lines for a terminal of so many places and rows, of which the last is the cursor's.
pub fn frame(course: &Course, columns: usize, rows: usize, paint: Paint) -> Vec<String> {
    let fits = columns >= LEAST.0 && rows >= LEAST.1;
    let (columns, rows) = (columns.min(MOST.0), rows.saturating_sub(1).min(MOST.1));
    let feet = [progress(course, columns), figures(course, columns)];
    let mut lines = match fits {
        true => charts(course, columns, rows - feet.len(), paint),
        false => Vec::new(),
    };
    lines.extend(feet.map(|foot| truncate_str(&foot, columns, "").into_owned()));
    lines.truncate(rows);
    lines
}

/// The loss, and figures of the validation rows below it or, in low windows, beside it.
fn charts(course: &Course, columns: usize, rows: usize, paint: Paint) -> Vec<String> {
    let mut small: Vec<Chart> = (0..2).filter_map(|which| quality(course, which)).collect();
    let loss = loss(course);
    if rows >= TWO_ABOVE && !small.is_empty() {
        let below = rows * 2 / 5;
        small.truncate(if columns >= TWO_BESIDE { 2 } else { 1 });
        let mut lines = loss.draw(columns, rows - below, paint);
        lines.extend(beside(&small, columns, below, paint));
        return lines;
    }
    small.truncate(if columns >= LARGE_BESIDE { 1 } else { 0 });
    small.insert(0, loss);
    beside(&small, columns, rows, paint)
}

fn beside(charts: &[Chart], columns: usize, rows: usize, paint: Paint) -> Vec<String> {
    let width = (columns + GAP) / charts.len().max(1) - GAP;
    let mut lines = vec![String::new(); rows];
    for (number, chart) in charts.iter().enumerate() {
        for (line, more) in lines.iter_mut().zip(chart.draw(width, rows, paint)) {
            *line =
                pad_str(line, number * (width + GAP), Alignment::Left, None).into_owned() + &more;
        }
    }
    lines
}

fn loss(course: &Course) -> Chart {
    let points = |done: &Done| Some((done.epoch.into(), done.valid?));
    let valid: Vec<_> = course.done.iter().filter_map(points).collect();
    let mut series = vec![Series { name: "training", pen: TRAINING, points: course.training() }];
    if course.has_valid {
        series.push(Series { name: "validation", pen: VALIDATION, points: valid });
    }
    Chart { title: course.loss, series, epochs: course.epochs() }
}

/// A figure of the validation rows, if there is one or one may come.
fn quality(course: &Course, which: usize) -> Option<Chart> {
    let points = |done: &Done| Some((done.epoch.into(), done.quality[which]?));
    let points: Vec<_> = course.done.iter().filter_map(points).collect();
    let known = !points.is_empty() || course.has_valid && course.done.is_empty();
    let series = vec![Series { name: "validation", pen: VALIDATION, points }];
    known.then(|| Chart { title: course.quality[which], series, epochs: course.epochs() })
}

/// How far the epoch is, and how fast.
fn progress(course: &Course, columns: usize) -> String {
    let rate = format!("{} rows/s", thousands(course.rate as i64));
    if let Some(seconds) = course.over {
        let epochs = course.done.len();
        let what = if epochs == 1 { "epoch" } else { "epochs" };
        return format!("{epochs} {what} in {seconds:.1} s  {rate}");
    }
    let epoch = format!("epoch {} of {}", course.epoch, course.most);
    let share = course.share();
    let after = format!("{:>3}%  {rate}", (100.0 * share) as u32);
    let room = columns.saturating_sub(measure_text_width(&epoch) + after.len() + 2 * GAP).min(BAR);
    let full = (share * room as f64) as usize;
    format!("{epoch}  {}{}  {after}", "\u{2588}".repeat(full), "\u{2591}".repeat(room - full))
}

/// The last figures, as many as there is room for.
fn figures(course: &Course, columns: usize) -> String {
    let last = course.done.last();
    let [first, second] = [0, 1].map(|which| last.and_then(|done| done.quality[which]));
    let named = [
        ("training", course.training().last().map(|point| point.1)),
        ("validation", last.and_then(|done| done.valid)),
        (course.quality[0], first),
        (course.quality[1], second),
    ];
    let mut line = String::new();
    for (name, value) in named.into_iter().filter(|named| named.1.is_some()) {
        let gap = if line.is_empty() { 0 } else { GAP };
        let next = format!("{:gap$}{name} {}", "", figure(value));
        if line.len() + next.len() > columns {
            break;
        }
        line += &next;
    }
    line
}
