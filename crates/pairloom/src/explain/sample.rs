//! Labelled rows of a file, or as many of them as are wanted.
//!
//! Which ones is a matter of chance and not of their order: each row (or group, where rows are ranked) has a
//! hash of its number and the seed, and those with the least are kept. So a file is read once, and no more than
//! about twice the wanted rows are in memory.

use super::importance::DEFAULT_SAMPLE;
use super::rows::not_finite;
use crate::batch::{Outcomes, Rows};
use crate::encode::{Dictionary, RowEncoder};
use crate::input::{RawRow, Reader};
use crate::model::Model;
use crate::reading::{Counts, OnError, Outcome, for_each_row};
use crate::{Error, Result};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Pairs of features that are looked at unless it is said how many rows are, and the rows that are looked at whatever
/// pairs they have.
const PAIRS: u128 = 200_000_000;
const LEAST: usize = 500;

/// Some of the rows of a file, in their order there.
#[derive(Debug)]
pub(super) struct Sample {
    most: usize,
    seed: u64,
    rows: Rows,
    /// The hash of each row.
    keys: Vec<u64>,
    /// Rows with a greater hash are left out.
    limit: u64,
    /// How many rows may be there before it is lowered.
    room: usize,
    seen: u64,
}

/// The rows that were taken.
#[derive(Debug)]
pub(super) struct Sampled {
    /// Features, in the order of their ids.
    pub(super) rows: Rows,
    /// Labels, weights and groups.
    pub(super) outcomes: Outcomes,
    /// How many rows the file has.
    pub(super) seen: u64,
    /// Rows left out, and values unseen.
    pub(super) outcome: Outcome,
}

impl Sample {
    fn new(most: usize, seed: u64) -> Self {
        let room = most.saturating_mul(2).max(1);
        let (rows, keys) = (Rows::new(), Vec::new());
        Sample { most, seed, rows, keys, limit: u64::MAX, room, seen: 0 }
    }

    /// The hash of a row that is in no group, or of one that is.
    fn key(&self, group: Option<u32>) -> u64 {
        let unit = group.map_or(self.seen, u64::from);
        xxh3_64_with_seed(&unit.to_le_bytes(), self.seed)
    }

    /// Adds a row of `from`, unless its hash is too great.
    fn add(&mut self, from: &Rows, row: usize) -> Result<()> {
        let key = self.key(from.group(row));
        self.seen += 1;
        if key > self.limit {
            return Ok(());
        }
        copy(from, row, &mut self.rows)?;
        self.keys.push(key);
        if self.keys.len() > self.room { self.cut() } else { Ok(()) }
    }

    /// Leaves the wanted number of rows, or a few more where groups are kept whole.
    fn cut(&mut self) -> Result<()> {
        if self.keys.len() <= self.most {
            return Ok(());
        }
        let mut sorted = self.keys.clone();
        sorted.sort_unstable();
        self.limit = sorted[self.most.saturating_sub(1)];
        let mut kept = Rows::new();
        let wanted = |&row: &usize| self.keys[row] <= self.limit;
        for row in (0..self.keys.len()).filter(wanted) {
            copy(&self.rows, row, &mut kept)?;
        }
        self.rows = kept;
        self.keys.retain(|key| *key <= self.limit);
        self.room = self.room.max(2 * self.keys.len());
        Ok(())
    }

    /// As many rows as have `most` pairs of features in all, if all are about as long as these, and at least [`LEAST`].
    fn paid(&self, most: u128) -> usize {
        let pairs = |row: usize| {
            let features = self.rows.row(row).ids.len() as u128;
            features * features.saturating_sub(1) / 2
        };
        let all: u128 = (0..self.keys.len()).map(pairs).sum();
        let paid = most * self.keys.len() as u128 / all.max(1);
        usize::try_from(paid).unwrap_or(usize::MAX).max(LEAST)
    }
}

/// Adds a row of `from` to `to`, its features by their ids.
fn copy(from: &Rows, row: usize, to: &mut Rows) -> Result<()> {
    let mut features: Vec<(u32, f32)> = from.row(row).features().collect();
    features.sort_by_key(|feature| feature.0);
    to.reserve(features.len())?;
    features.into_iter().for_each(|(id, x)| to.push(id, x));
    let (label, weight) = from.label(row);
    to.finish_in(from.group(row), label, weight);
    Ok(())
}

