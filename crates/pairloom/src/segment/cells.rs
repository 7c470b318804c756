//! The cells of a column, and which rows have which.

use super::{Segments, Which, measured};
use crate::Result;
use crate::batch::Outcomes;
use crate::input::parse_cell;
use crate::metric::Measure;
use crate::schema::{Role, Schema};
use std::collections::HashMap;

/// The cells of a column, row by row.
pub(crate) struct Cells {
    column: String,
    /// Whether numbers in it are names rather than quantities.
    names: bool,
    /// The rows of each distinct cell.
    known: HashMap<Box<[u8]>, Vec<usize>>,
    rows: usize,
}

/// A distinct cell and its rows.
type Value = (Box<[u8]>, Vec<usize>);

/// Some rows, and what they are called.
type Group = (Which, Vec<usize>);

impl Cells {
    /// None yet of a column, by its name.
    pub(crate) fn new(column: &str, schema: &Schema) -> Self {
        let known = schema.columns.iter().find(|known| known.name == column);
        let is_name = |role| matches!(role, Role::Categorical | Role::Multi | Role::Group);
        Cells {
            column: column.into(),
            names: known.is_some_and(|column| is_name(column.role)),
            known: HashMap::new(),
            rows: 0,
        }
    }

    /// Adds the cell of the next row.
    pub(crate) fn push(&mut self, cell: &[u8]) {
        match self.known.get_mut(cell) {
            Some(rows) => rows.push(self.rows),
            None => drop(self.known.insert(cell.into(), vec![self.rows])),
        }
        self.rows += 1;
    }

    /// Measures the rows of the `top` values that weigh most and those of all others together. Of a column of
    /// numbers that the model does not take for names, with more values than this, ranges take their place,
    /// `top` at the most and of about as many rows each.
    pub(crate) fn measure(
        self,
        top: usize,
        predictions: &[f64],
        outcomes: &Outcomes,
        measure: &Measure,
    ) -> Result<Segments> {
        let Cells { column, names, known, .. } = self;
        let mut values: Vec<Value> = known.into_iter().collect();
        // The order of a hash table is another in each run.
        values.sort_unstable();
        let may_be_ranges = !names && values.len() > top;
        let groups = match numbers(&values).filter(|_| may_be_ranges) {
            Some(numbers) => ranges(numbers, top),
            None => by_value(values, top, outcomes),
        };
        let segment = |(which, rows): Group| {
            measured(which, &rows, predictions, outcomes, measure).transpose()
        };
        let segments = groups.into_iter().filter_map(segment).collect::<Result<_>>()?;
        Ok(Segments { column, segments })
    }
}

/// All as numbers, NaN for what is missing; `None` if some are neither, or none is a number.
fn numbers(values: &[Value]) -> Option<Vec<(f64, &[usize])>> {
    let all = values.iter().map(|(text, rows)| Some((parse_cell(text)?, &rows[..])));
    let numbers: Vec<_> = all.collect::<Option<_>>()?;
    numbers.iter().any(|(number, _)| !number.is_nan()).then_some(numbers)
}

/// A group for each of the `top` values that weigh most, and one for all others.
fn by_value(values: Vec<Value>, top: usize, outcomes: &Outcomes) -> Vec<Group> {
    let weight =
        |(_, rows): &Value| rows.iter().map(|&row| f64::from(outcomes.outcome(row).1)).sum::<f64>();
    let mut values: Vec<(f64, Value)> =
        values.into_iter().map(|value| (weight(&value), value)).collect();
    values.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let others = values.split_off(top.min(values.len()));
    let name = |text: &[u8]| Which::Value(String::from_utf8_lossy(text).into_owned());
    let mut groups: Vec<Group> =
        values.into_iter().map(|(_, (text, rows))| (name(&text), rows)).collect();
    if !others.is_empty() {
        let which = Which::Others(others.len());
        groups.push((which, others.into_iter().flat_map(|(_, (_, rows))| rows).collect()));
    }
    groups
}

/// Ranges of about as many rows each, and a group of the rows without a number, if there are any.
fn ranges(mut numbers: Vec<(f64, &[usize])>, top: usize) -> Vec<Group> {
    // NaN, of either sign, comes last.
    numbers.sort_by(|(a, _), (b, _)| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(b)));
    let missing = numbers.split_off(numbers.partition_point(|(number, _)| !number.is_nan()));
    // Rows in no range that is closed: one number may have many, which shall not make the others short.
    let mut left: usize = numbers.iter().map(|(_, rows)| rows.len()).sum();
    let mut groups: Vec<Group> = Vec::new();
    let mut open: Option<(f64, Vec<usize>)> = None;
    for (at, &(number, rows)) in numbers.iter().enumerate() {
        let (from, taken) = open.get_or_insert((number, Vec::new()));
        taken.extend_from_slice(rows);
        let next = numbers.get(at + 1);
        let is_full = taken.len() * top.saturating_sub(groups.len()) >= left;
        // 1 and 1.0 are cells that differ, and one number.
        if next.is_none_or(|&(next, _)| is_full && next != number) {
            left -= taken.len();
            groups.push((Which::Range(*from, number), std::mem::take(taken)));
            open = None;
        }
    }
    if !missing.is_empty() {
        let rows = missing.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
        groups.push((Which::Missing, rows));
    }
    groups
}
