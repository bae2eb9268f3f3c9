//! Errors in the shape of the original.

use foundation_registry::{BackendError, LimitExceeded};
use foundation_types::error::{Domain, ErrorKind};
use foundation_types::{Classify, Metadata, Pid};

/// Why a name could not be registered.
///
/// The original's `:invalid_pid` and `:invalid_metadata` do not occur: such arguments do not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// Another live owner holds the name: `{:error, {:already_registered, pid}}`.
    #[error("already registered, by {holder}")]
    AlreadyRegistered {
        /// Who holds it.
        holder: Pid,
    },
    /// A limit of the registry would be passed.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The registry was shut down.
    #[error("registry is shut down")]
    Closed,
    /// The back-end failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

impl RegisterError {
    /// The result of a registration as the original gives it: registering a dead process succeeds, and no lookup ever
    /// finds it.
    pub(crate) fn legacy<T>(result: Result<T, foundation_registry::RegisterError>) -> Result<(), Self> {
        use foundation_registry::RegisterError as Native;

        Err(match result {
            Ok(_) | Err(Native::DeadProcess { .. }) => return Ok(()),
            Err(Native::AlreadyRegistered { holder }) => Self::AlreadyRegistered { holder },
            Err(Native::Limit(limit)) => Self::Limit(limit),
            Err(Native::Closed) => Self::Closed,
            Err(Native::Backend(error)) => Self::Backend(error),
            Err(other) => Self::Backend(BackendError::Rejected(other.to_string())),
        })
    }
}

impl Classify for RegisterError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyRegistered { .. } => ErrorKind::AlreadyRegistered,
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
            Self::Limit(limit) => limit.context(),
            Self::Closed => Metadata::new(),
            Self::Backend(error) => error.context(),
        }
    }
}

/// Why metadata could not be replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// No live owner holds the name: `{:error, :not_found}`.
    #[error("not found")]
    NotFound,
    /// The name is an agent's, whose record is changed by the agent functions: `{:error, :invalid_metadata}`.
    #[error("metadata of an agent is changed through the agent functions")]
    InvalidMetadata,
    /// A limit of the registry would be passed.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The registry was shut down.
    #[error("registry is shut down")]
    Closed,
    /// The back-end failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

impl From<foundation_registry::UpdateError> for UpdateError {
    fn from(error: foundation_registry::UpdateError) -> Self {
        use foundation_registry::UpdateError as Native;

        match error {
            Native::NotFound | Native::Superseded => Self::NotFound,
            Native::AgentManaged => Self::InvalidMetadata,
            Native::Limit(limit) => Self::Limit(limit),
            Native::Closed => Self::Closed,
            Native::Backend(error) => Self::Backend(error),
            other => Self::Backend(BackendError::Rejected(other.to_string())),
        }
    }
}

impl Classify for UpdateError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::ServiceNotFound,
            Self::InvalidMetadata => ErrorKind::AgentManaged,
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
            Self::Limit(limit) => limit.context(),
            Self::Backend(error) => error.context(),
            Self::NotFound | Self::InvalidMetadata | Self::Closed => Metadata::new(),
        }
    }
}
