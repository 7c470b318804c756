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

    /// Counts a group of so many rows that has nothing to rank.
    pub(crate) fn leave_out(&mut self, rows: u64) {
        self.sums.rows += rows;
        self.sums.groups_left_out += 1;
    }

    /// Adds a group of rows in falling order of their scores, with its gains in falling order; at least one
    /// is above 0.
    pub(crate) fn add_ties(&mut self, ties: &[Tie], gains: &[f64], weight: f64) {
        self.add_placed(&Placed::new(ties, gains, self.sums.at), weight);
    }

    fn add_placed(&mut self, of: &Placed, weight: f64) {
        let sums = &mut self.sums;
        sums.rows += of.rows;
        sums.groups += 1;
        self.weight += weight;
        sums.mrr += weight * of.first.0;
        sums.hit_rate += weight * of.first.1;
        sums.ndcg += weight * of.gain / of.best;
        sums.map += weight * of.precisions / of.relevant as f64;
        sums.recall += weight * of.hits / of.relevant as f64;
        sums.precision += weight * of.hits / sums.at as f64;
        let others = of.rows - of.relevant;
        if others > 0 {
            let area = 1.0 - of.wrong / (of.relevant as f64 * others as f64);
            self.areas.0 += weight * of.rows as f64;
            self.areas.1 += weight * of.rows as f64 * area;
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

/// Where the relevant rows of a group are, whatever the group weighs.
#[derive(Debug, Clone, Copy, Default)]
struct Placed {
    rows: u64,
    relevant: u64,
    /// Discounted gain of the order, and of the best one.
    gain: f64,
    best: f64,
    /// Relevant rows among the first.
    hits: f64,
    /// Sum of the precisions at the relevant rows.
    precisions: f64,
    /// Pairs in the wrong order.
    wrong: f64,
    /// What [`first`] has.
    first: (f64, f64),
}

impl Placed {
    /// Rows with these scores and labels; `None` if all labels are the same.
    fn of(group: &mut [(f64, f32)], at: usize) -> Option<Self> {
        if !group.windows(2).any(|pair| pair[0].1 != pair[1].1) {
            return None;
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
        Some(Placed::new(&ties, &gains, at))
    }

    /// Rows in falling order of their scores, with their gains in falling order; at least one is above 0.
    fn new(ties: &[Tie], gains: &[f64], most: usize) -> Self {
        let at = most as u64;
        let best = gains.iter().take(most).zip(0..).map(|(g, place)| g * discount(place)).sum();
        let mut of = Placed { best, ..Placed::default() };
        for tie in ties {
            let within = tie.rows.min(at.saturating_sub(of.rows));
            of.add(tie, within);
        }
        of
    }

    /// Adds the rows that come next, of which so many are among the first.
    fn add(&mut self, tie: &Tie, within: u64) {
        let (before, found) = (self.rows, self.relevant);
        if tie.gain > 0.0 {
            let discounts: f64 = (before..before + within).map(discount).sum();
            self.gain += tie.gain / tie.rows as f64 * discounts;
        }
        if tie.relevant > 0 {
            let share = tie.relevant as f64 / tie.rows as f64;
            self.hits += share * within as f64;
            // Of the others of this tie, so many come before one of them at each place.
            let others = (tie.relevant - 1) as f64 / (tie.rows - 1).max(1) as f64;
            let precision = |place: u64| {
                (found as f64 + 1.0 + place as f64 * others) / (before + place + 1) as f64
            };
            self.precisions += share * (0..tie.rows).map(precision).sum::<f64>();
            let above = (before - found) as f64 + 0.5 * (tie.rows - tie.relevant) as f64;
            self.wrong += tie.relevant as f64 * above;
        }
        if found == 0 && tie.relevant > 0 {
            self.first = first(tie, before, within);
        }
        self.rows += tie.rows;
        self.relevant += tie.relevant;
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
        let mut groups = Groups::new(loss, at);
        each_group(rows, |group| groups.add(scores, |row| rows.outcome(row), group));
        groups.done().ok_or_else(nothing_to_rank)
    }
}

fn nothing_to_rank() -> Error {
    let message = "no group has rows of different labels, so there is nothing to rank; rows \
                   that are all wanted can be ranked among all items (evaluate --items)";
    Error::data(rows::PLACE, message)
}

/// The rows of each group that weigh something.
fn each_group(rows: &Outcomes, take: impl FnMut(&mut [u32])) {
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.retain(|&row| rows.weights().is_none_or(|weights| weights[row as usize] > 0.0));
    let group = |row: u32| rows.group(row as usize);
    order.sort_by_key(|&row| group(row));
    order.chunk_by_mut(|&a, &b| group(a) == group(b)).for_each(take);
}

/// What is known of a group whatever its rows weigh.
struct List {
    rows: Vec<u32>,
    /// `None` if there is nothing to rank.
    placed: Option<Placed>,
    /// Of the parts that it costs: the rows with some below them, and what each costs at a weight of 1.
    parts: Vec<Vec<(u32, f64)>>,
}

impl List {
    fn new(
        scores: &[f64],
        label: impl Fn(usize) -> f32,
        group: &mut [u32],
        groups: &Groups,
    ) -> Self {
        let pair = |&row: &u32| (scores[row as usize], label(row as usize));
        let mut pairs: Vec<(f64, f32)> = group.iter().map(pair).collect();
        let placed = Placed::of(&mut pairs, groups.tally.sums.at);
        let rows = group.to_vec();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(0);
        let part = |loss: Loss, part: &[u32]| {
            let (scores, outcomes): (Vec<f64>, Vec<Outcome>) =
                part.iter().map(pair).map(|(score, label)| (score, (label, 1.0))).unzip();
            let (mut losses, mut slopes) = (vec![0.0; part.len()], vec![0.0; part.len()]);
            lists::learn(loss, (&scores, &outcomes), 1.0, (&mut losses, &mut slopes));
            let least = outcomes.iter().map(|o| o.0).fold(f32::INFINITY, f32::min);
            let counts = |(at, _): &(usize, &u32)| outcomes[*at].0 > least;
            let counted = part.iter().enumerate().filter(counts);
            counted.map(|(at, &row)| (row, losses[at])).collect()
        };
        let cost = |loss| lists::parts(group, &mut random).map(|rows| part(loss, rows)).collect();
        let parts = groups.loss.map(cost).unwrap_or_default();
        List { rows, placed, parts }
    }
}

/// All groups of rows, to be measured with other weights.
pub(super) struct Lists {
    lists: Vec<List>,
    loss: Option<Loss>,
    at: usize,
}

impl Lists {
    /// Of rows that can be measured.
    pub(super) fn new(scores: &[f64], rows: &Outcomes, loss: Option<Loss>, at: usize) -> Self {
        let (groups, mut lists) = (Groups::new(loss, at), Vec::new());
        let label = |row: usize| rows.labels()[row];
        each_group(rows, |group| lists.push(List::new(scores, label, group, &groups)));
        Lists { lists, loss, at }
    }

    /// The figures by the weights of these rows, of which a group has some or none.
    ///
    /// # Errors
    /// [`Error::Data`] for a bad weight, or if there is nothing to rank.
    pub(super) fn measure(&self, rows: &Outcomes) -> Result<Ranking> {
        rows::total(rows.weights(), rows.len())?;
        let weight = |row: usize| rows::at(rows.weights(), row);
        let mut groups = Groups::new(self.loss, self.at);
        let is_drawn = |list: &&List| list.rows.iter().any(|&row| weight(row as usize) > 0.0);
        self.lists.iter().filter(is_drawn).for_each(|list| groups.add_list(list, weight));
        groups.done().ok_or_else(nothing_to_rank)
    }
}

/// Groups of scored rows that come one by one, with what they cost.
pub(crate) struct Groups {
    tally: Tally,
    loss: Option<Loss>,
    cost: f64,
    weight: f64,
}

impl Groups {
    /// None yet.
    pub(crate) fn new(loss: Option<Loss>, at: usize) -> Self {
        Groups { tally: Tally::new(at), loss, cost: 0.0, weight: 0.0 }
    }

    /// Adds a group: some of the rows with these scores, and labels and weights above 0. What a long one costs is
    /// that of random parts of it, as in training, but always of the same ones.
    pub(crate) fn add(
        &mut self,
        scores: &[f64],
        outcome: impl Fn(usize) -> Outcome,
        group: &mut [u32],
    ) {
        let list = List::new(scores, |row| outcome(row).0, group, self);
        self.add_list(&list, |row| f64::from(outcome(row).1));
    }

    fn add_list(&mut self, list: &List, weight: impl Fn(usize) -> f64) {
        let of = |row: u32| weight(row as usize);
        let weights: f64 = list.rows.iter().map(|&row| of(row)).sum();
        match &list.placed {
            None => self.tally.leave_out(list.rows.len() as u64),
            Some(placed) => self.tally.add_placed(placed, weights / list.rows.len() as f64),
        }
        for part in &list.parts {
            self.weight += part.iter().fold(0.0, |sum, &(row, _)| sum + of(row));
            self.cost += part.iter().map(|&(row, cost)| of(row) * cost).sum::<f64>();
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
