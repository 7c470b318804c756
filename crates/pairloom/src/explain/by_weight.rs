//! How much fields, pairs of fields and pairs of values add to scores.

use super::by_field::{ByField, FieldPair, FieldPart};
use super::parts::Parts;
use super::sample::Sampled;
use crate::Result;
use crate::encode::{Encoding, FieldKind};
use crate::memory;
use crate::model::Model;
use crate::parallel::Asking;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Rows that a thread takes apart at a time.
const WAVE: usize = 16;

/// Weighted sums over rows and classes of what something adds to a score.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    absolute: f64,
    sum: f64,
    square: f64,
}

impl Moments {
    fn add(&mut self, weight: f64, contribution: f64) {
        self.absolute += weight * contribution.abs();
        self.sum += weight * contribution;
        self.square += weight * contribution * contribution;
    }

    /// The mean of the absolute contributions over rows and classes of this weight together.
    pub(super) fn mean(&self, total: f64) -> f64 {
        self.absolute / total
    }

    /// The standard deviation of the contributions.
    pub(super) fn spread(&self, total: f64) -> f64 {
        let mean = self.sum / total;
        (self.square / total - mean * mean).max(0.0).sqrt()
    }
}

/// What is known of a field.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OfField {
    /// What hangs on it alone.
    pub(super) own: Moments,
    /// All pairs that it is in.
    pub(super) pairs: Moments,
    /// Both together.
    pub(super) all: Moments,
}

/// What is known of two values that rows have together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OfValues {
    /// Sums over rows and classes.
    pub(super) moments: Moments,
    /// The weight of these rows, times the number of classes.
    pub(super) weight: f64,
    /// How many rows have both.
    pub(super) rows: u64,
}

impl OfValues {
    /// The mean over the rows that have both.
    pub(super) fn contribution(&self, is_several: bool) -> f64 {
        // Of several classes a sum is always 0.
        let sum = if is_several { self.moments.absolute } else { self.moments.sum };
        if self.weight > 0.0 { sum / self.weight } else { 0.0 }
    }
}

/// Sums over all rows.
#[derive(Debug, Default)]
pub(super) struct ByWeight {
    /// The weight of all rows, times the number of classes.
    pub(super) total: f64,
    pub(super) fields: Vec<OfField>,
    pub(super) pairs: BTreeMap<[usize; 2], Moments>,
    pub(super) products: BTreeMap<usize, Moments>,
    /// By the later of two values, and then by the other: what a row has of one lies close together, and of long rows all
    /// is too much for a cache.
    values: HashMap<u32, HashMap<u32, OfValues>>,
}

/// What a row adds, class by class.
struct OfRow {
    by_field: ByField,
    products: Vec<(usize, f64)>,
    values: Vec<([u32; 2], f64)>,
}

impl ByWeight {
    /// Those of these rows.
    pub(super) fn of(model: &Model, sampled: &Sampled, asking: &mut Asking<'_>) -> Result<Self> {
        let fields = vec![OfField::default(); model.encoding.fields.len()];
        let mut sums = ByWeight { fields, ..ByWeight::default() };
        let rows: Vec<usize> = (0..sampled.rows.len()).collect();
        for wave in rows.chunks(WAVE * asking.threads.count()) {
            let taken = asking.map(wave.to_vec(), WAVE, |row| of_row(model, sampled, row))?;
            for (&row, classes) in wave.iter().zip(taken) {
                sums.add(classes, f64::from(sampled.outcomes.outcome(row).1))?;
            }
        }
        Ok(sums)
    }

    fn add(&mut self, classes: Vec<OfRow>, weight: f64) -> Result<()> {
        let many = classes.len();
        for (class, of_row) in classes.into_iter().enumerate() {
            self.total += weight;
            self.add_fields(&of_row.by_field, weight);
            for (order, contribution) in of_row.products {
                self.products.entry(order).or_default().add(weight, contribution);
            }
            self.add_values(&of_row.values, weight, class + 1 == many)?;
        }
        Ok(())
    }

    fn add_values(
        &mut self,
        values: &[([u32; 2], f64)],
        weight: f64,
        is_last_class: bool,
    ) -> Result<()> {
        let full = |_| memory::refused("all pairs of values", "take fewer rows (--sample)");
        for of_later in values.chunk_by(|a, b| a.0[1] == b.0[1]) {
            self.values.try_reserve(1).map_err(full)?;
            let known = self.values.entry(of_later[0].0[1]).or_default();
            known.try_reserve(of_later.len()).map_err(full)?;
            for &([earlier, _], contribution) in of_later {
                let of = known.entry(earlier).or_default();
                of.moments.add(weight, contribution);
                of.weight += weight;
                of.rows += u64::from(is_last_class);
            }
        }
        Ok(())
    }

    /// What is known of all pairs of values, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = ([u32; 2], &OfValues)> {
        let pairs = self.values.iter();
        pairs.flat_map(|(&later, all)| all.iter().map(move |(&one, of)| ([one, later], of)))
    }

    fn add_fields(&mut self, by_field: &ByField, weight: f64) {
        let mut both: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for part in &by_field.fields {
            both.entry(part.field).or_default().0 = part.contribution();
        }
        for pair in &by_field.pairs {
            self.pairs.entry(pair.fields).or_default().add(weight, pair.contribution);
            for field in pair.fields {
                both.entry(field).or_default().1 += pair.contribution;
            }
        }
        for (field, (own, pairs)) in both {
            let of = &mut self.fields[field];
            of.own.add(weight, own);
            of.pairs.add(weight, pairs);
            of.all.add(weight, own + pairs);
        }
    }
}

