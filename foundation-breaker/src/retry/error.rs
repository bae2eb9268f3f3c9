//! Why an operation was given up.

use std::fmt;

use foundation_types::Metadata;
use foundation_types::error::{Classify, Domain, ErrorKind};
use serde::Serialize;

use super::{BackoffError, BudgetError};

macro_rules! invalid_configuration {
    ($($error:ty),*) => {
        $(impl Classify for $error {
            fn kind(&self) -> ErrorKind {
                ErrorKind::InvalidConfiguration
            }

            fn domain(&self) -> Domain {
                Domain::Breaker
            }
        })*
    };
}

invalid_configuration!(BackoffError, BudgetError);

/// An operation that failed, after all attempts that were worth making.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed for good after {attempts} attempt(s): {stopped}")]
#[non_exhaustive]
pub struct RetryError<E> {
    /// What the last attempt failed with.
    #[source]
    pub error: E,
    /// How many attempts were made, refused ones included.
    pub attempts: u32,
    /// Why there were no more.
    pub stopped: Stopped,
}

impl<E> RetryError<E> {
    /// The failure of an operation; for those who step through [`Attempts`](super::Attempts) themselves.
    pub const fn new(error: E, attempts: u32, stopped: Stopped) -> Self {
        Self { error, attempts, stopped }
    }

    /// What the last attempt failed with.
    pub fn into_error(self) -> E {
        self.error
    }
}

/// Why there are no more attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stopped {
    /// As many were made as may be.
    Attempts,
    /// The budget has no retry left.
    Budget,
    /// The next one would begin after the deadline.
    Deadline,
    /// The error is not worth another one.
    NotRetryable,
}

impl Stopped {
    /// The word for it: `attempts`, `budget`, `deadline`, `not_retryable`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Budget => "budget",
            Self::Deadline => "deadline",
            Self::NotRetryable => "not_retryable",
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attempts => "no more attempts may be made",
            Self::Budget => "the retry budget is used up",
            Self::Deadline => "the next attempt would come too late",
            Self::NotRetryable => "another attempt would not help",
        })
    }
}

impl<E: Classify> Classify for RetryError<E> {
    fn kind(&self) -> ErrorKind {
        self.error.kind()
    }

    fn domain(&self) -> Domain {
        self.error.domain()
    }

    fn context(&self) -> Metadata {
        self.error.context().with("attempts", i64::from(self.attempts)).with("stopped", self.stopped.as_str())
    }
}
