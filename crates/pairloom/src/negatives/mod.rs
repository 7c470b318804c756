//! Rows that nobody gave: items of the training rows that a group does not have, to be ranked below those
//! that it has.
//!
//! A row has features of an item and features of whom it is for. Drawing an item for a row makes a row with
//! the features of that item in the place of its own, and label 0. What is drawn depends on seed, epoch and
//! place alone.

mod catalogue;
mod seen;
#[cfg(test)]
mod tests;

pub(crate) use catalogue::Catalogue;
pub(crate) use seen::Seen;

use crate::Result;
use crate::batch::Rows;
use crate::store::Store;
use rand::{RngExt, SeedableRng};
use rand_distr::Distribution;
use rand_distr::weighted::WeightedAliasIndex;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// How items are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NegativeSampling {
    /// All items alike.
    Uniform,
    /// Items of many rows more often: as often as they have rows.
    Popularity,
}

impl NegativeSampling {
    /// Both, for help texts.
    pub const ALL: [NegativeSampling; 2] =
        [NegativeSampling::Uniform, NegativeSampling::Popularity];

    /// The name in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            NegativeSampling::Uniform => "uniform",
            NegativeSampling::Popularity => "popularity",
        }
    }
}

/// Draws items for rows.
pub struct Negatives {
    catalogue: Catalogue,
    /// How likely each item is, if not all are alike.
    popular: Option<WeightedAliasIndex<f32>>,
    /// What the groups have of the training rows.
    seen: Seen,
    /// What they have of the validation rows too, if there are any.
    seen_with_valid: Option<Seen>,
    each: usize,
    seed: u64,
}

/// What rows are drawn for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Purpose {
    /// To learn from, at this place of an epoch.
    Train { epoch: u32, window: usize, place: usize },
    /// To measure with, always the same: so many for each row, from this place on.
    Valid { each: usize, place: usize },
}

/// Times that another item is drawn in the place of one that a group has, before the others are listed.
const TRIES: usize = 32;

impl Negatives {
    /// Draws `each` items of this catalogue, which has two or more, for a row to learn from.
    pub(crate) fn new(
        catalogue: Catalogue,
        (seen, seen_with_valid): (Seen, Option<Seen>),
        sampling: NegativeSampling,
        each: usize,
        seed: u64,
    ) -> Self {
        let popular = match sampling {
            NegativeSampling::Uniform => None,
            NegativeSampling::Popularity => {
                let weights = catalogue.counts().iter().map(|&count| count as f32).collect();
                // Counts are above 0 and finite.
                WeightedAliasIndex::new(weights).ok()
            }
        };
        Negatives { catalogue, popular, seen, seen_with_valid, each, seed }
    }

    /// Whether at least one of these rows, all of them relevant, can be ranked above an item that its group does
    /// not have; of validation rows, neither in these.
    ///
    /// # Errors
    /// Those of reading the rows from a file.
    pub(crate) fn can_draw(&self, rows: &Store, are_valid: bool) -> Result<bool> {
        let seen = self.seen_with_valid.as_ref().filter(|_| are_valid).unwrap_or(&self.seen);
        let mut can = false;
        rows.each(|rows| {
            let lacks = |row| seen.of(rows.group(row)).len() < self.catalogue.len();
            can |= (0..rows.len()).any(lacks);
            Ok(())
        })?;
        Ok(can)
    }

