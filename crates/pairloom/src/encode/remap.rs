//! Applying an encoding to the interned rows that it was learned from: each distinct value is looked
//! up once, however many rows have it, and blocks of rows are encoded on all threads.

use super::as_numbers::AsNumbers;
use super::class_weight::class_weight;
use super::row::index_token;
use super::{Encoding, Field, FieldKind, Number, share};
use crate::Result;
use crate::batch::Rows;
use crate::data::{Block, Cells, Interned, InternedColumn, Values};
use crate::parallel::Threads;
use crate::store::{Filling, InOrder, Room, Store};
use std::sync::Arc;

/// What becomes of rows beside their features.
#[derive(Debug, Clone, Default)]
pub struct Beside<'a> {
    /// How much the rows of each class count, if something is said of that.
    pub class_weights: &'a [f32],
    /// Whether rows keep their groups.
    pub groups: bool,
    /// Rows that are left out, if there are some.
    pub left_out: &'a [bool],
    /// Rows that are held out, if there are some.
    pub held_out: &'a [bool],
    /// Those of them that are for a test.
    pub test: &'a [bool],
}

/// The training rows, and those held out for validation and for a test, with their ids. Where they take more than there is room
/// for, training rows are dealt to the windows of a file by `shuffle`, a seed. Interned rows
/// that nobody else has are dropped as they are encoded.
///
/// # Errors
/// [`crate::Error::Memory`] if the rows do not fit, [`crate::Error::Io`] if they cannot be written.
pub fn encode(
    interned: Arc<Interned>,
    encoding: &Encoding,
    room: &Room,
    shuffle: Option<u64>,
    beside: &Beside<'_>,
    threads: &Threads,
    goes_on: &mut dyn FnMut() -> Result<()>,
) -> Result<[Store; 3]> {
    let features = encoding.features();
    let expected = interned.encoded_bytes() + beyond(encoding, interned.rows);
    let remapped =
        threads.map(interned.columns.iter().collect(), |column| Remapped::new(column, encoding));
    let labels = AsNumbers::new(&interned.labels, &encoding.target);
    let mut train = Filling::new(room, features, expected, shuffle)?;
    let mut valid = InOrder::valid(room, features);
    let mut test = InOrder::valid(room, features);
    interned.consume(threads, |blocks, columns| {
        goes_on()?;
        let encode = |block: Block<'_>| {
            let cells = block.cells(columns)?;
            let said = |of: &[bool], row: usize| of.get(block.first + row).is_some_and(|&is| is);
            let part = |part: [bool; 2]| {
                let is =
                    |row: &usize| [said(beside.held_out, *row), said(beside.test, *row)] == part;
                let stays = |row: &usize| !said(beside.left_out, *row);
                let rows = (0..block.rows()).filter(is).filter(stays);
                encode_rows(encoding, &remapped, &cells, rows.collect(), |row| {
                    let (label, weight) =
                        (labels.of(block.head.labels[row]), block.head.weight(row));
                    let group = block.head.groups.get(row).filter(|_| beside.groups).copied();
                    // A test is of the rows as they are.
                    let weights = if part[1] { &[] } else { beside.class_weights };
                    (group, label, weight * class_weight(weights, label))
                })
            };
            Ok([part([false; 2])?, part([true, false])?, part([true; 2])?])
        };
        for parts in threads.map(blocks, encode) {
            let [some_train, some_valid, some_test]: [Rows; 3] = parts?;
            train.add(&some_train)?;
            valid.add(&some_valid)?;
            test.add(&some_test)?;
        }
        Ok(())
    })?;
    Ok([train.done()?, valid.done()?, test.done()?])
}

/// Bytes of rows beyond those that were expected before it was known which numbers are splines.
fn beyond(encoding: &Encoding, rows: usize) -> u128 {
    let is_spline = |field: &&Field| matches!(field.kind, FieldKind::Number(Number::Spline { .. }));
    8 * rows as u128 * encoding.fields.iter().filter(is_spline).count() as u128
}

