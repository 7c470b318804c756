//! How much memory there is, asked before much of it is taken: on a system that promises more
//! than it has, an allocation succeeds and the process is killed later.

use crate::{Error, Result};

/// Refuses a need for more bytes than are free. Where the system does not tell, nothing is refused.
///
/// # Errors
/// [`Error::Memory`] saying what `what` needs, what there is, and `remedy`.
pub fn check(need: u128, what: &str, remedy: &str) -> Result<()> {
    match available() {
        Some(free) if need > u128::from(free) => {
            let message =
                format!("{what} needs {} of memory and {} are free", gib(need), gib(free.into()));
            Err(Error::Memory(format!("{message}: {remedy}")))
        }
        _ => Ok(()),
    }
}

/// Bytes in words.
pub fn gib(bytes: u128) -> String {
    let bytes = bytes as f64;
    match bytes {
        b if b >= (1u64 << 30) as f64 => format!("{:.1} GiB", b / (1u64 << 30) as f64),
        b => format!("{:.1} MiB", b / (1u64 << 20) as f64),
    }
}

/// Free memory of the machine or of the container, whichever is less (Linux).
pub(crate) fn available() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let number = |text: String| text.trim().parse::<u64>().ok();
    let machine = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        Some(number(line.trim().trim_end_matches(" kB").to_string())? * 1024)
    });
    let limit = read("/sys/fs/cgroup/memory.max").and_then(number);
    let used = read("/sys/fs/cgroup/memory.current").and_then(number);
    let container = limit.zip(used).map(|(limit, used)| limit.saturating_sub(used));
    machine.into_iter().chain(container).min()
}
