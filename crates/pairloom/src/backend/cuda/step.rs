//! A step on all ranks.

use super::kernels::{Args, NONE, OfOrder, Outcome};
use super::rank::Rank;
use super::{Gpu, Newer};
use crate::Result;
use crate::backend::{Backend, Learned, Lists, NoStep, Places, ranked};
use crate::batch::Rows;
use crate::interaction::Interaction;
use crate::optimizer::Adam;
use std::borrow::Cow;
use std::ops::Range;

/// Which rows a step is over.
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

/// A step that was given to the devices.
pub(super) struct Pending {
    /// The reading of its outcome on each rank.
    reads: Vec<usize>,
    parts: Vec<Part>,
    which: Which<'static>,
    /// Steps taken and features learned from before it.
    before: [u64; 2],
}

/// What a rank has of a batch: as much as others, one after the other.
struct Part {
    /// Its places in the batch.
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
        let parts = self.lay_out(rows, &which)?;
        let before = [self.state.time, self.state.learned];
        let time = self.state.time + 1;
        let (corrected, root) = Adam::corrected(rate, time);
        let all = Args { rate, corrected, root, ..self.args(time) };
        for (rank, part) in self.ranks.iter_mut().zip(&parts) {
            rank.clear_outcome(time, part.places.len())?;
        }
        let are_brought = !self.are_all_there;
        let args = |at: usize, rank: &Rank| {
            let rows = if are_brought { &rank.others } else { &rank.rows };
            let args = rank.args(rows, &all);
            let batch = if are_brought { 0 } else { args.batch };
            Args { batch, rows: parts[at].places.len() as u32, rank: at as u32, ..args }
        };
        for (at, rank) in self.ranks.iter().enumerate() {
            if let Which::Places(places) = &which {
                let first = (places.range.start + parts[at].places.start) as u32;
                rank.numbers(Args { first, order: OfOrder::of(&places.order), ..args(at, rank) })?;
            }
            rank.forward(args(at, rank))?;
        }
        let weight = match (&which, self.settings.loss.is_ranking()) {
            (Which::Listed(batch), true) => Some(self.rank_scores(&parts, rows, batch, lists)?),
            _ => None,
        };
        for (at, rank) in self.ranks.iter().enumerate() {
            rank.sum(args(at, rank), parts[at].entries)?;
        }
        self.meet()?;
        for (at, rank) in self.ranks.iter().enumerate() {
            rank.apply(args(at, rank))?;
        }
        let reads =
            self.ranks.iter().map(|rank| rank.begin_outcome(time)).collect::<Result<_>>()?;
        self.meet()?;
        self.newer = Newer::Device;
        let entries: usize = parts.iter().map(|part| part.entries).sum();
        (self.state.time, self.state.learned) = (time, before[1] + entries as u64);
        let last = self.pending.replace(Pending { reads, parts, which: which.kept(), before });
        let done = last.map_or(Ok(Learned::default()), |last| self.settle(last))?;
        let Some(weight) = weight else { return Ok(done) };
        Ok(Learned { weight, ..self.finish()? })
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

    /// Says to each device which rows are its part of the batch, or brings it these rows.
    fn lay_out(&mut self, rows: &Rows, which: &Which<'_>) -> Result<Vec<Part>> {
        let each = which.len().div_ceil(self.shape.ranks);
        let mut parts = Vec::with_capacity(self.shape.ranks);
        for (at, rank) in self.ranks.iter_mut().enumerate() {
            let places = (at * each).min(which.len())..((at + 1) * each).min(which.len());
            let own = match which {
                Which::Listed(batch) => &batch[places.clone()],
                Which::Places(_) => &[],
            };
            let entries = match self.length {
                _ if !self.are_all_there => rank.others.gather(rows, own)?,
                Some(each) => each * places.len(),
                None => own.iter().map(|&row| rows.row(row as usize).ids.len()).sum(),
            };
            rank.scratch.reserve(places.len(), entries, self.shape)?;
            rank.scratch.batch.write(0, own)?;
            parts.push(Part { places, entries });
        }
        Ok(parts)
    }

    /// From scores, which are where slopes will be, to losses and slopes. Returns the weight of the rows that have some
    /// of their list below them.
    fn rank_scores(
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
        let weight = ranked::rank(loss, &outcomes, lists, (&mut slopes, &mut losses));
        for (rank, part) in self.ranks.iter_mut().zip(parts) {
            rank.scratch.slopes.write(0, &slopes[part.places.clone()])?;
            rank.scratch.losses.write(0, &losses[part.places.clone()])?;
        }
        Ok(weight)
    }
}
