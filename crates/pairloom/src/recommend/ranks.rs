//! Where given items stand among all.

use super::recommender::{Asking, Recommender, Request};
use super::sides::Whole;
use super::tiles;
use crate::parallel::Threads;
use crate::{Error, Result};
use std::ops::Range;

/// The place of an item among the others that may come and were not seen. Counted from 0 it is `better` at the
/// best, and `better + equal` at the worst.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rank {
    /// Items with a greater score.
    pub better: u64,
    /// Other items with the same score.
    pub equal: u64,
}

impl Rank {
    fn add(&mut self, other: Rank) {
        self.better += other.better;
        self.equal += other.equal;
    }

    /// Counts an item with a score beside another one.
    fn count(&mut self, score: f32, own: f32) {
        self.better += u64::from(score > own);
        self.equal += u64::from(score == own);
    }
}

/// An item whose rank is wanted.
struct Wanted {
    item: u32,
    score: f32,
    /// Products below the first are surely less, and those above the second surely greater.
    bounds: [f32; 2],
}

impl Recommender<'_> {
    /// For each context the ranks of the items that are `wanted`, by the scores of rows
    /// ([`crate::Model::score`]), exactly. Among the others are neither those that the context has seen nor
    /// those that may not come; a wanted item itself may be one of these.
    ///
    /// # Errors
    /// [`Error::Usage`] for a request that does not fit the catalogue; [`Error::Data`] if the score of a wanted
    /// item is not finite.
    pub fn ranks(
        &self,
        request: &Request<'_>,
        wanted: &[Vec<u32>],
        threads: &Threads,
    ) -> Result<Vec<Vec<Rank>>> {
        let (contexts, items) = (request.contexts.len(), self.catalogue.len());
        if wanted.len() != contexts {
            let message = format!("wanted items of {} contexts for {contexts}", wanted.len());
            return Err(Error::usage(message));
        }
        if let Some(item) = wanted.iter().flatten().find(|item| **item as usize >= items) {
            return Err(Error::usage(format!("item {item} is wanted of {items}")));
        }
        let asking = self.asking(request, threads)?;
        let wanted = self.wanted(request, &asking, wanted)?;
        let parts = threads
            .map(self.parts(threads), |part| self.part_of_ranks(request, &asking, &wanted, part));
        let mut ranks: Vec<Vec<Rank>> =
            wanted.iter().map(|wanted| vec![Rank::default(); wanted.len()]).collect();
        for part in parts {
            let pairs = ranks.iter_mut().flatten().zip(part?.into_iter().flatten());
            pairs.for_each(|(rank, more)| rank.add(more));
        }
        Ok(ranks)
    }

    fn wanted(
        &self,
        request: &Request<'_>,
        asking: &Asking,
        wanted: &[Vec<u32>],
    ) -> Result<Vec<Vec<Wanted>>> {
        let mut whole = Whole::new(self.model);
        let mut of = |context: usize, item: u32| {
            let score = self.score(&mut whole, request, context, item);
            let product = f64::from(score) - f64::from(asking.halves.scores[context]);
            let margin = asking.margins[context];
            let least = ((product - margin) as f32).next_down();
            let most = ((product + margin) as f32).next_up();
            match score.is_finite() {
                true => Ok(Wanted { item, score, bounds: [least, most] }),
                false => Err(self.not_finite(item)),
            }
        };
        let mut all = Vec::new();
        for (context, items) in wanted.iter().enumerate() {
            all.push(items.iter().map(|&item| of(context, item)).collect::<Result<Vec<_>>>()?);
        }
        Ok(all)
    }

    /// The ranks among some of the items.
    fn part_of_ranks(
        &self,
        request: &Request<'_>,
        asking: &Asking,
        wanted: &[Vec<Wanted>],
        items: Range<usize>,
    ) -> Result<Vec<Vec<Rank>>> {
        let mut ranks: Vec<Vec<Rank>> =
            wanted.iter().map(|wanted| vec![Rank::default(); wanted.len()]).collect();
        let mut whole = Whole::new(self.model);
        let mut left = Vec::new();
        tiles::for_each(&asking.halves, &self.items, items, |context, first, products| {
            // Those that do not count are taken off again.
            left.clear();
            let seen = request.seen(context);
            let from = seen.partition_point(|&item| (item as usize) < first);
            let to = seen.partition_point(|&item| (item as usize) < first + products.len());
            left.extend_from_slice(&seen[from..to]);
            let barred = (first as u32..).take(products.len());
            let is_new = |item: u32| seen.binary_search(&item).is_err();
            left.extend(barred.filter(|&item| !request.may_come(item) && is_new(item)));
            for (rank, wanted) in ranks[context].iter_mut().zip(&wanted[context]) {
                let [least, most] = wanted.bounds;
                let mut near = Rank::default();
                let surely = tiles::above(products, least, most, |at| {
                    let item = (first + at) as u32;
                    if item != wanted.item && request.may_come(item) && is_new(item) {
                        near.count(self.score(&mut whole, request, context, item), wanted.score);
                    }
                });
                let gone = left.iter().filter(|&&item| products[item as usize - first] > most);
                rank.better += surely - gone.count() as u64;
                rank.add(near);
            }
        })?;
        Ok(ranks)
    }
}
