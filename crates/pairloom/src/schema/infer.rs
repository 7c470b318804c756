//! Guessing what each column is, from its name and its first rows.
//!
//! A wrong guess must be cheap and visible: every choice carries its reason. Where number and name
//! of something look alike (an age, a flight number), the column's name may tell; else the test is
//! whether neighbouring numbers are about equally frequent, as those of a quantity are and those of
//! names often are not; else whether they are alike in their labels. Few numbers are names, unless there
//! are too few rows to tell of each.

use super::evidence::{are_names, labels};
use super::hints::{Hints, apply_hints, set};
use super::look::{Look, falls, look, numbers_rows, separator, spelling, unevenness};
use super::{Column, Role, Schema};
use crate::encode::number_error;
use crate::input::{Format, Kind, LIST_SEPARATOR, RawRow, parse_cell, quoted, with_comma};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::ops::Range;

/// Names that say "label" in any case of letters.
const LABELS: &str =
    "label target y click clicked is_click clk class outcome rating response conversion converted";

/// Last words of a column's name that make its whole numbers names of something.
const ENTITIES: &str = "\
    id ids user item movie product book song artist ad campaign advertiser publisher site app \
    device category code zip flight customer query url hash store shop sku city country region \
    brand channel genre postcode station airport merchant seller author tag page";

/// Whole numbers with at most this many distinct values are categories.
const FEW: usize = 50;

/// If columns of few whole numbers have more values in all than one for so many rows of the file, they are
/// numbers: so few rows would tell little of each (measured on pictures of digits, 64 columns of 17
/// shades).
const ROWS_A_VALUE: usize = 10;

/// Seconds since 1970 in which rows of today were written: from 1990 to 2065.
const SECONDS: Range<i64> = 631_152_000..3_000_000_000;

/// How uneven neighbouring counts of names are; those of a quantity give about 1.
const UNEVEN: f64 = 2.0;

/// A text column is free text or a key if this share of its cells are distinct.
const DISTINCT: f64 = 0.95;

/// Chooses a role for each of the `names`. `kinds` are what types tell of the columns, if they have types, and
/// `all` says that the sample is all rows that there are.
///
/// # Errors
/// [`Error::Usage`] if a hint names no column, if two hints contradict each other, or if no column
/// can be taken for the label.
pub fn infer(
    format: Format,
    names: &[String],
    kinds: &[Kind],
    sample: &[&RawRow],
    all: bool,
    hints: &Hints,
) -> Result<Schema> {
    let columns = names.iter().map(|name| Column::new(name.as_str(), Role::Ignore)).collect();
    let mut schema = Schema { format, positive: hints.positive.clone(), item: Vec::new(), columns };
    schema.add_times(hints)?;
    let mut given = vec![false; schema.columns.len()];
    apply_hints(&mut schema, &mut given, hints)?;
    if format.is_sparse() {
        sparse(&mut schema, &mut given, sample);
    }
    hints.give_fields(&mut schema)?;
    if format.is_sparse() {
        schema.check()?;
        return Ok(schema);
    }
    if schema.find(Role::Label).is_none() {
        let (column, why) = guess_label(&schema, &given)?;
        set(&mut schema, &mut given, column, Role::Label, why);
    }
    let labels = labels(&schema, sample);
    let kind = |cell: usize| kinds.get(cell).copied().unwrap_or_default();
    let looks: Vec<_> = (0..names.len())
        .map(|cell| (!given[cell]).then(|| look_at(cell, kind(cell), sample)))
        .collect();
    let values =
        schema.columns.iter().zip(&looks).enumerate().filter_map(|(cell, (column, look))| {
            look.as_ref()
                .filter(|_| !numbers_rows(cell, sample))
                .and_then(|look| codes(column, look))
        });
    let crowded = all && values.sum::<usize>() * ROWS_A_VALUE > sample.len();
    for (cell, (column, look)) in schema.columns.iter_mut().zip(&looks).enumerate() {
        if let Some(look) = look {
            guess(column, cell, sample, look, &labels, crowded);
            told(column, kind(cell), look);
            if !column.typed {
                refuse_commas(column, cell, sample)?;
            }
        }
    }
    schema.check()?;
    schema.check_lists(names, kind)?;
    Ok(schema)
}

