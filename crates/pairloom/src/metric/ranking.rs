//! How well groups of rows are ranked.
//!
//! Equal scores say nothing of the order, so every figure is its mean over all orders of rows with the same
//! score (McSherry and Najork 2008, "Computing Information Retrieval Performance Measures Efficiently in the
//! Presence of Tied Scores"), as scikit-learn's NDCG is too: a model that knows nothing is then as good as
//! chance, and the order of the rows in a file is not among what is measured.
//!
//! A row is relevant if its label is above 0; the label is its gain. A group counts if its rows have
//! different labels, since any order of the others is right; it counts as much as its rows weigh on average, and
//! groups count alike, however long.

use super::rows;
use crate::batch::Outcomes;
use crate::loss::Loss;
use crate::loss::lists::{self, Outcome};
use crate::{Error, Result};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// At which place the figures end that are about the top of a list, if nothing else is said.
pub const DEFAULT_AT: usize = 10;

/// Figures of rows that are ranked within their groups: weighted means over [`Ranking::groups`], in `[0, 1]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// Number of rows.
    pub rows: u64,
    /// Groups that count: those with rows of different labels.
    pub groups: u64,
    /// Other groups, which are left out.
    pub groups_left_out: u64,
    /// The place at which lists end for `ndcg`, `recall`, `precision` and `hit_rate`: 10.
    pub at: usize,
    /// Mean loss of the rows that have some with smaller labels in their group, if the model learned by one
    /// of [`crate::loss::lists`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Normalised discounted cumulative gain: the sum of label over `log2(1 + place)` as far as place `at`,
    /// over what the best order has (Järvelin and Kekäläinen 2002).
    pub ndcg: f64,
    /// Mean average precision: of each relevant row the share of relevant ones among the rows as far as it.
    pub map: f64,
    /// Mean reciprocal rank: one over the place of the first relevant row.
    pub mrr: f64,
    /// Share of the relevant rows that are among the first `at`.
    pub recall: f64,
    /// Share of the first `at` places that have a relevant row.
    pub precision: f64,
    /// Share of the groups with a relevant row among the first `at`.
    pub hit_rate: f64,
    /// Area under the ROC curve of each group, weighted with its rows (Zhu et al. 2017, "Optimized Cost per
    /// Click in Taobao Display Advertising"); over the groups with rows that are not relevant.
    pub grouped_auc: Option<f64>,
}

/// Rows of a group that have the same score.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Tie {
    /// How many.
    pub(crate) rows: u64,
    /// How many of them are relevant.
    pub(crate) relevant: u64,
    /// Sum of their gains.
    pub(crate) gain: f64,
}

/// Groups that come one by one.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    sums: Ranking,
    /// Sum of the weights of the groups.
    weight: f64,
    /// Sum of the weights of rows of groups with an area, and of the areas weighted with them.
    areas: (f64, f64),
}

impl Tally {
    /// No groups yet.
    pub(crate) fn new(at: usize) -> Self {
        let sums = Ranking {
            rows: 0,
            groups: 0,
            groups_left_out: 0,
            at,
            loss: None,
            ndcg: 0.0,
            map: 0.0,
            mrr: 0.0,
            recall: 0.0,
            precision: 0.0,
            hit_rate: 0.0,
            grouped_auc: None,
        };
        Tally { sums, weight: 0.0, areas: (0.0, 0.0) }
    }

    /// Adds a group of rows with these scores and labels.
    pub(crate) fn add(&mut self, group: &mut [(f64, f32)], weight: f64) {
        let differ = group.windows(2).any(|pair| pair[0].1 != pair[1].1);
        if !differ {
            return self.leave_out(group.len() as u64);
        }
        group.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
        let tie = |rows: &[(f64, f32)]| Tie {
            rows: rows.len() as u64,
            relevant: rows.iter().filter(|row| row.1 > 0.0).count() as u64,
            gain: rows.iter().map(|row| f64::from(row.1)).sum(),
        };
        let ties: Vec<Tie> = group.chunk_by(|a, b| a.0 == b.0).map(tie).collect();
        let mut gains: Vec<f64> = group.iter().map(|row| f64::from(row.1)).collect();
        gains.sort_unstable_by(|a, b| b.total_cmp(a));
        self.add_ties(&ties, &gains, weight);
    }

