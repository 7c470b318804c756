//! Guesses from the first rows that the rest of them refute.
//!
//! Rows in order of time may begin with a column that is not in use yet, and is 0 or empty. Taken for
//! names, all its later numbers would be rare names, and say nothing. What was interned as text can
//! still become numbers; the other way there is none, as numbers have lost their text.

use crate::data::{Interned, InternedCells};
use crate::encode::{Dictionary, parse_cell};
use crate::input::quoted;
use crate::schema::{Column, Role, Schema, centre, numbers_after_all};
use crate::{Error, Result};

/// The part of the rows after the sample that must have values which the sample has not: of any
/// numbers, and of whole ones, of which new ones come in with time in names too.
const NEW: f64 = 0.1;
const NEW_WHOLE: f64 = 0.5;

/// Looks again at the columns that were guessed to be names from the first `sampled` rows. Says of
/// each that is numbers what became of it.
pub(super) fn revise(
    schema: &mut Schema,
    interned: &mut Interned,
    sampled: usize,
) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    let mut labels = interned.labels.values.clone();
    centre(&mut labels);
    for column in &mut interned.columns {
        let about = &mut schema.columns[column.column];
        let was_guessed = about.role == Role::Categorical && !about.why.is_empty();
        let InternedCells::Single { values, ids } = &column.cells else { continue };
        let new = if was_guessed { share_of_new(ids, sampled) } else { 0.0 };
        if new < NEW {
            continue;
        }
        let cell = |id: u32| parse_cell(values.key(id));
        let numbers: Vec<Option<f64>> = (0..values.len() as u32).map(cell).collect();
        let Some(why) = reason(about, values, ids, &numbers, &labels, new) else { continue };
        let name = quoted(&about.name);
        let because = format!("{:.0}% of the rows after the first {sampled}", 100.0 * new);
        if let Some(odd) = numbers.iter().position(Option::is_none) {
            let odd = quoted(values.key(odd as u32));
            notes.push(format!(
                "column {name} is taken for names, but {because} have numbers that those had not: \
                 correct {odd} and the like, and say --numeric"
            ));
            continue;
        }
        notes.push(format!(
            "column {name} is numeric after all: {because} have numbers that those had not; \
             --categorical keeps it names"
        ));
        column.cells = InternedCells::Numbers(as_numbers(ids, &numbers)?);
        (about.role, about.why) = (Role::Numeric, why);
    }
    Ok(notes)
}

/// The share of the rows after the sample whose value is not in the sample: values are numbered as
/// they come.
fn share_of_new(ids: &[u32], sampled: usize) -> f64 {
    let (first, rest) = ids.split_at(sampled.min(ids.len()));
    let known = first.iter().max().map_or(0, |most| most + 1);
    rest.iter().filter(|id| **id >= known).count() as f64 / rest.len().max(1) as f64
}

/// Why a column is numbers, if it is.
fn reason(
    about: &Column,
    values: &Dictionary,
    ids: &[u32],
    numbers: &[Option<f64>],
    labels: &[f64],
    new: f64,
) -> Option<String> {
    let is_whole = |number: &Option<f64>| number.is_none_or(|v| v.is_nan() || v.fract() == 0.0);
    if new < NEW_WHOLE && numbers.iter().all(is_whole) {
        return None;
    }
    let mut counts = vec![0; values.len()];
    ids.iter().for_each(|&id| counts[id as usize] += 1);
    let texts = (0..values.len() as u32).map(|id| values.key(id)).zip(counts);
    let number = |id: &u32| numbers[*id as usize].unwrap_or(f64::NAN);
    numbers_after_all(about, texts, ids.iter().map(number).zip(labels.iter().copied()))
}

fn as_numbers(ids: &[u32], numbers: &[Option<f64>]) -> Result<Vec<f64>> {
    let mut cells = Vec::new();
    let full = |_| Error::Memory("no memory for a column of numbers: take fewer rows".into());
    cells.try_reserve_exact(ids.len()).map_err(full)?;
    cells.extend(ids.iter().map(|&id| numbers[id as usize].unwrap_or(f64::NAN)));
    Ok(cells)
}
