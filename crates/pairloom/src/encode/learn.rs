//! Learning an encoding from interned rows, and applying it to them.

use super::row::index_token;
use super::target::same;
use super::{Dictionary, Encoding, Field, FieldKind, Number, Target, Vocabulary, share};
use crate::batch::Rows;
use crate::config::Config;
use crate::data::{Interned, InternedCells, InternedColumn, Labels, split_pair};
use crate::input::parse_number;
use crate::loss::Loss;
use crate::schema::{Column, Schema};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// An encoding, and the rows it was learned from.
pub struct Learned {
    /// The encoding.
    pub encoding: Encoding,
    /// The training rows.
    pub train: Rows,
    /// The rows held out.
    pub valid: Rows,
}

/// Learns from the rows that `held_out` leaves, and encodes all. `file` is its name in errors.
///
/// # Errors
/// [`Error::Data`] if the labels cannot be learned from, [`Error::Usage`] if there would be more
/// than 2^32 ids, [`Error::Memory`] if the rows do not fit.
pub fn learn(
    interned: Interned,
    held_out: &[bool],
    schema: &Schema,
    config: &Config,
    file: &str,
) -> Result<Learned> {
    let is_training = |row: &usize| !held_out[*row];
    let training: Vec<usize> = (0..interned.rows).filter(is_training).collect();
    let target = learn_target(&interned, &training, schema, config, file)?;
    let mut fields = Vec::new();
    for column in &interned.columns {
        let about = &schema.columns[column.column];
        learn_column(column, about, &training, config, &mut fields)?;
    }
    let encoding = Encoding { target, fields: with_offsets(fields)? };
    let (train, valid) = encode(&interned, held_out, &encoding)?;
    Ok(Learned { encoding, train, valid })
}

fn with_offsets(mut fields: Vec<Field>) -> Result<Vec<Field>> {
    let mut next = 0;
    for field in &mut fields {
        field.offset = next;
        let end = u64::from(next) + field.len();
        next = u32::try_from(end).map_err(|_| {
            Error::usage("more than 2^32 features: set hash_bits lower or min_count higher")
        })?;
    }
    Ok(fields)
}

fn learn_column(
    interned: &InternedColumn,
    about: &Column,
    training: &[usize],
    config: &Config,
    fields: &mut Vec<Field>,
) -> Result<()> {
    let min_count = about.min_count.unwrap_or(config.min_count);
    let hash_bits = about.hash_bits.or(config.hash_bits);
    let column = interned.column;
    let mut add = |number, kind| fields.push(Field { column, number, offset: 0, kind });
    let learn = |values: &Dictionary, counts: &[u32]| {
        Vocabulary::learn(values, counts, min_count, hash_bits).map(FieldKind::Values)
    };
    match &interned.cells {
        InternedCells::Numbers(numbers) => {
            let values = training.iter().map(|&row| numbers[row]);
            let transform = about.transform.unwrap_or(config.numeric_transform);
            let bins = about.bins.unwrap_or(config.bins);
            let number = Number::learn(values, transform, bins, min_count)?;
            add(0, FieldKind::Number(number));
        }
        InternedCells::Single { values, ids } => {
            let ids = training.iter().map(|&row| ids[row]);
            add(0, learn(values, &count(values, ids))?);
        }
        InternedCells::Several { values, starts, ids, xs } => {
            let of_row = |&row: &usize| &ids[starts[row]..starts[row + 1]];
            let counts = count(values, training.iter().flat_map(of_row).copied());
            if xs.is_none() {
                add(0, learn(values, &counts)?);
                return Ok(());
            }
            for (field, (values, counts)) in by_field(values, &counts)? {
                add(field, learn(&values, &counts)?);
            }
        }
    }
    Ok(())
}

/// How often each of the values occurs.
fn count(values: &Dictionary, ids: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut counts = vec![0; values.len()];
    ids.for_each(|id| counts[id as usize] += 1);
    counts
}

