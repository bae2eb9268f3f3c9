//! An agent on one line.

use serde::Serialize;

use super::{AgentInfo, AgentState, CapabilitySet, LoadLevel};
use crate::{AgentId, Health, Timestamp};

/// An agent on one line: what lists and dashboards show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StatusSummary {
    /// The agent.
    pub agent_id: AgentId,
    /// Where in its life cycle it is.
    pub state: AgentState,
    /// Its overall health.
    pub health: Health,
    /// How many capabilities it has.
    pub capabilities: usize,
    /// Its capabilities, sorted.
    pub capability_list: CapabilitySet,
    /// How busy it is.
    pub load: LoadLevel,
    /// Whether it takes part in anything with others.
    pub coordination_active: bool,
    /// When the record changed last.
    pub last_updated: Timestamp,
    /// How often the record was written.
    pub version: u64,
}

impl AgentInfo {
    /// The agent on one line.
    pub fn summary(&self) -> StatusSummary {
        StatusSummary {
            agent_id: self.agent_id().clone(),
            state: self.state(),
            health: self.health().overall_health,
            capabilities: self.capabilities().len(),
            capability_list: self.capabilities().clone(),
            load: self.load(),
            coordination_active: self.coordination().is_active(),
            last_updated: self.last_updated(),
            version: self.version(),
        }
    }
}
