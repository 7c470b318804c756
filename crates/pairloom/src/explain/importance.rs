//! What fields, pairs of fields and pairs of values are worth over many rows.

use super::by_weight::{ByWeight, OfField, of_pairs};
use super::found::{FieldImportance, Importance, PairImportance, ProductImportance, ValuePair};
use super::permute::{BothWorse, Permuting, quality};
use super::sample::Sampled;
use crate::input::Reader;
use crate::metric::of_file;
use crate::model::Model;
use crate::parallel::{Asking, Threads};
use crate::reading::OnError;
use crate::{Error, Result};

/// Rows that are looked at unless the user says otherwise, or fewer where rows are long.
pub const DEFAULT_SAMPLE: usize = 10_000;

/// Repeats of an exchange unless the user says otherwise.
pub const DEFAULT_REPEATS: usize = 5;

/// Parts, pairs or weights that are shown unless the user says otherwise.
pub const DEFAULT_TOP: usize = 10;

/// Pairs of fields that are exchanged at the most: those that add most.
const PAIRS: usize = 300;

/// What pairs add to scores, so many of which are in memory at a time.
const PARTS: usize = 1 << 22;

/// How to look for what is important.
#[derive(Debug, Clone)]
pub struct ImportanceOptions {
    /// Rows that are looked at, drawn at random where there are more. Nothing takes [`DEFAULT_SAMPLE`], but where rows
    /// are long only as many as have 200 million pairs of features in all, each class counted, and at least 500.
    pub rows: Option<usize>,
    /// How often each exchange is repeated.
    pub repeats: usize,
    /// Pairs of values that are told, those that add most in all.
    pub top: usize,
    /// What rows and exchanges are drawn by.
    pub seed: u64,
    /// What to do with rows that cannot be used.
    pub on_error: OnError,
}

impl Default for ImportanceOptions {
    fn default() -> Self {
        ImportanceOptions {
            rows: None,
            repeats: DEFAULT_REPEATS,
            top: DEFAULT_TOP,
            seed: 0,
            on_error: OnError::default(),
        }
    }
}

impl Model {
    /// What is important on the rows of `reader` (called `file` in errors), which must have labels: the same for any
    /// number of threads.
    ///
    /// # Errors
    /// [`Error::Usage`] for no rows or repeats, or a missing column, [`Error::Data`] for no rows, [`Error::Row`]
    /// for a row that cannot be used, [`Error::Diverged`] if a prediction of exchanged features is not finite,
    /// [`Error::Memory`], [`Error::Interrupted`] if `watch`, which is asked now and then, returns false.
    pub fn importance(
        &self,
        reader: &mut dyn Reader,
        file: &str,
        options: &ImportanceOptions,
        threads: &Threads,
        watch: &mut dyn FnMut() -> bool,
    ) -> Result<Importance> {
        let &ImportanceOptions { rows, repeats, top, seed, on_error } = options;
        for (name, number) in [("sample", rows), ("repeats", Some(repeats))] {
            if number == Some(0) {
                return Err(Error::setting(name, "at least 1"));
            }
        }
        let sampled = Sampled::read(self, reader, file, (rows, seed, on_error))?;
        let permuting = Permuting::new(self, &sampled, (repeats, seed), threads);
        let permuting = permuting.map_err(of_file(file))?;
        let asking = &mut Asking { threads, watch };
        let sums = ByWeight::of(self, &sampled, asking)?;
        let product = |(&order, of): (&usize, &super::by_weight::Moments)| ProductImportance {
            order,
            weight: of.mean(sums.total),
        };
        Ok(Importance {
            rows: sampled.rows.len(),
            of: sampled.seen,
            loss: self.config.resolved_loss().figure(),
            quality: quality(&permuting.metrics),
            fields: fields(&permuting, &sums, asking)?,
            pairs: pairs(&permuting, &sums, asking)?,
            products: sums.products.iter().map(product).collect(),
            values: values(&sums, top, self.outputs() > 1),
            metrics: permuting.metrics,
            outcome: sampled.outcome,
        })
    }
}

fn fields(
    permuting: &Permuting<'_>,
    sums: &ByWeight,
    asking: &mut Asking<'_>,
) -> Result<Vec<FieldImportance>> {
    let (count, repeats) = (sums.fields.len(), 0..permuting.repeats);
    let jobs = (0..count).flat_map(|field| repeats.clone().map(move |repeat| (field, repeat)));
    let exchanged = asking.map(jobs, 1, |(field, repeat)| permuting.field(field, repeat))?;
    let exchanged = permuting.over_repeats(&exchanged);
    let of = |((field, (loss, quality)), of): ((usize, BothWorse), &OfField)| FieldImportance {
        field,
        own: of.own.mean(sums.total),
        pairs: of.pairs.mean(sums.total),
        spread: of.all.spread(sums.total),
        loss,
        quality,
    };
    let mut fields: Vec<FieldImportance> =
        exchanged.into_iter().enumerate().zip(&sums.fields).map(of).collect();
    fields.sort_by(|a, b| b.loss.mean.total_cmp(&a.loss.mean).then(b.spread.total_cmp(&a.spread)));
    Ok(fields)
}

fn pairs(
    permuting: &Permuting<'_>,
    sums: &ByWeight,
    asking: &mut Asking<'_>,
) -> Result<Vec<PairImportance>> {
    let of = |(&fields, of): (&[usize; 2], &super::by_weight::Moments)| PairImportance {
        fields,
        weight: of.mean(sums.total),
        spread: of.spread(sums.total),
        loss: None,
        quality: None,
    };
    let mut pairs: Vec<PairImportance> = sums.pairs.iter().map(of).collect();
    pairs.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let most = pairs.len().min(PAIRS);
    let together = (PARTS / permuting.scores.len().max(1)).max(1);
    for some in pairs[..most].chunks_mut(together) {
        let wanted: Vec<[usize; 2]> = some.iter().map(|pair| pair.fields).collect();
        let parts = of_pairs(permuting.model, permuting.sampled, &wanted, asking)?;
        let repeated = |of| (0..permuting.repeats).map(move |repeat| (of, repeat));
        let jobs = wanted.iter().zip(&parts).flat_map(repeated);
        let exchanged =
            asking.map(jobs, 1, |((&pair, parts), repeat)| permuting.pair(pair, parts, repeat))?;
        for (pair, (loss, quality)) in some.iter_mut().zip(permuting.over_repeats(&exchanged)) {
            (pair.loss, pair.quality) = (Some(loss), quality);
        }
    }
    Ok(pairs)
}

fn values(sums: &ByWeight, top: usize, is_several: bool) -> Vec<ValuePair> {
    let of = |(ids, of): ([u32; 2], &super::by_weight::OfValues)| ValuePair {
        ids,
        contribution: of.contribution(is_several),
        weight: of.moments.mean(sums.total),
        rows: of.rows,
    };
    let mut values: Vec<ValuePair> = sums.values().map(of).collect();
    let order = |a: &ValuePair, b: &ValuePair| {
        b.weight.total_cmp(&a.weight).then_with(|| a.ids.cmp(&b.ids))
    };
    if top < values.len() && top > 0 {
        values.select_nth_unstable_by(top - 1, order);
    }
    values.truncate(top);
    values.sort_unstable_by(order);
    values
}