/// The distinct indices of each field's pairs, and how many rows have each.
fn by_field(pairs: &Dictionary, counts: &[u32]) -> Result<BTreeMap<u32, (Dictionary, Vec<u32>)>> {
    let mut fields: BTreeMap<u32, (Dictionary, Vec<u32>)> = BTreeMap::new();
    let mut token = Vec::new();
    for (number, &count) in (0..).zip(counts) {
        let (field, index) = split_pair(pairs.key(number));
        let (values, counts) = fields.entry(field).or_default();
        values.insert(index_token(index, &mut token))?;
        counts.push(count);
    }
    Ok(fields)
}

fn learn_target(
    interned: &Interned,
    training: &[usize],
    schema: &Schema,
    config: &Config,
    file: &str,
) -> Result<Target> {
    let labels = &interned.labels;
    let Some(&first) = training.first() else {
        return Err(Error::data(file, "no training rows"));
    };
    if training.iter().all(|&row| labels.values[row] == labels.values[first]) {
        let class = class_of(labels, labels.values[first]);
        let message = format!("all {} training rows have the label '{class}'", training.len());
        return Err(Error::data(file, message + ": there is nothing to learn"));
    }
    let binary = match config.loss {
        None => labels.classes.len() == 2,
        Some(loss) => loss == Loss::Logistic,
    };
    if binary {
        learn_classes(labels, schema, file)
    } else {
        learn_scale(interned, training, config, file)
    }
}

/// A label as it was written; the number itself where it is one of many.
fn class_of(labels: &Labels, value: f64) -> String {
    let is_it = |(place, class): &(usize, &String)| match labels.are_text {
        true => *place as f64 == value,
        false => parse_number(class.as_bytes()) == Some(value),
    };
    let found = labels.classes.iter().enumerate().find(is_it);
    found.map_or_else(|| value.to_string(), |(_, class)| class.clone())
}

/// Which of the two labels is positive: the one the schema names, else the greater number, else a
/// word for "yes", else the last in the alphabet.
fn learn_classes(labels: &Labels, schema: &Schema, file: &str) -> Result<Target> {
    const YES: [&str; 8] = ["1", "y", "yes", "t", "true", "positive", "pos", "click"];
    let [first, second] = &labels.classes[..] else {
        let classes = labels.classes.join("', '");
        return Err(Error::data(
            file,
            format!(
                "logistic loss takes a label of two values and this one has more ('{classes}', \
                     ...): use --loss squared for numbers"
            ),
        ));
    };
    let second_is_positive = match &schema.positive {
        Some(positive) if same(positive.as_bytes(), first) => false,
        Some(positive) if same(positive.as_bytes(), second) => true,
        Some(positive) => {
            let message = format!("no label is '{positive}': they are '{first}' and '{second}'");
            return Err(Error::data(file, message));
        }
        None => {
            let is_yes = |class: &str| YES.contains(&class.to_lowercase().as_str());
            let numbers = (parse_number(first.as_bytes()), parse_number(second.as_bytes()));
            match numbers {
                (Some(first), Some(second)) => second > first,
                _ if is_yes(first) != is_yes(second) => is_yes(second),
                _ => second > first,
            }
        }
    };
    let (first, second) = (first.clone(), second.clone());
    let (negative, positive) = if second_is_positive { (first, second) } else { (second, first) };
    Ok(Target::Binary { negative, positive })
}

/// Weighted mean and standard deviation of the training labels.
fn learn_scale(
    interned: &Interned,
    training: &[usize],
    config: &Config,
    file: &str,
) -> Result<Target> {
    let labels = &interned.labels;
    if labels.are_text {
        let classes = labels.classes.join("', '");
        return Err(Error::data(file, format!("squared loss takes numbers, not '{classes}'")));
    }
    let weight = |row: usize| f64::from(interned.weights.get(row).copied().unwrap_or(1.0));
    let total: f64 = training.iter().map(|&row| weight(row)).sum();
    let average = |f: &dyn Fn(f64) -> f64| {
        training.iter().map(|&row| weight(row) * f(labels.values[row])).sum::<f64>() / total
    };
    let mean = if config.bias { average(&|y| y) } else { 0.0 };
    let scale = average(&|y| (y - mean).powi(2)).sqrt();
    let usable = |x: &f64| x.is_finite() && *x > 0.0;
    Ok(Target::Real { mean, scale: Some(scale).filter(usable).unwrap_or(1.0) })
}

