//! The events of a pool. All carry `pool_name` in their metadata, if the pool has a name.

use std::time::Duration;

use foundation_types::{Emitter, EventName, Measurements, Metadata, Name, event_name};

use super::PoolStatus;

/// A pool has started, with measurements `size` and `max_overflow`.
pub const STARTED_EVENT: EventName = event_name!("foundation.pool.started");
/// A pool was closed.
pub const STOPPED_EVENT: EventName = event_name!("foundation.pool.stopped");
/// A worker went out, with measurement `checkout_time`: nanoseconds from the call to the worker.
pub const CHECKOUT_EVENT: EventName = event_name!("foundation.pool.checkout");
/// A borrower ended. One follows each [`CHECKOUT_EVENT`], whatever became of the borrower and of the worker.
pub const CHECKIN_EVENT: EventName = event_name!("foundation.pool.checkin");
/// No worker became free in time, with measurement `timeout`: milliseconds the caller was ready to wait.
pub const TIMEOUT_EVENT: EventName = event_name!("foundation.pool.timeout");
/// A worker beyond the size of the pool was made.
pub const OVERFLOW_EVENT: EventName = event_name!("foundation.pool.overflow");
/// A worker could not be made.
pub const CREATE_FAILED_EVENT: EventName = event_name!("foundation.pool.create_failed");
/// A worker left the pool, with metadata `reason`: `overflow`, `unusable`, `discarded`, `panic` or `closed`.
pub const RETIRED_EVENT: EventName = event_name!("foundation.pool.retired");

/// Why a worker leaves the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Overflow,
    Unusable,
    Discarded,
    Panic,
    Closed,
}

impl Reason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::Unusable => "unusable",
            Self::Discarded => "discarded",
            Self::Panic => "panic",
            Self::Closed => "closed",
        }
    }
}

/// Where a pool tells what it does.
#[derive(Debug)]
pub(super) struct Events {
    pub(super) emitter: Emitter,
    pub(super) name: Option<Name>,
}

impl Events {
    pub(super) const fn are_heard(&self) -> bool {
        self.emitter.is_installed()
    }

    pub(super) fn started(&self, status: &PoolStatus) {
        self.emit(&STARTED_EVENT, || {
            Measurements::one().with("size", number(status.size)).with("max_overflow", number(status.max_overflow))
        });
    }

    pub(super) fn checkout(&self, took: Duration) {
        self.emit(&CHECKOUT_EVENT, || {
            Measurements::new().with("checkout_time", i64::try_from(took.as_nanos()).unwrap_or(i64::MAX))
        });
    }

    pub(super) fn timeout(&self, waited: Duration) {
        self.emit(&TIMEOUT_EVENT, || {
            Measurements::new().with("timeout", i64::try_from(waited.as_millis()).unwrap_or(i64::MAX))
        });
    }

    pub(super) fn retired(&self, reason: Reason) {
        self.emitter.emit(&RETIRED_EVENT, || (Measurements::one(), self.metadata().with("reason", reason.as_str())));
    }

    /// An event that only happened.
    pub(super) fn happened(&self, event: &EventName) {
        self.emit(event, Measurements::one);
    }

    fn emit(&self, event: &EventName, measure: impl FnOnce() -> Measurements) {
        self.emitter.emit(event, || (measure(), self.metadata()));
    }

    fn metadata(&self) -> Metadata {
        let metadata = Metadata::new();
        match &self.name {
            Some(name) => metadata.with("pool_name", name.clone()),
            None => metadata,
        }
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
