//! What the operating system tells about this process.

use std::fs;
use std::thread::available_parallelism;

use foundation_types::{Metadata, Text, Value};
use serde::Serialize;

/// This process as the operating system sees it. What it does not tell is `None`; only Linux tells anything so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProcessStats {
    /// The resident memory of the process in bytes.
    pub memory: Option<u64>,
    /// The threads of the process.
    pub thread_count: Option<u64>,
    /// What the calling thread does, in the words of the system.
    pub status: Option<Text>,
}

impl ProcessStats {
    /// The map of the original with `thread_count` in addition. `message_queue_len`, `reductions` and `garbage_collection`
    /// are null: threads have none of them.
    pub fn to_map(&self) -> Metadata {
        Metadata::new()
            .with("memory", number(self.memory))
            .with("message_queue_len", Value::Null)
            .with("reductions", Value::Null)
            .with("garbage_collection", Value::Null)
            .with("status", self.status.clone())
            .with("thread_count", number(self.thread_count))
    }
}

/// The machine as this process may use it. What the operating system does not tell is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SystemStats {
    /// What runs in this process: its threads.
    pub process_count: Option<u64>,
    /// The resident memory of this process in bytes.
    pub memory: Option<u64>,
    /// The processors that are online.
    pub scheduler_count: Option<u64>,
    /// How many of them this process may use, by its affinity and by the limits of its control group.
    pub scheduler_online: Option<u64>,
}

impl SystemStats {
    /// The map of the original. `atom_count` is null: there are no atoms.
    pub fn to_map(&self) -> Metadata {
        Metadata::new()
            .with("process_count", number(self.process_count))
            .with("atom_count", Value::Null)
            .with("memory", number(self.memory))
            .with("scheduler_count", number(self.scheduler_count))
            .with("scheduler_online", number(self.scheduler_online))
    }
}

fn number(number: Option<u64>) -> Option<i64> {
    number.map(|number| i64::try_from(number).unwrap_or(i64::MAX))
}

/// What the operating system tells about this process now. Reads one small file of `/proc`.
pub fn process_stats() -> ProcessStats {
    // That of the thread has the figures of the process, too, and the state of who asks.
    fs::read_to_string("/proc/thread-self/status").map(|text| from_status(&text)).unwrap_or_default()
}

/// What the operating system tells about the machine now.
pub fn system_stats() -> SystemStats {
    let ProcessStats { memory, thread_count, .. } = process_stats();
    let online = fs::read_to_string("/sys/devices/system/cpu/online").ok();
    SystemStats {
        process_count: thread_count,
        memory,
        scheduler_count: online.and_then(|list| members(&list)),
        scheduler_online: available_parallelism().ok().and_then(|count| u64::try_from(count.get()).ok()),
    }
}

/// The resident memory of the process around a piece of work, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryChange {
    /// Before it.
    pub before: u64,
    /// After it.
    pub after: u64,
}

impl MemoryChange {
    /// By how much it grew; negative if it shrank.
    pub fn diff(&self) -> i64 {
        let size = i64::try_from(self.before.abs_diff(self.after)).unwrap_or(i64::MAX);
        if self.after < self.before { -size } else { size }
    }
}

/// The result of `work`, and what the memory of the whole process did meanwhile, where the operating system tells.
///
/// A rough figure: other threads, the allocator and the kernel's own accounting have their part in it.
pub fn measure_memory<T>(work: impl FnOnce() -> T) -> (T, Option<MemoryChange>) {
    let before = process_stats().memory;
    let result = work();
    let after = process_stats().memory;
    (result, before.zip(after).map(|(before, after)| MemoryChange { before, after }))
}

/// Reads the form of `/proc/<pid>/status`, described in proc_pid_status(5).
fn from_status(text: &str) -> ProcessStats {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    // `R (running)`
    let word = |state: &str| state.split_once('(')?.1.strip_suffix(')').map(Text::from);
    ProcessStats {
        memory: field("VmRSS").and_then(kibibytes),
        thread_count: field("Threads").and_then(|count| count.parse().ok()),
        status: field("State").and_then(word),
    }
}

/// Reads `1234 kB`.
fn kibibytes(text: &str) -> Option<u64> {
    text.strip_suffix("kB")?.trim_end().parse::<u64>().ok()?.checked_mul(1024)
}

/// How many numbers a list such as `0-3,8` has.
fn members(ranges: &str) -> Option<u64> {
    ranges.trim().split(',').try_fold(0_u64, |count, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        count.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read_and_what_is_not_there_is_none() {
        let text = "Name:\tx\nState:\tD (disk sleep)\nVmRSS:\t    2048 kB\nThreads:\t7\n";
        let stats = from_status(text);
        assert_eq!((stats.memory, stats.thread_count), (Some(2 << 20), Some(7)));
        assert_eq!(stats.status.as_deref(), Some("disk sleep"));
        // A kernel thread has no memory of its own.
        assert_eq!(from_status("State:\tZ (zombie)\nThreads:\tmany\n").memory, None);
        assert_eq!(from_status(""), ProcessStats::default());
        assert_eq!(from_status("VmRSS: 18446744073709551615 kB\nState: R\n"), ProcessStats::default());
    }

    #[test]
    fn lists_of_processors_are_counted() {
        assert_eq!(
            ["0\n", "0-3", "0-1,4,6-7", "", "3-1", "0-", "a"].map(members),
            [Some(1), Some(4), Some(5), None, None, None, None]
        );
        assert_eq!(members("0-18446744073709551615"), None);
    }

    #[test]
    fn maps_have_the_keys_of_the_original_and_null_for_what_there_is_not() {
        let keys = |map: &Metadata| map.iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>();
        let process = ProcessStats { memory: Some(u64::MAX), ..ProcessStats::default() }.to_map();
        assert_eq!(
            keys(&process),
            ["garbage_collection", "memory", "message_queue_len", "reductions", "status", "thread_count"]
        );
        assert_eq!(process.get("memory"), Some(&Value::Int(i64::MAX)));
        assert_eq!(process.get("reductions"), Some(&Value::Null));
        let system = SystemStats::default().to_map();
        assert_eq!(keys(&system), ["atom_count", "memory", "process_count", "scheduler_count", "scheduler_online"]);
        assert!(system.iter().all(|(_, value)| value.is_null()));
    }

    #[test]
    fn a_change_of_memory_has_a_sign() {
        assert_eq!(MemoryChange { before: 3, after: 1 }.diff(), -2);
        assert_eq!(MemoryChange { before: 1, after: 3 }.diff(), 2);
        assert_eq!(MemoryChange { before: u64::MAX, after: 0 }.diff(), -i64::MAX);
    }
}
