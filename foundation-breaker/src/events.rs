//! What the observer hears.
//!
//! | event | measurements | metadata besides `name`, `generation` and `at` |
//! |---|---|---|
//! | [`OPENED_EVENT`] | `count`, `failures`, `open_for` (ms) | `from`, `reason`: `tripped`, `probe_failed`, `probe_timeout`, `melt` |
//! | [`HALF_OPENED_EVENT`] | `count` | |
//! | [`CLOSED_EVENT`] | `count` | `from`, `reason`: `recovered`, `healed`, `reset`, `lifted`, `reconfigured` |
//! | [`FORCED_OPEN_EVENT`] | `count` | `from` |
//! | [`RESET_EVENT`] | `count` | |
//! | [`CALL_EVENT`] | `count`, `duration` (µs) | `outcome`, `kind`: `ordinary`, `probe` |
//! | [`REJECTED_EVENT`] | `count`, `retry_after` (ms, where known) | `reason` |
//!
//! `at` is monotonic time in nanoseconds: for a change of the state the instant at which it took effect, which may lie
//! before the moment somebody looked. The changes of a breaker arrive in their order and one at a time.

use std::time::Duration;

use foundation_types::{Emitter, EventName, Measurements, Metadata, MonoTime, Name, event_name};

use crate::classify::Outcome;
use crate::machine::{Admission, Change, ChangeKind, Refusal, Reporter};

/// The circuit opened.
pub const OPENED_EVENT: EventName = event_name!("foundation.breaker.opened");
/// The circuit lets probes through.
pub const HALF_OPENED_EVENT: EventName = event_name!("foundation.breaker.half_opened");
/// The circuit closed.
pub const CLOSED_EVENT: EventName = event_name!("foundation.breaker.closed");
/// An operator holds the circuit open.
pub const FORCED_OPEN_EVENT: EventName = event_name!("foundation.breaker.forced_open");
/// A reset, or new options, found the circuit closed or held open.
pub const RESET_EVENT: EventName = event_name!("foundation.breaker.reset");
/// A call ended that had been let through.
pub const CALL_EVENT: EventName = event_name!("foundation.breaker.call");
/// A call was refused.
pub const REJECTED_EVENT: EventName = event_name!("foundation.breaker.rejected");

pub(crate) fn state_changed(emitter: &Emitter, name: &Name, change: &Change) {
    let event = match change.kind {
        ChangeKind::Opened { .. } => &OPENED_EVENT,
        ChangeKind::HalfOpened => &HALF_OPENED_EVENT,
        ChangeKind::Closed { .. } => &CLOSED_EVENT,
        ChangeKind::ForcedOpen { .. } => &FORCED_OPEN_EVENT,
        ChangeKind::Reset => &RESET_EVENT,
    };
    emitter.emit(event, || {
        let mut measurements = Measurements::one();
        if change.missed > 0 {
            measurements = measurements.with("missed", number(change.missed));
        }
        let metadata = metadata(name, change.generation, change.at);
        match &change.kind {
            ChangeKind::Opened { from, reason, failures, open_for } => (
                measurements.with("failures", number(*failures)).with("open_for", millis(*open_for)),
                metadata.with("from", from.as_str()).with("reason", *reason),
            ),
            ChangeKind::Closed { from, reason } => {
                (measurements, metadata.with("from", from.as_str()).with("reason", *reason))
            }
            ChangeKind::ForcedOpen { from } => (measurements, metadata.with("from", from.as_str())),
            ChangeKind::HalfOpened | ChangeKind::Reset => (measurements, metadata),
        }
    });
}

pub(crate) fn called(
    emitter: &Emitter,
    name: &Name,
    from: Reporter,
    at: MonoTime,
    outcome: Outcome,
    duration: Duration,
) {
    emitter.emit(&CALL_EVENT, || {
        let kind = match from.admission {
            Admission::Ordinary => "ordinary",
            Admission::Probe(_) => "probe",
        };
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let metadata = metadata(name, from.generation, at).with("outcome", outcome.as_str()).with("kind", kind);
        (Measurements::one().with("duration", micros), metadata)
    });
}

pub(crate) fn rejected(emitter: &Emitter, name: &Name, generation: u64, at: MonoTime, refusal: Refusal) {
    emitter.emit(&REJECTED_EVENT, || {
        let mut measurements = Measurements::one();
        if let Some(after) = refusal.retry_after {
            measurements = measurements.with("retry_after", millis(after));
        }
        (measurements, metadata(name, generation, at).with("reason", refusal.reason.as_str()))
    });
}

fn metadata(name: &Name, generation: u64, at: MonoTime) -> Metadata {
    Metadata::new().with("name", name.as_str()).with("generation", number(generation)).with("at", number(at.as_nanos()))
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
