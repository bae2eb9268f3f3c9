//! The record of an agent.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    AgentConfiguration, AgentInfoBuilder, AgentInfoError, AgentState, AgentType, CapabilitySet, CoordinationPatch,
    CoordinationState, HealthMetrics, LoadLevel, PerformanceMetrics, PerformancePatch,
};
use crate::{AgentId, Capability, Health, Metadata, Name, NodeId, Ratio, ResourceUsage, Timestamp};

/// Everything known of one agent.
///
/// Every successful mutator raises the version by one and stamps `last_updated`, which never goes back: a `now` before it
/// leaves it. A failing one leaves the whole record as it was.
///
/// Cloning costs O(size of the maps and lists); capabilities are shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgentInfo {
    pub(super) agent_id: AgentId,
    pub(super) agent_type: AgentType,
    pub(super) state: AgentState,
    pub(super) capabilities: CapabilitySet,
    #[serde(rename = "health_metrics")]
    pub(super) health: HealthMetrics,
    pub(super) resource_usage: ResourceUsage,
    #[serde(rename = "performance_metrics")]
    pub(super) performance: PerformanceMetrics,
    #[serde(rename = "coordination_state")]
    pub(super) coordination: CoordinationState,
    pub(super) configuration: AgentConfiguration,
    pub(super) node_affinity: Vec<NodeId>,
    pub(super) coordination_variables: BTreeSet<Name>,
    pub(super) metadata: Metadata,
    pub(super) created_at: Timestamp,
    pub(super) last_updated: Timestamp,
    pub(super) version: u64,
}

/// Reading.
impl AgentInfo {
    /// A builder of a record for the agent `id`, with the defaults of a fresh agent.
    pub fn builder(id: AgentId) -> AgentInfoBuilder {
        AgentInfoBuilder::new(id)
    }

    /// The agent.
    pub const fn agent_id(&self) -> &AgentId {
        &self.agent_id
    }

    /// What kind of agent it is.
    pub const fn agent_type(&self) -> &AgentType {
        &self.agent_type
    }

    /// Where in its life cycle it is.
    pub const fn state(&self) -> AgentState {
        self.state
    }

    /// What it can do.
    pub const fn capabilities(&self) -> &CapabilitySet {
        &self.capabilities
    }

    /// How well it works.
    pub const fn health(&self) -> &HealthMetrics {
        &self.health
    }

    /// What it uses, merged from all reports.
    pub const fn resource_usage(&self) -> &ResourceUsage {
        &self.resource_usage
    }

    /// What it has done.
    pub const fn performance(&self) -> &PerformanceMetrics {
        &self.performance
    }

    /// What it takes part in.
    pub const fn coordination(&self) -> &CoordinationState {
        &self.coordination
    }

    /// How it was configured.
    pub const fn configuration(&self) -> &AgentConfiguration {
        &self.configuration
    }

    /// The nodes it prefers to run on; the local node unless told otherwise.
    pub fn node_affinity(&self) -> &[NodeId] {
        &self.node_affinity
    }

    /// The coordination variables it listens to.
    pub const fn coordination_variables(&self) -> &BTreeSet<Name> {
        &self.coordination_variables
    }

    /// Whatever else the user attached.
    pub const fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// When the record was made.
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When the record changed last; never before [`created_at`](Self::created_at).
    pub const fn last_updated(&self) -> Timestamp {
        self.last_updated
    }

    /// How often the record was written; 1 for a fresh one.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whether the agent has `capability`.
    pub fn has_capability(&self, capability: &Capability) -> bool {
        self.capabilities.contains(capability)
    }

    /// Whether the agent is healthy and its state operational (ready, active or idle).
    pub fn is_healthy(&self) -> bool {
        self.health.overall_health == Health::Healthy && self.state.is_operational()
    }

    /// Whether the agent can be given work: it is ready or idle, and healthy or degraded.
    pub fn is_available(&self) -> bool {
        self.state.accepts_work() && matches!(self.health.overall_health, Health::Healthy | Health::Degraded)
    }

    /// How busy the agent is: the mean of its coordination score and of the mean of its ratio resources (0 without any).
    pub fn load(&self) -> LoadLevel {
        LoadLevel::of(self.coordination.coordination_score, self.resource_usage.mean_ratio().unwrap_or(Ratio::ZERO))
    }
}

/// Changing.
impl AgentInfo {
    /// Moves the agent to the state `next`.
    ///
    /// # Errors
    /// [`AgentInfoError::InvalidStateTransition`] if the table of [`AgentState`] has no such edge.
    pub fn transition(&mut self, next: AgentState, now: Timestamp) -> Result<(), AgentInfoError> {
        if !self.state.can_become(next) {
            return Err(AgentInfoError::InvalidStateTransition { from: self.state, to: next });
        }
        self.state = next;
        self.touch(now);
        Ok(())
    }

