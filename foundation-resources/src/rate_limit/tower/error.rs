//! Why a limited service did not answer.

use std::time::Duration;

use foundation_types::Metadata;
use foundation_types::error::{Classify, Domain, ErrorKind};

use super::super::{Denial, WaitError};

/// Why a limited service did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateLimitError<E> {
    /// The request did not fit. The service was not called.
    #[error(transparent)]
    Denied(Denial),
    /// The request would have waited in vain, or too long. The service was not called.
    #[error(transparent)]
    NoPlace(WaitError),
    /// The service was called, and failed.
    #[error("{0}")]
    Service(#[source] E),
}

impl<E> RateLimitError<E> {
    /// The denial; `None` if the service was called.
    pub const fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Denied(denial) => Some(denial),
            Self::NoPlace(error) => Some(error.denial()),
            Self::Service(_) => None,
        }
    }

    /// After how long the same request can succeed, if it was denied and that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.denial() {
            Some(denial) => denial.retry_after,
            None => None,
        }
    }
}

impl<E: Classify> Classify for RateLimitError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Denied(denial) => denial.kind(),
            Self::NoPlace(error) => error.kind(),
            Self::Service(error) => error.kind(),
        }
    }

    fn domain(&self) -> Domain {
        match self {
            Self::Denied(_) | Self::NoPlace(_) => Domain::Limiter,
            Self::Service(error) => error.domain(),
        }
    }

    fn context(&self) -> Metadata {
        match self {
            Self::Denied(denial) => denial.context(),
            Self::NoPlace(error) => error.context(),
            Self::Service(error) => error.context(),
        }
    }
}
