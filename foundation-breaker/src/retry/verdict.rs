//! Which failures are worth another attempt.

use std::time::Duration;

use serde::Serialize;

use crate::CallError;

/// What the failure of an attempt asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryVerdict {
    /// Try again: the failure is likely to pass.
    Retry,
    /// Try again, but not sooner than this: what was called said so, as HTTP does by `Retry-After`.
    RetryAfter(Duration),
    /// Nothing was sent: a circuit breaker, or a limit on this side, refused. The next attempt costs what is called no more
    /// than this one would have, so it needs nothing from the budget.
    Refused {
        /// How long it will go on refusing, where that is known.
        retry_after: Option<Duration>,
    },
    /// Another attempt would fail in the same way, or must not be made.
    GiveUp,
}

/// Says which failures are worth another attempt. Any function from the error to a [`RetryVerdict`] does.
///
/// It runs outside every lock; a panic in it ends the operation and reaches the caller.
pub trait RetryClassifier<E: ?Sized> {
    /// What `error` asks for.
    fn verdict(&self, error: &E) -> RetryVerdict;
}

impl<E: ?Sized, F: Fn(&E) -> RetryVerdict> RetryClassifier<E> for F {
    fn verdict(&self, error: &E) -> RetryVerdict {
        self(error)
    }
}

/// The classifier to which every error is worth another attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EveryError;

impl<E: ?Sized> RetryClassifier<E> for EveryError {
    fn verdict(&self, _: &E) -> RetryVerdict {
        RetryVerdict::Retry
    }
}

/// The classifier of calls through a circuit breaker: a refusal is [`RetryVerdict::Refused`], errors of the operation are left
/// to `inner`.
pub const fn through_breaker<K>(inner: K) -> ThroughBreaker<K> {
    ThroughBreaker(inner)
}

/// See [`through_breaker`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThroughBreaker<K>(K);

impl<E, K: RetryClassifier<E>> RetryClassifier<CallError<E>> for ThroughBreaker<K> {
    fn verdict(&self, error: &CallError<E>) -> RetryVerdict {
        match error {
            CallError::Rejected(rejected) => RetryVerdict::Refused { retry_after: rejected.retry_after },
            CallError::Operation(error) => self.0.verdict(error),
        }
    }
}
