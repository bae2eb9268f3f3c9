//! The events of this crate.

use foundation_types::{EventName, event_name};

/// A version was published; measures `count` 1, with `version`, `kind` and `paths` (the first [`MAX_EVENT_PATHS`]), and
/// `agent` if overrides were written.
pub const CHANGED_EVENT: EventName = event_name!("foundation.config.changed");
/// An earlier version was restored; measures `count` 1, with `from` and `to`.
pub const ROLLBACK_EVENT: EventName = event_name!("foundation.config.rollback");
/// A source could not be loaded, or what it holds is refused; measures `count` 1, with `source` and `reason`.
pub const SOURCE_FAILED_EVENT: EventName = event_name!("foundation.config.source.failed");
/// A source that had failed was loaded; measures `count` 1, with `source`.
pub const SOURCE_RECOVERED_EVENT: EventName = event_name!("foundation.config.source.recovered");
/// A subscriber found that it had missed changes; measures how many it `missed`, with `path`.
pub const SUBSCRIBER_LAGGED_EVENT: EventName = event_name!("foundation.config.subscriber.lagged");
/// The overrides of an agent no longer fit and are not applied; measures `count` 1, with `agent` and `reason`.
#[cfg(feature = "agent")]
pub const OVERRIDE_SUSPENDED_EVENT: EventName = event_name!("foundation.config.override_suspended");
/// The overrides of an agent fit again and are applied; measures `count` 1, with `agent`.
#[cfg(feature = "agent")]
pub const OVERRIDE_RESUMED_EVENT: EventName = event_name!("foundation.config.override_resumed");

/// How many paths of a change its event names.
pub const MAX_EVENT_PATHS: usize = 16;
