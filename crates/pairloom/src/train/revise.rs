//! Guesses from the first rows that the rest of them refute.
//!
//! Rows in order of time may begin with a column that is not in use yet, and is 0 or empty. Taken for
//! names, all its later numbers would be rare names, and say nothing. What was interned as text can
//! still become numbers; the other way there is none, as numbers have lost their text.

use crate::Result;
use crate::data::{Block, Cells, Draw, Ids, Interned, InternedColumn, Values};
use crate::input::{parse_cell, quoted};
use crate::parallel::Threads;
use crate::schema::{Column, Role, Schema, centre, numbers_after_all};

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
    threads: &Threads,
) -> Result<Vec<String>> {
    let mut suspects = suspects(schema, interned, sampled, threads)?;
    if suspects.is_empty() {
        return Ok(Vec::new());
    }
    look_closer(&mut suspects, interned, threads)?;
    let mut notes = Vec::new();
    for suspect in suspects {
        let about = &mut schema.columns[interned.columns[suspect.at].column];
        let values = &mut interned.columns[suspect.at].values;
        notes.extend(suspect.judge(about, values, sampled));
    }
    Ok(notes)
}

/// A column that may be numbers.
#[derive(Default)]
struct Suspect {
    /// Which of the interned columns.
    at: usize,
    /// The numbers that its values are.
    numbers: Vec<Option<f64>>,
    /// Values of the sample: they are numbered as they come.
    known: u32,
    /// Rows after the sample whose value is not in it, and their share.
    fresh: usize,
    new: f64,
    /// How many rows have each value.
    counts: Vec<usize>,
    /// The value and the label of some rows.
    rows: Vec<(u32, f64)>,
}

/// The columns that were guessed to be names and have many new values after the sample.
fn suspects(
    schema: &Schema,
    interned: &Interned,
    sampled: usize,
    threads: &Threads,
) -> Result<Vec<Suspect>> {
    let suspect = |(at, column): (usize, &InternedColumn)| {
        let about = &schema.columns[column.column];
        let was_guessed = about.role == Role::Categorical && !about.why.is_empty() && !about.typed;
        let is_text = matches!(column.values, Values::Texts(_));
        (was_guessed && is_text).then(|| Suspect { at, ..Suspect::default() })
    };
    let mut suspects: Vec<Suspect> =
        interned.columns.iter().enumerate().filter_map(suspect).collect();
    each(&mut suspects, interned, threads, |suspect, block, ids| {
        let in_sample = sampled.saturating_sub(block.first).min(block.rows());
        let known = (0..in_sample).map(|row| ids.get(row) + 1).max();
        suspect.known = suspect.known.max(known.unwrap_or(0));
        // None of the sample is among these: the greatest of it is known now.
        suspect.fresh += ids.count_from(suspect.known);
    })?;
    let rest = interned.rows.saturating_sub(sampled).max(1);
    suspects.iter_mut().for_each(|suspect| suspect.new = suspect.fresh as f64 / rest as f64);
    suspects.retain(|suspect| suspect.new >= NEW);
    Ok(suspects)
}

/// Counts the values of suspects, and keeps some of their rows.
fn look_closer(suspects: &mut [Suspect], interned: &Interned, threads: &Threads) -> Result<()> {
    for suspect in &mut *suspects {
        let Values::Texts(texts) = &interned.columns[suspect.at].values else { continue };
        suspect.counts = vec![0; texts.len()];
        suspect.numbers = (0..texts.len() as u32).map(|id| parse_cell(texts.key(id))).collect();
    }
    let draw = Draw::new(interned.rows, interned.rows, interned.is_limited);
    each(suspects, interned, threads, |suspect, block, ids| {
        for (row, &label) in block.head.labels.iter().enumerate() {
            let id = ids.get(row);
            suspect.counts[id as usize] += 1;
            if draw.takes(block.first + row) {
                suspect.rows.push((id, interned.labels.as_quantity(label)));
            }
        }
    })?;
    for suspect in suspects {
        let (ids, mut labels): (Vec<u32>, Vec<f64>) = suspect.rows.drain(..).unzip();
        centre(&mut labels);
        suspect.rows = ids.into_iter().zip(labels).collect();
    }
    Ok(())
}

/// Gives blocks of rows with the values of the column to `take`, for each of the suspects.
fn each(
    suspects: &mut [Suspect],
    interned: &Interned,
    threads: &Threads,
    take: impl Fn(&mut Suspect, &Block<'_>, Ids<'_>) + Sync + Send,
) -> Result<()> {
    interned.walk(threads, |blocks| {
        let cells: Vec<Vec<Cells<'_>>> =
            blocks.iter().map(|b| b.cells(&interned.columns)).collect::<Result<_>>()?;
        let look = |suspect: &mut Suspect| {
            for (block, cells) in blocks.iter().zip(&cells) {
                if let Cells::Single(ids) = cells[suspect.at] {
                    take(suspect, block, ids);
                }
            }
        };
        threads.each(suspects.iter_mut().collect(), look);
        Ok(())
    })
}

impl Suspect {
    /// Makes the column numbers if it is. Says what was found, if it is not just names.
    fn judge(self, about: &mut Column, values: &mut Values, sampled: usize) -> Option<String> {
        let why = self.reason(about, values)?;
        let name = quoted(&about.name);
        let because = format!("{:.0}% of the rows after the first {sampled}", 100.0 * self.new);
        let Values::Texts(texts) = &*values else { return None };
        if let Some(odd) = self.numbers.iter().position(Option::is_none) {
            let odd = quoted(texts.key(odd as u32));
            return Some(format!(
                "column {name} is taken for names, but {because} have numbers that those had not: \
                 correct {odd} and the like, and say --numeric"
            ));
        }
        let note = format!(
            "column {name} is numeric after all: {because} have numbers that those had not; \
             --categorical keeps it names"
        );
        let number = |number: Option<f64>| number.unwrap_or(f64::NAN);
        *values = Values::NumbersOf(self.numbers.into_iter().map(number).collect());
        (about.role, about.why) = (Role::Numeric, why);
        Some(note)
    }

    /// Why the column is numbers, if it is.
    fn reason(&self, about: &Column, values: &Values) -> Option<String> {
        let Values::Texts(texts) = values else { return None };
        let is_whole = |number: &Option<f64>| number.is_none_or(|v| v.is_nan() || v.fract() == 0.0);
        if self.new < NEW_WHOLE && self.numbers.iter().all(is_whole) {
            return None;
        }
        let texts =
            (0..texts.len() as u32).map(|id| texts.key(id)).zip(self.counts.iter().copied());
        let number =
            |&(id, label): &(u32, f64)| (self.numbers[id as usize].unwrap_or(f64::NAN), label);
        numbers_after_all(about, texts, self.rows.iter().map(number))
    }
}
