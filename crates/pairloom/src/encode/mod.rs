//! From raw rows to ids and values: learned on the training rows, stored in the model, applied to
//! every row after.
//!
//! Every column is one field (pairs are one field for each field number), and every field owns a
//! range of ids. A row becomes a list of (id, value).
//!
//! There are two ways to the same ids. Rows to predict are encoded one by one, as they are read
//! ([`RowEncoder`]). Training rows are first interned ([`crate::data`]), since the ids depend on
//! all of them, and then encoded from there ([`learn`]); both ask the same [`Vocabulary`] and
//! [`Number`].

mod as_numbers;
mod cells;
mod class_weight;
mod classes;
mod dictionary;
mod known;
mod learn;
mod learner;
mod number;
mod pairs;
mod quantile;
mod remap;
mod row;
mod scale;
mod slots;
mod spline;
mod target;
mod training;
mod unseen;
mod vocabulary;

pub(crate) use as_numbers::AsNumbers;
pub use class_weight::ClassWeight;
pub(crate) use classes::MOST as MOST_CLASSES;
pub use classes::same_classes;
pub use dictionary::Dictionary;
pub(crate) use dictionary::Short;
pub use learn::learn;
pub use number::{Number, Transform};
pub(crate) use pairs::Pairs;
pub use quantile::Knots;
pub use remap::{Beside, encode};
pub use row::RowEncoder;
pub(crate) use row::{check_columns, group_cell, number_error, weight};
pub use scale::Scale;
pub use spline::Spline;
pub use target::Target;
pub(crate) use target::{no_count, same_label};
pub use unseen::Unseen;
pub use vocabulary::Vocabulary;

use crate::config::Config;
use crate::interaction::Fields;
use crate::schema::{Column, Role, Schema};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How each column of a schema becomes features, and what the labels mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    /// What is predicted.
    pub target: Target,
    /// The fields, in the order of their ids.
    pub fields: Vec<Field>,
}

/// A range of ids and where they come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Number of the column in the schema.
    pub column: usize,
    /// The field number of pairs (0 in libsvm), else 0.
    pub number: u32,
    /// The first id.
    pub offset: u32,
    /// How a value becomes an id.
    pub kind: FieldKind,
}

/// How the values of a field become features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "type", content = "of")]
pub enum FieldKind {
    /// One or several values out of many.
    Values(Vocabulary),
    /// A number.
    Number(Number),
}

impl Field {
    /// Number of ids.
    pub fn len(&self) -> u64 {
        match &self.kind {
            FieldKind::Values(vocabulary) => vocabulary.len(),
            FieldKind::Number(number) => number.len(),
        }
    }

    /// Its ids.
    #[inline]
    fn ids(&self) -> Range<u32> {
        // All ids of all fields are below 2^32 - 1.
        self.offset..self.offset.saturating_add(self.len().try_into().unwrap_or(u32::MAX))
    }

    /// Never: every field has an id.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether the parts make sense: those of a file may not.
    fn is_usable(&self) -> bool {
        match &self.kind {
            FieldKind::Values(vocabulary) => vocabulary.is_usable(),
            FieldKind::Number(number) => number.is_usable(),
        }
    }

    /// What one of the field's ids stands for, in words.
    fn describe(&self, id: u32) -> String {
        let local = id - self.offset;
        match &self.kind {
            FieldKind::Number(number) => number.describe(local),
            FieldKind::Values(vocabulary) => vocabulary.describe(local),
        }
    }
}

impl Encoding {
    /// Number of ids in all fields.
    pub fn features(&self) -> usize {
        self.fields.last().map_or(0, |field| (u64::from(field.offset) + field.len()) as usize)
    }

    /// Bytes of memory that the values of all fields take.
    pub(crate) fn bytes(&self) -> u128 {
        let values = |field: &Field| match &field.kind {
            FieldKind::Values(vocabulary) => vocabulary.bytes(),
            FieldKind::Number(_) => 0,
        };
        self.fields.iter().map(values).sum::<usize>() as u128
    }

