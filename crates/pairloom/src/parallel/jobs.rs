//! Long jobs beside each other, each on a thread of its own, whose results are heard as they come.

use super::Threads;
use crate::{Error, Result};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

/// How often it is asked whether to go on.
const OFTEN: Duration = Duration::from_millis(50);

/// How threads are shared among jobs.
pub(crate) struct Share {
    /// How many go on at a time.
    pub(crate) at_a_time: usize,
    /// Threads of each.
    pub(crate) threads: usize,
}

impl Share {
    /// Of so many threads (0: one for each core) among `count` jobs, `wanted` of them at a time, or 0 for as many as
    /// there are threads.
    ///
    /// # Errors
    /// [`Error::Usage`] for more than 1024 threads, or jobs at a time.
    pub(crate) fn of(threads: usize, wanted: usize, count: usize) -> Result<Self> {
        let threads = Threads::number(threads)?;
        if wanted > Threads::MOST {
            return Err(Error::setting("parallel", &format!("at most {}", Threads::MOST)));
        }
        let wanted = if wanted == 0 { threads } else { wanted };
        let at_a_time = wanted.min(count).max(1);
        Ok(Share { at_a_time, threads: (threads / at_a_time).max(1) })
    }
}

/// Does `count` jobs, at most `at_a_time` of them together. `work` does the one of a number, and asks now and then
/// whether it should go on; [`Error::Interrupted`] if not is no result. `hear` is given each result, or nothing now and
/// then, on the caller's thread, and says whether to go on. Returns whether all were done.
///
/// # Errors
/// Those of `hear`, after which no job goes on; [`Error::Memory`] if the system does not give the threads.
pub(crate) fn jobs<T: Send>(
    count: usize,
    at_a_time: usize,
    work: impl Fn(usize, &dyn Fn() -> bool) -> Result<T> + Sync,
    hear: &mut dyn FnMut(Option<(usize, Result<T>)>) -> Result<bool>,
) -> Result<bool> {
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let goes_on = || !stopped.load(Ordering::Relaxed);
    let each = |to: Sender<(usize, Result<T>)>| {
        while goes_on() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return;
            }
            let result = work(at, &goes_on);
            if matches!(result, Err(Error::Interrupted)) || to.send((at, result)).is_err() {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        let (to, from) = mpsc::channel();
        for to in std::iter::repeat_n(to, at_a_time.min(count).max(1)) {
            let each = &each;
            let begun = std::thread::Builder::new().spawn_scoped(scope, move || each(to));
            begun.map_err(|e| {
                stopped.store(true, Ordering::Relaxed);
                Error::Memory(format!("cannot start {at_a_time} threads: {e}"))
            })?;
        }
        loop {
            let heard = match from.recv_timeout(OFTEN) {
                Ok(result) => hear(Some(result)),
                Err(RecvTimeoutError::Timeout) => hear(None),
                Err(RecvTimeoutError::Disconnected) => return Ok(goes_on()),
            };
            if !matches!(heard, Ok(true)) {
                stopped.store(true, Ordering::Relaxed);
            }
            heard?;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_done_once_and_heard() {
        for at_a_time in [1, 3, 50] {
            let mut heard = vec![0; 20];
            let all = jobs(20, at_a_time, |at, _| Ok(at * at), &mut |result| {
                if let Some((at, square)) = result {
                    assert_eq!(square.unwrap(), at * at);
                    heard[at] += 1;
                }
                Ok(true)
            });
            assert!(all.unwrap() && heard.iter().all(|&times| times == 1), "{heard:?}");
        }
        assert!(jobs(0, 2, |_, _| Ok(()), &mut |_| Ok(true)).unwrap());
    }

    #[test]
    fn who_hears_ends_them() {
        let work = |at: usize, goes_on: &dyn Fn() -> bool| match at {
            0 => Ok(()),
            _ => {
                while goes_on() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(Error::Interrupted)
            }
        };
        let mut results = 0;
        let all = jobs(9, 2, work, &mut |result| {
            results += usize::from(result.is_some());
            Ok(result.is_none())
        });
        assert_eq!((all.unwrap(), results), (false, 1));
        let failed = jobs(9, 2, work, &mut |_| Err(Error::usage("full")));
        assert_eq!(failed.unwrap_err().to_string(), "full");
    }
}
