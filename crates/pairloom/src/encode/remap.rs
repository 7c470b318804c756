//! Applying an encoding to the interned rows that it was learned from: each distinct value is looked
//! up once, however many rows have it, and blocks of rows are encoded on all threads.

use super::row::index_token;
use super::target::labels_as_numbers;
use super::{Encoding, Field, FieldKind, share};
use crate::Result;
use crate::batch::{BLOCK_ROWS, Rows};
use crate::data::{Interned, InternedCells, InternedColumn};
use crate::parallel::Threads;
use crate::store::{Filling, Room, Store};

/// The training rows and those held out, with their ids. Where they take more than there is room
/// for, training rows are dealt to the windows of a file by `shuffle`, a seed.
///
/// # Errors
/// [`crate::Error::Memory`] if the rows do not fit, [`crate::Error::Io`] if they cannot be written.
pub fn encode(
    interned: &Interned,
    held_out: &[bool],
    encoding: &Encoding,
    room: &Room,
    shuffle: Option<u64>,
    threads: &Threads,
) -> Result<[Store; 2]> {
    let columns =
        threads.map(interned.columns.iter().collect(), |column| Remapped::new(column, encoding));
    let label = labels_as_numbers(&interned.labels, &encoding.target);
    let outcome = |row: usize| (label(row), interned.weights.get(row).copied().unwrap_or(1.0));
    let (features, expected) = (encoding.features(), interned.encoded_bytes());
    let train = Filling::train(room, features, expected, shuffle)?;
    let fill = |mut filling: Filling<'_>, held: bool| {
        let mut rows = (0..interned.rows).filter(|&row| held_out[row] == held);
        loop {
            // So many blocks at a time that all threads have some, and no more: they are in memory
            // beside those that were kept.
            let block = || rows.by_ref().take(BLOCK_ROWS).collect::<Vec<usize>>();
            let blocks = std::iter::repeat_with(block).take(2 * threads.count());
            let blocks: Vec<_> = blocks.filter(|block| !block.is_empty()).collect();
            if blocks.is_empty() {
                return filling.done();
            }
            for block in threads.map(blocks, |block| encode_block(&columns, &block, &outcome)) {
                filling.add(&block?)?;
            }
        }
    };
    Ok([fill(train, false)?, fill(Filling::valid(room, features), true)?])
}

/// The rows of one block.
fn encode_block(
    columns: &[Remapped<'_>],
    block: &[usize],
    outcome: &(dyn Fn(usize) -> (f32, f32) + Sync),
) -> Result<Rows> {
    let may_repeat = columns.iter().any(Remapped::may_repeat);
    let most = |&row: &usize| columns.iter().map(|column| column.most(row)).sum::<usize>();
    let mut rows = Rows::new();
    rows.reserve(block.iter().map(most).sum())?;
    for &row in block {
        rows.reserve(most(&row))?;
        columns.iter().for_each(|column| column.push(row, &mut rows));
        if may_repeat {
            rows.merge_duplicates();
        }
        let (label, weight) = outcome(row);
        rows.finish(label, weight);
    }
    Ok(rows)
}

/// A column with its final ids.
struct Remapped<'a> {
    cells: &'a InternedCells,
    /// The id of each distinct value; empty for numbers.
    ids: Vec<u32>,
    /// The first of the column's fields; pairs may have none.
    field: Option<&'a Field>,
}

impl<'a> Remapped<'a> {
    fn new(column: &'a InternedColumn, encoding: &'a Encoding) -> Self {
        let fields = &encoding.fields[encoding.range(column.column)];
        let id = |field: &Field, value: &[u8]| match &field.kind {
            FieldKind::Values(vocabulary) => field.offset + vocabulary.id(value),
            FieldKind::Number(_) => field.offset,
        };
        let mut token = Vec::new();
        let pair_id = |(number, index): (u32, u64)| {
            let at = fields.partition_point(|field| field.number < number);
            id(&fields[at], index_token(index, &mut token))
        };
        let ids = match &column.cells {
            InternedCells::Numbers(_) => Vec::new(),
            InternedCells::Pairs { values, .. } => values.iter().map(pair_id).collect(),
            InternedCells::Single { values, .. } | InternedCells::Several { values, .. } => {
                (0..values.len() as u32).map(|n| id(&fields[0], values.key(n))).collect()
            }
        };
        Remapped { cells: &column.cells, ids, field: fields.first() }
    }

    /// How many entries a row has at the most.
    fn most(&self, row: usize) -> usize {
        match self.cells {
            InternedCells::Numbers(_) => 3,
            InternedCells::Single { .. } => 1,
            InternedCells::Several { starts, .. } | InternedCells::Pairs { starts, .. } => {
                starts[row + 1] - starts[row]
            }
        }
    }

    /// Whether a row may have an id twice.
    fn may_repeat(&self) -> bool {
        matches!(self.cells, InternedCells::Several { .. } | InternedCells::Pairs { .. })
    }

    fn push(&self, row: usize, rows: &mut Rows) {
        match self.cells {
            InternedCells::Numbers(numbers) => {
                if let Some(Field { kind: FieldKind::Number(number), offset, .. }) = self.field {
                    number.features(numbers[row], |id, x| rows.push(offset + id, x));
                }
            }
            InternedCells::Single { ids, .. } => rows.push(self.ids[ids[row] as usize], 1.0),
            InternedCells::Several { starts, ids, .. } => {
                let ids = &ids[starts[row]..starts[row + 1]];
                let x = share(ids.len());
                ids.iter().for_each(|&id| rows.push(self.ids[id as usize], x));
            }
            InternedCells::Pairs { starts, ids, xs, .. } => {
                let range = starts[row]..starts[row + 1];
                for (&id, &x) in ids[range.clone()].iter().zip(&xs[range]) {
                    rows.push(self.ids[id as usize], x);
                }
            }
        }
    }
}
