//! What the errors of limiters are in the common vocabulary.

use foundation_types::Metadata;
use foundation_types::error::{Classify, Domain, ErrorKind};

use super::keyed::millis;
use super::{Denial, ExecuteError, QuotaError, WaitError};

impl Classify for Denial {
    fn kind(&self) -> ErrorKind {
        ErrorKind::RateLimitExceeded
    }

    fn domain(&self) -> Domain {
        Domain::Limiter
    }

    fn context(&self) -> Metadata {
        let context = Metadata::new()
            .with("reason", self.reason.as_str())
            .with("count", i64::from(self.count))
            .with("limit", i64::from(self.limit))
            .with("time_window_ms", millis(self.window));
        match self.retry_after {
            Some(wait) => context.with("retry_after_ms", millis(wait)),
            None => context,
        }
    }
}

impl Classify for WaitError {
    fn kind(&self) -> ErrorKind {
        self.denial().kind()
    }

    fn domain(&self) -> Domain {
        Domain::Limiter
    }

    fn context(&self) -> Metadata {
        self.denial().context()
    }
}

impl<E> Classify for ExecuteError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Denied(denial) => denial.kind(),
            Self::Operation(_) => ErrorKind::RateLimitedOperationFailed,
        }
    }

    fn domain(&self) -> Domain {
        Domain::Limiter
    }

    fn context(&self) -> Metadata {
        match self {
            Self::Denied(denial) => denial.context(),
            Self::Operation(_) => Metadata::new(),
        }
    }
}

impl Classify for QuotaError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::ValidationFailed
    }

    fn domain(&self) -> Domain {
        Domain::Limiter
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use foundation_types::error::classification;

    use super::super::DenialReason;
    use super::*;

    #[test]
    fn every_error_has_a_number_that_stays() {
        let denial = Denial::new(DenialReason::Exceeded, 5, 5, Duration::from_secs(1), Some(Duration::from_millis(20)));
        let errors: [(&str, &dyn Classify); 6] = [
            ("denied", &denial),
            ("never", &WaitError::Never(denial)),
            ("too long", &WaitError::TooLong { at_most: Duration::ZERO, denial }),
            ("not executed", &ExecuteError::<&str>::Denied(denial)),
            ("executed", &ExecuteError::Operation("boom")),
            ("quota", &QuotaError::ZeroWindow),
        ];
        let expected = "\
denied: limiter/rate_limit_exceeded 6001 medium external/availability fixed_delay
never: limiter/rate_limit_exceeded 6001 medium external/availability fixed_delay
too long: limiter/rate_limit_exceeded 6001 medium external/availability fixed_delay
not executed: limiter/rate_limit_exceeded 6001 medium external/availability fixed_delay
executed: limiter/rate_limited_operation_failed 6008 medium external/runtime no_retry
quota: limiter/validation_failed 6009 medium data/validation no_retry
";
        assert_eq!(classification(errors), expected);
        assert_eq!(denial.to_string(), "rate limit exceeded: 5 of 5 in 1s, retry after 20ms");
        let context = Metadata::new()
            .with("reason", "rate limit exceeded")
            .with("count", 5)
            .with("limit", 5)
            .with("time_window_ms", 1000)
            .with("retry_after_ms", 20);
        assert_eq!(denial.context(), context);
    }
}
