//! Why a call was not made, or failed.

use std::time::Duration;

use foundation_types::Name;
use serde::Serialize;

/// A call that a breaker refused. The operation was not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("circuit breaker {breaker} refused the call: {reason}")]
#[non_exhaustive]
// Left to itself the compiler puts the time first, and then wraps a refusal into a `Result` by copying the name together with
// the gap before it: loads across the stores just made, for which a processor waits longer than all else in a refusal takes.
#[repr(C)]
pub struct Rejected {
    /// The breaker that refused.
    pub breaker: Name,
    /// Why.
    pub reason: RejectReason,
    /// How long until the open circuit lets calls through again; absent where nobody can know. Never shorter than it really
    /// is; with the system clock up to [`COARSE_TICK`](foundation_types::COARSE_TICK) longer.
    pub retry_after: Option<Duration>,
}

impl Rejected {
    /// The refusal by `breaker` for `reason`.
    pub const fn new(breaker: Name, reason: RejectReason, retry_after: Option<Duration>) -> Self {
        Self { breaker, reason, retry_after }
    }
}

/// Why a breaker refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RejectReason {
    /// The circuit is open.
    Open,
    /// The circuit is half-open and as many calls probe as may at once.
    HalfOpenBusy,
    /// An operator holds the circuit open.
    ForcedOpen,
    /// A fault was injected on purpose.
    Injected,
}

impl RejectReason {
    /// The word for it in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::HalfOpenBusy => "half_open_busy",
            Self::ForcedOpen => "forced_open",
            Self::Injected => "injected",
        }
    }
}

impl std::fmt::Display for RejectReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Open => "the circuit is open",
            Self::HalfOpenBusy => "the circuit is half-open and probed by others",
            Self::ForcedOpen => "the circuit is held open",
            Self::Injected => "a fault was injected",
        })
    }
}

/// Why a call through a breaker gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError<E> {
    /// The breaker refused; the operation was not run.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The operation ran and gave this error.
    #[error("{0}")]
    Operation(#[source] E),
}

impl<E> CallError<E> {
    /// The refusal, if it is one.
    pub const fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Rejected(rejected) => Some(rejected),
            Self::Operation(_) => None,
        }
    }

    /// The error of the operation, if it ran.
    pub fn into_operation(self) -> Option<E> {
        match self {
            Self::Rejected(_) => None,
            Self::Operation(error) => Some(error),
        }
    }
}

/// A set has a breaker of this name already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a breaker {name} exists already")]
#[non_exhaustive]
pub struct AlreadyExists {
    /// The name.
    pub name: Name,
}

/// A set holds as many breakers as it may, and none of them can be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the set holds {limit} breakers, its limit")]
#[non_exhaustive]
pub struct SetFull {
    /// The most breakers that it may hold.
    pub limit: usize,
}

/// Why a breaker could not be added to a set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// There is one of the name already; only where a new one was asked for.
    #[error(transparent)]
    AlreadyExists(#[from] AlreadyExists),
    /// The set is full.
    #[error(transparent)]
    Full(#[from] SetFull),
}
