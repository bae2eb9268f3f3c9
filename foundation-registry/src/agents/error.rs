//! What can go wrong with agents.

use foundation_types::error::{Classify, Domain, ErrorKind};
use foundation_types::{AgentId, AgentInfoError, Metadata, NodeId, OwnerId, Pid};

use crate::error::{BackendError, LimitExceeded, LookupError, RegisterError, RegistryError};

/// Why an operation on agents failed. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// No live agent has this id.
    #[error("no such agent")]
    NotFound,
    /// The name of the agent is held by a live owner, the claiming one itself perhaps.
    #[error("agent is registered already, by {holder}")]
    AlreadyRegistered {
        /// Who holds it.
        holder: Pid,
    },
    /// The owner that claims is dead.
    #[error("owner {pid} is dead")]
    DeadProcess {
        /// The owner.
        pid: OwnerId,
    },
    /// The record is that of another agent.
    #[error("the record of agent {record} does not belong to agent {id}")]
    IdMismatch {
        /// The agent that was named.
        id: AgentId,
        /// The agent that the record is about.
        record: AgentId,
    },
    /// The record cannot be read, or the change is not allowed.
    #[error(transparent)]
    Invalid(#[from] AgentInfoError),
    /// The agent features are switched off.
    #[error("agent features are disabled")]
    Disabled,
    /// The process lives on another node, and this registry knows its own node only.
    #[error("process lives on node {0}")]
    RemoteNode(NodeId),
    /// The back-end has no such operation.
    #[error("not implemented by this back-end")]
    NotImplemented,
    /// A configured limit would be passed.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The registry was shut down.
    #[error("registry is shut down")]
    Closed,
    /// The back-end failed. Never a substitute for "not found".
    #[error(transparent)]
    Backend(#[from] BackendError),
}

impl From<RegistryError> for AgentError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Closed => Self::Closed,
            RegistryError::Backend(error) => Self::Backend(error),
        }
    }
}

impl From<LookupError> for AgentError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::NotFound => Self::NotFound,
            LookupError::Closed => Self::Closed,
            LookupError::Backend(error) => Self::Backend(error),
        }
    }
}

impl From<RegisterError> for AgentError {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::AlreadyRegistered { holder } => Self::AlreadyRegistered { holder },
            RegisterError::DeadProcess { pid } => Self::DeadProcess { pid },
            RegisterError::Limit(limit) => Self::Limit(limit),
            RegisterError::Closed => Self::Closed,
            RegisterError::Backend(error) => Self::Backend(error),
        }
    }
}

impl Classify for AgentError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::AgentNotFound,
            Self::AlreadyRegistered { .. } => ErrorKind::AlreadyRegistered,
            Self::DeadProcess { .. } => ErrorKind::DeadProcess,
            Self::IdMismatch { .. } | Self::Invalid(_) => ErrorKind::InvalidAgentMetadata,
            Self::Disabled => ErrorKind::AgentFeaturesDisabled,
            Self::RemoteNode(_) => ErrorKind::RemoteNode,
            Self::NotImplemented => ErrorKind::NotImplemented,
            Self::Limit(limit) => limit.kind(),
            Self::Closed => ErrorKind::Closed,
            Self::Backend(error) => error.kind(),
        }
    }

    fn domain(&self) -> Domain {
        Domain::Registry
    }

    fn context(&self) -> Metadata {
        match self {
            Self::AlreadyRegistered { holder } => Metadata::new().with("holder", holder.to_string()),
            Self::DeadProcess { pid } => Metadata::new().with("pid", pid.to_string()),
            Self::IdMismatch { id, record } => {
                Metadata::new().with("agent_id", id.as_str()).with("record_id", record.as_str())
            }
            Self::Invalid(AgentInfoError::InvalidField { field, .. }) => Metadata::new().with("field", *field),
            Self::Invalid(AgentInfoError::InvalidStateTransition { from, to }) => {
                Metadata::new().with("from", from.as_str()).with("to", to.as_str())
            }
            Self::RemoteNode(node) => Metadata::new().with("node", node.as_str()),
            Self::Limit(limit) => limit.context(),
            Self::Backend(error) => error.context(),
            Self::Invalid(_) | Self::NotFound | Self::Disabled | Self::NotImplemented | Self::Closed => Metadata::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use foundation_types::error::classification;
    use foundation_types::{AgentState, Owner};

    use super::*;

    #[test]
    fn every_error_has_its_code() {
        let pid = Owner::new().pid();
        let id = AgentId::from_static("scout");
        let invalid = AgentInfoError::InvalidStateTransition { from: AgentState::Ready, to: AgentState::Stopped };
        let errors = [
            (AgentError::NotFound, 3101),
            (AgentError::AlreadyRegistered { holder: pid.clone() }, 7101),
            (AgentError::DeadProcess { pid: pid.id() }, 7102),
            (AgentError::IdMismatch { id: id.clone(), record: id }, 3102),
            (AgentError::Invalid(invalid), 3102),
            (AgentError::Disabled, 3103),
            (AgentError::RemoteNode(NodeId::NONODE), 7108),
            (AgentError::NotImplemented, 7109),
            (AgentError::Limit(LimitExceeded::Entries { limit: 1 }), 7105),
            (AgentError::Closed, 7106),
            (AgentError::Backend(BackendError::Timeout), 7107),
        ];
        for (error, code) in errors {
            let label = format!("{error:?}");
            let line = classification([(label.as_str(), &error as &dyn Classify)]);
            assert!(!line.contains("undefined"), "{line}");
            assert_eq!(foundation_types::Error::from(error).code(), code, "{line}");
        }
    }
}