/// libsvm and libffm: the first cell is the label, the second a query if there is one, and the
/// pairs follow.
fn sparse(schema: &mut Schema, given: &mut [bool], sample: &[&RawRow]) {
    let at = |schema: &Schema, name| schema.columns.iter().position(|column| column.name == name);
    if let Some(label) = at(schema, "label").filter(|&label| !given[label])
        && schema.find(Role::Label).is_none()
    {
        set(schema, given, label, Role::Label, "by the format");
    }
    if let Some(qid) = at(schema, "qid").filter(|&qid| !given[qid]) {
        if sample.iter().any(|row| !row.cell(qid).is_empty()) {
            set(schema, given, qid, Role::Group, "by the format");
        } else if qid + 1 == schema.columns.len() {
            // It is the last column, and pairs have no cell: leaving this one out moves nothing.
            schema.columns.truncate(qid);
        }
    }
    schema
        .columns
        .push(Column { why: "by the format".into(), ..Column::new("pairs", Role::Pairs) });
}

fn guess_label(schema: &Schema, given: &[bool]) -> Result<(usize, &'static str)> {
    let free = |column: &usize| !given[*column];
    let is_label = |column: &usize| one_of(LABELS, &schema.columns[*column].name.to_lowercase());
    let columns = 0..schema.columns.len();
    let named: Vec<usize> = columns.clone().filter(free).filter(is_label).collect();
    match named[..] {
        [] => {}
        [column] => return Ok((column, "by its name")),
        // Either may give away the other: a guess could be far off, and look very good.
        [first, second, ..] => {
            let [first, second] =
                [first, second].map(|column| quoted(&schema.columns[column].name));
            return Err(Error::usage(format!(
                "which column is the label, {first} or {second}? Say --label COLUMN, and \
                 --ignore the other if it is not known beforehand"
            )));
        }
    }
    let has_header = schema.format.has_names();
    match columns.clone().find(free).filter(|_| !has_header) {
        Some(column) => Ok((column, "the first column, as there is no header")),
        None => {
            let names = super::names::list(schema.columns.iter().map(|c| c.name.as_str()));
            Err(Error::usage(format!("which column is the label? Say --label COLUMN; {names}")))
        }
    }
}

/// Looks at a column. What is no number by its type is not taken for one.
fn look_at<'a>(cell: usize, kind: Kind, sample: &[&'a RawRow]) -> Look<'a> {
    let look = look(sample.iter().map(|row| (row.cell(cell), 1)));
    match kind {
        Kind::Unknown | Kind::Number => look,
        Kind::Text | Kind::Category | Kind::List => look.into_text(),
    }
}

/// Corrects what was guessed of a column by what its type tells.
fn told(column: &mut Column, kind: Kind, look: &Look<'_>) {
    let few = look.whole.as_ref().is_some_and(|whole| (1..=FEW).contains(&whole.len()));
    let (role, why) = match kind {
        Kind::Unknown => return,
        Kind::Number if few && column.role == Role::Categorical => return,
        Kind::Number => (Role::Numeric, "numbers"),
        Kind::Text if look.filled == 0 => (Role::Categorical, "text, empty so far"),
        Kind::Text => (column.role, &*column.why.clone()),
        Kind::Category => (Role::Categorical, "categories"),
        Kind::List => (Role::Multi, "lists"),
    };
    column.separator = match role {
        Role::Multi if kind == Kind::List => Some(LIST_SEPARATOR),
        Role::Multi => column.separator,
        _ => None,
    };
    (column.role, column.why, column.typed) = (role, format!("its type: {why}"), true);
}

/// The number of values, if they are few whole numbers that nothing tells to be names or counts.
fn codes(column: &Column, look: &Look<'_>) -> Option<usize> {
    let whole = look.whole.as_ref().filter(|whole| !falls(whole) && !is_named(column))?;
    Some(whole.len()).filter(|values| (3..=FEW).contains(values))
}

fn guess(
    column: &mut Column,
    cell: usize,
    sample: &[&RawRow],
    look: &Look<'_>,
    labels: &[f64],
    crowded: bool,
) {
    let (role, why) = match &look.whole {
        Some(_) if numbers_rows(cell, sample) => (Role::Ignore, "the numbers of the rows".into()),
        _ if look.filled == 0 => (Role::Categorical, "empty so far".into()),
        Some(whole) => {
            let number = |row: &&RawRow| parse_cell(row.cell(cell)).unwrap_or(f64::NAN);
            let rows = sample.iter().map(number).zip(labels.iter().copied());
            guess_whole(look, whole, is_named(column), crowded, || are_names(rows.clone()))
        }
        None if look.numeric => (Role::Numeric, "numbers".into()),
        None => {
            column.separator = separator(look);
            guess_text(look, column.separator)
        }
    };
    (column.role, column.why) = (role, why);
}

