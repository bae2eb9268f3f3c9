//! What can go wrong.

use std::time::Duration;

use foundation_types::Metadata;
use foundation_types::error::{Classify, Domain, ErrorKind};

use super::{MAX_CONCURRENT_LIMIT, MAX_WAITING_LIMIT};

/// Why a caller may not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// Every permit is out, and the caller does not wait.
    #[error("bulkhead is full: {max_concurrent} calls are under way")]
    Full {
        /// How many calls may be under way at once.
        max_concurrent: usize,
    },
    /// Every permit is out, and so many wait that no more may.
    #[error("bulkhead is full and {limit} wait already, the limit")]
    TooManyWaiting {
        /// How many may wait.
        limit: usize,
    },
    /// No permit became free in time.
    #[error("no permit became free within {waited:?}")]
    Timeout {
        /// How long the caller was ready to wait.
        waited: Duration,
    },
    /// The bulkhead was closed.
    #[error("bulkhead is closed")]
    Closed,
}

/// Why a bulkhead cannot have these options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// `max_concurrent` is zero, which would refuse everything.
    #[error("max_concurrent is 0")]
    ZeroConcurrent,
    /// `max_concurrent` is above [`MAX_CONCURRENT_LIMIT`].
    #[error("max_concurrent is {max_concurrent}, limit {MAX_CONCURRENT_LIMIT}")]
    Concurrent {
        /// What was asked for.
        max_concurrent: usize,
    },
    /// `max_waiting` is above [`MAX_WAITING_LIMIT`].
    #[error("max_waiting is {max_waiting}, limit {MAX_WAITING_LIMIT}")]
    Waiting {
        /// What was asked for.
        max_waiting: usize,
    },
}

impl Classify for AcquireError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Full { .. } | Self::TooManyWaiting { .. } | Self::Timeout { .. } => ErrorKind::BulkheadFull,
            Self::Closed => ErrorKind::PoolClosed,
        }
    }

    fn domain(&self) -> Domain {
        Domain::Infrastructure
    }

    fn context(&self) -> Metadata {
        match *self {
            Self::Full { max_concurrent } => Metadata::new().with("max_concurrent", number(max_concurrent)),
            Self::TooManyWaiting { limit } => Metadata::new().with("limit", number(limit)),
            Self::Timeout { waited } => {
                Metadata::new().with("timeout", i64::try_from(waited.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Closed => Metadata::new(),
        }
    }
}

impl Classify for OptionsError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidConfig
    }

    fn domain(&self) -> Domain {
        Domain::Infrastructure
    }

    fn context(&self) -> Metadata {
        match *self {
            Self::ZeroConcurrent => Metadata::new().with("max_concurrent", 0),
            Self::Concurrent { max_concurrent } => Metadata::new().with("max_concurrent", number(max_concurrent)),
            Self::Waiting { max_waiting } => Metadata::new().with("max_waiting", number(max_waiting)),
        }
    }
}

fn number(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use foundation_types::error::classification;

    use super::*;

    #[test]
    fn every_error_has_a_number_that_stays() {
        let acquire = [
            AcquireError::Full { max_concurrent: 8 },
            AcquireError::TooManyWaiting { limit: 9 },
            AcquireError::Timeout { waited: Duration::from_secs(1) },
            AcquireError::Closed,
        ];
        let mut errors: Vec<(String, &dyn Classify)> = Vec::new();
        errors.extend(acquire.iter().map(|error| (error.to_string(), error as &dyn Classify)));
        errors.push(("options".to_owned(), &OptionsError::ZeroConcurrent));
        let table = classification(errors.iter().map(|(label, error)| (label.as_str(), *error)));
        let expected = "\
bulkhead is full: 8 calls are under way: infrastructure/bulkhead_full 9999 medium system/resources fixed_delay
bulkhead is full and 9 wait already, the limit: infrastructure/bulkhead_full 9999 medium system/resources fixed_delay
no permit became free within 1s: infrastructure/bulkhead_full 9999 medium system/resources fixed_delay
bulkhead is closed: infrastructure/pool_closed 9999 medium system/lifecycle no_retry
options: infrastructure/invalid_config 9999 medium config/validation no_retry
";
        assert_eq!(table, expected);
    }
}
