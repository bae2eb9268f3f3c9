//! Errors in the shape of the original.

use std::fmt;
use std::time::Duration;

use foundation_types::error::{Cause, Classify, Domain, ErrorKind};
use foundation_types::{Metadata, NameError, Text};

use crate::infrastructure::record::millis;

/// Why a pool could not be started. Nothing of it is left.
///
/// The original's `{:invalid_worker_module, module}` does not occur, as a factory is given; nor does
/// `{:already_started, pid}`, as the names of pools are their own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartPoolError {
    /// A pool has the name: `:already_exists`.
    #[error("there is a pool called {name} already")]
    AlreadyExists {
        /// The name.
        name: Text,
    },
    /// The name is none.
    #[error("not a name for a pool: {0}")]
    InvalidName(#[from] NameError),
    /// A number is out of range: `{:invalid_config, field, text}`.
    #[error("{field} is out of range: {text}")]
    InvalidConfig {
        /// Which: `size` or `max_overflow`.
        field: &'static str,
        /// What is wrong with it.
        text: String,
    },
    /// One of the first workers could not be made.
    #[error("a worker of pool {name} could not be started")]
    WorkerFailed {
        /// The name.
        name: Text,
        /// Why.
        #[source]
        cause: CauseError,
    },
    /// There are as many pools as there may be.
    #[error("there are too many pools")]
    TooManyPools,
    /// The instance was shut down.
    #[error("the pools are shut down")]
    Closed,
}

impl Classify for StartPoolError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyExists { .. } => ErrorKind::AlreadyExists,
            Self::InvalidName(_) => ErrorKind::InvalidName,
            Self::InvalidConfig { .. } => ErrorKind::InvalidConfig,
            Self::WorkerFailed { .. } => ErrorKind::WorkerStartFailed,
            Self::TooManyPools => ErrorKind::PoolFull,
            Self::Closed => ErrorKind::PoolClosed,
        }
    }

    fn domain(&self) -> Domain {
        Domain::Infrastructure
    }

    fn context(&self) -> Metadata {
        match self {
            Self::AlreadyExists { name } | Self::WorkerFailed { name, .. } => pool_name(name),
            Self::InvalidConfig { field, text } => Metadata::new().with("field", *field).with("text", text.as_str()),
            Self::InvalidName(_) | Self::TooManyPools | Self::Closed => Metadata::new(),
        }
    }
}

/// There is no pool of this name: `:not_found`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no pool called {name}")]
#[non_exhaustive]
pub struct PoolNotFound {
    /// The name.
    pub name: Text,
}

impl Classify for PoolNotFound {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotFound
    }

    fn domain(&self) -> Domain {
        Domain::Infrastructure
    }

    fn context(&self) -> Metadata {
        pool_name(&self.name)
    }
}

/// Why a pool lent no worker. No operation ran.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// There is no such pool: `:pool_not_found`.
    #[error("there is no pool called {name}")]
    NotFound {
        /// The name.
        name: Text,
    },
    /// No worker became free in time: `:checkout_timeout`.
    #[error("no worker of pool {name} became free within {waited:?}")]
    CheckoutTimeout {
        /// The name.
        name: Text,
        /// How long the caller was ready to wait.
        waited: Duration,
    },
    /// Too many wait already.
    #[error("too many wait for a worker of pool {name} already")]
    TooManyWaiting {
        /// The name.
        name: Text,
    },
    /// The pool was stopped meanwhile.
    #[error("pool {name} is stopped")]
    Closed {
        /// The name.
        name: Text,
    },
    /// A worker had to be made, and could not be.
    #[error("a worker of pool {name} could not be started")]
    WorkerFailed {
        /// The name.
        name: Text,
        /// Why.
        #[source]
        cause: CauseError,
    },
    /// The workers of the pool are of another type than the operation takes.
    #[error("the workers of pool {name} are no {wanted}")]
    WrongWorker {
        /// The name.
        name: Text,
        /// The type that the operation takes.
        wanted: &'static str,
    },
}

impl Classify for PoolError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::PoolNotFound,
            Self::CheckoutTimeout { .. } => ErrorKind::CheckoutTimeout,
            Self::TooManyWaiting { .. } => ErrorKind::PoolFull,
            Self::Closed { .. } => ErrorKind::PoolClosed,
            Self::WorkerFailed { .. } => ErrorKind::WorkerStartFailed,
            Self::WrongWorker { .. } => ErrorKind::InvalidWorkerModule,
        }
    }

    fn domain(&self) -> Domain {
        Domain::Infrastructure
    }

    fn context(&self) -> Metadata {
        match self {
            Self::CheckoutTimeout { name, waited } => pool_name(name).with("timeout", millis(*waited)),
            Self::WrongWorker { name, wanted } => pool_name(name).with("wanted", *wanted),
            Self::NotFound { name }
            | Self::TooManyWaiting { name }
            | Self::Closed { name }
            | Self::WorkerFailed { name, .. } => pool_name(name),
        }
    }
}

/// Why [`with_connection`](super::with_connection) has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError<E> {
    /// The pool lent no worker; the operation did not run.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The operation ran and gave this error.
    #[error("{0}")]
    Operation(E),
    /// The operation panicked. Its worker was retired.
    #[error("the operation panicked: {message}")]
    Panicked {
        /// The message of the panic.
        message: Text,
    },
}

fn pool_name(name: &Text) -> Metadata {
    Metadata::new().with("pool_name", name.clone())
}

/// The error of a factory, of whatever type it is.
#[derive(Clone, PartialEq, Eq)]
pub struct CauseError(Cause);

impl CauseError {
    /// The error as a cause of others.
    pub const fn cause(&self) -> &Cause {
        &self.0
    }
}

impl From<Cause> for CauseError {
    fn from(cause: Cause) -> Self {
        Self(cause)
    }
}

impl fmt::Display for CauseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0.as_error(), f)
    }
}

impl fmt::Debug for CauseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for CauseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_error().source()
    }
}
