//! Encoding rows one by one, as they are read.

use super::cells::Cells;
use super::class_weight::class_weight;
use super::known::{self, Known};
use super::unseen::{Count, Unseen};
use super::{Dictionary, Encoding, Field, FieldKind, Vocabulary, share, split_values};
use crate::batch::Rows;
use crate::input::{Format, RawRow, parse_number, quoted, spelled};
use crate::schema::{Column, Role, Schema};
use crate::simd::prefetch;
use crate::{Error, Result};
use std::io::Write;
use std::ops::Range;
use std::sync::atomic::AtomicU32;

/// Encodes the raw rows of one file.
#[derive(Debug)]
pub struct RowEncoder<'a> {
    encoding: &'a Encoding,
    label: Option<usize>,
    /// The cells whose numbers are multiplied to the weight.
    weights: [Option<usize>; 2],
    class_weights: Vec<f32>,
    /// The cell of the group, and the names of groups by number, if rows are to have groups.
    groups: Option<(usize, Dictionary)>,
    columns: Vec<BoundColumn<'a>>,
    /// Whether features that a row has several times are made one.
    merges: bool,
    token: Vec<u8>,
}

/// A feature column of the schema, the cell of the file that holds it, and its fields.
#[derive(Debug)]
struct BoundColumn<'a> {
    about: &'a Column,
    cell: usize,
    fields: std::ops::Range<usize>,
    count: Count,
    /// Of pairs.
    known: Known,
}

/// Checks that a file with columns of these names has all that are needed to measure a model.
///
/// # Errors
/// As for [`RowEncoder::bind`].
pub(crate) fn check_columns(schema: &Schema, file: &str, names: &[String]) -> Result<()> {
    let cells = Cells::new(schema, file, names, true)?;
    let is_needed =
        |role: Role| role.is_feature() || matches!(role, Role::Label | Role::Weight | Role::Trials);
    let needed = (0..schema.columns.len())
        .filter(|&at| is_needed(schema.columns[at].role) && !schema.columns[at].optional);
    needed.map(|at| cells.find(at)).try_for_each(|found| found.map(drop))
}

impl<'a> RowEncoder<'a> {
    /// Finds the schema's columns among the `names` of a file's columns. Named columns may stand in
    /// another order and others beside them. Unless `labelled`, labels and weights are left alone
    /// even where there are some, and count as 0 and 1.
    ///
    /// # Errors
    /// [`Error::Usage`] naming a column that `file` lacks, [`Error::Data`] for a file without a header that has
    /// other columns.
    pub fn bind(
        encoding: &'a Encoding,
        schema: &'a Schema,
        file: &str,
        names: &[String],
        labelled: bool,
    ) -> Result<Self> {
        let cells = Cells::new(schema, file, names, labelled)?;
        let find = |role| match schema.find(role) {
            Some(column) if schema.columns[column].optional => Ok(cells.position(column)),
            column => column.map(|column| cells.find(column)).transpose(),
        };
        let columns = bound(encoding, schema, &cells, |column| column.role.is_feature())?;
        let (label, weights) = match labelled {
            true => (find(Role::Label)?, [find(Role::Weight)?, find(Role::Trials)?]),
            false => (None, [None; 2]),
        };
        let several = |c: &BoundColumn<'_>| matches!(c.about.role, Role::Multi | Role::Pairs);
        let merges = columns.iter().any(several);
        Ok(RowEncoder { label, weights, merges, ..RowEncoder::of(encoding, columns) })
    }

    /// The same for parts of rows, of those feature columns that are `wanted`; the file may lack all others.
    /// Features that a row has several times stay so, since only whole rows are brought into order by that
    /// ([`Rows::merge_duplicates`]).
    ///
    /// # Errors
    /// As for [`RowEncoder::bind`].
    pub(crate) fn bind_some(
        encoding: &'a Encoding,
        schema: &'a Schema,
        file: &str,
        names: &[String],
        wanted: impl Fn(&Column) -> bool,
    ) -> Result<Self> {
        let cells = Cells::new(schema, file, names, false)?;
        let wanted = |column: &Column| column.role.is_feature() && wanted(column);
        Ok(RowEncoder::of(encoding, bound(encoding, schema, &cells, wanted)?))
    }

    /// One that encodes these columns and nothing beside them.
    fn of(encoding: &'a Encoding, columns: Vec<BoundColumn<'a>>) -> Self {
        RowEncoder {
            encoding,
            label: None,
            weights: [None; 2],
            class_weights: Vec::new(),
            groups: None,
            columns,
            merges: false,
            token: Vec::new(),
        }
    }

    /// Rows belong to groups from now on, by the text in this cell of a row; some of the groups may be known.
    pub(crate) fn grouping(self, cell: Option<usize>, known: Dictionary) -> Self {
        RowEncoder { groups: cell.map(|cell| (cell, known)), ..self }
    }

