#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "agent")]
pub mod agent;
mod alarm;
mod breaker;
mod classify;
#[cfg(feature = "conformance")]
pub mod conformance;
mod counters;
mod error;
pub mod events;
mod inspect;
mod machine;
mod options;
mod random;
pub mod retry;
mod set;
mod snapshot;
mod sync;
#[cfg(feature = "tower")]
pub mod tower;
mod word;

pub use alarm::{AlarmChange, AlarmFilter};
pub use breaker::{Builder, Call, CircuitBreaker, OwnedPermit, Permit, Readiness};
pub use classify::{AnyErr, FailureClassifier, Outcome};
pub use error::{AlreadyExists, CallError, InstallError, RejectReason, Rejected, SetFull};
pub use options::{
    CancelPolicy, CountWindow, MAX_BUCKETS, MAX_PROBES, MAX_THRESHOLD, MAX_TOLERANCE, MAX_WINDOW_SIZE, OpenFor,
    Options, OptionsError, Probe, Rate, Recovery, SlowCalls, TimeWindow, TripPolicy,
};
pub use random::Random;
pub use set::{BreakerSet, DEFAULT_SET_LIMIT, EVICTION_SAMPLE, WhenFull};
pub use snapshot::{ProbeCounts, Snapshot, State, Totals, WindowCounts};
