//! The agent functions that the original's documents promise: registration with capabilities, health and state, and the
//! queries over them.
//!
//! Agents are registered and updated with loose metadata, which [`AgentInfo::from_metadata`] reads, and read as records.
//! While the agent features are off, every function but [`unregister_agent`] gives [`AgentError::Disabled`].

use std::sync::Arc;

use foundation_registry::{
    AgentEntry, AgentError, AgentQuery, AgentStats, HealthChange, HealthOverview, RegistryError, ResourceStats,
};
use foundation_types::{
    AgentId, AgentInfo, AgentState, Capability, Health, Metadata, Name, Namespace, Pid, ResourceKind, ResourceValue,
};

use super::{ProcessRegistry, here};
use crate::global::on_global;

/// An agent as queries give it: `{id, pid, metadata}`.
pub type AgentTriple = (AgentId, Pid, Arc<AgentInfo>);

/// What most functions here give.
type Found = Result<Vec<AgentTriple>, AgentError>;

fn triple(agent: AgentEntry) -> AgentTriple {
    (agent.id, agent.pid, agent.info)
}

/// Agents. Unless another error is named, these fail with [`AgentError::Disabled`], [`AgentError::Closed`] and
/// [`AgentError::Backend`] only; lists are in no order.
impl ProcessRegistry {
    /// Registers an agent for the owner of `pid`. A health that is absent or unknown becomes healthy.
    ///
    /// # Errors
    /// [`AgentError::Invalid`] if the metadata does not describe an agent; [`AgentError::AlreadyRegistered`] if a live
    /// owner, this very one included, holds the name; [`AgentError::DeadProcess`], [`AgentError::Limit`].
    pub fn register_agent(
        &self,
        namespace: &Namespace,
        id: &AgentId,
        pid: &Pid,
        metadata: &Metadata,
    ) -> Result<(), AgentError> {
        self.registry().agents().register_from_metadata(namespace, id, pid, metadata).map(drop)
    }

    /// The owner of an agent and its record.
    ///
    /// # Errors
    /// [`AgentError::NotFound`], also if a service has the name of the agent.
    pub fn lookup_agent(&self, namespace: &Namespace, id: &AgentId) -> Result<(Pid, Arc<AgentInfo>), AgentError> {
        let agent = self.registry().agents().lookup(namespace, id)?;
        Ok((agent.pid, agent.info))
    }

    /// Replaces the record of an agent as a whole; only the time of its creation stays, and its version goes up.
    ///
    /// # Errors
    /// [`AgentError::Invalid`], [`AgentError::NotFound`], [`AgentError::Limit`].
    pub fn update_agent_metadata(
        &self,
        namespace: &Namespace,
        id: &AgentId,
        metadata: &Metadata,
    ) -> Result<(), AgentError> {
        // In one call, so that agents that are switched off come before metadata that cannot be read.
        self.registry().agents().try_modify(namespace, id, |info| {
            *info = AgentInfo::from_metadata(id.clone(), metadata, self.clock())?;
            Ok(())
        })
    }

    /// Sets the overall health of an agent and returns what it was.
    ///
    /// # Errors
    /// [`AgentError::NotFound`].
    pub fn update_agent_health(
        &self,
        namespace: &Namespace,
        id: &AgentId,
        health: Health,
    ) -> Result<Health, AgentError> {
        self.registry().agents().set_health(namespace, id, health)
    }

    /// Moves an agent to another state of its life cycle.
    ///
    /// # Errors
    /// [`AgentError::NotFound`], [`AgentError::Invalid`] if the life cycle has no such step.
    pub fn transition_agent(&self, namespace: &Namespace, id: &AgentId, to: AgentState) -> Result<(), AgentError> {
        self.registry().agents().transition(namespace, id, to)
    }

