//! The events of the agent-aware configuration.

use foundation_config::Path;
use foundation_types::{Emitter, EventName, Measurements, Metadata, Namespace, event_name};

use super::change::ChangeScope;
use super::options::Persistence;
use crate::validation::record::path_value;

/// A configuration for agents was started; measures `count` 1, with `namespace` and `persistence_enabled`.
pub const AGENT_CONFIG_STARTED_EVENT: EventName = event_name!("foundation.services.config_server.started");
/// Somebody subscribed; measures `count` 1, with `path`, and `agent` if it is to what is in effect for one.
pub const AGENT_CONFIG_SUBSCRIBED_EVENT: EventName = event_name!("foundation.services.config_server.subscriber_added");
/// A setting was written through the functions for agents; measures `count` 1, with `path`, `scope` and `subscriber_count`,
/// the number of subscriptions to which it is delivered.
pub const AGENT_CONFIG_CHANGED_EVENT: EventName = event_name!("foundation.services.config_server.config_changed");

pub(super) fn started(emitter: &Emitter, namespace: &Namespace, persistence: Persistence) {
    emitter.emit(&AGENT_CONFIG_STARTED_EVENT, || {
        let metadata = Metadata::new().with("namespace", namespace.to_string());
        (Measurements::one(), metadata.with("persistence_enabled", persistence == Persistence::On))
    });
}

pub(super) fn subscribed(emitter: &Emitter, path: &Path, agent: Option<&str>) {
    emitter.emit(&AGENT_CONFIG_SUBSCRIBED_EVENT, || {
        let metadata = Metadata::new().with("path", path_value(path));
        (Measurements::one(), agent.map_or(metadata.clone(), |agent| metadata.with("agent", agent)))
    });
}

pub(super) fn changed(emitter: &Emitter, path: &Path, scope: ChangeScope, subscribers: impl FnOnce() -> usize) {
    emitter.emit(&AGENT_CONFIG_CHANGED_EVENT, || {
        let metadata = Metadata::new()
            .with("path", path_value(path))
            .with("scope", scope.as_str())
            .with("subscriber_count", i64::try_from(subscribers()).unwrap_or(i64::MAX));
        (Measurements::one(), metadata)
    });
}
