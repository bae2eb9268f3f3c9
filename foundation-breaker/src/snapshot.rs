//! What a breaker shows of itself.

use std::fmt;
use std::time::Duration;

use foundation_types::{MonoTime, Name};
use serde::Serialize;

/// The state of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// Calls go through.
    Closed,
    /// Calls are refused until a deadline.
    Open,
    /// A few calls are let through as probes.
    HalfOpen,
    /// Calls are refused until an operator lifts it.
    ForcedOpen,
}

impl State {
    /// The word for it: `closed`, `open`, `half_open`, `forced_open`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A breaker at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// Its name.
    pub name: Name,
    /// The state of the circuit.
    pub state: State,
    /// How often the state was entered or renewed. Reports of calls that were let through under an earlier generation
    /// change no state.
    pub generation: u64,
    /// What the trip policy looks at, as far as it has not expired.
    pub window: WindowCounts,
    /// Failures in a row; 0 unless the trip policy counts these.
    pub consecutive_failures: u32,
    /// The probes, while half-open.
    pub probes: ProbeCounts,
    /// How long until an open circuit lets calls through again.
    pub retry_after: Option<Duration>,
    /// How often the circuit opened since it was last closed.
    pub opened_in_a_row: u32,
    /// How long ago the latest failure was reported that counted; absent after a reset or a recovery.
    pub last_failure_ago: Option<Duration>,
    /// Everything since the breaker was made.
    pub totals: Totals,
    /// When an open circuit lets calls through again.
    #[serde(skip)]
    pub open_until: Option<MonoTime>,
    /// When the latest failure was reported that counted.
    #[serde(skip)]
    pub last_failure_at: Option<MonoTime>,
}

impl Snapshot {
    /// Whether the state would let a call through now: it is closed, or half-open with a place for a probe.
    pub fn admits(&self) -> bool {
        match self.state {
            State::Closed => true,
            State::HalfOpen => self.probes.outstanding < self.probes.max_concurrent,
            State::Open | State::ForcedOpen => false,
        }
    }
}

/// What is in the window of a trip policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WindowCounts {
    /// Calls.
    pub recorded: u64,
    /// Those that failed.
    pub failures: u64,
    /// Those that were slow.
    pub slow: u64,
}

/// The probes of a half-open circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProbeCounts {
    /// Let through and not yet ended.
    pub outstanding: u32,
    /// As many as may be outstanding.
    pub max_concurrent: u32,
    /// Succeeded in this episode.
    pub successes: u32,
    /// Failed in this episode.
    pub failures: u32,
}

/// Counts since a breaker was made. Once no call is under way,
/// `admitted = succeeded + (failed - melted) + ignored`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// Calls that were let through.
    pub admitted: u64,
    /// Calls that were refused, injected faults not counted.
    pub rejected: u64,
    /// Calls that were refused on purpose, by fault injection.
    pub injected: u64,
    /// Calls that succeeded.
    pub succeeded: u64,
    /// Failures, of calls and reported without a call.
    pub failed: u64,
    /// Of those, the ones reported without a call.
    pub melted: u64,
    /// Calls that count as neither: classified so, or given up.
    pub ignored: u64,
    /// Calls that were slow, of those that succeeded or failed.
    pub slow: u64,
    /// How often the circuit opened.
    pub opened: u64,
}

impl Totals {
    /// Calls that were let through and have not ended.
    pub const fn outstanding(&self) -> u64 {
        let ended = self.succeeded.saturating_add(self.failed - self.melted).saturating_add(self.ignored);
        self.admitted.saturating_sub(ended)
    }
}
