//! How the service is.

use super::Instance;
use super::run::FALLBACK_TTL;
use crate::config::notification::sections_of;
use crate::config::status::{CacheStats, ConfigStatus, RunningStatus};

/// What a leaf is reckoned to take: key, value, and its place in the map, in words.
const WORDS_PER_ENTRY: usize = 12;

impl Instance {
    pub(crate) fn status(&self) -> ConfigStatus {
        if !self.is_running() {
            return ConfigStatus::Degraded(self.cache_stats());
        }
        let subscribers_count = self.handles.count() + self.subscribers.count();
        let state = self.state();
        ConfigStatus::Running(RunningStatus {
            uptime: self.clock.mono().saturating_since(state.started),
            updates_count: state.updates,
            last_update: state.last_update,
            subscribers_count,
        })
    }

    pub(crate) fn cache_stats(&self) -> CacheStats {
        let now = self.clock.mono();
        let fresh = self.stopped().filter(|stopped| now.saturating_since(stopped.since) <= FALLBACK_TTL);
        let kept = fresh.and_then(|stopped| stopped.kept);
        let config_cache_entries = kept.map_or(0, |snapshot| leaves(&sections_of(snapshot.tree().to_value())));
        let pending_update_entries = self.pending.len();
        let total_entries = config_cache_entries + pending_update_entries;
        CacheStats {
            total_entries,
            memory_words: total_entries * WORDS_PER_ENTRY,
            config_cache_entries,
            pending_update_entries,
        }
    }
}

/// How many values paths lead to; a list is one, and so is an empty map.
fn leaves(tree: &foundation_types::Value) -> usize {
    match tree.as_map() {
        Some(map) if !map.is_empty() => map.iter().map(|(_, value)| leaves(value)).sum(),
        _ => 1,
    }
}