    /// Moves the agent to stopped from any state: the one move outside the table, for supervisors and registries when the
    /// owner dies. Changes nothing, the version included, if the agent is stopped already.
    pub fn mark_terminated(&mut self, now: Timestamp) {
        if self.state != AgentState::Stopped {
            self.state = AgentState::Stopped;
            self.touch(now);
        }
    }

    /// Adds a capability. The version rises also if it was there.
    pub fn add_capability(&mut self, capability: Capability, now: Timestamp) {
        self.capabilities.insert(capability);
        self.touch(now);
    }

    /// Removes a capability. The version rises also if it was not there.
    pub fn remove_capability(&mut self, capability: &Capability, now: Timestamp) {
        self.capabilities.remove(capability);
        self.touch(now);
    }

    /// Takes over a report of health: merges `usage` into the stored usage, then derives resource health and score from the
    /// merged usage and the trend from the previous overall health.
    pub fn update_health(&mut self, overall: Health, usage: &ResourceUsage, now: Timestamp) {
        self.resource_usage.merge(usage);
        self.health.report(overall, &self.resource_usage, now);
        self.touch(now);
    }

    /// Records how well the agent performs, as somebody judged it; nothing is derived from it.
    pub fn report_performance_health(&mut self, health: Health, now: Timestamp) {
        self.health.performance_health = health;
        self.touch(now);
    }

    /// Records how well the agent coordinates, as somebody judged it; nothing is derived from it.
    pub fn report_coordination_health(&mut self, health: Health, now: Timestamp) {
        self.health.coordination_health = health;
        self.touch(now);
    }

    /// Takes over a report of performance; see [`PerformanceMetrics::update`].
    pub fn update_performance(&mut self, patch: &PerformancePatch, now: Timestamp) {
        self.performance.update(patch, now);
        self.touch(now);
    }

    /// Takes over a report of coordination; see [`CoordinationState::update`].
    pub fn update_coordination(&mut self, patch: CoordinationPatch, now: Timestamp) {
        self.coordination.update(patch, now);
        self.touch(now);
    }

    /// Replaces the configuration.
    pub fn set_configuration(&mut self, configuration: AgentConfiguration, now: Timestamp) {
        self.configuration = configuration;
        self.touch(now);
    }

    /// Replaces the nodes the agent prefers.
    pub fn set_node_affinity(&mut self, nodes: Vec<NodeId>, now: Timestamp) {
        self.node_affinity = nodes;
        self.touch(now);
    }

    /// Replaces the coordination variables the agent listens to.
    pub fn set_coordination_variables(&mut self, variables: impl IntoIterator<Item = Name>, now: Timestamp) {
        self.coordination_variables = variables.into_iter().collect();
        self.touch(now);
    }

    /// Replaces the free metadata.
    pub fn set_metadata(&mut self, metadata: Metadata, now: Timestamp) {
        self.metadata = metadata;
        self.touch(now);
    }

    fn touch(&mut self, now: Timestamp) {
        self.last_updated = self.last_updated.max(now);
        self.version = self.version.saturating_add(1);
    }
}

/// For registries, which store records that others made.
impl AgentInfo {
    /// This record with its overall health set to `health` if nobody has reported on it yet. The version and the stamps stay.
    #[must_use]
    pub fn with_health_if_unknown(mut self, health: Health) -> Self {
        if self.health.overall_health == Health::Unknown {
            self.health.assess(health, &self.resource_usage);
        }
        self
    }

    /// This record as the next version of `stored`: the time of creation is that of `stored`, the version follows on its
    /// version, and `last_updated` is not before its own. The rest is as it is.
    #[must_use]
    pub fn succeeding(mut self, stored: &Self) -> Self {
        self.created_at = stored.created_at;
        self.last_updated = self.last_updated.max(stored.last_updated);
        self.version = stored.version.saturating_add(1);
        self
    }

    /// What readers see of the record in the [basic view](super::MetadataView::Basic): id, type, overall health and stamps;
    /// everything else as in a fresh record.
    #[must_use]
    pub fn basic_projection(&self) -> Self {
        let mut basic = Self::builder(self.agent_id.clone())
            .agent_type(self.agent_type.clone())
            .health(self.health.overall_health)
            .last_health_check(self.health.last_health_check)
            .build_at(self.created_at);
        basic.last_updated = self.last_updated;
        basic.version = self.version;
        basic
    }
}
