//! Learning the fields of one column, a block of rows after the other.

use super::number::Buckets;
use super::row::index_token;
use super::training::Part;
use super::{Dictionary, Field, FieldKind, Number, Pairs, Target, Transform, Vocabulary};
use crate::Result;
use crate::config::Config;
use crate::data::{Cells, InternedColumn, Values};
use crate::schema::{Column, Role, Schema};
use std::collections::BTreeMap;

/// A column that is being learned.
pub(super) struct Learner<'a> {
    column: &'a InternedColumn,
    about: &'a Column,
    config: &'a Config,
    bins: usize,
    found: Found,
}

/// What was found in the rows so far.
enum Found {
    /// How many rows have each value.
    Counts(Vec<u32>),
    /// Numbers and labels.
    Numbers(Vec<(f64, f32)>),
    /// Names of numbers.
    Buckets(Buckets),
    /// The column is left out.
    Nothing,
}

impl<'a> Learner<'a> {
    pub(super) fn new(
        column: &'a InternedColumn,
        schema: &'a Schema,
        config: &'a Config,
        bins: usize,
    ) -> Self {
        let about = &schema.columns[column.column];
        let transform = about.transform.unwrap_or(config.numeric_transform);
        let found = match transform {
            _ if about.role == Role::Ignore => Found::Nothing,
            _ if !column.values.are_numbers() => Found::Counts(vec![0; column.values.len()]),
            Transform::LogSquare => Found::Buckets(Buckets::default()),
            _ => Found::Numbers(Vec::new()),
        };
        Learner { column, about, config, bins: about.bins.unwrap_or(bins), found }
    }

    /// Learns from the cells of a block.
    pub(super) fn add(&mut self, cells: &Cells<'_>, part: &Part) -> Result<()> {
        let more = |count: &mut u32, n: u32| *count = count.saturating_add(n);
        match (&mut self.found, cells) {
            (Found::Counts(counts), Cells::Single(ids)) => {
                part.each().for_each(|(row, n)| more(&mut counts[ids.get(row) as usize], n));
            }
            (Found::Counts(counts), Cells::Several(ends, ids) | Cells::Pairs(ends, ids, _)) => {
                part.each().for_each(|(row, n)| {
                    ids.each(ends.range(row), |id| more(&mut counts[id as usize], n));
                });
            }
            (Found::Numbers(found), Cells::Numbers(numbers)) => {
                let often = |&(row, y, n): &(u32, f32, u32)| {
                    std::iter::repeat_n((numbers.get(row as usize), y), n as usize)
                };
                found.extend(part.drawn.iter().flat_map(often));
            }
            (Found::Buckets(buckets), Cells::Numbers(numbers)) => {
                return part.each().try_for_each(|(row, n)| buckets.add(numbers.get(row), n));
            }
            // Cells are read by what their column is.
            _ => {}
        }
        Ok(())
    }

    /// The fields of the column.
    pub(super) fn done(self, target: &Target) -> Result<Vec<Field>> {
        let Learner { column, about, config, bins, found } = self;
        let min_count = about.min_count.unwrap_or(config.min_count);
        let hash_bits = about.hash_bits.or(config.hash_bits);
        let learn = |values: &Dictionary, counts: &[u32]| {
            Vocabulary::learn(values, counts, min_count, hash_bits).map(FieldKind::Values)
        };
        let number = |number| vec![(0, FieldKind::Number(number))];
        let kinds = match (found, &column.values) {
            (Found::Counts(counts), Values::Texts(texts)) => vec![(0, learn(texts, &counts)?)],
            (Found::Counts(counts), Values::Pairs(pairs)) => {
                let kind = |(field, (values, counts)): (u32, (Dictionary, Vec<u32>))| {
                    Ok((field, learn(&values, &counts)?))
                };
                by_field(pairs, &counts)?.into_iter().map(kind).collect::<Result<_>>()?
            }
            (Found::Numbers(cells), _) => {
                let transform = about.transform.unwrap_or(config.numeric_transform);
                number(Number::learn(&cells, transform, bins, !target.is_number()))
            }
            (Found::Buckets(buckets), _) => number(buckets.learn(min_count)?),
            (Found::Counts(_) | Found::Nothing, _) => Vec::new(),
        };
        let field = |(number, kind)| Field { column: column.column, number, offset: 0, kind };
        Ok(kinds.into_iter().map(field).collect())
    }
}

/// The distinct indices of each field's pairs, and how many rows have each.
fn by_field(pairs: &Pairs, counts: &[u32]) -> Result<BTreeMap<u32, (Dictionary, Vec<u32>)>> {
    let mut fields: BTreeMap<u32, (Dictionary, Vec<u32>)> = BTreeMap::new();
    let mut token = Vec::new();
    for ((field, index), &count) in pairs.iter().zip(counts) {
        let (values, counts) = fields.entry(field).or_default();
        values.insert(index_token(index, &mut token))?;
        counts.push(count);
    }
    Ok(fields)
}
