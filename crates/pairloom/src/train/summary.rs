//! What is asked of all training rows before training begins, in one walk over them.

use crate::batch::{Block, Rows};
use crate::encode::Target;
use crate::metric::{Constant, Tally};
use crate::store::Store;
use crate::{Result, memory};

/// More distinct labels than this are no classes.
const CLASSES: usize = 20;

/// What training begins with knowing of its rows.
pub(super) struct Summary {
    /// How many rows carry each feature.
    pub(super) counts: Vec<u32>,
    /// The mean of `sum_i x_i^2`, by the weights of rows: the number of features in a row, if all are 1.
    pub(super) square_length: f64,
    /// The numbers of entries of the longest rows, the longest first.
    longest: Vec<u32>,
    /// What a model has to beat.
    pub(super) constant: Constant,
    /// The weighted mean label as the model learns it; of several classes, the share of each.
    pub(super) means: Vec<f64>,
    /// The greatest weight of a row.
    pub(super) greatest_weight: f32,
    /// Classes of which there is one row.
    pub(super) single: usize,
    /// How many distinct labels there are, if they are few and whole: they may be classes.
    pub(super) classes: Option<usize>,
}

impl Summary {
    /// Walks over the rows, which have some weight, of so many features; a batch has `batch` rows at the most.
    pub(super) fn of(
        rows: &Store,
        features: usize,
        batch: usize,
        target: &Target,
    ) -> Result<Summary> {
        let mut sums = Sums::new(counts(features)?, batch, target);
        rows.each(|rows| {
            sums.add(rows);
            Ok(())
        })?;
        sums.longest.sort_unstable_by(|a, b| b.cmp(a));
        sums.longest.truncate(batch);
        Ok(Summary {
            square_length: sums.squares / sums.tally.weight,
            constant: sums.constant()?,
            longest: sums.longest,
            means: sums.labels.iter().map(|sum| sum / sums.tally.weight).collect(),
            single: sums.rows_of.iter().filter(|rows| **rows == 1).count(),
            classes: sums.distinct.filter(|_| target.is_number()).map(|labels| labels.len()),
            greatest_weight: sums.greatest_weight,
            counts: sums.counts,
        })
    }

    /// How many entries the rows of a batch of so many rows have at the most.
    pub(super) fn most_entries(&self, rows: usize) -> usize {
        self.longest.iter().take(rows).map(|&entries| entries as usize).sum()
    }
}

fn counts(features: usize) -> Result<Vec<u32>> {
    let full = |_| {
        let what = format!("the counts of {features} features");
        memory::refused(&what, memory::FEWER_FEATURES)
    };
    let mut counts = Vec::new();
    counts.try_reserve_exact(features).map_err(full)?;
    counts.resize(features, 0);
    Ok(counts)
}

/// The sum of `x^2` over a block, each as often as its row weighs.
fn squares(block: &Block) -> f64 {
    let square = |x: &f32| f64::from(*x) * f64::from(*x);
    let (values, weights) = (block.values(), block.weights());
    if weights.is_empty() {
        return match values {
            [] => block.ids().len() as f64,
            values => values.iter().map(square).sum(),
        };
    }
    let mut each = values.iter();
    let of_row = |(entries, weight): (u32, &f32)| {
        let squares: f64 = each.by_ref().take(entries as usize).map(square).sum();
        f64::from(*weight) * if values.is_empty() { f64::from(entries) } else { squares }
    };
    block.lengths().zip(weights).map(of_row).sum()
}

/// What the rows so far add up to.
struct Sums<'a> {
    target: &'a Target,
    batch: usize,
    counts: Vec<u32>,
    squares: f64,
    longest: Vec<u32>,
    greatest_weight: f32,
    tally: Tally,
    /// Weighted sum of the labels; of several classes, the weight of each.
    labels: Vec<f64>,
    /// Rows of each class.
    rows_of: Vec<usize>,
    distinct: Option<Vec<f32>>,
}

impl<'a> Sums<'a> {
    fn new(counts: Vec<u32>, batch: usize, target: &'a Target) -> Self {
        Sums {
            target,
            batch,
            counts,
            squares: 0.0,
            longest: Vec::new(),
            greatest_weight: 0.0,
            tally: Tally::default(),
            labels: vec![0.0; target.classes()],
            rows_of: vec![0; target.classes()],
            distinct: Some(Vec::new()),
        }
    }

    fn add(&mut self, rows: &Rows) {
        rows.count(&mut self.counts);
        for block in rows.blocks() {
            self.squares += squares(block);
            self.longest.extend(block.lengths());
            if self.longest.len() > self.batch {
                self.longest.select_nth_unstable_by(self.batch, |a, b| b.cmp(a));
                self.longest.truncate(self.batch);
            }
            block.outcomes().for_each(|(label, weight)| self.outcome(label, weight));
        }
    }

    /// What a model has to beat.
    fn constant(&self) -> Result<Constant> {
        match self.target {
            Target::Classes { .. } => self.tally.shares(&self.labels),
            target => self.tally.constant(target.is_binary()),
        }
    }

    fn outcome(&mut self, label: f32, weight: f32) {
        self.tally.add(label, weight);
        self.greatest_weight = self.greatest_weight.max(weight);
        match self.target {
            Target::Classes { .. } => {
                if let Some(sum) = self.labels.get_mut(label as usize) {
                    *sum += f64::from(weight);
                    self.rows_of[label as usize] += 1;
                }
            }
            target => self.labels[0] += target.standardize(label) * f64::from(weight),
        }
        let Some(distinct) = &mut self.distinct else { return };
        if !distinct.contains(&label) {
            match label.fract() != 0.0 || distinct.len() == CLASSES {
                true => self.distinct = None,
                false => distinct.push(label),
            }
        }
    }
}
