//! A step on all ranks.

use super::kernels::{Args, NONE, Outcome};
use super::rank::Rank;
use super::rows::place;
use super::{Gpu, Newer, rows::OnDevice};
use crate::Result;
use crate::backend::{Backend, Learned, Lists, NoStep, ranked};
use crate::batch::Rows;
use crate::interaction::Interaction;
use crate::optimizer::Adam;

/// A step that was given to the devices.
pub(super) struct Pending {
    /// The reading of its outcome on each rank.
    reads: Vec<usize>,
    parts: Vec<Part>,
    batch: Vec<u32>,
    /// Steps taken and features learned from before it.
    before: [u64; 2],
}

/// What a rank has of a batch.
struct Part {
    /// Which rows of those that it has; none if they are all in their order.
    numbers: Vec<u32>,
    /// Their places in the batch; none if these are all in their order.
    places: Vec<u32>,
    rows: usize,
    entries: usize,
}

impl Part {
    fn place(&self, at: usize) -> usize {
        self.places.get(at).map_or(at, |&place| place as usize)
    }
}

impl<M: Interaction> Gpu<M> {
    /// A step, of lists or of rows one by one.
    pub(super) fn learn(
        &mut self,
        rows: &Rows,
        batch: &[u32],
        lists: Lists<'_>,
        rate: f32,
    ) -> Result<Learned, NoStep> {
        self.upload()?;
        let parts = self.lay_out(rows, batch)?;
        let before = [self.state.time, self.state.learned];
        let time = self.state.time + 1;
        let (corrected, root) = Adam::corrected(rate, time);
        let all = Args { rate, corrected, root, ..self.args(time) };
        for (rank, part) in self.ranks.iter_mut().zip(&parts) {
            rank.clear_outcome(time, part.rows)?;
        }
        let args = |at: usize, rank: &Rank| Args {
            batch: if parts[at].numbers.is_empty() { 0 } else { rank.scratch.batch.address() },
            rows: parts[at].rows as u32,
            rank: at as u32,
            ..rank.args(&rank.rows, &all)
        };
        let mut ranks = self.ranks.iter().enumerate();
        ranks.try_for_each(|(at, rank)| rank.forward(args(at, rank)))?;
        let weight = match self.settings.loss.is_ranking() {
            true => Some(self.rank_scores(&parts, rows, batch, lists)?),
            false => None,
        };
        let mut ranks = self.ranks.iter().enumerate();
        ranks.try_for_each(|(at, rank)| rank.sum(args(at, rank), parts[at].entries))?;
        self.meet()?;
        let mut ranks = self.ranks.iter().enumerate();
        ranks.try_for_each(|(at, rank)| rank.apply(args(at, rank)))?;
        let reads =
            self.ranks.iter().map(|rank| rank.begin_outcome(time)).collect::<Result<_>>()?;
        self.meet()?;
        self.newer = Newer::Device;
        let entries: usize = parts.iter().map(|part| part.entries).sum();
        (self.state.time, self.state.learned) = (time, before[1] + entries as u64);
        let now = Pending { reads, parts, batch: batch.to_vec(), before };
        let last = self.pending.replace(now);
        let done = last.map_or(Ok(Learned::default()), |last| self.settle(last))?;
        let Some(weight) = weight else { return Ok(done) };
        Ok(Learned { weight, ..self.finish()? })
    }

    /// What a step has brought. If it was not taken, neither was the one after it.
    pub(super) fn settle(&mut self, step: Pending) -> Result<Learned, NoStep> {
        let (mut learned, mut bad) = (Learned::default(), None::<usize>);
        for (outcome, part) in self.outcomes(&step.reads)?.into_iter().zip(&step.parts) {
            learned += Learned { loss: outcome.loss, weight: outcome.weight };
            if outcome.bad != NONE {
                let place = part.place(outcome.bad as usize);
                bad = Some(bad.map_or(place, |bad| bad.min(place)));
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
        Err(NoStep::NotFinite(step.batch[bad] as usize))
    }

    fn outcomes(&self, reads: &[usize]) -> Result<Vec<Outcome>> {
        let reads = self.ranks.iter().zip(reads);
        reads.map(|(rank, &read)| rank.scratch.outcome.end_read(read)).collect()
    }

    /// Says to each device which of its rows are in the batch, or brings it a part of them.
    fn lay_out(&mut self, rows: &Rows, batch: &[u32]) -> Result<Vec<Part>> {
        let all = self.shape.ranks;
        let none = || Part { numbers: Vec::new(), places: Vec::new(), rows: 0, entries: 0 };
        let mut parts: Vec<Part> = (0..all).map(|_| none()).collect();
        let each = batch.len().div_ceil(all).max(1);
        if !self.are_all_there {
            for (at, rows_of_part) in batch.chunks(each).enumerate() {
                let Part { places, rows: count, entries, .. } = &mut parts[at];
                *count = rows_of_part.len();
                *entries = self.ranks[at].rows.gather(rows, rows_of_part)?;
                if all > 1 {
                    let first = (at * each) as u32;
                    places.extend(first..first + *count as u32);
                }
            }
        } else if all == 1 {
            parts[0].numbers = batch.to_vec();
        } else {
            for (at, &row) in batch.iter().enumerate() {
                let (rank, number) = place(row, all);
                parts[rank].numbers.push(number);
                parts[rank].places.push(at as u32);
            }
        }
        for (rank, part) in self.ranks.iter_mut().zip(&mut parts) {
            if self.are_all_there {
                part.rows = part.numbers.len();
                part.entries = entries(&rank.rows, part, rows, batch);
            }
            rank.scratch.reserve(part.rows, part.entries, self.shape)?;
            rank.scratch.batch.write(0, &part.numbers)?;
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
            let mut own = vec![0.0; part.rows];
            rank.scratch.slopes.read(&mut own)?;
            own.iter().enumerate().for_each(|(at, &score)| slopes[part.place(at)] = score);
        }
        let outcomes: Vec<_> = batch.iter().map(|&row| rows.label(row as usize)).collect();
        let loss = self.settings.loss;
        let weight = ranked::rank(loss, &outcomes, lists, (&mut slopes, &mut losses));
        for (rank, part) in self.ranks.iter_mut().zip(parts) {
            let places = || (0..part.rows).map(|at| part.place(at));
            let own: Vec<f32> = places().map(|at| slopes[at]).collect();
            rank.scratch.slopes.write(0, &own)?;
            let own: Vec<f64> = places().map(|at| losses[at]).collect();
            rank.scratch.losses.write(0, &own)?;
        }
        Ok(weight)
    }
}

/// Entries of a part whose rows lie on a device.
fn entries(on_device: &OnDevice, part: &Part, rows: &Rows, batch: &[u32]) -> usize {
    let entries = |at| rows.row(batch[part.place(at)] as usize).ids.len();
    match on_device.length() {
        Some(each) => each * part.rows,
        None => (0..part.rows).map(entries).sum(),
    }
}
