//! How the service is.

use std::time::Duration;

use foundation_types::{Metadata, MonoTime};

use super::events::millis;

/// How the service of a configuration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigStatus {
    /// It runs.
    Running(RunningStatus),
    /// It is stopped: reads are answered from what it had, as long as that is fresh, and writes wait.
    Degraded(CacheStats),
}

/// How a service is that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunningStatus {
    /// For how long it has been running.
    pub uptime: Duration,
    /// How many settings were written through the legacy functions.
    pub updates_count: u64,
    /// When the last one was, on the clock of the instance.
    pub last_update: Option<MonoTime>,
    /// How many subscribers there are.
    pub subscribers_count: usize,
}

/// What there is for the time in which a service is stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// All entries.
    pub total_entries: usize,
    /// An estimate of the memory they take, in words.
    pub memory_words: usize,
    /// Settings that can be read: none while the service runs.
    pub config_cache_entries: usize,
    /// Writes that wait.
    pub pending_update_entries: usize,
}

impl ConfigStatus {
    /// The status as the original gives it.
    pub fn to_metadata(&self) -> Metadata {
        match self {
            Self::Running(status) => Metadata::new()
                .with("status", "running")
                .with("uptime_ms", i64::try_from(status.uptime.as_millis()).unwrap_or(i64::MAX))
                .with("updates_count", number(status.updates_count))
                .with("last_update", status.last_update.map(millis))
                .with("subscribers_count", number(status.subscribers_count)),
            Self::Degraded(stats) => Metadata::new()
                .with("status", "degraded")
                .with("fallback_mode", true)
                .with("cache_stats", stats.to_metadata()),
        }
    }
}

impl CacheStats {
    /// The figures as the original gives them.
    pub fn to_metadata(&self) -> Metadata {
        Metadata::new()
            .with("total_entries", number(self.total_entries))
            .with("memory_words", number(self.memory_words))
            .with("config_cache_entries", number(self.config_cache_entries))
            .with("pending_update_entries", number(self.pending_update_entries))
    }
}

fn number(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
