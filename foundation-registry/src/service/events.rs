//! What the observer hears of services.

use foundation_types::{EventName, Measurements, Metadata, MonoTime, Namespace, ServiceName, event_name};

use super::ServiceRegistry;

/// Emitted by each [`ServiceRegistry::register`]; measures `count` 1. The doubled segment is in the name on purpose: older
/// programs listen to it.
pub const REGISTER_EVENT: EventName = event_name!("foundation.foundation.registry.register");
/// Emitted by each lookup of a [`ServiceRegistry`]; measures `duration` in nanoseconds, at least 1.
pub const LOOKUP_EVENT: EventName = event_name!("foundation.foundation.registry.lookup");

impl ServiceRegistry {
    pub(super) fn emit_register(&self, namespace: &Namespace, name: &ServiceName, is_ok: bool) {
        let emitter = &self.registry.core.emitter;
        emitter.emit(&REGISTER_EVENT, || (Measurements::one(), subject(namespace, name, is_ok)));
    }

    /// When a lookup began, if anyone may want to know.
    pub(super) fn start_of_lookup(&self) -> Option<MonoTime> {
        let core = &self.registry.core;
        core.emitter.is_installed().then(|| core.clock.mono())
    }

    pub(super) fn emit_lookup(&self, start: Option<MonoTime>, namespace: &Namespace, name: &ServiceName, is_ok: bool) {
        let Some(start) = start else { return };
        let core = &self.registry.core;
        core.emitter.emit(&LOOKUP_EVENT, || {
            let nanos = core.clock.mono().saturating_since(start).as_nanos().max(1);
            let duration = i64::try_from(nanos).unwrap_or(i64::MAX);
            (Measurements::new().with("duration", duration), subject(namespace, name, is_ok))
        });
    }
}

fn subject(namespace: &Namespace, name: &ServiceName, is_ok: bool) -> Metadata {
    Metadata::new()
        .with("namespace", namespace.to_string())
        .with("service", name.to_string())
        .with("result", if is_ok { "ok" } else { "error" })
}
