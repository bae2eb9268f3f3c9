//! The probes of one half-open episode.

use std::collections::BTreeMap;
use std::time::Duration;

use foundation_types::MonoTime;

/// The probes of one half-open episode.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// Those that have not reported, by number, and so by the time they were let through.
    outstanding: BTreeMap<u64, MonoTime>,
    next: u64,
    pub(crate) successes: u32,
    pub(crate) failures: u32,
}

impl Probes {
    pub(crate) fn outstanding(&self) -> u32 {
        // At most `MAX_PROBES`.
        u32::try_from(self.outstanding.len()).unwrap_or(u32::MAX)
    }

    /// Lets one more through at `now`, and returns its number.
    pub(crate) fn begin(&mut self, now: MonoTime) -> u64 {
        let number = self.next;
        self.next += 1;
        self.outstanding.insert(number, now);
        number
    }

    /// Frees the place of a probe.
    pub(crate) fn end(&mut self, number: u64) {
        self.outstanding.remove(&number);
    }

    /// When the oldest of them will have been out for so long.
    pub(crate) fn time_out(&self, after: Duration) -> Option<MonoTime> {
        self.outstanding.first_key_value().map(|(_, began)| began.saturating_add(after))
    }
}