    /// Gives the name of an agent up, whoever holds it and whether anyone does; works also while the agent features are off.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn unregister_agent(&self, namespace: &Namespace, id: &AgentId) -> Result<(), RegistryError> {
        self.registry().agents().unregister(namespace, id).map(drop)
    }

    /// All agents of a namespace.
    ///
    /// # Errors
    /// See above.
    pub fn list_agents(&self, namespace: &Namespace) -> Found {
        self.query(namespace, &AgentQuery::new())
    }

    /// The agents that can do something.
    ///
    /// # Errors
    /// See above.
    pub fn lookup_agents_by_capability(&self, namespace: &Namespace, capability: &Capability) -> Found {
        self.query(namespace, &AgentQuery::new().capability(capability.clone()))
    }

    /// The agents that can do all of this; all agents if nothing is asked for.
    ///
    /// # Errors
    /// See above.
    pub fn lookup_agents_by_capabilities(&self, namespace: &Namespace, capabilities: &[Capability]) -> Found {
        self.query(namespace, &AgentQuery::new().capabilities(capabilities.iter().cloned()))
    }

    /// The healthy agents that can do something.
    ///
    /// # Errors
    /// See above.
    pub fn lookup_healthy_agents_by_capability(&self, namespace: &Namespace, capability: &Capability) -> Found {
        self.query(namespace, &AgentQuery::new().capability(capability.clone()).health(Health::Healthy))
    }

    /// The agents of this overall health.
    ///
    /// # Errors
    /// See above.
    pub fn lookup_agents_by_health(&self, namespace: &Namespace, health: Health) -> Found {
        self.query(namespace, &AgentQuery::new().health(health))
    }

    /// The agents that use at least this much of a resource.
    ///
    /// # Errors
    /// See above.
    pub fn lookup_agents_by_resource_usage(
        &self,
        namespace: &Namespace,
        resource: ResourceKind,
        threshold: ResourceValue,
    ) -> Found {
        self.query(namespace, &AgentQuery::new().min_usage(resource, threshold))
    }

    /// The agents that take part in a ballot, a barrier, a lock or a leadership.
    ///
    /// # Errors
    /// See above.
    pub fn lookup_agents_in_coordination(&self, namespace: &Namespace) -> Found {
        self.query(namespace, &AgentQuery::new().in_coordination())
    }

    /// The agents that take part in this ballot.
    ///
    /// # Errors
    /// See above.
    pub fn lookup_agents_in_consensus(&self, namespace: &Namespace, consensus: &Name) -> Found {
        self.query(namespace, &AgentQuery::new().in_consensus(consensus.clone()))
    }

    /// How the health of an agent went, oldest change first, at most 100; empty for an unknown agent.
    ///
    /// # Errors
    /// See above.
    pub fn get_agent_health_history(
        &self,
        namespace: &Namespace,
        id: &AgentId,
    ) -> Result<Vec<HealthChange>, AgentError> {
        self.registry().agents().health_history(namespace, id)
    }

    /// How the agents of a namespace are.
    ///
    /// # Errors
    /// See above.
    pub fn get_system_health_overview(&self, namespace: &Namespace) -> Result<HealthOverview, AgentError> {
        self.registry().agents().overview(namespace)
    }

    /// What memory and processor time the agents of a namespace use.
    ///
    /// # Errors
    /// See above.
    pub fn get_resource_usage_stats(&self, namespace: &Namespace) -> Result<ResourceStats, AgentError> {
        self.registry().agents().resource_stats(namespace)
    }

    /// What the agents of a namespace are, can do and use.
    ///
    /// # Errors
    /// See above.
    pub fn get_agent_stats(&self, namespace: &Namespace) -> Result<AgentStats, AgentError> {
        self.registry().agents().stats(namespace)
    }

    fn query(&self, namespace: &Namespace, query: &AgentQuery) -> Found {
        Ok(self.registry().agents().query(namespace, query)?.into_iter().map(triple).collect())
    }
}

on_global! {
    ProcessRegistry(here()):
    fn register_agent(namespace: &Namespace, id: &AgentId, pid: &Pid, metadata: &Metadata) -> Result<(), AgentError>;
    fn lookup_agent(namespace: &Namespace, id: &AgentId) -> Result<(Pid, Arc<AgentInfo>), AgentError>;
    fn update_agent_metadata(namespace: &Namespace, id: &AgentId, metadata: &Metadata) -> Result<(), AgentError>;
    fn update_agent_health(namespace: &Namespace, id: &AgentId, health: Health) -> Result<Health, AgentError>;
    fn transition_agent(namespace: &Namespace, id: &AgentId, to: AgentState) -> Result<(), AgentError>;
    fn unregister_agent(namespace: &Namespace, id: &AgentId) -> Result<(), RegistryError>;
    fn list_agents(namespace: &Namespace) -> Found;
    fn lookup_agents_by_capability(namespace: &Namespace, capability: &Capability) -> Found;
    fn lookup_agents_by_capabilities(namespace: &Namespace, capabilities: &[Capability]) -> Found;
    fn lookup_healthy_agents_by_capability(namespace: &Namespace, capability: &Capability) -> Found;
    fn lookup_agents_by_health(namespace: &Namespace, health: Health) -> Found;
    fn lookup_agents_by_resource_usage(namespace: &Namespace, resource: ResourceKind, threshold: ResourceValue) -> Found;
    fn lookup_agents_in_coordination(namespace: &Namespace) -> Found;
    fn lookup_agents_in_consensus(namespace: &Namespace, consensus: &Name) -> Found;
    fn get_agent_health_history(namespace: &Namespace, id: &AgentId) -> Result<Vec<HealthChange>, AgentError>;
    fn get_system_health_overview(namespace: &Namespace) -> Result<HealthOverview, AgentError>;
    fn get_resource_usage_stats(namespace: &Namespace) -> Result<ResourceStats, AgentError>;
    fn get_agent_stats(namespace: &Namespace) -> Result<AgentStats, AgentError>;
}