/// What all rows say of a column that was taken for names after the first of them: why it is numbers,
/// if it is. There are its texts with the number of rows that have each, and of each row the number
/// and the label.
pub(crate) fn numbers_after_all<'a>(
    column: &Column,
    texts: impl Iterator<Item = (&'a [u8], usize)>,
    rows: impl Iterator<Item = (f64, f64)> + Clone,
) -> Option<String> {
    let look = look(texts);
    let (role, why) = match &look.whole {
        _ if look.filled == 0 || !look.numeric => return None,
        Some(whole) => {
            guess_whole(&look, whole, is_named(column), false, || are_names(rows.clone()))
        }
        None => (Role::Numeric, "numbers".into()),
    };
    (role == Role::Numeric).then_some(why)
}

/// Whether the column's name makes its whole numbers names.
fn is_named(column: &Column) -> bool {
    words(&column.name).pop().is_some_and(|word| one_of(ENTITIES, &word))
}

/// Whether whole numbers are quantities or names: `named` if the column's name says so, `unlike` if
/// the labels do. Columns are `crowded` if they have too many values for so few rows.
fn guess_whole(
    look: &Look<'_>,
    whole: &BTreeMap<i64, usize>,
    named: bool,
    crowded: bool,
    unlike: impl Fn() -> bool,
) -> (Role, String) {
    let few = whole.len() <= FEW;
    let (role, why) = match () {
        () if whole.is_empty() => (Role::Categorical, "empty so far"),
        () if named && nearly_all(look) => (Role::Ignore, "a key: nearly every row has its own"),
        () if few && falls(whole) => {
            (Role::Numeric, "whole numbers that get rarer as they grow: counts")
        }
        () if few && (!crowded || named || whole.len() <= 2) => {
            return (Role::Categorical, format!("whole numbers, {} distinct", whole.len()));
        }
        () if named => (Role::Categorical, "whole numbers, and the name of something"),
        () if !few && unevenness(whole) > UNEVEN => {
            (Role::Categorical, "whole numbers as uneven as names")
        }
        () if unlike() => {
            (Role::Categorical, "whole numbers, neighbours unlike in the label: names")
        }
        () if few => (Role::Numeric, "whole numbers, few rows for each (names? --categorical)"),
        () if whole.first_key_value().is_some_and(|(first, _)| SECONDS.contains(first)) => {
            (Role::Numeric, "whole numbers, a time in seconds? (--ignore, if it says nothing)")
        }
        () => (Role::Numeric, "whole numbers, many distinct (names? --categorical)"),
    };
    (role, why.into())
}

fn guess_text(look: &Look<'_>, separator: Option<char>) -> (Role, String) {
    if let Some(separator) = separator {
        return (Role::Multi, format!("lists separated by '{separator}'"));
    }
    let role = if nearly_all(look) { Role::Ignore } else { Role::Categorical };
    let why = match spelling(look) {
        Some(spelling) => format!("text: {spelling}"),
        None if nearly_all(look) => "text, nearly every row its own".into(),
        None => format!("text, {} distinct", look.texts.len()),
    };
    (role, why)
}

/// Whether nearly every row has a text of its own.
fn nearly_all(look: &Look<'_>) -> bool {
    look.filled >= 100 && look.texts.len() as f64 >= DISTINCT * look.filled as f64
}

fn one_of(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

/// Refuses a column of numbers with commas in them, which would go on as names: whoever wrote them
/// meant numbers.
fn refuse_commas(column: &Column, cell: usize, sample: &[&RawRow]) -> Result<()> {
    if !column.role.is_feature() || column.role == Role::Numeric {
        return Ok(());
    }
    let cells = sample.iter().filter(|row| parse_cell(row.cell(cell)).is_none_or(|v| !v.is_nan()));
    let mut commas = cells.clone().filter(|row| with_comma(row.cell(cell).trim_ascii()).is_some());
    // A number without a fraction has no comma.
    let number = |row: &&&RawRow| {
        let text = row.cell(cell);
        parse_cell(text).is_some() || with_comma(text.trim_ascii()).is_some()
    };
    let (all, numbers) = (cells.clone().count(), cells.filter(number).count());
    match commas.next() {
        Some(first) if numbers * 20 >= all * 19 => Err(number_error(first, cell, &column.name)),
        _ => Ok(()),
    }
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
