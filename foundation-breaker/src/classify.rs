//! What the result of a call says about what is protected; and what the errors of this crate are in the common vocabulary.

use foundation_types::error::{Classify, Domain, ErrorKind};
use foundation_types::{Metadata, Value};
use serde::Serialize;

use crate::error::{AlreadyExists, CallError, InstallError, Rejected, SetFull};
use crate::options::OptionsError;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What is protected works.
    Success,
    /// It does not.
    Failure,
    /// The call says nothing about it: the caller's own mistake, an answer like HTTP 404.
    Ignored,
}

impl Outcome {
    /// The word for it: `success`, `failure`, `ignored`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Ignored => "ignored",
        }
    }
}

/// Says what the result of a call says about what is protected. Any function from the result to an [`Outcome`] does.
///
/// It runs while the call still holds its permit, outside every lock; a panic in it counts as a failure.
///
/// ```
/// use foundation_breaker::{CallError, CircuitBreaker, Outcome};
/// use foundation_types::Name;
///
/// let breaker = CircuitBreaker::builder(Name::from_static("search")).build()?;
/// let by_status = |answer: &Result<u16, std::io::Error>| match answer {
///     Ok(500..) | Err(_) => Outcome::Failure,
///     Ok(400..) => Outcome::Ignored,
///     Ok(_) => Outcome::Success,
/// };
/// assert!(matches!(breaker.call_with(by_status, || Ok(503)), Ok(503)));
/// assert_eq!(breaker.snapshot().totals.failed, 1);
/// # Ok::<(), foundation_breaker::OptionsError>(())
/// ```
pub trait FailureClassifier<R: ?Sized> {
    /// What `result` says.
    fn outcome(&self, result: &R) -> Outcome;
}

impl<R: ?Sized, F: Fn(&R) -> Outcome> FailureClassifier<R> for F {
    fn outcome(&self, result: &R) -> Outcome {
        self(result)
    }
}

/// The usual classifier: `Ok` is a success and `Err` a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AnyErr;

impl<T, E> FailureClassifier<Result<T, E>> for AnyErr {
    #[inline]
    fn outcome(&self, result: &Result<T, E>) -> Outcome {
        if result.is_ok() { Outcome::Success } else { Outcome::Failure }
    }
}

macro_rules! classify {
    ($($error:ty: |$this:ident| $kind:expr, $context:expr;)*) => {
        $(impl Classify for $error {
            fn kind(&self) -> ErrorKind {
                let $this = self;
                // Not every error needs to be looked at.
                let _ = $this;
                $kind
            }

            fn domain(&self) -> Domain {
                Domain::Breaker
            }

            fn context(&self) -> Metadata {
                let $this = self;
                let _ = $this;
                $context
            }
        })*
    };
}

classify! {
    Rejected: |error| ErrorKind::CircuitBreakerBlown, rejected_context(error);
    OptionsError: |error| ErrorKind::InvalidConfiguration, Metadata::new();
    AlreadyExists: |error| ErrorKind::AlreadyExists, Metadata::new().with("fuse_name", error.name.as_str());
    SetFull: |error| ErrorKind::CircuitBreakerInstallFailed, Metadata::new().with("limit", limit(error.limit));
    InstallError: |error| match error {
        InstallError::AlreadyExists(error) => error.kind(),
        InstallError::Full(error) => error.kind(),
    }, match error {
        InstallError::AlreadyExists(error) => error.context(),
        InstallError::Full(error) => error.context(),
    };
}

impl<E> Classify for CallError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Rejected(rejected) => rejected.kind(),
            Self::Operation(_) => ErrorKind::ProtectedOperationFailed,
        }
    }

    fn domain(&self) -> Domain {
        Domain::Breaker
    }

    fn context(&self) -> Metadata {
        self.rejected().map(rejected_context).unwrap_or_default()
    }
}

fn rejected_context(rejected: &Rejected) -> Metadata {
    let context = Metadata::new().with("fuse_name", rejected.breaker.as_str()).with("reason", rejected.reason.as_str());
    match rejected.retry_after {
        Some(after) => context.with("retry_after_ms", i64::try_from(after.as_millis()).unwrap_or(i64::MAX)),
        None => context,
    }
}

fn limit(limit: usize) -> Value {
    Value::from(i64::try_from(limit).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use foundation_types::Name;
    use foundation_types::error::classification;

    use super::*;
    use crate::error::RejectReason;

    #[test]
    fn every_error_has_a_number_that_stays() {
        let name = Name::from_static("search");
        let rejected = Rejected::new(name.clone(), RejectReason::Open, Some(Duration::from_millis(5)));
        let operation = CallError::Operation("timed out");
        let exists = AlreadyExists { name };
        let full = SetFull { limit: 3 };
        let table = classification([
            ("rejected", &rejected as &dyn Classify),
            ("operation", &operation),
            ("options", &OptionsError::ZeroWindow),
            ("exists", &exists),
            ("full", &full),
        ]);
        let expected = "\
rejected: breaker/circuit_breaker_blown 5004 medium external/availability fixed_delay
operation: breaker/protected_operation_failed 5003 medium external/runtime no_retry
options: breaker/invalid_configuration 5016 medium config/validation no_retry
exists: breaker/already_exists 5017 medium service/registration no_retry
full: breaker/circuit_breaker_install_failed 5001 high system/initialization no_retry
";
        assert_eq!(table, expected);
        let context = Metadata::new().with("fuse_name", "search").with("reason", "open").with("retry_after_ms", 5);
        assert_eq!(rejected.context(), context);
    }
}