    /// One for the same rows that has counted none of them and knows no groups.
    pub(crate) fn twin(&self) -> Self {
        let column = |column: &BoundColumn<'a>| BoundColumn {
            fields: column.fields.clone(),
            count: Count::default(),
            known: column.known.clone(),
            ..*column
        };
        RowEncoder {
            label: self.label,
            weights: self.weights,
            class_weights: self.class_weights.clone(),
            merges: self.merges,
            ..RowEncoder::of(self.encoding, self.columns.iter().map(column).collect())
        }
    }

    /// Takes over what another has counted of the rows that it has met since.
    pub(crate) fn take_counts(&mut self, other: &mut Self) {
        for (column, other) in self.columns.iter_mut().zip(&mut other.columns) {
            column.count.merge(std::mem::take(&mut other.count));
        }
    }

    /// Rows of each class count so much from now on.
    pub(crate) fn weighing(self, class_weights: &[f32]) -> Self {
        RowEncoder { class_weights: class_weights.to_vec(), ..self }
    }

    /// Whether a row has a label above 0.
    ///
    /// # Errors
    /// [`Error::Row`] for a label that is none.
    pub(crate) fn is_relevant(&self, raw: &RawRow) -> Result<bool> {
        let label = |cell| self.encoding.parse_label(raw, cell);
        Ok(self.label.map(label).transpose()?.is_some_and(|label| label > 0.0))
    }

    /// Adds a row to `rows`.
    ///
    /// # Errors
    /// [`Error::Row`] for a cell that cannot be used, [`Error::Memory`] if the row does not fit.
    /// Nothing is added then.
    pub fn encode(&mut self, raw: &RawRow, rows: &mut Rows) -> Result<()> {
        let group = self.group(raw)?;
        self.encode_in(group, raw, rows)
    }

    /// The number of the group that a row is of, if rows are to have groups.
    ///
    /// # Errors
    /// [`Error::Row`] for a row that does not say it, [`Error::Memory`].
    pub(crate) fn group(&mut self, raw: &RawRow) -> Result<Option<u32>> {
        match &mut self.groups {
            None => Ok(None),
            Some((cell, names)) => names.insert(group_cell(raw, *cell)?).map(Some),
        }
    }

    /// The same as [`RowEncoder::encode`] for a row of this group.
    pub(crate) fn encode_in(
        &mut self,
        group: Option<u32>,
        raw: &RawRow,
        rows: &mut Rows,
    ) -> Result<()> {
        let label = match self.label {
            None => 0.0,
            Some(cell) => self.encoding.parse_label(raw, cell)?,
        };
        let weight = weight(raw, self.weights)?;
        rows.reserve(self.columns.len() + raw.pairs().len())?;
        let added = self.features(raw, rows);
        if added.is_err() {
            rows.abandon();
        }
        added?;
        rows.finish_in(group, label, weight * class_weight(&self.class_weights, label));
        Ok(())
    }

    /// The columns most of whose values, in the rows so far, no training row had.
    pub fn unseen(&self) -> Vec<Unseen> {
        self.unseen_of(Unseen::CELLS)
    }

    /// The same where each value counts: also those of few values, if none of them is known.
    pub(crate) fn unseen_of_few(&self) -> Vec<Unseen> {
        self.unseen_of(1)
    }

    fn unseen_of(&self, least: u64) -> Vec<Unseen> {
        let tell = |column: &BoundColumn<'_>| {
            let field = self.encoding.fields.get(column.fields.start)?;
            match &field.kind {
                FieldKind::Values(Vocabulary::Dictionary { values }) => {
                    column.count.tell(&column.about.name, values, least)
                }
                _ => None,
            }
        };
        self.columns.iter().filter_map(tell).collect()
    }

    fn features(&mut self, raw: &RawRow, rows: &mut Rows) -> Result<()> {
        let fields = &self.encoding.fields;
        for column in &mut self.columns {
            let (cell, about) = (raw.cell(column.cell), column.about);
            if about.role == Role::Pairs {
                let fields = &fields[column.fields.clone()];
                let values = || fields.iter().map(|field| field.len() as usize).sum();
                column.known.expect(raw.pairs().len(), values);
                pairs(fields, about, raw, (column.known.ids(), &mut self.token), rows);
                continue;
            }
            let field = &fields[column.fields.start];
            match &field.kind {
                FieldKind::Number(number) => {
                    let v = raw
                        .number(column.cell)
                        .ok_or_else(|| number_error(raw, column.cell, &about.name))?;
                    number.features(v, |id, x| rows.push(field.offset + id, x));
                }
                FieldKind::Values(vocabulary) if about.role == Role::Multi => {
                    let separator = about.value_separator();
                    let x = share(split_values(cell, separator).count());
                    for value in split_values(cell, separator) {
                        let id = vocabulary.id(value);
                        column.count.add(value, id > 0);
                        rows.push(field.offset + id, x);
                    }
                }
                FieldKind::Values(vocabulary) => {
                    let id = vocabulary.id(cell);
                    column.count.add(cell, id > 0);
                    rows.push(field.offset + id, 1.0);
                }
            }
        }
        if self.merges {
            rows.merge_duplicates(|id| self.encoding.is_default(id));
        }
        Ok(())
    }
}