    /// Where the ids of each field begin.
    pub fn starts(&self) -> Fields {
        Fields::new(self.fields.iter().map(|field| field.offset))
    }

    /// Number of fields that are numbers.
    pub fn numbers(&self) -> usize {
        self.fields.iter().filter(|field| matches!(field.kind, FieldKind::Number(_))).count()
    }

    /// Which of the fields are those of a column of the schema.
    fn range(&self, column: usize) -> Range<usize> {
        let start = self.fields.partition_point(|field| field.column < column);
        start..self.fields.partition_point(|field| field.column <= column)
    }

    /// What keeps an encoding that was read from a file from being used with this schema and these
    /// settings; `None` if nothing does.
    pub(crate) fn flaw(&self, schema: &Schema, config: &Config) -> Option<String> {
        let fits = config.loss.is_some_and(|loss| self.target.fits(loss));
        if !fits || !self.target.is_usable() {
            return Some("its loss and its target do not fit together".into());
        }
        let mut next = 0;
        for field in &self.fields {
            let role = schema.columns.get(field.column).map(|column| column.role);
            let fits = match &field.kind {
                FieldKind::Number(_) => role == Some(Role::Numeric),
                FieldKind::Values(_) => role.is_some_and(|r| r.is_feature() && r != Role::Numeric),
            };
            if !fits || !field.is_usable() || u64::from(field.offset) != next {
                return Some(format!("its field {} is damaged", field.column));
            }
            next += field.len();
        }
        let order = |field: &Field| (field.column, field.number);
        let vectors = next.saturating_mul(self.target.classes() as u64);
        if vectors > u64::from(u32::MAX) || !self.fields.is_sorted_by(|a, b| order(a) < order(b)) {
            return Some("its fields are in disorder".into());
        }
        let single = |(number, column): (usize, &Column)| {
            let fields = self.fields.iter().filter(|field| field.column == number).count();
            match column.role {
                Role::Pairs => true,
                role => fields == usize::from(role.is_feature()),
            }
        };
        let complete = schema.columns.iter().enumerate().all(single);
        (!complete).then(|| "its fields are not those of its schema".into())
    }

    /// What an id of one of the fields stands for, in words.
    pub fn describe(&self, id: u32) -> String {
        self.field(id).describe(id)
    }

    /// Whether an id of one of the fields stands for all rare and unseen values.
    pub(crate) fn is_default(&self, id: u32) -> bool {
        let field = self.field(id);
        let is_kept = matches!(&field.kind, FieldKind::Values(Vocabulary::Dictionary { .. }));
        is_kept && field.offset == id
    }

    /// The place of the field of one of its ids.
    pub(crate) fn field_of(&self, id: u32) -> usize {
        self.fields.partition_point(|field| field.offset <= id) - 1
    }

    /// The field of one of its ids.
    fn field(&self, id: u32) -> &Field {
        &self.fields[self.field_of(id)]
    }
}

/// What a text says, if it is `true` or `false` in any case of letters.
pub(crate) fn truth(text: &[u8]) -> Option<bool> {
    let is = |word: &[u8]| text.eq_ignore_ascii_case(word);
    if is(b"true") { Some(true) } else { is(b"false").then_some(false) }
}

/// The values of a multi-valued cell. A cell without any has the one value "", which is missing.
pub(crate) fn split_values(cell: &[u8], separator: char) -> impl Iterator<Item = &[u8]> {
    let values = cell.split(move |&byte| char::from(byte) == separator).map(<[u8]>::trim_ascii);
    let values = values.filter(|value| !value.is_empty());
    let missing = values.clone().next().is_none().then_some(&[][..]);
    values.chain(missing)
}

/// The value of each feature of a multi-valued cell with `n` of them: cells of all lengths then
/// weigh the same, as one-hot columns do.
pub(crate) fn share(n: usize) -> f32 {
    (1.0 / (n.max(1) as f64).sqrt()) as f32
}
