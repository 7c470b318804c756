//! Scores of rows: of some that are brought, or of some that are there already.

use super::kernels::{Args, OfRows};
use super::{Gpu, memory, rows};
use crate::Result;
use crate::batch::{BLOCK_ROWS, Rows};
use crate::interaction::Interaction;

/// Numbers of 4 bytes that rows take that are scored at a time; so few in tests that they are several times.
const SCORED: usize = if cfg!(test) { 1 << 12 } else { 1 << 23 };

impl<M: Interaction> Gpu<M> {
    /// Brings rows to the devices some at a time, and scores them there.
    pub(super) fn score(&mut self, rows: &Rows) -> Result<Vec<f32>> {
        self.upload()?;
        let classes = self.shape.classes;
        let mut scores = vec![0.0; rows.len() * classes];
        let some = self.at_a_time(rows);
        let mut first = 0;
        for scores in scores.chunks_mut(some * classes * self.shape.ranks) {
            let mut parts = Vec::with_capacity(self.shape.ranks);
            for (rank, scores) in self.ranks.iter_mut().zip(scores.chunks_mut(some * classes)) {
                let count = scores.len() / classes;
                rank.others.fill(rows, &rows::of_range(rows, first..first + count))?;
                first += count;
                parts.push((rank.others.addresses(), scores));
            }
            self.score_parts(parts)?;
        }
        Ok(scores)
    }

    /// Keeps rows on the devices, if there is room.
    pub(super) fn take_held(&mut self, rows: &Rows) -> Result<()> {
        let all = self.shape.ranks;
        self.holds = true;
        for (at, rank) in self.ranks.iter().enumerate() {
            let more = rank.held.more_bytes(rows, &rows::of_rank(rows, at, all));
            self.holds &= more == 0 || more + memory::SPARE <= rank.device.free_bytes()?;
        }
        let mut ranks = self.ranks.iter_mut().enumerate().filter(|_| self.holds);
        let filled =
            ranks.try_for_each(|(at, rank)| rank.held.fill(rows, &rows::of_rank(rows, at, all)));
        self.holds &= memory::had_room(filled)?;
        Ok(())
    }

    /// Scores the rows that are kept.
    pub(super) fn score_held(&mut self, rows: &Rows) -> Result<Vec<f32>> {
        self.upload()?;
        let (classes, all) = (self.shape.classes, self.shape.ranks);
        let own = |at| rows::count(&rows::of_rank(rows, at, all));
        let mut of_ranks: Vec<_> = (0..all).map(|at| vec![0.0; own(at) * classes]).collect();
        let some = self.at_a_time(rows);
        // The first rank has the most.
        for first in (0..own(0)).step_by(some) {
            let places = first * classes..(first + some) * classes;
            let ranks = self.ranks.iter().zip(&mut of_ranks);
            let parts = ranks.map(|(rank, scores)| {
                let clamp = |at: usize| at.min(scores.len());
                let places = clamp(places.start)..clamp(places.end);
                (rank.held.addresses().after(first), &mut scores[places])
            });
            self.score_parts(parts.collect())?;
        }
        let (mut scores, block) = (vec![0.0; rows.len() * classes], BLOCK_ROWS * classes);
        for (at, own) in of_ranks.iter().enumerate() {
            let blocks = scores.chunks_mut(block).skip(at).step_by(all);
            blocks.zip(own.chunks(block)).for_each(|(to, from)| to.copy_from_slice(from));
        }
        Ok(scores)
    }

    /// Rows that a rank scores at a time: of each there are sums and scores, and what it is.
    fn at_a_time(&self, rows: &Rows) -> usize {
        let scored = self.shape.classes * (self.shape.sums() + 1);
        let row = 2 * rows.entries() / rows.len().max(1) + 4;
        (SCORED / (scored + row)).max(1)
    }

    /// Scores rows of the ranks side by side: of each where they lie, one after the other, and where scores go.
    fn score_parts(&mut self, parts: Vec<(OfRows, &mut [f32])>) -> Result<()> {
        for (rank, (_, scores)) in self.ranks.iter_mut().zip(&parts) {
            rank.scratch.slopes.reserve(scores.len())?;
            rank.scratch.sums.reserve(scores.len() * self.shape.sums())?;
        }
        let all = self.args(self.state.time);
        for (rank, (own, scores)) in self.ranks.iter().zip(&parts) {
            let rows = (scores.len() / self.shape.classes) as u32;
            rank.score(Args { rows, ..rank.args(*own, &all) })?;
        }
        let mut parts = self.ranks.iter().zip(parts);
        parts.try_for_each(|(rank, (_, scores))| rank.scratch.slopes.read(scores))
    }
}