/// Some rows of a block.
fn encode_rows(
    encoding: &Encoding,
    columns: &[Remapped<'_>],
    cells: &[Cells<'_>],
    some: Vec<usize>,
    outcome: impl Fn(usize) -> (Option<u32>, f32, f32),
) -> Result<Rows> {
    let may_repeat = cells.iter().any(|c| matches!(c, Cells::Several(..) | Cells::Pairs(..)));
    let each = || columns.iter().zip(cells);
    let most = |row: usize| each().map(|(column, cells)| column.most(cells, row)).sum::<usize>();
    let mut rows = Rows::new();
    rows.reserve(some.iter().map(|&row| most(row)).sum())?;
    for row in some {
        rows.reserve(most(row))?;
        each().for_each(|(column, cells)| column.push(cells, row, &mut rows));
        if may_repeat {
            rows.merge_duplicates(|id| encoding.is_default(id));
        }
        let (group, label, weight) = outcome(row);
        rows.finish_in(group, label, weight);
    }
    Ok(rows)
}

/// A column with its final ids.
struct Remapped<'a> {
    /// The id of each distinct value; empty for numbers.
    ids: Vec<u32>,
    /// The first of the column's fields; pairs may have none, and a column that is left out has none.
    field: Option<&'a Field>,
}

impl<'a> Remapped<'a> {
    fn new(column: &InternedColumn, encoding: &'a Encoding) -> Self {
        let fields = &encoding.fields[encoding.range(column.column)];
        if fields.is_empty() {
            return Remapped { ids: Vec::new(), field: None };
        }
        let id = |field: &Field, value: &[u8]| match &field.kind {
            FieldKind::Values(vocabulary) => field.offset + vocabulary.id(value),
            FieldKind::Number(_) => field.offset,
        };
        let mut token = Vec::new();
        let pair_id = |(number, index): (u32, u64)| {
            let at = fields.partition_point(|field| field.number < number);
            id(&fields[at], index_token(index, &mut token))
        };
        let ids = match &column.values {
            Values::Numbers | Values::NumbersOf(_) => Vec::new(),
            Values::Pairs(pairs) => pairs.iter().map(pair_id).collect(),
            Values::Texts(texts) => {
                (0..texts.len() as u32).map(|n| id(&fields[0], texts.key(n))).collect()
            }
        };
        Remapped { ids, field: fields.first() }
    }

    /// How many entries a row has at the most.
    fn most(&self, cells: &Cells<'_>, row: usize) -> usize {
        let Some(field) = self.field else { return 0 };
        match cells {
            Cells::Numbers(_) => match &field.kind {
                FieldKind::Number(number) => number.most(),
                FieldKind::Values(_) => 0,
            },
            Cells::Single(_) => 1,
            Cells::Several(ends, _) | Cells::Pairs(ends, ..) => ends.range(row).len(),
        }
    }

    fn push(&self, cells: &Cells<'_>, row: usize, rows: &mut Rows) {
        let Some(field) = self.field else { return };
        match cells {
            Cells::Numbers(numbers) => {
                if let FieldKind::Number(number) = &field.kind {
                    number.features(numbers.get(row), |id, x| rows.push(field.offset + id, x));
                }
            }
            Cells::Single(ids) => rows.push(self.ids[ids.get(row) as usize], 1.0),
            Cells::Several(ends, ids) => {
                let range = ends.range(row);
                let x = share(range.len());
                ids.each(range, |id| rows.push(self.ids[id as usize], x));
            }
            Cells::Pairs(ends, ids, []) => {
                ids.each(ends.range(row), |id| rows.push(self.ids[id as usize], 1.0));
            }
            Cells::Pairs(ends, ids, xs) => {
                let mut xs = xs[ends.range(row)].iter();
                ids.each(ends.range(row), |id| {
                    // There are as many.
                    let x = xs.next().copied().unwrap_or(1.0);
                    rows.push(self.ids[id as usize], x);
                });
            }
        }
    }
}
