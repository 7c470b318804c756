//! Labels that are one of several classes.

use super::Target;
use super::target::{same_label, unfit};
use crate::data::{Interned, alone, if_meant};
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

/// The first two of these classes that rows of a file could not tell from each other, by their places. Of more than a
/// model may have none are looked for.
pub fn same_classes(classes: &[String]) -> Option<[usize; 2]> {
    if classes.len() > MOST {
        return None;
    }
    let same = |one: &String, other: &String| same_label(one.as_bytes(), other.trim());
    let before = |at: usize| classes[..at].iter().position(|one| same(one, &classes[at]));
    (0..classes.len()).find_map(|at| Some([before(at)?, at]))
}

/// All labels of the rows, those that are held out included, as classes.
///
/// # Errors
/// [`Error::Data`] for too many of them, if most rows have one of their own, for one that seems to be the
/// name of the column, and for numbers and texts together, unless it is said that these are classes.
pub(super) fn learn(
    interned: &Interned,
    schema: &Schema,
    is_said: bool,
    file: &str,
) -> Result<Target> {
    let labels = &interned.labels;
    if labels.are_text && !is_said {
        check_alike(interned, file)?;
    }
    let names: Vec<String> = match labels.are_text {
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
    Ok(Target::Classes { names: sorted(names) })
}

/// Classes in their order.
pub(super) fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_by(|one, other| order(one.as_bytes(), other.as_bytes()));
    names
}

/// Refuses numbers and texts together: there are rows that were kept when each was said to be a class.
fn check_alike(interned: &Interned, file: &str) -> Result<()> {
    let classes = || interned.labels.classes.iter().map(String::as_str);
    let is_number = |class: &str| parse_number(class.as_bytes()).is_some();
    let (numbers, texts): (Vec<&str>, Vec<&str>) = classes().partition(|class| is_number(class));
    let are_texts: Vec<bool> = classes().map(|class| !is_number(class)).collect();
    if numbers.is_empty() || texts.is_empty() {
        return Ok(());
    }
    // Rows of each kind, and the first of them.
    let mut found = [(0, None); 2];
    interned.heads(|first, head| {
        for (row, &label) in (first..).zip(&head.labels) {
            let is_text = are_texts.get(label as usize).copied().unwrap_or_default();
            let (rows, at) = &mut found[usize::from(is_text)];
            (*rows, *at) = (*rows + 1, at.or(Some((row, label))));
        }
    })?;
    let is_text = found[1].0 <= found[0].0;
    let (rows, Some((row, label))) = found[usize::from(is_text)] else { return Ok(()) };
    let others = if is_text { numbers } else { texts };
    let (label, odd) = (quoted(&*interned.labels.text(label)), alone(is_text, &others));
    let message = format!("label: {label} {odd}; {rows} rows of {} are so: ", interned.rows);
    let place = interned.lines.line(row).map_or(file.into(), |line| format!("{file}:{line}"));
    Err(Error::data(place, message + "correct them" + &if_meant()))
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
