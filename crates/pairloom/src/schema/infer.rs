//! Guessing what each column is, from its name and its first rows.
//!
//! A wrong guess must be cheap and visible: every choice carries its reason, and where number and
//! name of something look alike (an age, a flight number), the test is whether neighbouring
//! numbers are about equally frequent, as those of a quantity are and those of names are not.

use super::{Column, Role, Schema};
use crate::encode::{Transform, parse_cell};
use crate::input::{Format, RawRow};
use crate::{Error, Result};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the user has said about columns, by name.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// The label.
    pub label: Option<String>,
    /// The weight.
    pub weight: Option<String>,
    /// The group.
    pub group: Option<String>,
    /// Categorical columns.
    pub categorical: Vec<String>,
    /// Numeric columns.
    pub numeric: Vec<String>,
    /// Multi-valued columns and their separators.
    pub multi: Vec<(String, char)>,
    /// Transforms of numeric columns, and the number of bins where one is given.
    pub transforms: Vec<(String, Transform, Option<usize>)>,
    /// Columns to leave out.
    pub ignore: Vec<String>,
    /// The positive label.
    pub positive: Option<String>,
}

impl Hints {
    /// Changes a given schema.
    ///
    /// # Errors
    /// As for [`infer`].
    pub fn apply(&self, mut schema: Schema) -> Result<Schema> {
        // Another label takes the place of the old one.
        if let Some(label) = self.label.as_ref().and_then(|_| schema.find(Role::Label)) {
            schema.columns[label].role = Role::Ignore;
        }
        let mut given = vec![false; schema.columns.len()];
        apply_hints(&mut schema, &mut given, self)?;
        schema.positive = self.positive.clone().or(schema.positive);
        schema.check()?;
        Ok(schema)
    }
}

/// Names that say "label" in any case of letters.
const LABELS: [&str; 13] = [
    "label",
    "target",
    "y",
    "click",
    "clicked",
    "is_click",
    "clk",
    "class",
    "outcome",
    "rating",
    "response",
    "conversion",
    "converted",
];

/// Last words of a column's name that make its whole numbers names of something.
const ENTITIES: [&str; 41] = [
    "id",
    "ids",
    "user",
    "item",
    "movie",
    "product",
    "book",
    "song",
    "artist",
    "ad",
    "campaign",
    "advertiser",
    "publisher",
    "site",
    "app",
    "device",
    "category",
    "code",
    "zip",
    "flight",
    "customer",
    "query",
    "url",
    "hash",
    "store",
    "shop",
    "sku",
    "city",
    "country",
    "region",
    "brand",
    "channel",
    "genre",
    "postcode",
    "station",
    "airport",
    "merchant",
    "seller",
    "author",
    "tag",
    "page",
];

/// Whole numbers with at most this many distinct values are categories.
const FEW: usize = 50;

/// How uneven neighbouring counts of names are; those of a quantity give about 1.
const UNEVEN: f64 = 2.0;

/// A column is numeric if at most one in so many of its cells is no number.
const ODD: usize = 20;

/// A text column is free text or a key if this share of its cells are distinct.
const DISTINCT: f64 = 0.95;

/// Chooses a role for each of the `names`.
///
/// # Errors
/// [`Error::Usage`] if a hint names no column, if two hints contradict each other, or if no column
/// can be taken for the label.
pub fn infer(
    format: Format,
    names: &[String],
    sample: &[&RawRow],
    hints: &Hints,
) -> Result<Schema> {
    let columns = names.iter().map(|name| Column::new(name.as_str(), Role::Ignore)).collect();
    let mut schema = Schema { format, positive: hints.positive.clone(), columns };
    let mut given = vec![false; names.len()];
    apply_hints(&mut schema, &mut given, hints)?;
    if !matches!(format, Format::Csv { .. }) {
        sparse(&mut schema, &mut given, sample);
        schema.check()?;
        return Ok(schema);
    }
    if schema.find(Role::Label).is_none() {
        let (column, why) = guess_label(&schema, &given)?;
        set(&mut schema, &mut given, column, Role::Label, why);
    }
    for (cell, column) in schema.columns.iter_mut().enumerate() {
        if !given[cell] {
            guess(column, cell, sample);
        }
    }
    schema.check()?;
    Ok(schema)
}

