//! What a model is, in rows of text.

use crate::screen::{figure, one_line, percent, thousands};
use pairloom::batch::Outcomes;
use pairloom::encode::{Field, FieldKind, Number, Target, Vocabulary};
use pairloom::interaction::Kind;
use pairloom::metric::Constant;
use pairloom::schema::{Column, Role, Schema};
use pairloom::{Model, Result};

/// Places that a name out of a file may take.
const NAME: usize = 60;

/// The model in a sentence.
pub fn sentence(model: &Model) -> String {
    let label = model.schema.find(Role::Label).map(|column| &model.schema.columns[column].name);
    let label = label.map_or("the label".into(), |name| one_line(name, NAME));
    let quoted = |name: &str| format!("\u{2018}{}\u{2019}", one_line(name, NAME));
    let what = match &model.encoding.target {
        _ if model.config.resolved_loss().is_ranking() => {
            format!("The order of the rows of a group, by {label}")
        }
        Target::Binary { positive, negative } => {
            let (positive, negative) = (quoted(positive), negative.as_deref().map(quoted));
            let others = negative.unwrap_or_else(|| "anything else".into());
            format!("The probability that {label} is {positive} rather than {others}")
        }
        Target::Classes { names } => {
            format!("The probability that {label} is each of {} classes", names.len())
        }
        Target::Count => format!("How many {label} there are"),
        Target::Real { .. } | Target::Grade => format!("The value of {label}"),
    };
    let features = thousands(model.encoding.features() as i64);
    let (kind, factors) = (model.config.model, model.config.resolved_factors());
    let each = if model.outputs() > 1 { " and class" } else { "" };
    let machine = match (kind, factors) {
        (Kind::Linear, _) | (_, 0) => format!("a linear model of {features} features"),
        (kind, k) => {
            let title = kind.title();
            format!("a {title} of {features} features with {k} factors each{each}")
        }
    };
    let corrected = match model.config.negative_rate {
        1.0 => String::new(),
        rate => format!(", corrected for negatives sampled at {rate}"),
    };
    let calibrated = match &model.calibration {
        None => String::new(),
        Some(calibration) => format!(", calibrated ({calibration})"),
    };
    format!("{what}, by {machine}{corrected}{calibrated}.")
}

/// What labels 0 and 1 are called, if there are two.
pub fn classes(model: &Model) -> Option<[String; 2]> {
    match &model.encoding.target {
        Target::Binary { negative, positive } => {
            let negative = negative.as_deref().unwrap_or("all others");
            Some([negative, positive].map(|name| one_line(name, NAME)))
        }
        _ => None,
    }
}

/// How labels are spread.
pub fn spread(constant: &Constant, target: &Target) -> String {
    let mean = constant.mean;
    match target {
        Target::Binary { .. } => format!("{} positive", percent(mean)),
        Target::Classes { names } => {
            format!("{} classes, the most frequent {}", names.len(), percent(mean))
        }
        _ => {
            let [mean, deviation] = [mean, constant.loss].map(|x| figure(Some(x)));
            format!("mean {mean}, standard deviation {deviation}")
        }
    }
}

/// What is constant in the labels of rows.
///
/// # Errors
/// Those of bad weights.
pub fn constant(target: &Target, rows: &Outcomes) -> Result<Constant> {
    match target {
        Target::Classes { names } => Constant::of_classes(rows.iter(), names.len()),
        target => Constant::measure(rows.iter(), target.is_binary()),
    }
}

/// The settings as (name, value).
pub fn setting_rows(model: &Model) -> Vec<(String, String)> {
    let settings = model.config.values().into_iter();
    settings.map(|(name, value)| (name, value.unwrap_or_else(|| "off".into()))).collect()
}

/// The columns as (name, role, encoding, ids).
pub fn schema_rows(model: &Model) -> Vec<[String; 4]> {
    let fields = &model.encoding.fields;
    let row = |(number, column): (usize, &Column)| {
        let mine: Vec<&Field> = fields.iter().filter(|field| field.column == number).collect();
        let how = mine.first().map_or(String::new(), |field| encoding(field));
        let ids: u64 = mine.iter().map(|field| field.len()).sum();
        let ids = if mine.is_empty() { String::new() } else { ids.to_string() };
        [one_line(&column.name, NAME), role(column, &model.schema), how, ids]
    };
    model.schema.columns.iter().enumerate().map(row).collect()
}

/// What a column means: its role, and what it is beside.
pub fn role(column: &Column, schema: &Schema) -> String {
    let is_item = schema.item.contains(&column.name);
    let beside = [(column.group, ", group"), (is_item, ", item")];
    let beside = beside.into_iter().filter(|(is_so, _)| *is_so).map(|(_, name)| name);
    std::iter::once(column.role.name()).chain(beside).collect()
}

fn encoding(field: &Field) -> String {
    match &field.kind {
        FieldKind::Values(Vocabulary::Dictionary { .. }) => "dictionary".into(),
        FieldKind::Values(Vocabulary::Hash { bits }) => format!("hash of {bits} bits"),
        FieldKind::Number(Number::Piecewise { value, .. }) if value.log => {
            "log and piecewise linear".into()
        }
        FieldKind::Number(Number::Piecewise { .. }) => "piecewise linear".into(),
        FieldKind::Number(number @ Number::Spline { .. }) => {
            format!("{} B-splines", number.len() - 1)
        }
        FieldKind::Number(Number::Quantile { edges }) => {
            format!("{} quantile bins", edges.len() + 1)
        }
        FieldKind::Number(Number::Value { scale }) if scale.log => "log, standardised".into(),
        FieldKind::Number(Number::Value { .. }) => "standardised".into(),
        FieldKind::Number(Number::LogSquare { .. }) => "log-square buckets".into(),
    }
}
