//! The rows that steps are taken over, and those that come next, on their way to the devices meanwhile.

use super::device::{self, Device};
use super::rank::Rank;
use super::rows::{OnDevice, of_rank};
use super::{Gpu, memory};
use crate::Result;
use crate::batch::Rows;
use crate::interaction::Interaction;
use crate::store::Bring;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where they are copied to, which one thread does at a time.
pub(super) struct Ahead {
    /// Of each rank, with an order of work of its own: kernels go on meanwhile.
    ranks: Vec<(Arc<dyn Device>, OnDevice)>,
    /// Whether there are rows that no step was taken over.
    is_full: bool,
}

impl Ahead {
    /// For these ranks, whose rows are copied in the same order of work from now on.
    fn new(ranks: &mut [Rank]) -> Result<Self> {
        let copiers = ranks.iter().map(|rank| rank.device.copier()).collect::<Result<Vec<_>>>()?;
        let of_rank = |(rank, copier): (&mut Rank, Arc<dyn Device>)| {
            rank.rows = OnDevice::new(&copier);
            let next = OnDevice::new(&copier);
            (copier, next)
        };
        let ranks = ranks.iter_mut().zip(copiers).map(of_rank).collect();
        Ok(Ahead { ranks, is_full: false })
    }

    /// Copies rows, if there is room and those that were copied before were taken.
    fn bring(&mut self, rows: &Rows) -> Result<bool> {
        if self.is_full {
            return Ok(false);
        }
        let all = self.ranks.len();
        for (at, (copier, next)) in self.ranks.iter().enumerate() {
            let more = next.more_bytes(rows, &of_rank(rows, at, all));
            if more > 0 && more + memory::SPARE > copier.free_bytes()? {
                return Ok(false);
            }
        }
        let mut ranks = self.ranks.iter_mut().enumerate();
        let fill =
            |(at, (_, next)): (usize, &mut (_, OnDevice))| next.fill(rows, &of_rank(rows, at, all));
        self.is_full = memory::had_room(ranks.try_for_each(fill))?;
        Ok(self.is_full)
    }

    /// Gives back the room of rows that are not there.
    fn give_back(&mut self) {
        if !self.is_full {
            self.ranks.iter_mut().for_each(|(copier, next)| *next = OnDevice::new(copier));
        }
    }

    /// Copying and steps that are given after it begin when all are done that were given before.
    fn meet(&self, ranks: &[Rank]) -> Result<()> {
        let copiers = self.ranks.iter().map(|(copier, _)| &**copier);
        let devices: Vec<_> = ranks.iter().map(|rank| &*rank.device).chain(copiers).collect();
        device::meet(&devices)
    }
}

/// Who has it last may have failed, which is told elsewhere.
fn lock(ahead: &Mutex<Ahead>) -> MutexGuard<'_, Ahead> {
    ahead.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<M: Interaction> Gpu<M> {
    /// What brings rows, on another thread.
    pub(super) fn bring_ahead(&mut self) -> Result<Bring> {
        let ahead = match &self.ahead {
            Some(ahead) => ahead.clone(),
            None => {
                let ahead = Arc::new(Mutex::new(Ahead::new(&mut self.ranks)?));
                self.ahead.insert(ahead).clone()
            }
        };
        // Of a walk that ended early there may be some.
        lock(&ahead).is_full = false;
        Ok(Box::new(move |rows| lock(&ahead).bring(rows)))
    }

    /// Steps are taken over rows that were brought.
    pub(super) fn take_brought(&mut self, rows: &Rows) -> Result<()> {
        self.leave_rows()?;
        let Some(ahead) = self.ahead.clone() else { return self.take_rows(rows) };
        let mut ahead = lock(&ahead);
        if !mem::take(&mut ahead.is_full) {
            drop(ahead);
            return self.take_rows(rows);
        }
        ahead.meet(&self.ranks)?;
        let next = ahead.ranks.iter_mut().map(|(_, next)| next);
        self.ranks.iter_mut().zip(next).for_each(|(rank, next)| mem::swap(&mut rank.rows, next));
        self.are_all_there = true;
        Ok(())
    }

    /// Steps are taken over these rows, which stay on the devices if there is room.
    pub(super) fn take_rows(&mut self, rows: &Rows) -> Result<()> {
        self.leave_rows()?;
        let all = self.ranks.len();
        // A device is given its work by one thread at a time.
        let ahead = self.ahead.clone();
        let mut ahead = ahead.as_ref().map(|ahead| lock(ahead));
        self.are_all_there = self.have_room(rows)?;
        if let (false, Some(ahead)) = (self.are_all_there, &mut ahead) {
            ahead.give_back();
            self.are_all_there = self.have_room(rows)?;
        }
        if !self.are_all_there {
            return Ok(());
        }
        // Steps before may be at those that go.
        ahead.as_ref().map_or(Ok(()), |ahead| ahead.meet(&self.ranks))?;
        let mut ranks = self.ranks.iter_mut().enumerate();
        let fill = |(at, rank): (usize, &mut Rank)| rank.rows.fill(rows, &of_rank(rows, at, all));
        self.are_all_there = memory::had_room(ranks.try_for_each(fill))?;
        // Each reads the rows of others.
        ahead.as_ref().map_or_else(|| self.meet(), |ahead| ahead.meet(&self.ranks))
    }

    /// Whether the devices have room for the rows that steps are taken over.
    fn have_room(&self, rows: &Rows) -> Result<bool> {
        let mut have = true;
        for (at, rank) in self.ranks.iter().enumerate() {
            let more = rank.rows.more_bytes(rows, &of_rank(rows, at, self.ranks.len()));
            have &= more == 0 || more + memory::SPARE <= rank.device.free_bytes()?;
        }
        Ok(have)
    }

    /// Batches of the rows before are none of these.
    fn leave_rows(&mut self) -> Result<()> {
        self.announced = None;
        self.forget_laid_out()
    }
}