/// The parts of the scores of a row. Those of several classes are less their mean over the classes: what is added to
/// all scores changes no probability.
fn of_row(model: &Model, sampled: &Sampled, row: usize) -> Result<Vec<OfRow>> {
    let row = sampled.rows.row(row);
    let classes = 0..model.outputs();
    let mut parts: Vec<Parts> =
        classes.map(|class| Parts::of(model, row, class)).collect::<Result<_>>()?;
    centre(&mut parts, |parts| parts.values.iter_mut().collect());
    centre(&mut parts, |parts| parts.pairs.iter_mut().collect());
    centre(&mut parts, |parts| parts.products.iter_mut().map(|part| &mut part.1).collect());
    let ids: Vec<u32> = row.features().map(|(id, _)| id).collect();
    Ok(parts.into_iter().map(|parts| of_class(&model.encoding, &ids, parts)).collect())
}

/// Takes from each number its mean over the classes.
fn centre(classes: &mut [Parts], numbers: impl Fn(&mut Parts) -> Vec<&mut f64>) {
    let count = classes.len();
    if count < 2 {
        return;
    }
    let mut columns: Vec<Vec<&mut f64>> = classes.iter_mut().map(numbers).collect();
    for at in 0..columns[0].len() {
        let mean = columns.iter().map(|column| *column[at]).sum::<f64>() / count as f64;
        columns.iter_mut().for_each(|column| *column[at] -= mean);
    }
}

/// The fields of a row and where their features are in it, which are in the order of their ids.
fn runs(encoding: &Encoding, ids: &[u32]) -> Vec<(usize, Range<usize>)> {
    let fields: Vec<usize> = ids.iter().map(|&id| encoding.field_of(id)).collect();
    let mut end = 0;
    let run = |of: &[usize]| {
        let start = end;
        end += of.len();
        (of[0], start..end)
    };
    fields.chunk_by(|a, b| a == b).map(run).collect()
}

fn of_class(encoding: &Encoding, ids: &[u32], parts: Parts) -> OfRow {
    let runs = runs(encoding, ids);
    let by_field = by_field(&runs, &parts);
    OfRow { by_field, values: values(encoding, ids, &runs, &parts), products: parts.products }
}

fn by_field(runs: &[(usize, Range<usize>)], parts: &Parts) -> ByField {
    let mut by_field = ByField::default();
    for (at, (field, mine)) in runs.iter().enumerate() {
        let linear = parts.values[mine.clone()].iter().sum();
        let within = parts.between(mine, mine).sum();
        by_field.fields.push(FieldPart { field: *field, linear, within });
        for (other, theirs) in &runs[at + 1..] {
            let mut pairs = parts.between(mine, theirs).filter(|&pair| pair != 0.0).peekable();
            if pairs.peek().is_some() {
                let fields = [*field, *other];
                by_field.pairs.push(FieldPair { fields, contribution: pairs.sum() });
            }
        }
    }
    by_field
}

/// What pairs of values add, but for those of one number: they are no two values.
fn values(
    encoding: &Encoding,
    ids: &[u32],
    runs: &[(usize, Range<usize>)],
    parts: &Parts,
) -> Vec<([u32; 2], f64)> {
    let is_number = |field: usize| matches!(encoding.fields[field].kind, FieldKind::Number(_));
    // Where the number begins that a feature is of, or else the feature.
    let first = runs.iter().flat_map(|(field, run)| {
        let is_number = is_number(*field);
        run.clone().map(move |at| if is_number { run.start } else { at })
    });
    let first: Vec<usize> = first.collect();
    let pairs = parts.pairs().filter(|&(i, j, pair)| pair != 0.0 && i < first[j]);
    pairs.map(|(i, j, pair)| ([ids[i], ids[j]], pair)).collect()
}

/// What these pairs of fields add to each score, `[rows, outputs]` for one pair after the other.
pub(super) fn of_pairs(
    model: &Model,
    sampled: &Sampled,
    pairs: &[[usize; 2]],
    asking: &mut Asking<'_>,
) -> Result<Vec<Vec<f64>>> {
    let outputs = model.outputs();
    let jobs = 0..sampled.rows.len() * outputs;
    let taken = asking.map(jobs, WAVE, |job| {
        let row = sampled.rows.row(job / outputs);
        let parts = Parts::of(model, row, job % outputs)?;
        let ids: Vec<u32> = row.features().map(|(id, _)| id).collect();
        let runs = runs(&model.encoding, &ids);
        let run = |field: usize| {
            runs.binary_search_by_key(&field, |run| run.0).ok().map(|at| &runs[at].1)
        };
        let found = |&[one, other]: &[usize; 2]| {
            let both = run(one).zip(run(other));
            both.map_or(0.0, |(one, other)| parts.between(one, other).sum())
        };
        Ok(pairs.iter().map(found).collect::<Vec<f64>>())
    })?;
    let mut all = vec![Vec::with_capacity(taken.len()); pairs.len()];
    for of_score in taken {
        all.iter_mut().zip(of_score).for_each(|(to, part)| to.push(part));
    }
    Ok(all)
}