fn encode(interned: &Interned, held_out: &[bool], encoding: &Encoding) -> Result<(Rows, Rows)> {
    let columns: Vec<Remapped> =
        interned.columns.iter().map(|column| Remapped::new(column, encoding)).collect();
    let (mut train, mut valid) = (Rows::new(), Rows::new());
    let held = held_out.iter().filter(|&&held| held).count();
    valid.reserve(held, held * columns.len())?;
    train.reserve(interned.rows - held, (interned.rows - held) * columns.len())?;
    let label = labels_as_numbers(&interned.labels, &encoding.target);
    for (row, &held) in held_out.iter().enumerate() {
        let rows = if held { &mut valid } else { &mut train };
        rows.reserve(1, columns.iter().map(|column| column.most(row)).sum())?;
        columns.iter().for_each(|column| column.push(row, rows));
        rows.finish(label(row), interned.weights.get(row).copied().unwrap_or(1.0));
    }
    Ok((train, valid))
}

/// From interned labels to those of [`Rows`].
fn labels_as_numbers<'a>(labels: &'a Labels, target: &Target) -> impl Fn(usize) -> f32 + 'a {
    let positive = match target {
        Target::Real { .. } => None,
        Target::Binary { positive, .. } => Some(if labels.are_text {
            labels.classes.iter().position(|class| class == positive).unwrap_or(0) as f64
        } else {
            parse_number(positive.as_bytes()).unwrap_or(1.0)
        }),
    };
    move |row| {
        let value = labels.values[row];
        positive.map_or(value as f32, |positive| f32::from(value == positive))
    }
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
        let start = encoding.fields.partition_point(|field| field.column < column.column);
        let end = encoding.fields.partition_point(|field| field.column <= column.column);
        let fields = &encoding.fields[start..end];
        let id = |field: &Field, value: &[u8]| match &field.kind {
            FieldKind::Values(vocabulary) => field.offset + vocabulary.id(value),
            FieldKind::Number(_) => field.offset,
        };
        let mut token = Vec::new();
        let mut pair_id = |pair: &[u8]| {
            let (number, index) = split_pair(pair);
            let at = fields.partition_point(|field| field.number < number);
            id(&fields[at], index_token(index, &mut token))
        };
        let ids = match &column.cells {
            InternedCells::Numbers(_) => Vec::new(),
            InternedCells::Several { values, xs: Some(_), .. } => {
                (0..values.len() as u32).map(|n| pair_id(values.key(n))).collect()
            }
            InternedCells::Single { values, .. } | InternedCells::Several { values, .. } => {
                (0..values.len() as u32).map(|n| id(&fields[0], values.key(n))).collect()
            }
        };
        Remapped { cells: &column.cells, ids, field: fields.first() }
    }

    /// How many entries a row has at the most.
    fn most(&self, row: usize) -> usize {
        match self.cells {
            InternedCells::Numbers(_) => 2,
            InternedCells::Single { .. } => 1,
            InternedCells::Several { starts, .. } => starts[row + 1] - starts[row],
        }
    }

    fn push(&self, row: usize, rows: &mut Rows) {
        match self.cells {
            InternedCells::Numbers(numbers) => {
                if let Some(Field { kind: FieldKind::Number(number), offset, .. }) = self.field {
                    number.features(numbers[row], |id, x| rows.push(offset + id, x));
                }
            }
            InternedCells::Single { ids, .. } => rows.push(self.ids[ids[row] as usize], 1.0),
            InternedCells::Several { starts, ids, xs, .. } => {
                let range = starts[row]..starts[row + 1];
                for at in range.clone() {
                    let x = xs.as_ref().map_or(share(range.len()), |xs| xs[at]);
                    rows.push(self.ids[ids[at] as usize], x);
                }
                rows.merge_duplicates();
            }
        }
    }
}
