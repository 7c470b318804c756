//! How much worse predictions become if something is exchanged among the rows.

use super::found::Worse;
use super::sample::Sampled;
use crate::batch::Rows;
use crate::metric::{Measure, Metrics};
use crate::model::Model;
use crate::parallel::Threads;
use crate::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What is exchanged; the numbers of streams of chance.
#[derive(Debug, Clone, Copy)]
pub(super) enum Exchanged {
    /// The features of a field.
    Field(usize),
    /// What two fields add to scores together.
    Pair([usize; 2]),
}

/// Rows, what is predicted for them, and how good that is.
pub(super) struct Permuting<'a> {
    pub(super) model: &'a Model,
    pub(super) sampled: &'a Sampled,
    pub(super) repeats: usize,
    pub(super) seed: u64,
    pub(super) scores: Vec<f32>,
    measure: Measure,
    pub(super) metrics: Metrics,
}

/// The loss, and the figure beside it if there is one, of which more is better; or by how much both are worse.
pub(super) type Figures = (f64, Option<f64>);

/// By how much both are worse, over all repeats.
pub(super) type BothWorse = (Worse, Option<Worse>);

impl<'a> Permuting<'a> {
    pub(super) fn new(
        model: &'a Model,
        sampled: &'a Sampled,
        (repeats, seed): (usize, u64),
        threads: &Threads,
    ) -> Result<Self> {
        let (loss, scale) = (model.config.resolved_loss(), model.encoding.target.scale());
        let measure = Measure::new(loss, scale);
        let scores = model.scores(&sampled.rows, threads);
        let metrics = measure.measure(&model.predictions(&scores), &sampled.outcomes)?;
        Ok(Permuting { model, sampled, repeats, seed, scores, measure, metrics })
    }

    /// What is worse, and by how much, if the features of a field are those of another row.
    pub(super) fn field(&self, field: usize, repeat: usize) -> Result<Figures> {
        let (alone, outputs) = (Threads::new(1)?, self.model.outputs());
        let order = self.order(Exchanged::Field(field), repeat);
        let (changed, rows) = self.exchanged(field, &order)?;
        let (new, mut scores) = (self.model.scores(&rows, &alone), self.scores.clone());
        for (row, new) in changed.into_iter().zip(new.chunks(outputs)) {
            scores[row * outputs..][..outputs].copy_from_slice(new);
        }
        self.worse(&scores)
    }

    /// The same if what a pair adds to the scores of a row is what it adds to those of another: `parts` are
    /// `[rows, outputs]`.
    pub(super) fn pair(&self, pair: [usize; 2], parts: &[f64], repeat: usize) -> Result<Figures> {
        let (outputs, order) = (self.model.outputs(), self.order(Exchanged::Pair(pair), repeat));
        let moved = |(at, score): (usize, &f32)| {
            let other = order[at / outputs] * outputs + at % outputs;
            (f64::from(*score) - parts[at] + parts[other]) as f32
        };
        self.worse(&self.scores.iter().enumerate().map(moved).collect::<Vec<_>>())
    }

    /// By how much these scores are worse.
    fn worse(&self, scores: &[f32]) -> Result<Figures> {
        let metrics =
            self.measure.measure(&self.model.predictions(scores), &self.sampled.outcomes)?;
        let (before, after) = (self.figures(&self.metrics)?, self.figures(&metrics)?);
        Ok((after.0 - before.0, before.1.zip(after.1).map(|(before, after)| before - after)))
    }

    /// What all repeats of an exchange say, for each exchange.
    pub(super) fn over_repeats(&self, found: &[Figures]) -> Vec<BothWorse> {
        let of = |repeats: &[Figures]| {
            let (losses, qualities): (Vec<f64>, Vec<Option<f64>>) = repeats.iter().copied().unzip();
            let qualities: Vec<f64> = qualities.into_iter().flatten().collect();
            (Worse::of(&losses), (!qualities.is_empty()).then(|| Worse::of(&qualities)))
        };
        found.chunks(self.repeats).map(of).collect()
    }

    /// From which row each row gets what is exchanged.
    pub(super) fn order(&self, what: Exchanged, repeat: usize) -> Vec<usize> {
        let key = match what {
            Exchanged::Field(field) => [0, field, 0, repeat],
            Exchanged::Pair([one, other]) => [1, one, other, repeat],
        };
        let bytes: Vec<u8> = key.iter().flat_map(|&word| (word as u64).to_le_bytes()).collect();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(xxh3_64_with_seed(&bytes, self.seed));
        let mut order: Vec<usize> = (0..self.sampled.rows.len()).collect();
        order.shuffle(&mut random);
        order
    }

    /// The rows with the features of a field from others, but for those that already have the same, and which
    /// these rows are.
    fn exchanged(&self, field: usize, order: &[usize]) -> Result<(Vec<usize>, Rows)> {
        let (rows, about) = (&self.sampled.rows, &self.model.encoding.fields[field]);
        let ids = u64::from(about.offset)..u64::from(about.offset) + about.len();
        let (mut changed, mut exchanged) = (Vec::new(), Rows::new());
        for (row, &other) in order.iter().enumerate() {
            let (mine, others) = (rows.row(row), rows.row(other));
            let is_of = |&(id, _): &(u32, f32)| ids.contains(&u64::from(id));
            if mine.features().filter(is_of).eq(others.features().filter(is_of)) {
                continue;
            }
            changed.push(row);
            exchanged.reserve(mine.ids.len() + others.ids.len())?;
            let before = mine.features().filter(|&(id, _)| u64::from(id) < ids.start);
            let new = others.features().filter(is_of);
            let after = mine.features().filter(|&(id, _)| u64::from(id) >= ids.end);
            before.chain(new).chain(after).for_each(|(id, x)| exchanged.push(id, x));
            let (label, weight) = rows.label(row);
            exchanged.finish_in(rows.group(row), label, weight);
        }
        Ok((changed, exchanged))
    }

    fn figures(&self, metrics: &Metrics) -> Result<Figures> {
        let named = |wanted: &str| metrics.iter().find(|(name, _)| *name == wanted)?.1;
        let loss = named(self.measure.loss.figure());
        let loss = loss.ok_or_else(|| Error::usage("these rows have no loss to compare"))?;
        Ok((loss, quality(metrics).and_then(named)))
    }
}

/// The name of the figure that is compared beside the loss; more of it is better.
pub(super) fn quality(metrics: &Metrics) -> Option<&'static str> {
    match metrics {
        Metrics::Binary(_) | Metrics::Classes(_) => Some("auc"),
        Metrics::Ranking(_) => Some("ndcg"),
        Metrics::Regression(_) => None,
    }
}
