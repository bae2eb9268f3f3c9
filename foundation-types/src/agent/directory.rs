//! The agent seams: whom crates ask about agents, without knowing the registry.

use std::sync::Arc;

use serde::Serialize;

use super::{AgentChanges, AgentInfo, AgentState, AgentType, CapabilitySet, CoordinationState, PerformanceMetrics};
use crate::{AgentId, Capability, Health, ResourceUsage, Timestamp};

/// What a gate needs to know of an agent before it lets a call through. Cheap to make and to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentStatus {
    /// Its overall health.
    pub health: Health,
    /// What it can do.
    pub capabilities: CapabilitySet,
    /// What it uses.
    pub usage: ResourceUsage,
}

impl AgentStatus {
    /// The status of an agent of this health that can do nothing and uses nothing.
    pub fn new(health: Health) -> Self {
        Self { health, ..Self::default() }
    }

    /// This status with these capabilities.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        self.capabilities = capabilities.into_iter().collect();
        self
    }

    /// This status with this usage.
    #[must_use]
    pub fn with_usage(mut self, usage: ResourceUsage) -> Self {
        self.usage = usage;
        self
    }
}

impl From<&AgentInfo> for AgentStatus {
    fn from(info: &AgentInfo) -> Self {
        Self {
            health: info.health().overall_health,
            capabilities: info.capabilities().clone(),
            usage: info.resource_usage().clone(),
        }
    }
}

/// What coordination needs to know of an agent to choose among many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgentView {
    /// The agent.
    pub id: AgentId,
    /// What kind of agent it is.
    pub agent_type: AgentType,
    /// What it can do.
    pub capabilities: CapabilitySet,
    /// Its overall health.
    pub health: Health,
    /// Where in its life cycle it is; absent where readers may not see it.
    pub state: Option<AgentState>,
    /// What it uses.
    pub resource_usage: ResourceUsage,
    /// What it takes part in.
    pub coordination: CoordinationState,
    /// What it has done.
    pub performance: PerformanceMetrics,
    /// Whether its owner is alive.
    pub alive: bool,
}

impl AgentView {
    /// The view of a living agent of which only type and health are known. The fields can be set afterwards.
    pub fn new(id: AgentId, agent_type: AgentType, health: Health) -> Self {
        Self {
            id,
            agent_type,
            capabilities: CapabilitySet::default(),
            health,
            state: None,
            resource_usage: ResourceUsage::new(),
            coordination: CoordinationState::default(),
            performance: PerformanceMetrics::new(Timestamp::UNIX_EPOCH),
            alive: true,
        }
    }

    /// The view of a living agent as readers see it in the [basic view](super::MetadataView::Basic).
    pub fn basic(info: &AgentInfo) -> Self {
        Self::new(info.agent_id().clone(), info.agent_type().clone(), info.health().overall_health)
    }
}

impl From<&AgentInfo> for AgentView {
    /// The whole view. The agent counts as alive unless it is stopped; who knows its owner sets `alive` afterwards.
    fn from(info: &AgentInfo) -> Self {
        Self {
            id: info.agent_id().clone(),
            agent_type: info.agent_type().clone(),
            capabilities: info.capabilities().clone(),
            health: info.health().overall_health,
            state: Some(info.state()),
            resource_usage: info.resource_usage().clone(),
            coordination: info.coordination().clone(),
            performance: info.performance().clone(),
            alive: !info.state().is_terminal(),
        }
    }
}

/// Knows how agents are at the moment.
///
/// Implementations answer from memory and never block. While the feature gate of the one who knows the agents is off, they
/// know nobody; in the basic metadata view they give the basic projections.
pub trait AgentStatusSource: Send + Sync {
    /// The status of an agent; `None` if it is unknown or gone.
    fn status(&self, agent: &AgentId) -> Option<AgentStatus>;
}

/// Knows all agents of a namespace and tells of changes.
pub trait AgentDirectory: AgentStatusSource {
    /// The views of these agents, in the order asked; `None` for an agent that is unknown or gone.
    fn snapshot(&self, ids: &[AgentId]) -> Vec<Option<AgentView>>;

    /// The views of all agents, in no stated order.
    fn all(&self) -> Vec<AgentView>;

    /// The changes from now on. To miss nothing, subscribe first and take the snapshot afterwards.
    fn changes(&self) -> AgentChanges;
}

impl<S: AgentStatusSource + ?Sized> AgentStatusSource for Arc<S> {
    fn status(&self, agent: &AgentId) -> Option<AgentStatus> {
        (**self).status(agent)
    }
}

impl<D: AgentDirectory + ?Sized> AgentDirectory for Arc<D> {
    fn snapshot(&self, ids: &[AgentId]) -> Vec<Option<AgentView>> {
        (**self).snapshot(ids)
    }

    fn all(&self) -> Vec<AgentView> {
        (**self).all()
    }

    fn changes(&self) -> AgentChanges {
        (**self).changes()
    }
}
