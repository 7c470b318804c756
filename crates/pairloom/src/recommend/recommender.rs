//! The best items of contexts.

use super::best::Best;
use super::catalogue::Catalogue;
use super::sides::{Whole, halves, width};
use super::tiles;
use crate::backend::{Halves, Magnitude};
use crate::batch::Rows;
use crate::interaction::{Side, Sides};
use crate::model::Model;
use crate::parallel::Threads;
use crate::{Error, Result, memory};
use std::ops::Range;

/// An item and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Its number in the catalogue.
    pub item: u32,
    /// The score of the context with it, to the bit that of [`Model::score`].
    pub score: f32,
}

/// Who wants items.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What the contexts bring to a row: [`super::Contexts::rows`].
    pub contexts: &'a Rows,
    /// For each context the items that are left out, sorted; nothing at all if there are none.
    pub seen: &'a [&'a [u32]],
    /// For each item whether it may come: [`Catalogue::matching`]; all may, if nothing is said.
    pub among: Option<&'a [bool]>,
}

impl Request<'_> {
    fn check(&self, items: usize) -> Result<()> {
        let contexts = self.contexts.len();
        if !self.seen.is_empty() && self.seen.len() != contexts {
            let seen = self.seen.len();
            return Err(Error::usage(format!("seen items of {seen} contexts for {contexts}")));
        }
        match self.among {
            Some(among) if among.len() != items => {
                let said = among.len();
                Err(Error::usage(format!("{said} items are told which may come, of {items}")))
            }
            _ => Ok(()),
        }
    }

    /// The items that a context has seen.
    pub(super) fn seen(&self, context: usize) -> &[u32] {
        self.seen.get(context).copied().unwrap_or_default()
    }

    /// Whether an item may come at all.
    pub(super) fn may_come(&self, item: u32) -> bool {
        self.among.is_none_or(|among| among[item as usize])
    }
}

/// A model and a catalogue, ready for any contexts.
#[derive(Debug)]
pub struct Recommender<'a> {
    pub(super) model: &'a Model,
    pub(super) catalogue: &'a Catalogue,
    pub(super) items: Halves,
    sides: Sides,
    /// That of the largest item.
    size: Magnitude,
    /// How often a score is rounded, beyond what its features take.
    roundings: f64,
}

/// Contexts as vectors.
pub(super) struct Asking {
    pub(super) halves: Halves,
    /// For each how far the product and the score of a row may be apart.
    pub(super) margins: Vec<f64>,
}

impl<'a> Recommender<'a> {
    /// Makes vectors of all items.
    ///
    /// # Errors
    /// [`Error::Memory`] if they do not fit.
    pub fn new(model: &'a Model, catalogue: &'a Catalogue, threads: &Threads) -> Result<Self> {
        let sides = catalogue.columns().sides(model);
        let need = catalogue.len() as u128 * (4 * width(model, &sides) + 32) as u128;
        memory::check(need, "vectors of all items", memory::FREE_SOME)?;
        let mut items = halves(model, &sides, Side::Item, catalogue.rows(), threads);
        let sizes = std::mem::take(&mut items.sizes);
        let size = sizes.into_iter().fold(Magnitude::default(), Magnitude::or);
        let fields = model.weights.fields.len();
        let roundings = items.width + 2 * fields + model.config.rank + 64;
        let roundings = roundings as f64;
        Ok(Recommender { model, catalogue, items, sides, size, roundings })
    }

    /// The `n` best items of each context in order, or as many as there are: see the
    /// [module's text](super).
    ///
    /// # Errors
    /// [`Error::Usage`] for no items, or a request that does not fit the catalogue; [`Error::Data`] if a score
    /// is not finite.
    pub fn top(
        &self,
        request: &Request<'_>,
        n: usize,
        threads: &Threads,
    ) -> Result<Vec<Vec<Scored>>> {
        if n == 0 {
            return Err(Error::usage("the number of items (--top) must be at least 1"));
        }
        let asking = self.asking(request, threads)?;
        let parts = threads.map(self.parts(threads), |part| {
            self.part_of_top(request, &asking, n.min(self.catalogue.len()), part)
        });
        let mut parts = parts.into_iter();
        let mut all = parts.next().unwrap_or_else(|| Ok(Vec::new()))?;
        for part in parts {
            all.iter_mut().zip(part?).for_each(|(best, other)| best.join(other));
        }
        let done = threads.map(all.into_iter().enumerate().collect(), |(context, best)| {
            let mut whole = Whole::new(self.model);
            best.done(|item| self.score(&mut whole, request, context, item))
        });
        match done.iter().flatten().find(|scored| !scored.score.is_finite()) {
            Some(scored) => Err(self.not_finite(scored.item)),
            None => Ok(done),
        }
    }

    /// The best items of each context among some of the items, not yet scored as rows.
    fn part_of_top(
        &self,
        request: &Request<'_>,
        asking: &Asking,
        wanted: usize,
        items: Range<usize>,
    ) -> Result<Vec<Best>> {
        let each = asking.margins.iter().zip(&asking.halves.scores);
        let mut all: Vec<Best> =
            each.map(|(&margin, &own)| Best::new(wanted, margin, own)).collect();
        let mut whole = Whole::new(self.model);
        tiles::for_each(&asking.halves, &self.items, items, |context, first, products| {
            let seen = request.seen(context);
            all[context].take(
                first,
                products,
                |item| request.may_come(item) && seen.binary_search(&item).is_err(),
                |item| self.score(&mut whole, request, context, item),
            );
        })?;
        Ok(all)
    }

    /// The vectors of the contexts of a request.
    pub(super) fn asking(&self, request: &Request<'_>, threads: &Threads) -> Result<Asking> {
        request.check(self.catalogue.len())?;
        let halves = halves(self.model, &self.sides, Side::Context, request.contexts, threads);
        let floats = self.model.weights.factors.width() as f64;
        let orders = self.model.config.order.max(2) as f64;
        let margin = |context: &Magnitude| {
            let features = (context.features + self.size.features) as f64;
            let roundings = self.roundings + features * (2.0 + orders + floats / 8.0);
            let terms = context.alone + self.size.alone + context.length * self.size.length;
            let margin = 2.0 * roundings * f64::from(f32::EPSILON) * terms;
            // Terms beyond what floats hold may be anything on the way.
            let is_known = terms < f64::from(f32::MAX) / 16.0;
            if is_known { margin + f64::from(f32::MIN_POSITIVE) } else { f64::INFINITY }
        };
        let margins = halves.sizes.iter().map(margin).collect();
        Ok(Asking { halves, margins })
    }

    /// The items in as many parts as there are threads.
    pub(super) fn parts(&self, threads: &Threads) -> Vec<Range<usize>> {
        let (all, share) = (self.catalogue.len(), threads.share(self.catalogue.len()));
        (0..all).step_by(share).map(|first| first..all.min(first + share)).collect()
    }

    /// The score of a context with an item as a row.
    pub(super) fn score(
        &self,
        whole: &mut Whole<'_>,
        request: &Request<'_>,
        context: usize,
        item: u32,
    ) -> f32 {
        whole.score(request.contexts.row(context), self.catalogue.rows().row(item as usize))
    }

    /// The error of a score that is none.
    pub(super) fn not_finite(&self, item: u32) -> Error {
        let name = crate::input::quoted(self.catalogue.name(item));
        let message = format!("the score of item {name} is not finite: its values are too large");
        Error::data(self.catalogue.file(), message)
    }
}
