//! Learning an encoding from interned rows.

use super::row::index_token;
use super::target::{labels_as_numbers, learn_target};
use super::{Dictionary, Encoding, Field, FieldKind, Number, Pairs, Target, Vocabulary};
use crate::config::Config;
use crate::data::{Interned, InternedCells, InternedColumn};
use crate::parallel::Threads;
use crate::schema::{Column, Schema};
use crate::{Error, Result, memory};
use std::collections::BTreeMap;

/// Learns from the rows that `held_out` leaves. `file` is their name in errors.
///
/// # Errors
/// [`Error::Data`] if the labels cannot be learned from, [`Error::Usage`] if they are not what the
/// settings or the schema say or if there would be more than 2^32 ids.
pub fn learn(
    interned: &Interned,
    held_out: &[bool],
    schema: &Schema,
    config: &Config,
    file: &str,
    threads: &Threads,
) -> Result<Encoding> {
    let is_training = |row: &usize| !held_out[*row];
    let training: Vec<usize> = (0..interned.rows).filter(is_training).collect();
    let target = learn_target(interned, &training, schema, config, file)?;
    let is_number = |column: &&InternedColumn| matches!(column.cells, InternedCells::Numbers(_));
    let numbers = interned.columns.iter().filter(is_number).count();
    let bins = config.bins_of(training.len(), numbers);
    let label = labels_as_numbers(&interned.labels, &target);
    let learned = threads.map(interned.columns.iter().collect(), |column: &InternedColumn| {
        let about = &schema.columns[column.column];
        let kinds = learn_column(column, about, &training, config, bins, &target, &label)?;
        let column = column.column;
        let field = |(number, kind)| Field { column, number, offset: 0, kind };
        Ok(kinds.into_iter().map(field).collect())
    });
    let fields: Vec<Vec<Field>> = learned.into_iter().collect::<Result<_>>()?;
    let fields = fields.into_iter().flatten().collect();
    Ok(Encoding { target, fields: with_offsets(fields)? })
}

fn with_offsets(mut fields: Vec<Field>) -> Result<Vec<Field>> {
    let mut next = 0;
    for field in &mut fields {
        field.offset = next;
        let end = u64::from(next) + field.len();
        next = u32::try_from(end).map_err(|_| {
            Error::usage(format!("more than 2^32 features: {}", memory::FEWER_FEATURES))
        })?;
    }
    Ok(fields)
}

/// The fields of a column: their numbers, and what they are.
fn learn_column(
    interned: &InternedColumn,
    about: &Column,
    training: &[usize],
    config: &Config,
    bins: usize,
    target: &Target,
    label: &(dyn Fn(usize) -> f32 + Sync),
) -> Result<Vec<(u32, FieldKind)>> {
    let min_count = about.min_count.unwrap_or(config.min_count);
    let hash_bits = about.hash_bits.or(config.hash_bits);
    let learn = |values: &Dictionary, counts: &[u32]| {
        Vocabulary::learn(values, counts, min_count, hash_bits).map(FieldKind::Values)
    };
    Ok(match &interned.cells {
        InternedCells::Numbers(numbers) => {
            let cells = training.iter().map(|&row| (numbers[row], label(row)));
            let transform = about.transform.unwrap_or(config.numeric_transform);
            let bins = about.bins.unwrap_or(bins);
            let number = Number::learn(cells, transform, bins, min_count, target.is_binary())?;
            vec![(0, FieldKind::Number(number))]
        }
        InternedCells::Single { values, ids } => {
            let ids = training.iter().map(|&row| ids[row]);
            vec![(0, learn(values, &count(values.len(), ids))?)]
        }
        InternedCells::Several { values, starts, ids } => {
            let ids = training.iter().flat_map(|&row| &ids[starts[row]..starts[row + 1]]);
            vec![(0, learn(values, &count(values.len(), ids.copied()))?)]
        }
        InternedCells::Pairs { values, starts, ids, .. } => {
            let ids = training.iter().flat_map(|&row| &ids[starts[row]..starts[row + 1]]);
            let counts = count(values.len(), ids.copied());
            let fields = by_field(values, &counts)?.into_iter();
            let kinds =
                fields.map(|(field, (values, counts))| Ok((field, learn(&values, &counts)?)));
            kinds.collect::<Result<_>>()?
        }
    })
}

/// How often each of the values occurs.
fn count(values: usize, ids: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut counts = vec![0; values];
    ids.for_each(|id| counts[id as usize] += 1);
    counts
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
