//! Options in the shape of the original.

use std::time::Duration;

use foundation_breaker::{Options, OptionsError};
use foundation_types::{FiniteF64, Metadata, Value};

use crate::infrastructure::record::millis;

/// How many failures a breaker tolerates unless told otherwise: the sixth opens it.
pub const DEFAULT_TOLERANCE: u32 = 5;
/// How long failures count, and how long a breaker stays open, unless told otherwise.
pub const DEFAULT_REFRESH: Duration = Duration::from_mins(1);

/// How a breaker decides that is installed by [`start_fuse_instance`](super::start_fuse_instance).
///
/// ```
/// use std::time::Duration;
/// use foundation_compat::infrastructure::circuit_breaker::{FuseOptions, FuseStrategy};
///
/// let options = FuseOptions { tolerance: 2, ..FuseOptions::default() };
/// assert_eq!((options.strategy, options.refresh), (FuseStrategy::Standard, Duration::from_mins(1)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FuseOptions {
    /// Whether calls are refused on purpose.
    pub strategy: FuseStrategy,
    /// How many failures are tolerated, 0 to [`MAX_TOLERANCE`](foundation_breaker::MAX_TOLERANCE): the one after them opens
    /// the circuit. 5 by default.
    pub tolerance: u32,
    /// How long a failure counts, and how long the circuit stays open. Zero means that it never opens. One minute by default.
    pub refresh: Duration,
}

/// Whether a breaker refuses calls on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum FuseStrategy {
    /// Only when it is open.
    #[default]
    Standard,
    /// Also at random while it is closed, each call with the probability `rate`, above 0 and up to 1.
    FaultInjection {
        /// The probability.
        rate: f64,
    },
}

impl Default for FuseOptions {
    fn default() -> Self {
        Self { strategy: FuseStrategy::Standard, tolerance: DEFAULT_TOLERANCE, refresh: DEFAULT_REFRESH }
    }
}

impl FuseOptions {
    pub(super) fn to_core(self) -> Result<Options, OptionsError> {
        // A breaker that never opens is never open for any time; the core wants a time all the same.
        let open_for = self.refresh.max(Duration::from_nanos(1));
        let options = Options::fuse(self.tolerance, self.refresh, open_for)?;
        match self.strategy {
            FuseStrategy::Standard => Ok(options),
            FuseStrategy::FaultInjection { rate } => options.inject_faults(rate),
        }
    }

    pub(super) fn to_metadata(self) -> Metadata {
        let metadata = Metadata::new().with("tolerance", self.tolerance).with("refresh", millis(self.refresh));
        match self.strategy {
            FuseStrategy::Standard => metadata.with("strategy", "standard"),
            FuseStrategy::FaultInjection { rate } => metadata
                .with("strategy", "fault_injection")
                .with("rate", FiniteF64::new(rate).map_or(Value::Null, Value::Float)),
        }
    }
}

/// Whether a breaker lets calls through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FuseStatus {
    /// It does.
    Ok,
    /// It does not: it is open, held open, or half-open with every probe under way.
    Blown,
}

impl FuseStatus {
    /// The word of the original: `ok` or `blown`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Blown => "blown",
        }
    }
}

/// What an operation says to [`run`](super::CircuitBreakers::run): its value, and whether to count a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FuseRun<T> {
    /// It went well.
    Ok(T),
    /// Count a failure.
    Melt(T),
}
