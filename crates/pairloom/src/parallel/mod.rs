//! Splitting work into as many parts as there are threads.
//!
//! A training step is two short halves, each of which waits for the one before: at 256 rows a batch
//! there are ten thousand of them a second. Threads that are woken by the system for each cost more
//! than they bring (rayon's pool made two threads as slow as one), so those here look for their next
//! work for a while before they go to sleep.

mod jobs;
mod team;

pub(crate) use jobs::{Share, jobs};

use crate::{Error, Result};
use std::sync::{Mutex, PoisonError};
use team::Team;

/// A fixed number of threads, the caller's among them.
pub struct Threads {
    team: Option<Team>,
    count: usize,
}

impl Threads {
    /// More than this many cores are in no machine, and starting them would take minutes.
    pub(crate) const MOST: usize = 1024;

    /// `count` threads; 0 takes one for each core.
    ///
    /// # Errors
    /// [`Error::Usage`] for more than 1024 threads, [`Error::Memory`] if the system does not give
    /// them.
    pub fn new(count: usize) -> Result<Self> {
        let count = Self::number(count)?;
        if count == 1 {
            return Ok(Threads { team: None, count });
        }
        let failed = |e| Error::Memory(format!("cannot start {count} threads: {e}"));
        Ok(Threads { team: Some(Team::new(count - 1).map_err(failed)?), count })
    }

    /// How many threads are meant: 0 is one for each core.
    pub(crate) fn number(count: usize) -> Result<usize> {
        if count > Self::MOST {
            return Err(Error::setting("threads", &format!("at most {}", Self::MOST)));
        }
        let cores = || std::thread::available_parallelism().map_or(1, |n| n.get());
        Ok(if count == 0 { cores() } else { count })
    }

    /// Number of threads.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many of `items` go to each thread, so that all get some.
    pub fn share(&self, items: usize) -> usize {
        items.div_ceil(self.count).max(1)
    }

    /// Runs `work` on each part. Each thread begins with the part of its number, so that what one
    /// call leaves in a core's cache the next one finds there.
    ///
    /// # Panics
    /// If `work` does.
    pub fn each<P: Send>(&self, parts: Vec<P>, work: impl Fn(P) + Sync + Send) {
        let Some(team) = self.team.as_ref().filter(|_| parts.len() > 1) else {
            return parts.into_iter().for_each(work);
        };
        let parts: Vec<Mutex<Option<P>>> = parts.into_iter().map(|p| Mutex::new(Some(p))).collect();
        team.run(&|thread| {
            // Then those that no other thread has come to.
            let (before, from) = parts.split_at(thread.min(parts.len()));
            for part in from.iter().chain(before) {
                // The lock is not held while the part is worked on.
                let part = part.lock().unwrap_or_else(PoisonError::into_inner).take();
                part.into_iter().for_each(&work);
            }
        });
    }

    /// What `work` makes of each part, in their order.
    ///
    /// # Panics
    /// If `work` does.
    pub fn map<P: Send, R: Send>(
        &self,
        parts: Vec<P>,
        work: impl Fn(P) -> R + Sync + Send,
    ) -> Vec<R> {
        let mut results: Vec<Option<R>> = parts.iter().map(|_| None).collect();
        let parts = parts.into_iter().zip(&mut results).collect();
        self.each(parts, |(part, result)| *result = Some(work(part)));
        results.into_iter().flatten().collect()
    }
}

/// Threads, and whom to ask now and then whether work is to go on.
pub(crate) struct Asking<'a> {
    pub(crate) threads: &'a Threads,
    /// False is the wish to stop.
    pub(crate) watch: &'a mut dyn FnMut() -> bool,
}

impl Asking<'_> {
    /// As [`Threads::map`], but that it asks before each thread gets some parts.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if it is to stop, and those of `work`.
    pub(crate) fn map<P: Send, R: Send>(
        &mut self,
        parts: impl IntoIterator<Item = P>,
        some: usize,
        work: impl Fn(P) -> Result<R> + Sync + Send,
    ) -> Result<Vec<R>> {
        let (mut parts, mut results) = (parts.into_iter(), Vec::new());
        loop {
            let wave: Vec<P> = parts.by_ref().take(some * self.threads.count()).collect();
            if wave.is_empty() {
                return Ok(results);
            }
            if !(self.watch)() {
                return Err(Error::Interrupted);
            }
            for result in self.threads.map(wave, &work) {
                results.push(result?);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asking, Threads};
    use crate::Error;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_part_is_worked_on_once_and_in_its_place() {
        for count in [1, 2, 3, 8] {
            let threads = Threads::new(count).unwrap();
            for parts in 0..20usize {
                let squares = threads.map((0..parts).collect(), |n| n * n);
                assert_eq!(squares, (0..parts).map(|n| n * n).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn work_ends_between_parts_if_it_is_wanted() {
        let threads = Threads::new(2).unwrap();
        for ends in [0, 1, 3, 5] {
            let (mut asked, done) = (0, AtomicUsize::new(0));
            let mut watch = || {
                asked += 1;
                asked <= ends
            };
            let mut asking = Asking { threads: &threads, watch: &mut watch };
            let found = asking.map(0..19, 2, |n| {
                done.fetch_add(1, Ordering::Relaxed);
                Ok(n * n)
            });
            match found {
                Ok(squares) => assert_eq!(squares, (0..19).map(|n| n * n).collect::<Vec<_>>()),
                Err(error) => assert!(matches!(error, Error::Interrupted)),
            }
            assert_eq!(done.into_inner(), (4 * ends).min(19));
        }
    }

    #[test]
    fn parts_may_be_borrowed_and_changed() {
        let threads = Threads::new(3).unwrap();
        let mut numbers = vec![1u64; 1000];
        for _ in 0..2000 {
            let share = threads.share(numbers.len());
            threads.each(numbers.chunks_mut(share).collect(), |part| {
                part.iter_mut().for_each(|n| *n += 1);
            });
        }
        assert!(numbers.iter().all(|&n| n == 2001));
    }

    #[test]
    fn a_panic_comes_back_to_the_caller_and_the_threads_go_on() {
        let threads = Threads::new(3).unwrap();
        for bad in 0..3 {
            let work = |n: usize| assert_ne!(n, bad, "this one");
            let panic = catch_unwind(AssertUnwindSafe(|| threads.each((0..3).collect(), work)));
            assert!(panic.is_err(), "{bad}");
            assert_eq!(threads.map(vec![1, 2, 3], |n| n + 1), [2, 3, 4]);
        }
    }

    #[test]
    fn threads_sleep_and_wake() {
        let threads = Threads::new(4).unwrap();
        for pause in [0, 1, 30] {
            std::thread::sleep(std::time::Duration::from_millis(pause));
            assert_eq!(
                threads.map(vec![1, 2, 3, 4], |n| n * pause),
                [1, 2, 3, 4].map(|n| n * pause)
            );
        }
    }
}
