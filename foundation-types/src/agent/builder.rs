//! Making a record.

use std::collections::BTreeSet;

use super::{
    AgentConfiguration, AgentInfo, AgentState, AgentType, CapabilitySet, CoordinationLists, CoordinationState,
    HealthMetrics, PerformanceMetrics, PerformancePatch,
};
use crate::{AgentId, Capability, Clock, Health, Metadata, Name, NodeId, ResourceUsage, Timestamp};

/// Makes an [`AgentInfo`]; begun by [`AgentInfo::builder`].
///
/// Whatever is not given has the default of a fresh agent: type agent, state initializing, health unknown, no capabilities,
/// no usage, and the local node as the only node it prefers.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build is called"]
pub struct AgentInfoBuilder {
    agent_id: AgentId,
    agent_type: AgentType,
    state: AgentState,
    health: Health,
    last_health_check: Option<Timestamp>,
    capabilities: CapabilitySet,
    resource_usage: ResourceUsage,
    performance: PerformancePatch,
    coordination: CoordinationLists,
    configuration: AgentConfiguration,
    node_affinity: Option<Vec<NodeId>>,
    coordination_variables: BTreeSet<Name>,
    metadata: Metadata,
}

impl AgentInfoBuilder {
    pub(super) fn new(agent_id: AgentId) -> Self {
        Self {
            agent_id,
            agent_type: AgentType::default(),
            state: AgentState::default(),
            health: Health::default(),
            last_health_check: None,
            capabilities: CapabilitySet::default(),
            resource_usage: ResourceUsage::default(),
            performance: PerformancePatch::default(),
            coordination: CoordinationLists::default(),
            configuration: AgentConfiguration::default(),
            node_affinity: None,
            coordination_variables: BTreeSet::new(),
            metadata: Metadata::new(),
        }
    }

    /// What kind of agent it is.
    pub fn agent_type(mut self, agent_type: AgentType) -> Self {
        self.agent_type = agent_type;
        self
    }

    /// The state it begins in; any.
    pub fn state(mut self, state: AgentState) -> Self {
        self.state = state;
        self
    }

    /// Its overall health.
    pub fn health(mut self, health: Health) -> Self {
        self.health = health;
        self
    }

    /// When its health was checked, if not at the time of building.
    pub fn last_health_check(mut self, at: Timestamp) -> Self {
        self.last_health_check = Some(at);
        self
    }

    /// One more thing it can do.
    pub fn capability(mut self, capability: Capability) -> Self {
        self.capabilities.insert(capability);
        self
    }

    /// All it can do, in place of what was given before.
    pub fn capabilities(mut self, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        self.capabilities = capabilities.into_iter().collect();
        self
    }

    /// What it uses; resource health and score follow.
    pub fn resource_usage(mut self, usage: ResourceUsage) -> Self {
        self.resource_usage = usage;
        self
    }

    /// What it has done; the rates follow.
    pub fn performance(mut self, performance: PerformancePatch) -> Self {
        self.performance = performance;
        self
    }

    /// What it takes part in; the score follows.
    pub fn coordination(mut self, lists: CoordinationLists) -> Self {
        self.coordination = lists;
        self
    }

    /// How it is configured.
    pub fn configuration(mut self, configuration: AgentConfiguration) -> Self {
        self.configuration = configuration;
        self
    }

    /// The nodes it prefers, in place of the local one.
    pub fn node_affinity(mut self, nodes: impl IntoIterator<Item = NodeId>) -> Self {
        self.node_affinity = Some(nodes.into_iter().collect());
        self
    }

    /// The coordination variables it listens to.
    pub fn coordination_variables(mut self, variables: impl IntoIterator<Item = Name>) -> Self {
        self.coordination_variables = variables.into_iter().collect();
        self
    }

    /// Whatever else there is to attach.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// The record, stamped with the wall time of `clock`, which is read once. Its version is 1.
    pub fn build(self, clock: &dyn Clock) -> AgentInfo {
        self.build_at(clock.wall())
    }

    /// The record, stamped with `now`. Its version is 1.
    pub fn build_at(self, now: Timestamp) -> AgentInfo {
        let mut health = HealthMetrics::new(self.last_health_check.unwrap_or(now));
        health.assess(self.health, &self.resource_usage);
        let mut performance = PerformanceMetrics::new(now);
        performance.update(&self.performance, now);
        AgentInfo {
            agent_id: self.agent_id,
            agent_type: self.agent_type,
            state: self.state,
            capabilities: self.capabilities,
            health,
            resource_usage: self.resource_usage,
            performance,
            coordination: CoordinationState::new(self.coordination),
            configuration: self.configuration,
            node_affinity: self.node_affinity.unwrap_or_else(|| vec![NodeId::local().clone()]),
            coordination_variables: self.coordination_variables,
            metadata: self.metadata,
            created_at: now,
            last_updated: now,
            version: 1,
        }
    }
}
