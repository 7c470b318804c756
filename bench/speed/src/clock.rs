//! Time that passed, and time that the processor spent on us: on a shared machine only the second
//! says what a single thread can do.

use crate::Result;
use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;

/// What a piece of work took.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    /// Seconds that passed.
    pub wall: f64,
    /// Seconds of the processor: of this thread, or of all.
    pub cpu: f64,
}

/// Times work by the processor time of this thread.
pub fn thread<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Spent)> {
    timed(ClockId::ThreadCPUTime, work)
}

/// Times work by the processor time of all threads, those included that have ended.
pub fn process<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Spent)> {
    timed(ClockId::ProcessCPUTime, work)
}

fn timed<T>(clock: ClockId, work: impl FnOnce() -> Result<T>) -> Result<(T, Spent)> {
    let cpu = || {
        let time = clock_gettime(clock);
        time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
    };
    let (from, began) = (cpu(), Instant::now());
    let done = work()?;
    Ok((done, Spent { wall: began.elapsed().as_secs_f64(), cpu: cpu() - from }))
}
