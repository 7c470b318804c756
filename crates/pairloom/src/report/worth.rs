//! What columns and pairs of columns are worth: bars beside names, and a map of pairs.

use super::page::escape;
use super::svg::number;
use super::{Bar, Bars, HeatMap};

/// Letters of a name; the pointer text has all of it.
const NAME: usize = 18;

const WIDTH: f64 = 440.0;
const LEFT: f64 = 172.0;
const RIGHT: f64 = 72.0;
const ROW: f64 = 22.0;

/// Whether a number has a place: beyond this the width of a range could overflow.
fn is_drawn(value: f64) -> bool {
    value.abs() < 1e300
}

/// Bars from 0, one beneath the other, with a line as long as two deviations where there are some.
pub(super) fn bars(bars: &Bars, id: &str) -> String {
    let ends = bars.rows.iter().flat_map(|bar| {
        let deviation = bar.deviation.unwrap_or(0.0);
        [bar.value - deviation, bar.value + deviation]
    });
    let finite = ends.filter(|end| is_drawn(*end));
    let (low, high) = finite.fold((0.0, 0.0), |(low, high), end| (end.min(low), end.max(high)));
    let span = if high > low { high - low } else { 1.0 };
    let place = |value: f64| LEFT + (value - low) / span * (WIDTH - LEFT - RIGHT);
    let height = ROW * bars.rows.len().max(1) as f64 + 6.0;
    let mut marks = String::new();
    for (at, bar) in bars.rows.iter().enumerate() {
        marks += &one_bar(bar, ROW * at as f64 + 3.0, &bars.unit, place);
    }
    let zero = place(0.0);
    marks += &format!(
        "<line class=\"axis\" x1=\"{zero:.1}\" x2=\"{zero:.1}\" y1=\"0\" y2=\"{height}\"/>\n"
    );
    let said: Vec<String> =
        bars.rows.iter().map(|bar| format!("{}: {}", bar.name, number(bar.value))).collect();
    let said = format!("{}. {}.", bars.unit, said.join("; "));
    card(&bars.title, &bars.unit, id, &said, (WIDTH, height), &marks)
}

fn one_bar(bar: &Bar, top: f64, unit: &str, place: impl Fn(f64) -> f64) -> String {
    let (name, value, middle) = (short(&bar.name), bar.value, top + ROW / 2.0);
    let mut marks = format!(
        "<text class=\"mark\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
        LEFT - 8.0,
        middle + 4.0,
        escape(&name)
    );
    if !is_drawn(value) {
        return marks;
    }
    let (zero, end) = (place(0.0), place(value));
    let (left, width) = (zero.min(end), (zero - end).abs().max(0.7));
    let series = if value < 0.0 { "b" } else { "a" };
    let note = escape(&format!("{}: {} ({unit})", bar.name, number(value)));
    marks += &format!(
        "<rect class=\"bar {series}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\">\
         <title>{note}</title></rect>\n",
        top + 4.0,
        ROW - 8.0
    );
    let mut right = zero.max(end);
    if let Some(deviation) = bar.deviation.filter(|d| *d > 0.0 && is_drawn(value.abs() + d)) {
        let [from, to] = [place(value - deviation), place(value + deviation)];
        right = right.max(to);
        marks += &format!(
            "<line class=\"whisker\" x1=\"{from:.1}\" x2=\"{to:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>\n"
        );
    }
    marks
        + &format!(
            "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            right + 6.0,
            middle + 4.0,
            number(value)
        )
}

/// A map of pairs: rows and columns are the same names, and each pair is there once.
pub(super) fn map(map: &HeatMap, id: &str) -> String {
    const MAP: f64 = 536.0;
    const BOTTOM: f64 = 134.0;
    let count = map.names.len();
    let size = ((MAP - LEFT) / count.saturating_sub(1).max(1) as f64).min(44.0);
    let height = size * count.saturating_sub(1) as f64 + BOTTOM;
    let most = map.cells.iter().map(|cell| cell.2.abs()).filter(|v| is_drawn(*v));
    let most = most.fold(0.0, f64::max);
    let mut marks = names(&map.names, size);
    for &(one, other, value) in map.cells.iter().filter(|cell| is_drawn(cell.2)) {
        let (column, row) = (one.min(other), one.max(other));
        if row >= count || row == column {
            continue;
        }
        let note = format!("{} with {}: {}", map.names[row], map.names[column], number(value));
        marks += &cell(column as f64, row as f64 - 1.0, size, value, most, &note);
    }
    marks += &key(most, map.cells.iter().any(|cell| cell.2 < 0.0 && is_drawn(cell.2)), MAP);
    let said = format!("{}. {}", map.unit, said(map));
    card(&map.title, &map.unit, id, &said, (MAP, height.max(96.0)), &marks)
}

