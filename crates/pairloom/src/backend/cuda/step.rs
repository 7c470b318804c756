//! A step on all ranks.

use super::kernels::{Args, NONE, OfOrder, Outcome};
use super::rank::Rank;
use super::{Gpu, Newer};
use crate::Result;
use crate::backend::{Learned, Lists, NoStep, Places, ranked};
use crate::batch::Rows;
use crate::interaction::Interaction;
use crate::optimizer::Adam;
use std::borrow::Cow;
use std::ops::Range;

/// Which rows a step is over.
#[derive(PartialEq)]
pub(super) enum Which<'a> {
    /// Those of these numbers.
    Listed(Cow<'a, [u32]>),
    /// Those that stand there in an order.
    Places(Places),
}

impl Which<'_> {
    fn len(&self) -> usize {
        match self {
            Which::Listed(batch) => batch.len(),
            Which::Places(places) => places.range.len(),
        }
    }

    fn kept(self) -> Which<'static> {
        match self {
            Which::Listed(batch) => Which::Listed(batch.into_owned().into()),
            Which::Places(places) => Which::Places(places),
        }
    }

    /// The number of the row at a place.
    fn number(&self, at: usize) -> usize {
        match self {
            Which::Listed(batch) => batch[at] as usize,
            Which::Places(places) => places.number(at) as usize,
        }
    }
}

/// A batch that the devices have looked up, or will.
pub(super) struct LaidOut {
    which: Which<'static>,
    /// On which side of [`Scratch`](super::buffers::Scratch).
    side: usize,
    /// Of each rank its places in the batch, as many as others have, one after the other.
    parts: Vec<(Range<usize>, Entries)>,
}

/// How many entries the rows of a part have.
enum Entries {
    Known(usize),
    /// The device counts them: see [`Device::end_read`](super::device::Device::end_read).
    Read(usize),
}

/// A step that was given to the devices.
pub(super) struct Pending {
    /// The reading of its outcome on each rank.
    reads: Vec<usize>,
    parts: Vec<Part>,
    which: Which<'static>,
    /// Steps taken and features learned from before it.
    before: [u64; 2],
}

/// What a rank has of a batch.
struct Part {
    places: Range<usize>,
    entries: usize,
}

impl<M: Interaction> Gpu<M> {
    /// A step, of lists or of rows one by one.
    pub(super) fn learn(
        &mut self,
        rows: &Rows,
        which: Which<'_>,
        lists: Lists<'_>,
        rate: f32,
    ) -> Result<Learned, NoStep> {
        self.upload()?;
        let LaidOut { which, side, parts } = self.laid_out(rows, which)?;
        let parts = self.parts(side, parts)?;
        for (rank, part) in self.ranks.iter_mut().zip(&parts) {
            rank.scratch.reserve(part.places.len(), part.entries, self.shape)?;
        }
        // So its entries are counted when this step has just begun.
        if let Some(next) = self.announced.take().filter(|_| self.are_all_there) {
            self.laid_out = Some(self.lay_out(rows, next)?);
        }
        let before = [self.state.time, self.state.learned];
        let time = self.state.time + 1;
        let (corrected, root) = Adam::corrected(rate, time);
        let all = Args { rate, corrected, root, ..self.args(time) };
        for (rank, part) in self.ranks.iter_mut().zip(&parts) {
            rank.clear_outcome(time, part.places.len())?;
        }
        let args = |gpu: &Self, at: usize| {
            gpu.args_of(at, &gpu.ranks[at], (side, parts[at].places.len()), &all)
        };
        for (at, rank) in self.ranks.iter().enumerate() {
            rank.forward(args(self, at))?;
        }
        let weight = match (&which, self.settings.loss.is_ranking()) {
            (Which::Listed(batch), true) => Some(self.slopes_of_lists(&parts, rows, batch, lists)?),
            _ => None,
        };
        for (at, rank) in self.ranks.iter().enumerate() {
            rank.sum(args(self, at), parts[at].entries)?;
        }
        self.meet()?;
        for (at, rank) in self.ranks.iter().enumerate() {
            rank.apply(args(self, at))?;
        }
        let reads =
            self.ranks.iter().map(|rank| rank.begin_outcome(time)).collect::<Result<_>>()?;
        self.meet()?;
        self.newer = Newer::Device;
        let entries: usize = parts.iter().map(|part| part.entries).sum();
        (self.state.time, self.state.learned) = (time, before[1] + entries as u64);
        let last = self.pending.replace(Pending { reads, parts, which, before });
        let done = last.map_or(Ok(Learned::default()), |last| self.settle(last))?;
        let Some(weight) = weight else { return Ok(done) };
        let own = self.pending.take().map_or(Ok(Learned::default()), |own| self.settle(own))?;
        Ok(Learned { weight, ..own })
    }

    /// What a step has brought. If it was not taken, neither was the one after it.
    pub(super) fn settle(&mut self, step: Pending) -> Result<Learned, NoStep> {
        let (mut learned, mut bad) = (Learned::default(), None);
        for (outcome, part) in self.outcomes(&step.reads)?.into_iter().zip(&step.parts) {
            learned += Learned { loss: outcome.loss, weight: outcome.weight };
            if outcome.bad != NONE {
                // Parts are in the order of the batch.
                bad = bad.or(Some(part.places.start + outcome.bad as usize));
            }
        }
        let Some(bad) = bad else { return Ok(learned) };
        self.forget_laid_out()?;
        if let Some(after) = self.pending.take() {
            self.outcomes(&after.reads)?;
        }
        [self.state.time, self.state.learned] = step.before;
        for rank in &mut self.ranks {
            rank.scratch.outcome.write(0, &[Outcome::NOTHING; 2])?;
        }
        Err(NoStep::NotFinite(step.which.number(bad)))
    }