    /// A number that other ways of drawing from the same rows change, but for what the settings say.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.catalogue.fingerprint()
    }

    /// How many items there are for each that is drawn.
    pub(crate) fn stand_for(&self) -> f64 {
        (self.catalogue.len() - 1) as f64 / self.each as f64
    }

    /// How many items there are.
    pub(crate) fn items(&self) -> usize {
        self.catalogue.len()
    }

    /// How many rows are drawn for one that is learned from.
    pub(crate) fn each(&self) -> usize {
        self.each
    }

    /// How many entries may be drawn at the most for a batch of so many rows with so many entries.
    pub(crate) fn most_entries(&self, batch: usize, entries: usize) -> usize {
        self.each * (entries + batch * self.catalogue.longest())
    }

    /// How many rows carry each feature, those that are drawn in an epoch among them: of an item as many as
    /// are to be expected.
    pub(crate) fn count(&self, counts: &mut [u32]) {
        let Negatives { catalogue, each, .. } = self;
        let given: u64 = catalogue.counts().iter().map(|&count| u64::from(count)).sum();
        let drawn = given as f64 * *each as f64;
        for (id, count) in (0..).zip(&mut *counts) {
            if !catalogue.is_of_item(id) {
                *count = count.saturating_mul(1 + *each as u32);
            }
        }
        for (item, &of) in catalogue.counts().iter().enumerate() {
            let share = match self.popular {
                None => 1.0 / catalogue.len() as f64,
                Some(_) => f64::from(of) / given as f64,
            };
            for &id in catalogue.features(item as u32).ids {
                counts[id as usize] =
                    counts[id as usize].saturating_add((drawn * share).ceil() as u32);
            }
        }
    }

    /// Makes a list of each of these rows that is relevant: itself, and after it rows with items that its
    /// group does not have. Says of each list which of `batch` it is of and where it ends.
    ///
    /// # Errors
    /// [`Error::Memory`] if they do not fit.
    pub(crate) fn draw(
        &self,
        rows: &Rows,
        batch: &[u32],
        purpose: Purpose,
        to: &mut Rows,
        lists: &mut Vec<(u32, u32)>,
    ) -> Result<()> {
        to.clear();
        lists.clear();
        let (seen, popular, each, stream) = match purpose {
            Purpose::Train { epoch, window, place } => {
                let number =
                    (window as u64) << 32 ^ place as u64 ^ u64::from(epoch).rotate_left(40);
                let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                (&self.seen, self.popular.as_ref(), self.each, number)
            }
            // What is measured does not depend on how it is learned.
            Purpose::Valid { each, place } => {
                let seen = self.seen_with_valid.as_ref().unwrap_or(&self.seen);
                (seen, None, each, !(place as u64))
            }
        };
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.seed ^ stream);
        for (of, &row) in (0..).zip(batch) {
            let (row, group) = (row as usize, rows.group(row as usize));
            let ((label, weight), features) = (rows.label(row), rows.row(row));
            if label <= 0.0 {
                continue;
            }
            self.catalogue.replace(features, None, to)?;
            to.finish(label, weight);
            let has = seen.of(group);
            let mut rest = None;
            for _ in 0..each {
                let Some(item) = self.other(has, popular, &mut rest, &mut random) else { break };
                self.catalogue.replace(features, Some(item), to)?;
                to.finish(0.0, weight);
            }
            lists.push((of, to.len() as u32));
        }
        Ok(())
    }

    /// An item that is not among those that a group `has`, if there is one. Where these are nearly all, the
    /// `rest` is listed once.
    fn other(
        &self,
        has: &[u32],
        popular: Option<&WeightedAliasIndex<f32>>,
        rest: &mut Option<Vec<u32>>,
        random: &mut Xoshiro256PlusPlus,
    ) -> Option<u32> {
        let items = self.catalogue.len() as u32;
        if rest.is_none() {
            for _ in 0..TRIES {
                let item = match popular {
                    None => random.random_range(0..items),
                    Some(popular) => popular.sample(random) as u32,
                };
                if has.binary_search(&item).is_err() {
                    return Some(item);
                }
            }
        }
        let others = || (0..items).filter(|item| has.binary_search(item).is_err()).collect();
        let rest = rest.get_or_insert_with(others);
        let share = |item: u32| match popular {
            None => 1,
            Some(_) => u64::from(self.catalogue.counts()[item as usize]),
        };
        let all: u64 = rest.iter().map(|&item| share(item)).sum();
        let mut left = random.random_range(0..all.max(1));
        rest.iter().copied().find(|&item| {
            let here = left < share(item);
            left = left.saturating_sub(share(item));
            here
        })
    }
}
