//! The events of the original's configuration.

use foundation_config::Path;
use foundation_types::{Emitter, EventName, Measurements, Metadata, MonoTime, Value, event_name};

use crate::logic::config_logic::redacted;
use crate::validation::record::path_value;

/// A setting was written through the legacy functions; measures `count` 1, with `path`.
pub const CONFIG_UPDATES_EVENT: EventName = event_name!("foundation.config_updates");
/// The configuration was reset through the legacy functions; measures `count` 1, with `reset_from_updates_count`.
pub const CONFIG_RESETS_EVENT: EventName = event_name!("foundation.config_resets");
/// For the event log: a setting was written through the legacy functions. Measures `timestamp` in milliseconds of the
/// monotonic clock, with `path`, `new_value` and `previous_value` (no key if there was none), secrets withheld.
pub const CONFIG_UPDATED_EVENT: EventName = event_name!("foundation.config.config_updated");
/// For the event log: the configuration was reset through the legacy functions. Measures `timestamp` in milliseconds of the
/// monotonic clock, with `reset_from_updates_count`.
pub const CONFIG_RESET_EVENT: EventName = event_name!("foundation.config.config_reset");

fn stamp(now: MonoTime) -> Measurements {
    Measurements::new().with("timestamp", millis(now))
}

/// Milliseconds of the monotonic clock.
pub(super) fn millis(at: MonoTime) -> i64 {
    i64::try_from(at.as_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

pub(super) fn updated(emitter: &Emitter, now: MonoTime, path: &Path, old: Option<&Value>, new: Option<&Value>) {
    emitter.emit(&CONFIG_UPDATES_EVENT, || (Measurements::one(), Metadata::new().with("path", path_value(path))));
    emitter.emit(&CONFIG_UPDATED_EVENT, || {
        let mut metadata = Metadata::new().with("path", path_value(path));
        for (key, value) in [("new_value", new), ("previous_value", old)] {
            if let Some(value) = value {
                metadata.insert(key, redacted(path, value));
            }
        }
        (stamp(now), metadata)
    });
}

pub(super) fn reset(emitter: &Emitter, now: MonoTime, updates_count: u64) {
    let metadata = || {
        let count = i64::try_from(updates_count).unwrap_or(i64::MAX);
        Metadata::new().with("reset_from_updates_count", count)
    };
    emitter.emit(&CONFIG_RESETS_EVENT, || (Measurements::one(), metadata()));
    emitter.emit(&CONFIG_RESET_EVENT, || (stamp(now), metadata()));
}