/// The wanted columns of the schema, in the cells that hold them.
fn bound<'a>(
    encoding: &Encoding,
    schema: &'a Schema,
    cells: &Cells<'_>,
    wanted: impl Fn(&Column) -> bool,
) -> Result<Vec<BoundColumn<'a>>> {
    let columns = schema.columns.iter().enumerate().filter(|(_, column)| wanted(column));
    let bound = columns.map(|(number, column)| {
        Ok(BoundColumn {
            about: column,
            cell: if column.role == Role::Pairs { 0 } else { cells.find(number)? },
            fields: encoding.range(number),
            count: Count::default(),
            known: Known::default(),
        })
    });
    bound.collect()
}

/// Pairs whose field number was never seen in training have no id and are left out.
fn pairs(
    fields: &[Field],
    about: &Column,
    raw: &RawRow,
    (known, token): (&[AtomicU32], &mut Vec<u8>),
    rows: &mut Rows,
) {
    // What is known lies anywhere in a table that is larger than a core's caches.
    raw.pairs().iter().for_each(|pair| prefetch(known, pair.index as usize, 1));
    let (block, mut last) = (rows.last(), None::<(&Field, Range<u32>)>);
    for pair in raw.pairs() {
        let number = about.field_of(pair);
        let (field, ids) = match &last {
            Some(last @ (field, _)) if field.number == number => last,
            _ => match fields.binary_search_by_key(&number, |field| field.number) {
                Ok(at) => last.insert((&fields[at], fields[at].ids())),
                Err(_) => continue,
            },
        };
        let FieldKind::Values(vocabulary) = &field.kind else { continue };
        let find = || field.offset + vocabulary.id(index_token(pair.index, token));
        block.push(known::id(known, ids, pair.index, find), pair.value);
    }
}

/// An index as the text that stands for it in dictionaries and hashes.
pub(super) fn index_token(index: u64, token: &mut Vec<u8>) -> &[u8] {
    token.clear();
    // Writing to a Vec cannot fail.
    let _ = write!(token, "{index}");
    token
}

impl Encoding {
    /// The label in a cell of a row.
    pub(crate) fn parse_label(&self, raw: &RawRow, cell: usize) -> Result<f32> {
        self.target.parse(raw.cell(cell)).map_err(|message| {
            let hint =
                if is_first_of_bare(raw) { "; is this line a header (--header)?" } else { "" };
            raw.cell_error(cell, format!("label: {message}{hint}"))
        })
    }
}

/// The weight of a row: the product of the numbers in these cells.
pub(crate) fn weight(raw: &RawRow, cells: [Option<usize>; 2]) -> Result<f32> {
    cells.into_iter().flatten().try_fold(1.0, |weight, cell| {
        let both = weight * parse_weight(raw, cell)?;
        both.is_finite().then_some(both).ok_or_else(|| {
            raw.cell_error(cell, "weight: with that of the other column it is beyond 32-bit floats")
        })
    })
}

/// The text in the cell of a group: rows without one are not one group.
pub(crate) fn group_cell(raw: &RawRow, cell: usize) -> Result<&[u8]> {
    let text = raw.cell(cell);
    match text.trim_ascii().is_empty() {
        // Rows of libsvm have a cell for the group that they do not say.
        true if !raw.pairs().is_empty() => Err(raw.cell_error(
            cell,
            "group: the row does not say which rows it belongs to: write it after the label, as qid:7",
        )),
        true => Err(raw.cell_error(
            cell,
            "group: an empty cell: say which rows this one belongs to, or leave it out",
        )),
        false => Ok(text),
    }
}

/// The number in a cell of weights.
fn parse_weight(raw: &RawRow, cell: usize) -> Result<f32> {
    let weight = parse_number(raw.cell(cell)).map(|v| v as f32);
    weight.filter(|w| w.is_finite() && *w >= 0.0).ok_or_else(|| {
        let cell_text = quoted(raw.cell(cell));
        let what = match weight {
            Some(f32::INFINITY) => "beyond 32-bit floats",
            _ => "not a number of at least 0",
        };
        raw.cell_error(cell, format!("weight: {cell_text} is {what}"))
    })
}

/// What is wrong with a numeric cell that [`RawRow::number`] refused.
pub(crate) fn number_error(raw: &RawRow, cell: usize, name: &str) -> Error {
    let text = quoted(raw.cell(cell));
    let what = match (is_first_of_bare(raw), spelled(raw.cell(cell))) {
        (true, _) => format!("{text} is no number: if this line is a header, say --header"),
        (_, Some(spelled)) => {
            format!("{text} is {spelled}; if it names something, train with --categorical {name}")
        }
        (_, None) => format!(
            "{text} is not a finite number: correct it, leave it empty if it is unknown, or train \
             with --categorical {name}"
        ),
    };
    raw.cell_error(cell, format!("column '{name}' is numeric and {what}"))
}

/// Whether a row is the first line of a file that was taken to have no header.
fn is_first_of_bare(raw: &RawRow) -> bool {
    raw.line() == 1 && matches!(raw.format, Format::Csv { header: false, .. })
}
