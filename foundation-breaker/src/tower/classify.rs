//! Classifiers that look at responses.

use std::fmt;

use crate::classify::{FailureClassifier, Outcome};

/// A classifier that asks `judge` about responses. Errors are failures.
///
/// ```
/// use foundation_breaker::{FailureClassifier, Outcome, tower::on_response};
///
/// let overloaded = on_response(|answer: &&str| match *answer {
///     "busy" => Outcome::Failure,
///     _ => Outcome::Success,
/// });
/// assert_eq!(overloaded.outcome(&Ok::<_, ()>("busy")), Outcome::Failure);
/// assert_eq!(overloaded.outcome(&Ok::<_, ()>("here you are")), Outcome::Success);
/// assert_eq!(overloaded.outcome(&Err(())), Outcome::Failure);
/// ```
pub const fn on_response<T, F: Fn(&T) -> Outcome>(judge: F) -> OnResponse<F> {
    OnResponse { judge }
}

/// A classifier by the HTTP status that `status` finds in a response: 5xx is a failure, 4xx is ignored as the caller's own
/// mistake, and all else is a success. Errors are failures.
///
/// With the types of the `http` crate that is `on_status(|response: &Response<_>| response.status().as_u16())`. Servers that
/// say "429 Too Many Requests" when they are overloaded deserve a rule of their own: see [`on_response`].
///
/// ```
/// use foundation_breaker::{FailureClassifier, Outcome, tower::on_status};
///
/// struct Response { status: u16 }
///
/// let by_status = on_status(|response: &Response| response.status);
/// assert_eq!(by_status.outcome(&Ok::<_, ()>(Response { status: 503 })), Outcome::Failure);
/// assert_eq!(by_status.outcome(&Ok::<_, ()>(Response { status: 404 })), Outcome::Ignored);
/// assert_eq!(by_status.outcome(&Ok::<_, ()>(Response { status: 304 })), Outcome::Success);
/// ```
pub const fn on_status<T, F: Fn(&T) -> u16>(status: F) -> OnStatus<F> {
    OnStatus { status }
}

/// The classifier of [`on_response`].
#[derive(Clone, Copy)]
pub struct OnResponse<F> {
    judge: F,
}

impl<T, E, F: Fn(&T) -> Outcome> FailureClassifier<Result<T, E>> for OnResponse<F> {
    fn outcome(&self, result: &Result<T, E>) -> Outcome {
        result.as_ref().map_or(Outcome::Failure, &self.judge)
    }
}

impl<F> fmt::Debug for OnResponse<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnResponse").finish_non_exhaustive()
    }
}

/// The classifier of [`on_status`].
#[derive(Clone, Copy)]
pub struct OnStatus<F> {
    status: F,
}

impl<T, E, F: Fn(&T) -> u16> FailureClassifier<Result<T, E>> for OnStatus<F> {
    fn outcome(&self, result: &Result<T, E>) -> Outcome {
        match result.as_ref().map(&self.status) {
            Ok(500..=599) | Err(_) => Outcome::Failure,
            Ok(400..=499) => Outcome::Ignored,
            Ok(_) => Outcome::Success,
        }
    }
}

impl<F> fmt::Debug for OnStatus<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnStatus").finish_non_exhaustive()
    }
}
