//! How a breaker decides: when it opens, how it closes again, and what a call that was given up counts as.

mod error;
mod rate;
mod recovery;
mod trip;

use foundation_types::Ratio;
use serde::Serialize;
use std::time::Duration;

pub use self::error::OptionsError;
pub use self::rate::Rate;
pub use self::recovery::MAX_PROBES;
pub use self::recovery::{OpenFor, Probe, Recovery};
pub use self::trip::{CountWindow, MAX_BUCKETS, MAX_TOLERANCE, MAX_WINDOW_SIZE, SlowCalls, TimeWindow, TripPolicy};

/// The most failures in a row that [`TripPolicy::ConsecutiveFailures`] may wait for.
pub const MAX_THRESHOLD: u32 = 1_000_000_000;

/// What a permit counts as that is dropped without a report, for example because its future was dropped half way.
///
/// Whatever the policy, a probe gives its place back at once. A panic is not a cancellation: it always counts as a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CancelPolicy {
    /// As if the call had not been made. A dependency that hangs until its callers give up then never opens the circuit:
    /// put the time limit *inside* the call, or choose another policy.
    #[default]
    Ignore,
    /// As a failure.
    Failure,
    /// As a failure if it had run strictly longer than this when it was given up, else as if it had not been made. A call
    /// that began under options that asked for no duration counts as short.
    FailureIfLongerThan(Duration),
}

/// The checked options of a breaker.
///
/// ```
/// use std::time::Duration;
/// use foundation_breaker::{CountWindow, Options, Probe, Rate, Recovery, TripPolicy};
///
/// let options = Options::new(
///     TripPolicy::CountWindow(CountWindow { size: 100, min_calls: 20, failure_rate: Rate::percent(50)?, slow: None }),
///     Recovery::Probe(Probe { required_successes: 3, ..Probe::default() }),
/// )?;
/// assert!(Options::fuse(5, Duration::from_mins(1), Duration::ZERO).is_err());
/// # Ok::<(), foundation_breaker::OptionsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Options {
    trip: TripPolicy,
    recovery: Recovery,
    on_cancel: CancelPolicy,
    #[serde(skip_serializing_if = "Option::is_none")]
    faults: Option<Ratio>,
}

impl Options {
    /// Checks a trip and a recovery policy.
    ///
    /// # Errors
    /// An [`OptionsError`] that names the first value out of range.
    pub fn new(trip: TripPolicy, recovery: Recovery) -> Result<Self, OptionsError> {
        trip.check()?;
        recovery.check()?;
        Ok(Self { trip, recovery, on_cancel: CancelPolicy::Ignore, faults: None })
    }

    /// A fuse: opens when more than `tolerance` failures are younger than `window`, closes by itself `open_for` later.
    ///
    /// A `window` of zero never opens, as nothing is ever younger than it.
    ///
    /// # Errors
    /// [`OptionsError::ToleranceTooLarge`], or [`OptionsError::ZeroOpenTime`].
    pub fn fuse(tolerance: u32, window: Duration, open_for: Duration) -> Result<Self, OptionsError> {
        let trip = if window.is_zero() {
            // Checked although it has no effect, so that an absurd number is not taken silently.
            TripPolicy::FailureIntensity { tolerance, window: Duration::from_nanos(1) }.check()?;
            TripPolicy::Never
        } else {
            TripPolicy::FailureIntensity { tolerance, window }
        };
        Self::new(trip, Recovery::AutoClose { after: open_for })
    }

    /// With another policy for calls that are given up.
    #[must_use]
    pub fn on_cancel(mut self, policy: CancelPolicy) -> Self {
        self.on_cancel = policy;
        self
    }

    /// With other policies, all else unchanged.
    pub(crate) fn with_policies(self, trip: TripPolicy, recovery: Recovery) -> Result<Self, OptionsError> {
        let options = Self { on_cancel: self.on_cancel, faults: self.faults, ..Self::new(trip, recovery)? };
        options.check_faults()?;
        Ok(options)
    }

    /// Refuses calls at random while the circuit is closed: each with the probability `rate`.
    ///
    /// # Errors
    /// [`OptionsError::FaultRateOutOfRange`] unless 0 < `rate` ≤ 1; [`OptionsError::FaultsNeedTolerance`] with a failure
    /// intensity of tolerance zero.
    #[cfg(feature = "fault-injection")]
    pub fn inject_faults(mut self, rate: f64) -> Result<Self, OptionsError> {
        let checked = Ratio::new(rate).ok().filter(|rate| *rate > Ratio::ZERO);
        self.faults = Some(checked.ok_or(OptionsError::FaultRateOutOfRange { rate })?);
        self.check_faults()?;
        Ok(self)
    }

    fn check_faults(&self) -> Result<(), OptionsError> {
        let tolerates_none = matches!(self.trip, TripPolicy::FailureIntensity { tolerance: 0, .. });
        if tolerates_none && self.faults.is_some() { Err(OptionsError::FaultsNeedTolerance) } else { Ok(()) }
    }

    /// When the circuit opens.
    pub const fn trip(&self) -> &TripPolicy {
        &self.trip
    }

    /// How it closes again.
    pub const fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// What calls count as that are given up.
    pub const fn cancel_policy(&self) -> CancelPolicy {
        self.on_cancel
    }

    /// The share of calls that are refused on purpose while the circuit is closed.
    pub const fn fault_rate(&self) -> Option<Ratio> {
        self.faults
    }
}

impl Default for Options {
    /// Opens at the sixth failure within 60 seconds; 60 seconds later lets one probe at a time through, whose success
    /// closes the circuit.
    fn default() -> Self {
        Self {
            trip: TripPolicy::FailureIntensity { tolerance: 5, window: Duration::from_mins(1) },
            recovery: Recovery::Probe(Probe::default()),
            on_cancel: CancelPolicy::Ignore,
            faults: None,
        }
    }
}
