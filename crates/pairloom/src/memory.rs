//! How much memory there is, asked before much of it is taken: on a system that promises more
//! than it has, an allocation succeeds and the process is killed later.

use crate::{Error, Result};

/// What helps where rows take too much.
pub const FEWER_ROWS: &str = "take fewer rows or columns, or a machine with more memory";

/// What helps where features take too much.
pub const FEWER_FEATURES: &str = "raise min_count (--min-count) or set hash_bits (--hash-bits)";

/// What helps where a model takes too much.
pub const SMALLER_MODEL: &str =
    "lower factors (--factors), raise min_count (--min-count) or set hash_bits (--hash-bits)";

/// What helps where there is nothing to be made smaller.
pub const FREE_SOME: &str = "free some, or use a machine with more";

/// Refuses a need for more bytes than are free. Where the system does not tell, only what no system
/// could give is refused.
///
/// # Errors
/// [`Error::Memory`] saying what `what` needs, what there is, and `remedy`.
pub fn check(need: u128, what: &str, remedy: &str) -> Result<()> {
    let free = available().unwrap_or(u64::MAX).min(isize::MAX as u64).into();
    if need <= free {
        return Ok(());
    }
    let (need, free) = (gib(need), gib(free));
    Err(Error::Memory(format!("{what} needs {need} of memory and {free} are free: {remedy}")))
}

/// The error of an allocation that the system has refused.
pub fn refused(what: &str, remedy: &str) -> Error {
    Error::Memory(format!("there is no memory for {what}: {remedy}"))
}

/// Bytes in words.
pub fn gib(bytes: u128) -> String {
    let bytes = bytes as f64;
    match bytes {
        b if b >= (1u64 << 30) as f64 => format!("{:.1} GiB", b / (1u64 << 30) as f64),
        b => format!("{:.1} MiB", b / (1u64 << 20) as f64),
    }
}

/// Free memory of the machine, of the container or under the limit of the process, whichever is
/// least (Linux).
fn available() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let machine = kilobytes(&read("/proc/meminfo"), "MemAvailable:");
    let [limit, used, stat] =
        ["max", "current", "stat"].map(|name| read(&format!("{CGROUP}{name}")));
    let container = container(&limit, &used, &stat);
    let process = process(&read("/proc/self/limits"), &read("/proc/self/status"));
    [machine, container, process].into_iter().flatten().min()
}

/// The most memory that the process has had at a time, where the system tells (Linux).
pub fn peak() -> Option<u64> {
    kilobytes(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

const CGROUP: &str = "/sys/fs/cgroup/memory.";

/// The first number after `name` at the start of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    field(text, name).map(|n| n * 1024)
}

/// What a container may still take. Files that were read count as used and are dropped when their
/// memory is wanted.
fn container(limit: &str, used: &str, stat: &str) -> Option<u64> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let files = ["inactive_file ", "active_file "].map(|name| field(stat, name).unwrap_or(0));
    let used = number(used)?.saturating_sub(files.iter().sum());
    Some(number(limit)?.saturating_sub(used))
}

/// What the process may still take under `ulimit -v`.
fn process(limits: &str, status: &str) -> Option<u64> {
    let limit = field(limits, "Max address space")?;
    Some(limit.saturating_sub(kilobytes(status, "VmSize:")?))
}

#[cfg(test)]
mod tests {
    use super::{container, peak, process};

    #[test]
    #[cfg(target_os = "linux")]
    fn the_peak_is_what_was_taken_at_once() {
        let before = peak().unwrap();
        let pages: Vec<u8> = (0..64 << 20).map(|i| i as u8).collect();
        let after = peak().unwrap();
        assert!(after >= pages.len() as u64 && after >= before, "{before} {after}");
    }

    #[test]
    fn files_that_were_read_do_not_count_as_used() {
        let stat = "anon 300\nfile 500\ninactive_file 400\nactive_file 100\n";
        assert_eq!(container("1000\n", "900\n", stat), Some(600));
        assert_eq!(container("1000\n", "900\n", ""), Some(100));
        assert_eq!(container("800\n", "900\n", ""), Some(0));
        assert_eq!(container("max\n", "900\n", stat), None);
        assert_eq!(container("", "", ""), None);
    }

    #[test]
    fn a_limit_of_the_process_counts() {
        let limits =
            |soft: &str| format!("Max stack size  8  8  bytes\nMax address space {soft} 9 bytes");
        assert_eq!(process(&limits("10240"), "Name:\tx\nVmSize:\t    4 kB\n"), Some(6144));
        assert_eq!(process(&limits("1024"), "VmSize:\t    4 kB\n"), Some(0));
        assert_eq!(process(&limits("unlimited"), "VmSize:\t    4 kB\n"), None);
    }
}
