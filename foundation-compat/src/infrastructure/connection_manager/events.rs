//! The events of the original's connection manager: names, measurements and metadata as there.

use foundation_resources::pool::events as core;
use foundation_types::{Emitter, EventName, Measurements, Metadata, Observer, event_name};

/// A pool was started: `pool_name`, `config`; measures nothing.
pub const POOL_STARTED_EVENT: EventName = event_name!("foundation.foundation.connection_pool.pool_started");
/// A pool was stopped: `pool_name`; measures nothing.
pub const POOL_STOPPED_EVENT: EventName = event_name!("foundation.foundation.connection_pool.pool_stopped");
/// A worker went out: `pool_name`; measures `checkout_time`, in nanoseconds.
pub const CHECKOUT_EVENT: EventName = event_name!("foundation.foundation.connection_pool.checkout");
/// A borrower ended, however it did: `pool_name`; measures nothing. One follows each [`CHECKOUT_EVENT`].
pub const CHECKIN_EVENT: EventName = event_name!("foundation.foundation.connection_pool.checkin");
/// No worker became free in time: `pool_name`; measures `timeout`, the milliseconds the caller was ready to wait.
pub const TIMEOUT_EVENT: EventName = event_name!("foundation.foundation.connection_pool.timeout");
/// A worker beyond the size of the pool was made: `pool_name`; measures nothing.
pub const OVERFLOW_EVENT: EventName = event_name!("foundation.foundation.connection_pool.overflow");

/// Passes the events of a pool on, each followed by the one that the original would emit.
///
/// Only the pool knows when a worker comes back: a guard may be dropped by a panic, or with a future.
pub(super) struct Translator {
    pub(super) emitter: Emitter,
}

impl Observer for Translator {
    fn emit(&self, name: &EventName, measurements: &Measurements, metadata: &Metadata) {
        self.emitter.emit(name, || (measurements.clone(), metadata.clone()));
        let legacy = if *name == core::CHECKOUT_EVENT {
            CHECKOUT_EVENT
        } else if *name == core::CHECKIN_EVENT {
            CHECKIN_EVENT
        } else if *name == core::TIMEOUT_EVENT {
            TIMEOUT_EVENT
        } else if *name == core::OVERFLOW_EVENT {
            OVERFLOW_EVENT
        } else {
            return;
        };
        self.emitter.emit(&legacy, || {
            let measured = ["checkout_time", "timeout"].into_iter();
            let measured = measured.filter_map(|key| Some((key, measurements.get(key)?.clone())));
            (measured.collect::<Metadata>().into(), metadata.clone())
        });
    }
}

pub(super) fn started(emitter: &Emitter, name: &str, config: impl FnOnce() -> Metadata) {
    emitter.emit(&POOL_STARTED_EVENT, || {
        (Measurements::new(), Metadata::new().with("pool_name", name).with("config", config()))
    });
}

pub(super) fn stopped(emitter: &Emitter, name: &str) {
    emitter.emit(&POOL_STOPPED_EVENT, || (Measurements::new(), Metadata::new().with("pool_name", name)));
}
