//! The events of the original's facade. As there, measurements hold what others would call metadata, and the other way round.

use foundation_types::{Emitter, EventName, Measurements, Metadata, Text, event_name};

use super::record::millis;
use super::stopwatch::Stopwatch;
use crate::foundation::Foundation;
use crate::infrastructure::options::ProtectedOptions;

/// A protected call began: measures `protection_key`, with `options`: `circuit_breaker`, `connection_pool` and `timeout` as far
/// as they are given. The identifier of the rate layer is private.
pub const EXECUTE_START_EVENT: EventName = event_name!("foundation.foundation.infrastructure.execute_start");
/// A protected call ended: measures `protection_key`, with `duration` in microseconds, `success`, and `reason` if it is false.
/// Exactly one of this and [`EXECUTE_EXCEPTION_EVENT`] follows each start; after a call that was dropped half way, the reason
/// is `cancelled`.
pub const EXECUTE_STOP_EVENT: EventName = event_name!("foundation.foundation.infrastructure.execute_stop");
/// The operation of a protected call panicked: measures `protection_key`, with `duration` in microseconds and `error`.
pub const EXECUTE_EXCEPTION_EVENT: EventName = event_name!("foundation.foundation.infrastructure.execute_exception");
/// The rate layer refused a call: measures `protection_type` (`rate_limit`), with `rule_name` and `identifier`.
pub const PROTECTION_TRIGGERED_EVENT: EventName =
    event_name!("foundation.foundation.infrastructure.protection_triggered");
/// The infrastructure was initialized: measures `config`, which is empty, and `components`.
pub const INFRASTRUCTURE_INITIALIZED_EVENT: EventName =
    event_name!("foundation.foundation.infrastructure.infrastructure_initialized");

fn keyed(key: &str) -> Measurements {
    Measurements::new().with("protection_key", key)
}

pub(super) fn started(emitter: &Emitter, key: &str, options: &ProtectedOptions) {
    emitter.emit(&EXECUTE_START_EVENT, || {
        let named = [("circuit_breaker", options.breaker()), ("connection_pool", options.pool())];
        let named = named.into_iter().filter_map(|(layer, name)| Some((layer, name?.clone())));
        let mut shown: Metadata = named.collect();
        if let Some(timeout) = options.timeout_given() {
            shown.insert("timeout", millis(timeout));
        }
        (keyed(key), Metadata::new().with("options", shown))
    });
}

/// Whether a call did what it was for.
pub(super) enum Stop<'r> {
    Success,
    Failure(&'r str),
}

pub(super) fn stopped(foundation: &Foundation, key: &str, stopwatch: Stopwatch, stop: &Stop<'_>) {
    foundation.emitter().emit(&EXECUTE_STOP_EVENT, || {
        let metadata = Metadata::new().with("duration", stopwatch.micros(foundation.clock()));
        let metadata = match stop {
            Stop::Success => metadata.with("success", true),
            Stop::Failure(reason) => metadata.with("success", false).with("reason", *reason),
        };
        (keyed(key), metadata)
    });
}

pub(super) fn panicked(foundation: &Foundation, key: &str, stopwatch: Stopwatch, message: &Text) {
    foundation.emitter().emit(&EXECUTE_EXCEPTION_EVENT, || {
        let duration = stopwatch.micros(foundation.clock());
        (keyed(key), Metadata::new().with("duration", duration).with("error", message.clone()))
    });
}

pub(super) fn triggered(emitter: &Emitter, rule: &Text, identifier: &Text) {
    emitter.emit(&PROTECTION_TRIGGERED_EVENT, || {
        let metadata = Metadata::new().with("rule_name", rule.clone()).with("identifier", identifier.clone());
        (Measurements::new().with("protection_type", "rate_limit"), metadata)
    });
}

pub(super) fn initialized(emitter: &Emitter) {
    emitter.emit(&INFRASTRUCTURE_INITIALIZED_EVENT, || {
        let measured = Measurements::new().with("config", Metadata::new()).with("components", vec!["fuse", "hammer"]);
        (measured, Metadata::new())
    });
}