/// A square at a place of the grid; the more it says, the more of its colour it has.
fn cell(column: f64, row: f64, size: f64, value: f64, most: f64, note: &str) -> String {
    let share = if most > 0.0 { value.abs() / most } else { 0.0 };
    let series = if value < 0.0 { "b" } else { "a" };
    format!(
        "<rect class=\"cell {series}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" \
         fill-opacity=\"{:.3}\"><title>{}</title></rect>\n",
        LEFT + column * size,
        row * size,
        (size - 1.0).max(0.5),
        (size - 1.0).max(0.5),
        0.05 + 0.95 * share,
        escape(note)
    )
}

/// The names of rows at the left, and those of columns beneath.
fn names(names: &[String], size: f64) -> String {
    let mut text = String::new();
    let bottom = size * names.len().saturating_sub(1) as f64;
    for (at, name) in names.iter().enumerate() {
        let shown = escape(&short(name));
        if at > 0 {
            text += &format!(
                "<text class=\"mark\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{shown}</text>\n",
                LEFT - 8.0,
                (at as f64 - 0.5) * size + 4.0
            );
        }
        if at + 1 < names.len() {
            let (x, y) = (LEFT + (at as f64 + 0.5) * size + 4.0, bottom + 10.0);
            text += &format!(
                "<text class=\"mark\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\" \
                 transform=\"rotate(-55 {x:.1} {y:.1})\">{shown}</text>\n"
            );
        }
    }
    text
}

/// What the colours mean, in the corner that the map leaves free.
fn key(most: f64, is_signed: bool, width: f64) -> String {
    const STEPS: usize = 5;
    const SIZE: f64 = 15.0;
    let values: Vec<f64> = match is_signed {
        true => [-1.0, -0.5, 0.0, 0.5, 1.0].map(|share| share * most).to_vec(),
        false => (0..STEPS).map(|at| most * at as f64 / (STEPS - 1) as f64).collect(),
    };
    let left = width - SIZE * STEPS as f64 - 56.0;
    let mut text = String::new();
    for (at, &value) in values.iter().enumerate() {
        let column = (left - LEFT) / SIZE + at as f64;
        text += &cell(column, 0.2, SIZE, value, most, &number(value));
    }
    let (first, last) = (number(values[0]), number(values[STEPS - 1]));
    text + &format!(
        "<text class=\"tick\" x=\"{:.1}\" y=\"15\" text-anchor=\"end\">{first}</text>\n\
         <text class=\"tick\" x=\"{:.1}\" y=\"15\">{last}</text>\n",
        left - 5.0,
        left + SIZE * STEPS as f64 + 4.0
    )
}

/// The largest cells in words.
fn said(map: &HeatMap) -> String {
    const SAID: usize = 5;
    let mut cells: Vec<&(usize, usize, f64)> = map.cells.iter().collect();
    cells.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
    let name = |at: usize| map.names.get(at).map_or("", String::as_str);
    let one = |cell: &&(usize, usize, f64)| {
        format!("{} with {}: {}", name(cell.0), name(cell.1), number(cell.2))
    };
    let largest: Vec<String> = cells.iter().take(SAID).map(one).collect();
    match largest.is_empty() {
        true => "There are no pairs.".into(),
        false => format!("The largest: {}.", largest.join("; ")),
    }
}

/// The first letters of a name.
fn short(name: &str) -> String {
    let mut letters = name.chars();
    let head: String = letters.by_ref().take(NAME).collect();
    match letters.next() {
        None => head,
        Some(_) => head.chars().take(NAME - 1).chain(['\u{2026}']).collect(),
    }
}

/// A card that scrolls to the side where it would be too small to read.
fn card(
    title: &str,
    unit: &str,
    id: &str,
    said: &str,
    (width, height): (f64, f64),
    marks: &str,
) -> String {
    let [title, unit, said] = [title, unit, said].map(escape);
    let class = if id.starts_with("map") { "map pairs-map" } else { "map" };
    format!(
        "<figure class=\"card\">\n<figcaption><h3>{title}</h3>\n<p class=\"legend\">{unit}</p>\
         </figcaption>\n<div class=\"{class}\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\">\n\
         <svg viewBox=\"0 0 {width} {height:.1}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\n\
         <title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-desc\">{said}</desc>\n{marks}</svg>\n\
         </div>\n</figure>\n"
    )
}
