//! Kept rows one by one, for all that takes rows of text: prediction, metrics, validation files.
//!
//! A cell is not the text that it was, but one from which a column of the same role learns the same: a
//! number has its bits, a label its class, and the values of a cell their order.

use super::Cached;
use super::roles::{check_columns, is_held};
use crate::batch::BLOCK_ROWS;
use crate::data::cells::{self, Cells};
use crate::data::{Head, Ids, Interned, InternedColumn, Values};
use crate::encode::Pairs;
use crate::input::{Format, MAX_RECORD, Pair, RawRow, Reader, parse_number};
use crate::schema::{Column, Role, Schema};
use crate::{Error, Result};
use std::io::Write;
use std::sync::Arc;

/// What is wrong with the words of a block.
type Fault = &'static str;

/// Rows of a file of kept rows.
struct KeptRows {
    name: Arc<str>,
    schema: Schema,
    interned: Arc<Interned>,
    names: Vec<String>,
    /// Rows that were read.
    read: usize,
    /// The block of the next row.
    head: Head,
    words: Vec<u32>,
}

/// Opens a file of kept rows, for a schema by which they are encoded.
///
/// # Errors
/// As for [`Cached::open`]; [`Error::Data`] if it has not kept what columns of the schema need.
pub(crate) fn open(path: &str, schema: &Schema) -> Result<Box<dyn Reader>> {
    let Cached { schema: of, interned, .. } = Cached::open(path, false)?;
    reader(path, of, Arc::new(interned), schema)
}

/// Interned rows of the schema `of`, for another one by which they are encoded. `name` is for errors.
///
/// # Errors
/// [`Error::Data`] if they have not kept what columns of the schema need.
pub(crate) fn reader(
    name: &str,
    of: Schema,
    interned: Arc<Interned>,
    schema: &Schema,
) -> Result<Box<dyn Reader>> {
    schema.check_format(of.format, name)?;
    let cells = of.columns.iter().filter(|column| column.role != Role::Pairs);
    let names: Vec<String> = cells.map(|column| column.name.clone()).collect();
    check_columns(&of, &interned, &names, schema).map_err(|what| Error::data(name, what))?;
    let (head, words) = Default::default();
    Ok(Box::new(KeptRows { name: name.into(), schema: of, interned, names, read: 0, head, words }))
}

impl Reader for KeptRows {
    fn format(&self) -> Format {
        self.schema.format
    }

    fn columns(&self) -> &[String] {
        &self.names
    }

    fn holds(&self, column: usize) -> bool {
        let mut cells = self.schema.columns.iter().filter(|c| c.role != Role::Pairs);
        cells.nth(column).is_some_and(|column| is_held(column.role))
    }

    fn is_split(&self) -> bool {
        true
    }

    fn read(&mut self, row: &mut RawRow) -> Result<bool> {
        let (number, interned) = (self.read, &self.interned);
        if number == interned.rows {
            return Ok(false);
        }
        if number.is_multiple_of(BLOCK_ROWS) {
            let block = interned.block(number / BLOCK_ROWS)?;
            block.cells(&interned.columns)?;
            (self.head, self.words) = (block.head, block.loaded.into_cells());
        }
        let line = interned.lines.line(number).unwrap_or(number as u64 + 1);
        row.begin(&self.name, line, self.schema.format);
        self.fill(number % BLOCK_ROWS, row).map_err(|what| interned.blocks.damaged(what))?;
        self.read += 1;
        Ok(true)
    }
}

impl KeptRows {
    /// Adds the cells and pairs of a row of the block.
    fn fill(&self, at: usize, row: &mut RawRow) -> Result<(), Fault> {
        let (mut words, rows) = (&self.words[..], self.head.labels.len());
        let mut features = self.interned.columns.iter();
        for about in &self.schema.columns {
            let feature = if about.role.is_feature() { features.next() } else { None };
            let Some(InternedColumn { values, .. }) = feature else {
                row.add_cell(|text| self.write_beside(about.role, at, text));
                continue;
            };
            match (cells::lay(&mut words, rows, values)?, values) {
                (Cells::Pairs(ends, ids, xs), Values::Pairs(pairs)) => {
                    let pair = |entry| pair(about, pairs, ids, xs, entry);
                    ends.range(at).for_each(|entry| row.add_pair(pair(entry)));
                }
                (cells, _) => {
                    let separator = about.value_separator() as u8;
                    row.add_cell(|text| write_cell(cells, values, at, separator, text))?;
                }
            }
        }
        Ok(())
    }

    /// Writes what is no feature.
    fn write_beside(&self, role: Role, at: usize, text: &mut Vec<u8>) {
        match role {
            Role::Label => {
                let label = self.interned.labels.text(self.head.labels[at]);
                text.extend_from_slice(label.as_bytes());
            }
            // The weight has both in it.
            Role::Trials if self.schema.find(Role::Weight).is_some() => text.push(b'1'),
            Role::Weight | Role::Trials => write_weight(self.head.weight(at), text),
            // Their names are not kept, but which rows belong together.
            Role::Group => text.extend_from_slice(self.head.groups[at].to_string().as_bytes()),
            _ => {}
        }
    }
}

fn pair(about: &Column, pairs: &Pairs, ids: Ids<'_>, xs: &[f32], entry: usize) -> Pair {
    let (field, index) = pairs.get(ids.get(entry));
    // The fields of indices are those of the schema that the row will be encoded by.
    let field = if about.fields.is_some() { 0 } else { field };
    Pair { field, index, value: xs.get(entry).copied().unwrap_or(1.0) }
}

fn write_cell(
    cells: Cells<'_>,
    values: &Values,
    row: usize,
    separator: u8,
    text: &mut Vec<u8>,
) -> Result<(), Fault> {
    match (cells, values) {
        (Cells::Single(ids), Values::Texts(texts)) => {
            text.extend_from_slice(texts.key(ids.get(row)));
        }
        (Cells::Several(ends, ids), Values::Texts(texts)) => {
            for (place, entry) in ends.range(row).enumerate() {
                text.extend((place > 0).then_some(separator));
                text.extend_from_slice(texts.key(ids.get(entry)));
                // A few bytes of a file may name a long value many times.
                if text.len() > MAX_RECORD {
                    return Err("a row is longer than any can be");
                }
            }
        }
        (Cells::Numbers(numbers), _) => write_number(numbers.get(row), text),
        _ => return Err("a column is of another kind"),
    }
    Ok(())
}

/// The shortest text with the bits of a number; none if it is missing.
fn write_number(number: f64, text: &mut Vec<u8>) {
    if !number.is_nan() {
        // Writing to a Vec cannot fail.
        let _ = write!(text, "{number}");
    }
}

/// The shortest text of a weight, which is read as a double float and cut: where that would round
/// twice, the text of the double.
fn write_weight(weight: f32, text: &mut Vec<u8>) {
    let start = text.len();
    let _ = write!(text, "{weight}");
    if parse_number(&text[start..]).is_none_or(|number| number as f32 != weight) {
        text.truncate(start);
        write_number(weight.into(), text);
    }
}