/// libsvm and libffm: the first cell is the label, the second a query, and the pairs follow.
fn sparse(schema: &mut Schema, given: &mut [bool], sample: &[&RawRow]) {
    if schema.find(Role::Label).is_none() && !given[0] {
        set(schema, given, 0, Role::Label, "by the format");
    }
    if !given[1] {
        let has_groups = sample.iter().any(|row| !row.cell(1).is_empty());
        let (role, why) = match has_groups {
            true => (Role::Group, "by the format"),
            false => (Role::Ignore, "no line has one"),
        };
        set(schema, given, 1, role, why);
    }
    schema
        .columns
        .push(Column { why: "by the format".into(), ..Column::new("pairs", Role::Pairs) });
}

fn set(schema: &mut Schema, given: &mut [bool], column: usize, role: Role, why: &str) {
    schema.columns[column].role = role;
    schema.columns[column].why = why.into();
    given[column] = true;
}

fn apply_hints(schema: &mut Schema, given: &mut [bool], hints: &Hints) -> Result<()> {
    let single =
        [(&hints.label, Role::Label), (&hints.weight, Role::Weight), (&hints.group, Role::Group)];
    let single = single.into_iter().flat_map(|(names, role)| names.iter().map(move |n| (n, role)));
    let several = [
        (&hints.categorical, Role::Categorical),
        (&hints.numeric, Role::Numeric),
        (&hints.ignore, Role::Ignore),
    ];
    let several =
        several.into_iter().flat_map(|(names, role)| names.iter().map(move |n| (n, role)));
    let multi = hints.multi.iter().map(|(name, _)| (name, Role::Multi));
    for (name, role) in single.chain(several).chain(multi) {
        let column = schema.column(name)?;
        if given[column] && schema.columns[column].role != role {
            let (a, b) = (schema.columns[column].role.name(), role.name());
            return Err(Error::usage(format!("column '{name}' cannot be both {a} and {b}")));
        }
        set(schema, given, column, role, "");
    }
    for (name, separator) in &hints.multi {
        let column = schema.column(name)?;
        schema.columns[column].separator = Some(*separator);
    }
    for (name, transform, bins) in &hints.transforms {
        let column = schema.column(name)?;
        if given[column] && schema.columns[column].role != Role::Numeric {
            let role = schema.columns[column].role.name();
            let message = format!("column '{name}' is {role}: only a numeric one has a transform");
            return Err(Error::usage(message));
        }
        set(schema, given, column, Role::Numeric, "");
        schema.columns[column].transform = Some(*transform);
        schema.columns[column].bins = *bins;
    }
    Ok(())
}

fn guess_label(schema: &Schema, given: &[bool]) -> Result<(usize, &'static str)> {
    let free = |column: &usize| !given[*column];
    let is_label =
        |column: &usize| LABELS.contains(&schema.columns[*column].name.to_lowercase().as_str());
    let columns = 0..schema.columns.len();
    if let Some(column) = columns.clone().filter(free).find(is_label) {
        return Ok((column, "by its name"));
    }
    let has_header = matches!(schema.format, Format::Csv { header: true, .. });
    match columns.clone().find(free).filter(|_| !has_header) {
        Some(column) => Ok((column, "the first column, as there is no header")),
        None => {
            let names = super::list(schema.columns.iter().map(|c| c.name.as_str()));
            Err(Error::usage(format!("which column is the label? Say --label COLUMN; {names}")))
        }
    }
}

/// What the sample shows of one column.
struct Look<'a> {
    /// Cells with something in them.
    filled: usize,
    /// How often each distinct text occurs.
    texts: HashMap<&'a [u8], usize>,
    /// Whether every filled cell is a number or a word for "missing".
    numeric: bool,
    /// How often each whole number occurs; `None` if one has a fraction.
    whole: Option<BTreeMap<i64, usize>>,
}

fn look<'a>(cell: usize, sample: &[&'a RawRow]) -> Look<'a> {
    let mut look =
        Look { filled: 0, texts: HashMap::new(), numeric: true, whole: Some(BTreeMap::new()) };
    let mut odd = 0;
    for text in sample.iter().map(|row| row.cell(cell)).filter(|text| !text.is_empty()) {
        look.filled += 1;
        *look.texts.entry(text).or_default() += 1;
        match parse_cell(text) {
            None => odd += 1,
            Some(v) if v.is_nan() => {}
            Some(v) if v.fract() == 0.0 && v.abs() < 9e15 => {
                if let Some(whole) = &mut look.whole {
                    *whole.entry(v as i64).or_default() += 1;
                }
            }
            Some(_) => look.whole = None,
        }
    }
    // A few cells that are no numbers do not make a column of names: reading will point at them.
    look.numeric = look.filled > 0 && odd * ODD <= look.filled;
    look.whole = look.whole.filter(|_| look.numeric);
    look
}

