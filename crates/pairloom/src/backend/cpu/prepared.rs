//! What a step needs of a batch beside the weights: its rows one after the other, and its entries in
//! the order of the features. None of it changes in training, so while one batch is learned from, a
//! thread that has nothing else to do can prepare the next: the vectors then stay with one core.

use super::entries::sort;
pub(super) use super::entries::{Entry, One, Value};
use crate::batch::Rows;
use std::ops::Range;

/// How many rows ahead their places are asked for, and then their ids.
const PLACES_AHEAD: usize = 16;
const ROWS_AHEAD: usize = 8;

/// A batch that is ready.
#[derive(Default)]
pub(super) struct Prepared<X> {
    pub(super) layout: Layout<X>,
    /// The entries of each thread's features.
    pub(super) sorted: Vec<Sorted<X>>,
}

impl<X: Value> Prepared<X> {
    /// What is left to do once the batch is laid out: sorting the features up to each bound.
    pub(super) fn sorting<'a>(
        &'a mut self,
        bounds: &'a [u32],
    ) -> impl Iterator<Item = Preparing<'a, X>> {
        let Prepared { layout, sorted } = self;
        sorted.resize_with(bounds.len(), Sorted::default);
        let layout = &*layout;
        sorted.iter_mut().enumerate().map(move |(part, sorted)| {
            let start = if part == 0 { 0 } else { bounds[part - 1] };
            Preparing::Sort(sorted, layout, start..bounds[part], bounds.len() == 1)
        })
    }
}

/// A part of the work.
pub(super) enum Preparing<'a, X> {
    /// Laying these rows out.
    LayOut(&'a mut Layout<X>, &'a Rows, &'a [u32]),
    /// Sorting the entries of these features; whether they are all.
    Sort(&'a mut Sorted<X>, &'a Layout<X>, Range<u32>, bool),
}

impl<X: Value> Preparing<'_, X> {
    /// Does it.
    pub(super) fn run(self) {
        match self {
            Preparing::LayOut(layout, rows, batch) => layout.fill(rows, batch),
            Preparing::Sort(sorted, layout, features, all) => sorted.fill(layout, features, all),
        }
    }
}

/// The rows of a batch, one after the other.
#[derive(Default)]
pub(super) struct Layout<X> {
    /// Which rows of the data they are.
    batch: Vec<u32>,
    starts: Vec<u32>,
    ids: Vec<u32>,
    xs: Vec<X>,
    pub(super) outcomes: Vec<(f32, f32)>,
}

impl<X: Value> Layout<X> {
    /// Which rows of the data these are.
    pub(super) fn batch(&self) -> &[u32] {
        &self.batch
    }

    /// Drops the rows.
    pub(super) fn clear(&mut self) {
        self.batch.clear();
        self.starts.clear();
        self.starts.push(0);
        self.ids.clear();
        self.xs.clear();
        self.outcomes.clear();
    }

    /// Copies rows of the data.
    pub(super) fn fill(&mut self, rows: &Rows, batch: &[u32]) {
        self.clear();
        self.batch.extend_from_slice(batch);
        for (at, &i) in batch.iter().enumerate() {
            if let Some(&i) = batch.get(at + PLACES_AHEAD) {
                rows.prefetch_place(i as usize);
            }
            if let Some(&i) = batch.get(at + ROWS_AHEAD) {
                rows.prefetch(i as usize);
            }
            let row = rows.row(i as usize);
            self.ids.extend_from_slice(row.ids);
            self.xs.extend((0..row.ids.len()).map(|at| X::of(row, at)));
            self.starts.push(self.ids.len() as u32);
            self.outcomes.push(rows.label(i as usize));
        }
    }

    /// Feature ids of all rows.
    #[inline(always)]
    pub(super) fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Where the features of a row of the batch are.
    #[inline(always)]
    pub(super) fn range(&self, at: usize) -> Range<usize> {
        self.starts[at] as usize..self.starts[at + 1] as usize
    }

    /// Features and their values.
    #[inline(always)]
    pub(super) fn features(&self, range: Range<usize>) -> impl Iterator<Item = (u32, f32)> {
        let xs = self.xs[range.clone()].iter().map(|x| x.x());
        self.ids[range].iter().copied().zip(xs)
    }

    /// Labels and weights of the rows of the batch.
    pub(super) fn outcomes(&self) -> &[(f32, f32)] {
        &self.outcomes
    }

    /// Label and weight of a row of the batch.
    #[inline(always)]
    pub(super) fn outcome(&self, at: usize) -> (f32, f32) {
        self.outcomes[at]
    }

    /// The entries of a row of the batch.
    #[inline(always)]
    fn entries(&self, at: usize) -> impl Iterator<Item = Entry<X>> {
        let (range, row) = (self.range(at), at as u32);
        let features = self.ids[range.clone()].iter().zip(&self.xs[range]);
        features.map(move |(&feature, &x)| Entry { feature, row, x })
    }
}

/// The entries of some features in their order.
#[derive(Default)]
pub(super) struct Sorted<X> {
    found: Vec<Entry<X>>,
    entries: Vec<Entry<X>>,
    spare: Vec<Entry<X>>,
    /// Where the entries of another feature begin, and the end.
    runs: Vec<u32>,
}

impl<X: Value> Sorted<X> {
    /// Finds the entries of these features and brings them into order. `all` says that there are
    /// no others.
    pub(super) fn fill(&mut self, layout: &Layout<X>, features: Range<u32>, all: bool) {
        self.found.clear();
        for at in 0..layout.batch.len() {
            match all {
                true => self.found.extend(layout.entries(at)),
                false => {
                    let own = |entry: &Entry<X>| features.contains(&entry.feature);
                    self.found.extend(layout.entries(at).filter(own));
                }
            }
        }
        let span = features.end - features.start;
        sort(&self.found, &mut self.entries, &mut self.spare, features.start, span);
        self.runs.clear();
        let mut last = None;
        for (at, entry) in (0..).zip(&self.entries) {
            if last != Some(entry.feature) {
                self.runs.push(at);
                last = Some(entry.feature);
            }
        }
        self.runs.push(self.entries.len() as u32);
    }

    /// The entries, feature after feature.
    #[inline(always)]
    pub(super) fn entries(&self) -> &[Entry<X>] {
        &self.entries
    }

    /// Where the entries of another feature begin, and the end.
    #[inline(always)]
    pub(super) fn runs(&self) -> &[u32] {
        &self.runs
    }
}