impl Sampled {
    /// Reads the rows of a file, which must have labels, and keeps `most` of them by `seed`, or as many as
    /// [`ImportanceOptions::rows`](super::ImportanceOptions::rows) has if nothing is said.
    pub(super) fn read(
        model: &Model,
        reader: &mut dyn Reader,
        file: &str,
        (most, seed, on_error): (Option<usize>, u64, OnError),
    ) -> Result<Self> {
        model.schema.check_format(reader.format(), file)?;
        let names = reader.columns().to_vec();
        let mut encoder = RowEncoder::bind(&model.encoding, &model.schema, file, &names, true)?;
        if model.config.resolved_loss().is_ranking() {
            let group = model.schema.group_cell(file, &names)?;
            encoder = encoder.grouping(group, Dictionary::default());
        }
        let mut sample = Sample::new(most.unwrap_or(DEFAULT_SAMPLE), seed);
        let mut one = Rows::new();
        let mut scores = vec![0.0; model.outputs()];
        let counts = Counts::of(&model.schema, &*reader);
        let skipped = for_each_row(reader, counts, on_error, |raw: &RawRow| {
            one.clear();
            encoder.encode(raw, &mut one)?;
            model.class_scores(one.row(0), &mut scores);
            match scores.iter().all(|score| score.is_finite()) {
                true => sample.add(&one, 0),
                false => Err(not_finite(file, raw.line())),
            }
        })?;
        sample.cut()?;
        if most.is_none() {
            sample.most = sample.most.min(sample.paid(PAIRS / model.outputs().max(1) as u128));
            sample.cut()?;
        }
        let outcome = Outcome { skipped, unseen: encoder.unseen() };
        let Sample { rows, seen, .. } = sample;
        if rows.is_empty() {
            return Err(Error::data(file, "no rows to learn importance from"));
        }
        let mut outcomes = Outcomes::default();
        for row in 0..rows.len() {
            let (label, weight) = rows.label(row);
            outcomes.push_in(rows.group(row), label, weight);
        }
        Ok(Sampled { rows, outcomes, seen, outcome })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(most: usize, rows: u32, group: impl Fn(u32) -> Option<u32>) -> Vec<u32> {
        let (mut sample, mut one) = (Sample::new(most, 7), Rows::new());
        for row in 0..rows {
            one.clear();
            one.push(row, 1.0);
            one.finish_in(group(row), 0.0, 1.0);
            sample.add(&one, 0).unwrap();
            assert!(sample.rows.len() <= sample.room.max(2 * most));
        }
        sample.cut().unwrap();
        (0..sample.rows.len()).map(|row| sample.rows.row(row).ids[0]).collect()
    }

    #[test]
    fn a_sample_is_as_large_as_wanted_and_from_everywhere() {
        let all: Vec<u32> = (0..50).collect();
        assert_eq!(taken(50, 50, |_| None), all);
        assert_eq!(taken(60, 50, |_| None), all);
        let some = taken(200, 10_000, |_| None);
        assert_eq!(some.len(), 200);
        assert!(some.is_sorted_by(|a, b| a < b));
        // Of 200 rows drawn from 10,000, those of the first half are 100 with a deviation of 7.
        let early = some.iter().filter(|&&row| row < 5_000).count();
        assert!((65..135).contains(&early), "{early}");
    }

    #[test]
    fn of_long_rows_fewer_are_paid_for() {
        let mut sample = Sample::new(1_000, 7);
        let mut one = Rows::new();
        for row in 0..1_000 {
            one.clear();
            // Of 3 and 5 features by turns: 3 and 10 pairs, 6,500 in all.
            (0..3 + row % 2 * 2).for_each(|id| one.push(id, 1.0));
            one.finish_in(None, 0.0, 1.0);
            sample.add(&one, 0).unwrap();
        }
        assert_eq!(sample.paid(5_850), 900);
        assert_eq!((sample.paid(1), sample.paid(u64::MAX.into()) > 1_000), (LEAST, true));
        let fewer = |most: usize| taken(most, 1_000, |_| None);
        let (many, few) = (fewer(900), fewer(600));
        assert!(few.iter().all(|row| many.contains(row)));
    }

    #[test]
    fn groups_are_kept_whole() {
        let some = taken(100, 3_000, |row| Some(row % 300));
        assert_eq!(some.len(), 100);
        let mut groups: Vec<u32> = some.iter().map(|row| row % 300).collect();
        groups.sort_unstable();
        assert!(groups.chunk_by(|a, b| a == b).all(|group| group.len() == 10));
        // One group that is too large stays whole.
        assert_eq!(taken(10, 100, |_| Some(0)).len(), 100);
    }
}
