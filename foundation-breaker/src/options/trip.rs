//! When a closed circuit opens.

use std::time::Duration;

use serde::Serialize;

use super::{MAX_THRESHOLD, OptionsError, Rate};

/// The most failures that may be tolerated within a window: each is remembered, in 8 bytes.
pub const MAX_TOLERANCE: u32 = 1_000_000;
/// The most calls of a [`CountWindow`]: each is remembered, in a byte.
pub const MAX_WINDOW_SIZE: u32 = 1_000_000;
/// The most buckets of a [`TimeWindow`]: each takes 32 bytes.
pub const MAX_BUCKETS: u32 = 1_000;

/// When a closed circuit opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TripPolicy {
    /// At the failure that makes **more than** `tolerance` failures younger than `window`. Successes count for nothing, so
    /// they cost nothing. A failure counts when it is reported, however old its permit. This is the rule of Erlang's
    /// [fuse](https://hex.pm/packages/fuse).
    FailureIntensity {
        /// How many failures are tolerated, 0 to [`MAX_TOLERANCE`]; the next one opens the circuit.
        tolerance: u32,
        /// How long a failure counts, from its report on; a failure exactly as old counts no more.
        window: Duration,
    },
    /// At so many failures in a row, 1 to [`MAX_THRESHOLD`]; a success begins the count anew.
    ConsecutiveFailures {
        /// How many.
        threshold: u32,
    },
    /// When the rate of failures, or of slow calls, among the last calls is too high.
    CountWindow(CountWindow),
    /// When the rate of failures, or of slow calls, within the last stretch of time is too high.
    TimeWindow(TimeWindow),
    /// Never; the breaker only counts. It can still be forced open.
    Never,
}

/// The last calls, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CountWindow {
    /// How many calls are looked at, 1 to [`MAX_WINDOW_SIZE`].
    pub size: u32,
    /// From how many recorded calls on a decision is taken, 1 to `size`.
    pub min_calls: u32,
    /// The share of failures that opens the circuit.
    pub failure_rate: Rate,
    /// What counts as slow, if anything.
    pub slow: Option<SlowCalls>,
}

/// The last calls, by time: the current bucket and those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TimeWindow {
    /// How long back calls are looked at; a whole bucket leaves at a time.
    pub window: Duration,
    /// In how many buckets, 1 to [`MAX_BUCKETS`]; the more, the smoother calls leave.
    pub buckets: u32,
    /// From how many recorded calls on a decision is taken, at least 1.
    pub min_calls: u32,
    /// The share of failures that opens the circuit.
    pub failure_rate: Rate,
    /// What counts as slow, if anything.
    pub slow: Option<SlowCalls>,
}

/// What counts as slow, and how much of it is too much. A slow failure counts as slow and as failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SlowCalls {
    /// A call is slow if it took strictly longer. One that began under options that asked for no duration is not.
    pub longer_than: Duration,
    /// The share of slow calls that opens the circuit.
    pub rate: Rate,
}

impl TripPolicy {
    /// What counts as slow, if anything.
    pub const fn slow_calls(&self) -> Option<SlowCalls> {
        match self {
            Self::CountWindow(window) => window.slow,
            Self::TimeWindow(window) => window.slow,
            Self::FailureIntensity { .. } | Self::ConsecutiveFailures { .. } | Self::Never => None,
        }
    }

    pub(super) fn check(&self) -> Result<(), OptionsError> {
        match *self {
            Self::FailureIntensity { tolerance, .. } if tolerance > MAX_TOLERANCE => {
                Err(OptionsError::ToleranceTooLarge { tolerance })
            }
            Self::FailureIntensity { window, .. } if window.is_zero() => Err(OptionsError::ZeroWindow),
            Self::ConsecutiveFailures { threshold: 0 } => Err(OptionsError::ZeroThreshold),
            Self::ConsecutiveFailures { threshold } if threshold > MAX_THRESHOLD => {
                Err(OptionsError::ThresholdTooLarge { threshold })
            }
            Self::CountWindow(CountWindow { size, .. }) if size == 0 || size > MAX_WINDOW_SIZE => {
                Err(OptionsError::WindowSizeOutOfRange { size })
            }
            Self::CountWindow(CountWindow { min_calls: 0, .. }) | Self::TimeWindow(TimeWindow { min_calls: 0, .. }) => {
                Err(OptionsError::ZeroMinCalls)
            }
            Self::CountWindow(CountWindow { min_calls, size, .. }) if min_calls > size => {
                Err(OptionsError::MinCallsExceedWindow { min_calls, size })
            }
            Self::TimeWindow(TimeWindow { window, .. }) if window.is_zero() => Err(OptionsError::ZeroWindow),
            Self::TimeWindow(TimeWindow { buckets, .. }) if buckets == 0 || buckets > MAX_BUCKETS => {
                Err(OptionsError::BucketsOutOfRange { buckets })
            }
            Self::TimeWindow(TimeWindow { window, buckets, .. }) if window.as_nanos() < u128::from(buckets) => {
                Err(OptionsError::BucketTooShort { window, buckets })
            }
            _ => Ok(()),
        }
    }
}
