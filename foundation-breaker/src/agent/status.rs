//! What the breaker of an agent shows of itself.

use foundation_types::{AgentId, Capability, Health, Name, ResourceUsage, Timestamp};
use serde::Serialize;

use super::options::ResourceThresholds;
use crate::snapshot::State;

/// The breaker of an agent at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgentBreakerStatus {
    /// The circuit.
    pub circuit_name: Name,
    /// The agent that calls.
    pub agent_id: AgentId,
    /// What it calls for.
    pub capability: Capability,
    /// The state of the circuit; one that is held open shows as open.
    pub circuit_state: State,
    /// Failures in a row; 0 after a reset or a recovery.
    pub failure_count: u32,
    /// Failures in a row that open the circuit.
    pub failure_threshold: u32,
    /// How the agent is, unknown if nobody knows it; absent while agents are not looked at.
    pub agent_health: Option<Health>,
    /// When that was asked; absent while agents are not looked at.
    pub last_health_check: Option<Timestamp>,
    /// When the latest failure was reported that counted; absent after a reset or a recovery.
    pub last_failure_time: Option<Timestamp>,
    /// Probes that have not ended.
    pub half_open_calls: u32,
    /// What the agent may use.
    pub resource_thresholds: ResourceThresholds,
    /// What it uses; absent while agents are not looked at, and if nobody knows it.
    pub resource_usage: Option<ResourceUsage>,
    /// Calls that were let through.
    pub total_operations: u64,
    /// Calls that were refused because of the agent; they count nowhere in the circuit.
    pub gated: u64,
}
