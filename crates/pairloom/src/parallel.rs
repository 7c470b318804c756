//! Splitting work into as many parts as there are threads.
//!
//! One thread means the caller's own: nothing is handed over, which for a batch of a few hundred
//! rows would cost more than the work.

use crate::{Error, Result};
use rayon::prelude::*;

/// A fixed number of threads.
pub struct Threads {
    pool: Option<rayon::ThreadPool>,
    count: usize,
}

impl Threads {
    /// More than this many cores are in no machine, and starting them would take minutes.
    const MOST: usize = 1024;

    /// `count` threads; 0 takes one for each core.
    ///
    /// # Errors
    /// [`Error::Usage`] for more than 1024 threads, [`Error::Memory`] if the system does not give
    /// them.
    pub fn new(count: usize) -> Result<Self> {
        if count > Self::MOST {
            return Err(Error::setting("threads", &format!("at most {}", Self::MOST)));
        }
        let cores = || std::thread::available_parallelism().map_or(1, |n| n.get());
        let count = if count == 0 { cores() } else { count };
        if count == 1 {
            return Ok(Threads { pool: None, count });
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build();
        let pool = pool.map_err(|e| Error::Memory(format!("cannot start {count} threads: {e}")))?;
        Ok(Threads { pool: Some(pool), count })
    }

    /// Number of threads.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many of `items` go to each thread, so that all get some.
    pub fn share(&self, items: usize) -> usize {
        items.div_ceil(self.count).max(1)
    }

    /// Runs `work` on each part.
    pub fn each<P: Send>(&self, parts: Vec<P>, work: impl Fn(P) + Sync + Send) {
        match &self.pool {
            None => parts.into_iter().for_each(work),
            Some(pool) => pool.install(|| parts.into_par_iter().for_each(work)),
        }
    }

    /// What `work` makes of each part, in their order.
    pub fn map<P: Send, R: Send>(
        &self,
        parts: Vec<P>,
        work: impl Fn(P) -> R + Sync + Send,
    ) -> Vec<R> {
        match &self.pool {
            None => parts.into_iter().map(work).collect(),
            Some(pool) => pool.install(|| parts.into_par_iter().map(work).collect()),
        }
    }
}