    /// Counts a group of so many rows that has nothing to rank.
    pub(crate) fn leave_out(&mut self, rows: u64) {
        self.sums.rows += rows;
        self.sums.groups_left_out += 1;
    }

    /// Adds a group of rows in falling order of their scores, with its gains in falling order; at least one
    /// is above 0.
    pub(crate) fn add_ties(&mut self, ties: &[Tie], gains: &[f64], weight: f64) {
        let at = self.sums.at as u64;
        let sums = &mut self.sums;
        let rows: u64 = ties.iter().map(|tie| tie.rows).sum();
        let relevant: u64 = ties.iter().map(|tie| tie.relevant).sum();
        sums.rows += rows;
        sums.groups += 1;
        self.weight += weight;
        let best: f64 =
            gains.iter().take(sums.at).zip(0..).map(|(g, place)| g * discount(place)).sum();
        let (mut before, mut found) = (0, 0);
        let (mut gain, mut hits, mut precisions, mut wrong) = (0.0, 0.0, 0.0, 0.0);
        for tie in ties {
            let within = tie.rows.min(at.saturating_sub(before));
            if tie.gain > 0.0 {
                let discounts: f64 = (before..before + within).map(discount).sum();
                gain += tie.gain / tie.rows as f64 * discounts;
            }
            if tie.relevant > 0 {
                let share = tie.relevant as f64 / tie.rows as f64;
                hits += share * within as f64;
                // Of the others of this tie, so many come before one of them at each place.
                let others = (tie.relevant - 1) as f64 / (tie.rows - 1).max(1) as f64;
                let precision = |place: u64| {
                    (found as f64 + 1.0 + place as f64 * others) / (before + place + 1) as f64
                };
                precisions += share * (0..tie.rows).map(precision).sum::<f64>();
                let above = (before - found) as f64 + 0.5 * (tie.rows - tie.relevant) as f64;
                wrong += tie.relevant as f64 * above;
            }
            if found == 0 && tie.relevant > 0 {
                let (reciprocal, hit) = first(tie, before, within);
                sums.mrr += weight * reciprocal;
                sums.hit_rate += weight * hit;
            }
            before += tie.rows;
            found += tie.relevant;
        }
        sums.ndcg += weight * gain / best;
        sums.map += weight * precisions / relevant as f64;
        sums.recall += weight * hits / relevant as f64;
        sums.precision += weight * hits / at as f64;
        let others = rows - relevant;
        if others > 0 {
            let area = 1.0 - wrong / (relevant as f64 * others as f64);
            self.areas.0 += weight * rows as f64;
            self.areas.1 += weight * rows as f64 * area;
        }
    }

    /// The means; `None` if no group counts.
    pub(crate) fn done(self) -> Option<Ranking> {
        let Tally { sums, weight, areas: (rows, areas) } = self;
        let mean = |sum: f64| sum / weight;
        (sums.groups > 0).then(|| Ranking {
            ndcg: mean(sums.ndcg),
            map: mean(sums.map),
            mrr: mean(sums.mrr),
            recall: mean(sums.recall),
            precision: mean(sums.precision),
            hit_rate: mean(sums.hit_rate),
            grouped_auc: (rows > 0.0).then(|| areas / rows),
            ..sums
        })
    }
}

/// What a gain counts at a place, from 0.
fn discount(place: u64) -> f64 {
    1.0 / (place as f64 + 2.0).log2()
}

/// Of the first rows that are relevant, if they are among a tie that has `before` rows before it: the mean
/// of one over the place of the first, and how likely it is one of the first `within` rows of the tie.
fn first(tie: &Tie, before: u64, within: u64) -> (f64, f64) {
    let (mut reciprocal, mut hit) = (0.0, 0.0);
    // That none has come yet.
    let mut none = 1.0;
    for place in 0..=tie.rows - tie.relevant {
        let here = none * tie.relevant as f64 / (tie.rows - place) as f64;
        reciprocal += here / (before + place + 1) as f64;
        hit += if place < within { here } else { 0.0 };
        none -= here;
    }
    (reciprocal, hit)
}

