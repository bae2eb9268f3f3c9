//! What observers hear about agents.

use foundation_types::{
    AgentId, AgentInfo, EventName, Health, Measurements, Metadata, MetadataView, NodeId, event_name,
};

use crate::key::RegistryKey;
use crate::registry::Core;
use crate::watch::RemovalReason;

/// Emitted when an agent was registered: count 1; `process_id` (a map of `namespace`, `node` and `id`) and the `metadata` of
/// the agent as the view in force shows it.
pub const REGISTERED_EVENT: EventName = event_name!("foundation.process_registry.registered");
/// Emitted once for each agent that is gone: count 1; `process_id`, `metadata`, and the `reason`: `owner_exit`, `unregister`,
/// `replaced` or `namespace_cleanup`.
pub const CLEANUP_EVENT: EventName = event_name!("foundation.process_registry.cleanup");
/// Emitted when the overall health of an agent changed: count 1; `process_id`, `from` and `to`.
pub const HEALTH_CHANGED_EVENT: EventName = event_name!("foundation.process_registry.health_changed");
/// Emitted when the metadata view changed: count 1; `from` and `to`.
pub const METADATA_MODE_CHANGED_EVENT: EventName = event_name!("foundation.process_registry.metadata_mode_changed");

/// The agent that lives under a key.
pub(super) fn id_of(key: &RegistryKey) -> AgentId {
    AgentId::from(key.name.name().clone())
}

fn process_id(key: &RegistryKey) -> Metadata {
    Metadata::new()
        .with("namespace", key.namespace.to_string())
        .with("node", NodeId::local().as_str())
        .with("id", key.name.name().as_str())
}

pub(super) fn registered(core: &Core, key: &RegistryKey, info: &AgentInfo, view: MetadataView) {
    tracing::debug!(target: "foundation::registry", %key, "agent registered");
    core.emitter.emit(&REGISTERED_EVENT, || {
        let metadata = Metadata::new().with("process_id", process_id(key)).with("metadata", info.view(view));
        (Measurements::one(), metadata)
    });
}

pub(super) fn cleanup(core: &Core, key: &RegistryKey, info: &AgentInfo, reason: &RemovalReason) {
    tracing::debug!(target: "foundation::registry", %key, reason = reason.as_str(), "agent removed");
    core.emitter.emit(&CLEANUP_EVENT, || {
        let metadata = Metadata::new()
            .with("process_id", process_id(key))
            .with("metadata", info.view(core.agents.view_in_force()))
            .with("reason", reason.as_str());
        (Measurements::one(), metadata)
    });
}

pub(super) fn health_changed(core: &Core, key: &RegistryKey, from: Health, to: Health) {
    tracing::debug!(target: "foundation::registry", %key, %from, %to, "health of agent changed");
    core.emitter.emit(&HEALTH_CHANGED_EVENT, || {
        let metadata =
            Metadata::new().with("process_id", process_id(key)).with("from", from.as_str()).with("to", to.as_str());
        (Measurements::one(), metadata)
    });
}

pub(super) fn metadata_mode_changed(core: &Core, from: MetadataView, to: MetadataView) {
    tracing::info!(target: "foundation::registry", %from, %to, "metadata view changed");
    core.emitter.emit(&METADATA_MODE_CHANGED_EVENT, || {
        (Measurements::one(), Metadata::new().with("from", from.as_str()).with("to", to.as_str()))
    });
}