    pub(super) fn outcomes(&self, reads: &[usize]) -> Result<Vec<Outcome>> {
        let reads = self.ranks.iter().zip(reads);
        reads.map(|(rank, &read)| rank.scratch.outcome.end_read(read)).collect()
    }

    /// The batch, looked up before if it was announced.
    fn laid_out(&mut self, rows: &Rows, which: Which<'_>) -> Result<LaidOut> {
        match self.laid_out.take() {
            Some(found) if found.which == which => Ok(found),
            other => {
                self.laid_out = other;
                self.forget_laid_out()?;
                self.lay_out(rows, which.kept())
            }
        }
    }

    /// Drops a batch that was looked up, as no step is taken over it.
    pub(super) fn forget_laid_out(&mut self) -> Result<()> {
        match self.laid_out.take() {
            Some(laid_out) => self.parts(laid_out.side, laid_out.parts).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Waits for how many entries the parts of a batch have.
    fn parts(&self, side: usize, parts: Vec<(Range<usize>, Entries)>) -> Result<Vec<Part>> {
        let parts = self.ranks.iter().zip(parts);
        let part = |(rank, (places, entries)): (&Rank, (Range<usize>, Entries))| {
            let entries = match entries {
                Entries::Known(entries) => entries,
                Entries::Read(read) => rank.scratch.offsets[side].end_read(read)? as usize,
            };
            Ok(Part { places, entries })
        };
        parts.map(part).collect()
    }

    /// Says to each device which rows are its part of the batch, or brings it these rows, and has it look them up.
    fn lay_out(&mut self, rows: &Rows, which: Which<'static>) -> Result<LaidOut> {
        self.side = 1 - self.side;
        let side = self.side;
        let each = which.len().div_ceil(self.shape.ranks);
        let places = |at: usize| (at * each).min(which.len())..((at + 1) * each).min(which.len());
        let mut known = vec![None; self.ranks.len()];
        for (at, rank) in self.ranks.iter_mut().enumerate() {
            rank.scratch.reserve_rows(side, places(at).len())?;
            match &which {
                Which::Listed(batch) if self.are_all_there => {
                    rank.scratch.batch[side].write(0, &batch[places(at)])?;
                }
                Which::Listed(batch) => {
                    known[at] = Some(rank.others.gather(rows, &batch[places(at)])?);
                }
                Which::Places(_) => {}
            }
        }
        let all = self.args(self.state.time);
        let mut parts = Vec::with_capacity(self.ranks.len());
        for ((at, rank), known) in self.ranks.iter().enumerate().zip(known) {
            let own = places(at);
            let args = self.args_of(at, rank, (side, own.len()), &all);
            if let Which::Places(Places { order, range }) = &which {
                let first = (range.start + own.start) as u32;
                rank.numbers(Args { first, order: OfOrder::of(order), ..args })?;
            }
            rank.lay_out(args)?;
            let entries = match known {
                Some(entries) => Entries::Known(entries),
                None => Entries::Read(rank.scratch.offsets[side].begin_read(own.len())?),
            };
            parts.push((own, entries));
        }
        Ok(LaidOut { which, side, parts })
    }

    /// What kernels of a rank are given that work on its part of a batch, of so many rows.
    fn args_of(&self, at: usize, rank: &Rank, (side, rows): (usize, usize), all: &Args) -> Args {
        let scratch = &rank.scratch;
        let (own, batch) = match self.are_all_there {
            true => (rank.rows.addresses(), scratch.batch[side].address()),
            false => (rank.others.addresses(), 0),
        };
        let (offsets, rows) = (scratch.offsets[side].address(), rows as u32);
        Args { batch, offsets, rows, rank: at as u32, ..rank.args(own, all) }
    }

    /// From scores, which are where slopes will be, to losses and slopes. Returns the weight of the rows that have some
    /// of their list below them.
    fn slopes_of_lists(
        &mut self,
        parts: &[Part],
        rows: &Rows,
        batch: &[u32],
        lists: Lists<'_>,
    ) -> Result<f64> {
        let (mut slopes, mut losses) = (vec![0.0; batch.len()], vec![0.0; batch.len()]);
        for (rank, part) in self.ranks.iter().zip(parts) {
            rank.scratch.slopes.read(&mut slopes[part.places.clone()])?;
        }
        let outcomes: Vec<_> = batch.iter().map(|&row| rows.label(row as usize)).collect();
        let loss = self.settings.loss;
        let weight = ranked::slopes(loss, &outcomes, lists, (&mut slopes, &mut losses));
        for (rank, part) in self.ranks.iter_mut().zip(parts) {
            rank.scratch.slopes.write(0, &slopes[part.places.clone()])?;
            rank.scratch.losses.write(0, &losses[part.places.clone()])?;
        }
        Ok(weight)
    }
}

impl<M> Drop for Gpu<M> {
    /// Steps are not to be at rows that go: copiers, with which these lie, do not know of them.
    fn drop(&mut self) {
        if let Some(Pending { reads, .. }) = self.pending.take() {
            let reads = self.ranks.iter().zip(reads);
            reads.for_each(|(rank, read)| drop(rank.scratch.outcome.end_read(read)));
        }
    }
}
