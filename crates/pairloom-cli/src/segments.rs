//! Segments as rows of text and as JSON.

use crate::screen::{figure, metric_title, one_line, thousands};
use pairloom::segment::{Segment, Segments, Which};
use serde_json::{Map, Value};

/// Places that a value out of a file may take.
const NAME: usize = 40;

/// A heading, and a row for each segment.
pub fn rows(of: &Segments) -> Vec<Vec<String>> {
    let figures = of.segments.first().map(Segment::figures).unwrap_or_default();
    let titles = figures.into_iter().map(|(name, _)| title(name));
    let mut rows = vec![std::iter::once(String::new()).chain(titles).collect()];
    rows.extend(of.segments.iter().map(|segment| {
        let figures = segment.figures().into_iter().map(|(_, value)| figure(value));
        std::iter::once(name(&segment.which)).chain(figures).collect()
    }));
    rows
}

/// Short enough for eight columns beside each other.
fn title(name: &str) -> String {
    match name {
        "mean_prediction" => "predicted".into(),
        "mean_label" => "observed".into(),
        "normalized_entropy" => "norm. entropy".into(),
        "expected_calibration_error" => "cal. error".into(),
        name => metric_title(name),
    }
}

fn name(which: &Which) -> String {
    match which {
        Which::Value(value) if value.is_empty() => "(empty)".into(),
        Which::Value(value) => one_line(value, NAME),
        Which::Range(from, to) if from == to => from.to_string(),
        Which::Range(from, to) => format!("{from} to {to}"),
        Which::Missing => "(no number)".into(),
        Which::Others(1) => "(1 other)".into(),
        Which::Others(values) => format!("({} others)", thousands(*values as i64)),
    }
}

/// A list with an object for each segment, which begins with what its rows have.
pub fn json(of: &Segments) -> Value {
    let object = |segment: &Segment| {
        let which = match &segment.which {
            Which::Value(value) => vec![("value", value.as_str().into())],
            Which::Range(from, to) => vec![("from", (*from).into()), ("to", (*to).into())],
            Which::Missing => vec![("missing", true.into())],
            Which::Others(values) => vec![("others", (*values).into())],
        };
        // Rows are counted, as they are among the figures of all.
        let value = |(name, value): (&'static str, Option<f64>)| match (name, value) {
            ("rows", Some(rows)) => (name, (rows as u64).into()),
            _ => (name, value.into()),
        };
        let figures = segment.figures().into_iter().map(value);
        let all = which.into_iter().chain(figures).map(|(name, value)| (name.into(), value));
        Value::Object(all.collect::<Map<_, _>>())
    };
    of.segments.iter().map(object).collect()
}
