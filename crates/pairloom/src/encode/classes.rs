//! Labels that are one of several classes.

use super::Target;
use super::target::unfit;
use crate::data::Interned;
use crate::input::{Format, parse_number, quoted};
use crate::loss::Loss;
use crate::schema::Schema;
use crate::{Error, Result};
use std::cmp::Ordering;

/// More classes than this are none: each has a model of its own.
pub(crate) const MOST: usize = 1000;

/// So many may be classes, however few rows there are.
const FEW: usize = 20;

/// The order of classes: numbers first, the least of them in front, then texts by alphabet. What is equal is
/// the same class.
fn order(one: &[u8], other: &[u8]) -> Ordering {
    match (parse_number(one), parse_number(other)) {
        // There are two zeros.
        (Some(one), Some(other)) => (one + 0.0).total_cmp(&(other + 0.0)),
        (None, None) => one.cmp(other),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

/// Which of these classes, which are in order, a cell is.
pub(super) fn find(names: &[String], cell: &[u8]) -> Option<usize> {
    let cell = cell.trim_ascii();
    names.binary_search_by(|name| order(name.as_bytes(), cell)).ok()
}

/// Whether these can be the classes of a model: those of a file may not.
pub(super) fn are_usable(names: &[String]) -> bool {
    let ascend =
        |one: &String, other: &String| order(one.as_bytes(), other.as_bytes()) == Ordering::Less;
    (2..=MOST).contains(&names.len()) && names.is_sorted_by(ascend)
}

/// All labels of the rows, those that are held out included, as classes.
///
/// # Errors
/// [`Error::Data`] for too many of them, if most rows have one of their own, or for one that seems to be the
/// name of the column.
pub(super) fn learn(interned: &Interned, schema: &Schema, file: &str) -> Result<Target> {
    let labels = &interned.labels;
    let mut names: Vec<String> = match labels.are_text {
        true => labels.classes.clone(),
        false => distinct(interned, file)?.iter().map(f64::to_string).collect(),
    };
    let (classes, rows) = (names.len(), interned.rows);
    if classes > FEW && 2 * classes > rows {
        let message = format!(
            "the label has {classes} values in {rows} rows: it names rows, and no classes can be \
             learned; is it another column? Say --label COLUMN"
        );
        return Err(Error::data(file, message));
    }
    let is_bare = matches!(schema.format, Format::Csv { header: false, .. });
    if labels.are_text && is_bare && is_first_alone(interned)? {
        let message = format!(
            "no other label is {}, that of line 1: if this line is a header, say --header, else leave \
             it out",
            quoted(&names[0])
        );
        return Err(Error::data(file, message));
    }
    names.sort_by(|one, other| order(one.as_bytes(), other.as_bytes()));
    Ok(Target::Classes { names })
}

/// Whether the class of the first row, which has place 0, is that of no other.
fn is_first_alone(interned: &Interned) -> Result<bool> {
    let mut rows = 0;
    interned.heads(|_, head| rows += head.labels.iter().filter(|&&label| label == 0.0).count())?;
    Ok(rows == 1)
}

/// The numbers that labels are.
fn distinct(interned: &Interned, file: &str) -> Result<Vec<f64>> {
    let mut found: Vec<f64> = Vec::new();
    let mut too_many = false;
    interned.heads(|_, head| {
        for &label in &head.labels {
            if let Err(at) = found.binary_search_by(|known| known.total_cmp(&(label + 0.0))) {
                too_many |= found.len() == MOST;
                if !too_many {
                    found.insert(at, label + 0.0);
                }
            }
        }
    })?;
    if too_many {
        let (loss, most) = (Loss::Softmax.name(), MOST);
        let message = format!("{loss} loss takes at most {most} classes, and the label has more");
        return Err(unfit(file, &message));
    }
    Ok(found)
}