fn guess(column: &mut Column, cell: usize, sample: &[&RawRow]) {
    let look = look(cell, sample);
    let distinct = look.texts.len();
    let mut choose = |role, why: String| (column.role, column.why) = (role, why);
    let named = words(&column.name).last().is_some_and(|word| ENTITIES.contains(&word.as_str()));
    let nearly_all = look.filled >= 100 && distinct as f64 >= DISTINCT * look.filled as f64;
    match &look.whole {
        Some(_) if numbers_rows(cell, sample) => {
            choose(Role::Ignore, "the numbers of the rows".into())
        }
        _ if look.filled == 0 => choose(Role::Categorical, "empty so far".into()),
        Some(_) if nearly_all && named => {
            choose(Role::Ignore, "a key: nearly every row has its own".into())
        }
        Some(whole) if look.numeric && whole.len() <= FEW && falls(whole) => {
            choose(Role::Numeric, "whole numbers that get rarer as they grow: counts".into())
        }
        Some(whole) if look.numeric && whole.len() <= FEW => {
            choose(Role::Categorical, format!("whole numbers, {} distinct", whole.len()))
        }
        Some(_) if look.numeric && named => {
            choose(Role::Categorical, "whole numbers, and the name of something".into())
        }
        Some(whole) if look.numeric && unevenness(whole) > UNEVEN => {
            choose(Role::Categorical, "whole numbers as uneven as names".into())
        }
        Some(_) if look.numeric => {
            choose(Role::Numeric, "whole numbers, many distinct (names? --categorical)".into())
        }
        None if look.numeric => choose(Role::Numeric, "numbers".into()),
        _ => match separator(&look) {
            Some(separator) => {
                choose(Role::Multi, format!("lists separated by '{separator}'"));
                column.separator = Some(separator);
            }
            None if nearly_all => choose(Role::Ignore, "text, nearly every row its own".into()),
            None => choose(Role::Categorical, format!("text, {distinct} distinct")),
        },
    }
}

/// Whether each row has the number after that of the row before.
fn numbers_rows(cell: usize, sample: &[&RawRow]) -> bool {
    let number = |row: &&RawRow| parse_cell(row.cell(cell)).unwrap_or(f64::NAN);
    sample.len() >= 10 && sample.windows(2).all(|w| number(&w[1]) == number(&w[0]) + 1.0)
}

/// The words of `userId`, `user_id`, `USER ID`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (after_lower && c.is_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase();
    }
    words
}

/// Whether numbers from 0 or 1 on get rarer as they grow, as counts of events do.
fn falls(counts: &BTreeMap<i64, usize>) -> bool {
    let starts = counts.first_key_value().is_some_and(|(first, _)| (0..=1).contains(first));
    let clear: Vec<f64> =
        counts.values().take_while(|&&n| n >= 10).map(|&count| count as f64).collect();
    // Two standard deviations of chance.
    let falls = |pair: &[f64]| pair[1] <= pair[0] + 2.0 * pair[0].sqrt();
    let much = clear.first().zip(clear.last()).is_some_and(|(first, last)| *first >= 10.0 * last);
    starts && much && clear.len() >= 8 && clear.windows(2).all(falls)
}

/// The mean of `(a - b)^2 / (a + b)` over the counts `a`, `b` of neighbouring values: about 1 if
/// neighbours are equally likely, and much more if their popularity has nothing to do with their
/// being neighbours.
fn unevenness(counts: &BTreeMap<i64, usize>) -> f64 {
    let counts: Vec<f64> = counts.values().map(|&count| count as f64).collect();
    let terms = counts.windows(2).map(|pair| (pair[0] - pair[1]).powi(2) / (pair[0] + pair[1]));
    let mut terms: Vec<f64> = terms.collect();
    // Round numbers and zero stand out in quantities too: leave out the largest tenth.
    terms.sort_unstable_by(f64::total_cmp);
    terms.truncate(terms.len() - terms.len() / 10);
    terms.iter().sum::<f64>() / terms.len().max(1) as f64
}

/// The separator of lists: cells have it, and taking them apart leaves fewer distinct values.
fn separator(look: &Look<'_>) -> Option<char> {
    ['|', ';'].into_iter().find(|&separator| {
        let has = |text: &&[u8]| text.contains(&(separator as u8));
        let with = look.texts.iter().filter(|(text, _)| has(text)).map(|(_, n)| n).sum::<usize>();
        let parts: HashSet<&[u8]> =
            look.texts.keys().flat_map(|text| text.split(|&b| b == separator as u8)).collect();
        with * 10 >= look.filled && parts.len() < look.texts.len()
    })
}
