//! The events of the original's circuit breaker: names, measurements and metadata as there.

use foundation_types::{Emitter, EventName, Measurements, Metadata, Text, event_name};

use super::options::FuseOptions;

/// A breaker was installed, anew or over one of the same name: `name`, `options`.
pub const FUSE_INSTALLED_EVENT: EventName = event_name!("foundation.foundation.infra.circuit_breaker.fuse_installed");
/// A breaker was refused because there is no room for it: `name`, `reason`.
pub const FUSE_INSTALL_FAILED_EVENT: EventName =
    event_name!("foundation.foundation.infra.circuit_breaker.fuse_install_failed");
/// A breaker was refused because of its name or an option: `name`, `exception`.
pub const FUSE_INSTALL_EXCEPTION_EVENT: EventName =
    event_name!("foundation.foundation.infra.circuit_breaker.fuse_install_exception");
/// An operation ran: the caller's metadata, `name`, `duration` in microseconds, from before the admission to after the
/// operation, and `status`: `success` or `failed`. The latter comes with `exception`, the text of the error, or with `kind`
/// (`panic`) and `value`, the message.
pub const CALL_EXECUTED_EVENT: EventName = event_name!("foundation.foundation.infra.circuit_breaker.call_executed");
/// An operation did not run: the caller's metadata, `name`, `reason`: `circuit_blown` or `not_found`.
pub const CALL_REJECTED_EVENT: EventName = event_name!("foundation.foundation.infra.circuit_breaker.call_rejected");
/// A breaker was reset by hand, also if it was closed: `name`, `new_state` (`reset`).
pub const STATE_CHANGE_EVENT: EventName = event_name!("foundation.foundation.infra.circuit_breaker.state_change");

/// How a call ended that was let through.
pub(crate) enum Ended<'e> {
    Success,
    Error(&'e str),
    Panic(&'e Text),
}

fn counted() -> Measurements {
    Measurements::new().with("counter", 1)
}

fn emit(emitter: &Emitter, event: &EventName, name: &str, more: impl FnOnce(Metadata) -> Metadata) {
    emitter.emit(event, || (counted(), more(Metadata::new().with("name", name))));
}

pub(super) fn installed(emitter: &Emitter, name: &str, options: &FuseOptions) {
    emit(emitter, &FUSE_INSTALLED_EVENT, name, |metadata| metadata.with("options", options.to_metadata()));
}

pub(super) fn install_failed(emitter: &Emitter, name: &str, reason: &str) {
    emit(emitter, &FUSE_INSTALL_FAILED_EVENT, name, |metadata| metadata.with("reason", reason));
}

pub(super) fn install_exception(emitter: &Emitter, name: &str, exception: &str) {
    emit(emitter, &FUSE_INSTALL_EXCEPTION_EVENT, name, |metadata| metadata.with("exception", exception));
}

pub(super) fn was_reset(emitter: &Emitter, name: &str) {
    emit(emitter, &STATE_CHANGE_EVENT, name, |metadata| metadata.with("new_state", "reset"));
}

/// The caller's metadata comes first, so that the values of the breaker win.
pub(crate) fn executed(
    emitter: &Emitter,
    name: &str,
    callers: Metadata,
    micros: impl FnOnce() -> i64,
    ended: &Ended<'_>,
) {
    emitter.emit(&CALL_EXECUTED_EVENT, || {
        let metadata = callers.with("name", name).with("duration", micros());
        let metadata = match ended {
            Ended::Success => metadata.with("status", "success"),
            Ended::Error(text) => metadata.with("status", "failed").with("exception", *text),
            Ended::Panic(message) => {
                metadata.with("status", "failed").with("kind", "panic").with("value", (*message).clone())
            }
        };
        (counted(), metadata)
    });
}

pub(crate) fn rejected(emitter: &Emitter, name: &str, callers: Metadata, reason: &str) {
    emitter.emit(&CALL_REJECTED_EVENT, || (counted(), callers.with("name", name).with("reason", reason)));
}