impl Ranking {
    /// Measures scores of rows against their labels, within the groups of `rows`, as far as place `at`. Rows
    /// of weight 0 are left out.
    ///
    /// # Errors
    /// [`Error::Data`] for a label below 0, a bad weight, or if no group has rows of different labels;
    /// [`Error::Diverged`] for a score that is not finite; [`Error::Usage`] for lists of different lengths, or
    /// `at` 0.
    pub fn measure(scores: &[f64], rows: &Outcomes, loss: Option<Loss>, at: usize) -> Result<Self> {
        rows::same_length(scores, rows.len(), rows.weights())?;
        rows::finite(scores)?;
        rows::total(rows.weights(), rows.len())?;
        if at == 0 {
            return Err(Error::setting("at", "at least 1"));
        }
        if let Some(row) = rows.labels().iter().position(|label| *label < 0.0) {
            let message = format!("row {}: the label {} is no gain", row + 1, rows.labels()[row]);
            return Err(Error::data(
                rows::PLACE,
                message + ": ranked rows have labels of at least 0",
            ));
        }
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.retain(|&row| rows.weights().is_none_or(|weights| weights[row as usize] > 0.0));
        let group = |row: u32| rows.group(row as usize);
        order.sort_by_key(|&row| group(row));
        let mut groups = Groups::new(loss, at);
        for group in order.chunk_by_mut(|&a, &b| group(a) == group(b)) {
            groups.add(scores, |row| rows.outcome(row), group);
        }
        groups.done().ok_or_else(|| {
            let message = "no group has rows of different labels, so there is nothing to rank; rows \
                           that are all wanted can be ranked among all items (evaluate --items)";
            Error::data(rows::PLACE, message)
        })
    }
}

/// Groups of scored rows that come one by one, with what they cost.
pub(crate) struct Groups {
    tally: Tally,
    loss: Option<Loss>,
    cost: f64,
    weight: f64,
    pairs: Vec<(f64, f32)>,
}

impl Groups {
    /// None yet.
    pub(crate) fn new(loss: Option<Loss>, at: usize) -> Self {
        Groups { tally: Tally::new(at), loss, cost: 0.0, weight: 0.0, pairs: Vec::new() }
    }

    /// Adds a group: some of the rows with these scores, and labels and weights above 0. What a long one costs is
    /// that of random parts of it, as in training, but always of the same ones.
    pub(crate) fn add(
        &mut self,
        scores: &[f64],
        outcome: impl Fn(usize) -> Outcome,
        group: &mut [u32],
    ) {
        let outcomes = || group.iter().map(|&row| outcome(row as usize));
        self.pairs.clear();
        let pair = |(&row, (label, _)): (&u32, Outcome)| (scores[row as usize], label);
        self.pairs.extend(group.iter().zip(outcomes()).map(pair));
        let weights: f64 = outcomes().map(|(_, weight)| f64::from(weight)).sum();
        self.tally.add(&mut self.pairs, weights / group.len() as f64);
        let Some(loss) = self.loss else { return };
        let mut random = Xoshiro256PlusPlus::seed_from_u64(0);
        for list in lists::parts(group, &mut random) {
            let scores: Vec<f64> = list.iter().map(|&row| scores[row as usize]).collect();
            let outcomes: Vec<_> = list.iter().map(|&row| outcome(row as usize)).collect();
            let (mut losses, mut slopes) = (vec![0.0; list.len()], vec![0.0; list.len()]);
            let found = (&mut losses[..], &mut slopes[..]);
            self.weight += lists::learn(loss, (&scores, &outcomes), 1.0, found);
            self.cost += losses.iter().sum::<f64>();
        }
    }

    /// The figures; `None` if no group counts.
    pub(crate) fn done(self) -> Option<Ranking> {
        let loss = self.loss.filter(|_| self.weight > 0.0).map(|_| self.cost / self.weight);
        self.tally.done().map(|found| Ranking { loss, ..found })
    }
}

impl Ranking {
    /// The figures as (name, value); the names are the JSON keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, Option<f64>)> + use<> {
        let loss = self.loss.map(|loss| ("loss", Some(loss)));
        let others = [
            ("ndcg", Some(self.ndcg)),
            ("map", Some(self.map)),
            ("mrr", Some(self.mrr)),
            ("recall", Some(self.recall)),
            ("precision", Some(self.precision)),
            ("hit_rate", Some(self.hit_rate)),
            ("grouped_auc", self.grouped_auc),
            ("at", Some(self.at as f64)),
            ("rows", Some(self.rows as f64)),
            ("groups", Some(self.groups as f64)),
            ("groups_left_out", Some(self.groups_left_out as f64)),
        ];
        loss.into_iter().chain(others)
    }
}
