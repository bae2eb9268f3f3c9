//! Why a call through one of many breakers gave no result.

use foundation_types::error::{Classify, Domain, ErrorKind};
use foundation_types::{Metadata, NameError};

use crate::error::{CallError, Rejected, SetFull};

/// Why a call through the breaker of its key gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyedCallError<E> {
    /// The breaker of the key refused; the service was not called.
    #[error(transparent)]
    Rejected(Rejected),
    /// The service gave this error.
    #[error("{0}")]
    Operation(#[source] E),
    /// The request has no key that names a breaker; the service was not called.
    #[error("the request names no breaker: {0}")]
    InvalidKey(#[source] NameError),
    /// The key is new and the set has no room for it; the service was not called.
    #[error(transparent)]
    Full(SetFull),
}

impl<E> KeyedCallError<E> {
    /// The refusal, if a breaker refused.
    pub const fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Rejected(rejected) => Some(rejected),
            Self::Operation(_) | Self::InvalidKey(_) | Self::Full(_) => None,
        }
    }

    /// The error of the service, if that was called.
    pub fn into_operation(self) -> Option<E> {
        match self {
            Self::Operation(error) => Some(error),
            Self::Rejected(_) | Self::InvalidKey(_) | Self::Full(_) => None,
        }
    }
}

impl<E> From<CallError<E>> for KeyedCallError<E> {
    fn from(error: CallError<E>) -> Self {
        match error {
            CallError::Rejected(rejected) => Self::Rejected(rejected),
            CallError::Operation(error) => Self::Operation(error),
        }
    }
}

impl<E> Classify for KeyedCallError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Rejected(rejected) => rejected.kind(),
            Self::Operation(_) => ErrorKind::ProtectedOperationFailed,
            Self::InvalidKey(_) => ErrorKind::InvalidName,
            Self::Full(full) => full.kind(),
        }
    }

    fn domain(&self) -> Domain {
        Domain::Breaker
    }

    fn context(&self) -> Metadata {
        match self {
            Self::Rejected(rejected) => rejected.context(),
            Self::Operation(_) | Self::InvalidKey(_) => Metadata::new(),
            Self::Full(full) => full.context(),
        }
    }
}
