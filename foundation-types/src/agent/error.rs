//! What can go wrong with an agent record.

use super::AgentState;

/// Why a change of an agent record was refused, or a record could not be read.
///
/// A call that fails leaves the record as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgentInfoError {
    /// The record to be read has no `agent_id`.
    #[error("missing agent id")]
    MissingAgentId,
    /// The transition table of [`AgentState`] has no such edge.
    #[error("cannot go from {from} to {to}")]
    InvalidStateTransition {
        /// The state the agent is in.
        from: AgentState,
        /// The state that was asked for.
        to: AgentState,
    },
    /// A field of the record to be read does not hold what it must.
    #[error("invalid {field}: {reason}")]
    InvalidField {
        /// The field, with its parent where it is nested: `health_metrics.health_score`.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl AgentInfoError {
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over the error that they map")]
    pub(super) fn invalid(field: &'static str, reason: impl ToString) -> Self {
        Self::InvalidField { field, reason: reason.to_string() }
    }
}
