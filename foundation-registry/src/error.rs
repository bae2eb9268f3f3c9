//! What can go wrong, by operation.

use foundation_types::{NodeId, OwnerId, Pid, Text, Value};

/// Why a name could not be claimed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// A live owner holds the name.
    #[error("name is held by {holder}")]
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
    /// A configured limit would be passed.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The registry was shut down.
    #[error("registry is shut down")]
    Closed,
    /// The back-end failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Why a name could not be looked up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// No live owner holds the name.
    #[error("no such service")]
    NotFound,
    /// The registry was shut down.
    #[error("registry is shut down")]
    Closed,
    /// The back-end failed. Never a substitute for "not found".
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Why an entry could not be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// No live owner holds the name.
    #[error("no such service")]
    NotFound,
    /// The claim that was to be changed is gone; another may hold the name.
    #[error("the registration has been superseded")]
    Superseded,
    /// The entry belongs to the agent API, which alone may change it.
    #[error("the entry is managed by the agent registry")]
    AgentManaged,
    /// A configured limit would be passed.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The registry was shut down.
    #[error("registry is shut down")]
    Closed,
    /// The back-end failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Why waiting for a service ended without one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The deadline passed.
    #[error("no such service before the deadline")]
    Timeout,
    /// The registry was shut down.
    #[error("registry is shut down")]
    Closed,
    /// The back-end failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Why a typed client handle could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GetError {
    /// No live owner holds the name.
    #[error("no such service")]
    NotFound,
    /// The entry carries no client handle.
    #[error("the service provides no client handle")]
    NoPayload,
    /// The entry carries a client handle of another type.
    #[error("the service provides a handle of type {stored}")]
    WrongType {
        /// The type that is stored.
        stored: &'static str,
    },
    /// The owner lives on another node, where its handle is.
    #[error("the service lives on node {node}")]
    Remote {
        /// The node.
        node: NodeId,
    },
    /// The registry was shut down.
    #[error("registry is shut down")]
    Closed,
    /// The back-end failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Why a health check did not pass.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthCheckError {
    /// No live owner holds the name.
    #[error("{}", .0.message())]
    NotFound(foundation_types::Error),
    /// The owner died between lookup and check.
    #[error("the process is dead")]
    ProcessDead,
    /// The check gave no answer in time.
    #[error("health check timed out")]
    Timeout,
    /// The check answered that the service is not well.
    #[error("health check failed: {0}")]
    Failed(Value),
    /// The check panicked.
    #[error("health check raised an error: {0}")]
    Errored(Text),
    /// The check was aborted, or the owner died meanwhile.
    #[error("health check crashed: {0}")]
    Crashed(foundation_types::ExitReason),
    /// The registry was shut down.
    #[error("registry is shut down")]
    Closed,
    /// The back-end failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Why an operation on the registry as a whole failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The registry was shut down.
    #[error("registry is shut down")]
    Closed,
    /// The back-end failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// A failure of a back-end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// It cannot be reached; nothing was done.
    #[error("back-end is unavailable")]
    Unavailable,
    /// It did not answer in time.
    #[error("back-end timed out")]
    Timeout,
    /// What it holds makes no sense.
    #[error("back-end is corrupt: {0}")]
    Corrupt(String),
    /// It refused the operation.
    #[error("back-end refused: {0}")]
    Rejected(String),
}

/// A limit set with [`Limits`](crate::Limits) would be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// The registry holds as many entries as it may.
    #[error("registry holds {limit} entries, its limit")]
    Entries {
        /// The limit.
        limit: usize,
    },
    /// The metadata is larger than an entry's may be.
    #[error("metadata takes {bytes} bytes, limit {limit}")]
    MetadataBytes {
        /// Its size: the length of its compact JSON text.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
}

/// An option of a builder is out of range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// The option must not be zero.
    #[error("{option} must not be zero")]
    Zero {
        /// Its name.
        option: &'static str,
    },
    /// The option is larger than allowed.
    #[error("{option} is larger than {max}")]
    TooLarge {
        /// Its name.
        option: &'static str,
        /// The largest value allowed.
        max: u64,
    },
    /// A list has no element.
    #[error("{option} is empty")]
    Empty {
        /// Its name.
        option: &'static str,
    },
    /// An index field was named twice.
    #[error("index field {field} is named twice")]
    DuplicateField {
        /// The field.
        field: Text,
    },
}

macro_rules! from_registry_error {
    ($($error:ident),*) => {
        $(impl From<RegistryError> for $error {
            fn from(error: RegistryError) -> Self {
                match error {
                    RegistryError::Closed => Self::Closed,
                    RegistryError::Backend(error) => Self::Backend(error),
                }
            }
        })*
    };
}

from_registry_error!(RegisterError, LookupError, UpdateError, WaitError, GetError, HealthCheckError);
