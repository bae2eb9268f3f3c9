//! What can be wrong with options.

use std::time::Duration;

use super::{MAX_BUCKETS, MAX_PROBES, MAX_THRESHOLD, MAX_TOLERANCE, MAX_WINDOW_SIZE};

/// A value out of range. Nothing has been built or changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// A window of failures or calls has no length.
    #[error("the window must be longer than zero")]
    ZeroWindow,
    /// The circuit would not stay open for any time.
    #[error("the open time must be longer than zero")]
    ZeroOpenTime,
    /// Zero failures in a row cannot open a circuit.
    #[error("the failure threshold must be at least 1")]
    ZeroThreshold,
    /// More failures in a row than are ever counted.
    #[error("a failure threshold of {threshold} is more than {MAX_THRESHOLD}")]
    ThresholdTooLarge {
        /// The threshold asked for.
        threshold: u32,
    },
    /// More failures would have to be remembered than memory is set aside for.
    #[error("a tolerance of {tolerance} failures is more than {MAX_TOLERANCE}")]
    ToleranceTooLarge {
        /// The tolerance asked for.
        tolerance: u32,
    },
    /// A count window holds no call, or more than memory is set aside for.
    #[error("a window of {size} calls is not within 1..={MAX_WINDOW_SIZE}")]
    WindowSizeOutOfRange {
        /// The size asked for.
        size: u32,
    },
    /// No decision could ever be taken: the window never holds so many calls.
    #[error("a decision from {min_calls} calls on needs a window of as many, and it holds {size}")]
    MinCallsExceedWindow {
        /// The calls asked for.
        min_calls: u32,
        /// What the window holds.
        size: u32,
    },
    /// A decision on no calls at all.
    #[error("decisions need at least 1 call")]
    ZeroMinCalls,
    /// A share of calls below 0.01 % or above 100 %.
    #[error("a rate of {basis_points} basis points is not within 1..=10000")]
    RateOutOfRange {
        /// The rate asked for.
        basis_points: u32,
    },
    /// No call, or too many, may probe at once.
    #[error("{max_concurrent} probes at once are not within 1..={MAX_PROBES}")]
    ProbesOutOfRange {
        /// The number asked for.
        max_concurrent: u32,
    },
    /// A circuit that closes after no success at all.
    #[error("at least 1 success must be required to close")]
    ZeroRequiredSuccesses,
    /// A probe would be given up the moment it began.
    #[error("the probe time-out must be longer than zero")]
    ZeroProbeTimeout,
    /// A time window has no bucket, or too many.
    #[error("{buckets} buckets are not within 1..={MAX_BUCKETS}")]
    BucketsOutOfRange {
        /// The number asked for.
        buckets: u32,
    },
    /// A bucket would be shorter than a nanosecond.
    #[error("a window of {window:?} cannot be cut into {buckets} buckets")]
    BucketTooShort {
        /// The window asked for.
        window: Duration,
        /// The number of buckets asked for.
        buckets: u32,
    },
    /// A factor of zero would make every later opening last no time.
    #[error("the back-off factor must be at least 1")]
    ZeroFactor,
    /// The longest opening would be shorter than the first.
    #[error("the longest open time, {max:?}, is less than the first, {base:?}")]
    MaxBelowBase {
        /// The first open time.
        base: Duration,
        /// The longest.
        max: Duration,
    },
    /// Faults are injected with a probability above 0 and up to 1.
    #[error("a fault rate of {rate} is not within 0.0 (exclusive) and 1.0")]
    FaultRateOutOfRange {
        /// The rate asked for.
        rate: f64,
    },
    /// Injected faults need a circuit that tolerates a failure.
    #[error("fault injection needs a tolerance of at least 1 failure")]
    FaultsNeedTolerance,
}
