//! The events of a bulkhead. All carry `bulkhead_name` in their metadata, if the bulkhead has a name.

use foundation_types::{Emitter, EventName, Measurements, Metadata, Name, event_name};

use super::AcquireError;

/// A caller was sent away, with metadata `reason`: `full`, `too_many_waiting`, `timeout` or `closed`.
pub const REJECTED_EVENT: EventName = event_name!("foundation.bulkhead.rejected");
/// The bulkhead was closed.
pub const CLOSED_EVENT: EventName = event_name!("foundation.bulkhead.closed");

/// Where a bulkhead tells what it does.
#[derive(Debug)]
pub(super) struct Events {
    pub(super) emitter: Emitter,
    pub(super) name: Option<Name>,
}

impl Events {
    pub(super) fn rejected(&self, error: AcquireError) {
        let reason = match error {
            AcquireError::Full { .. } => "full",
            AcquireError::TooManyWaiting { .. } => "too_many_waiting",
            AcquireError::Timeout { .. } => "timeout",
            AcquireError::Closed => "closed",
        };
        self.emitter.emit(&REJECTED_EVENT, || (Measurements::one(), self.metadata().with("reason", reason)));
    }

    pub(super) fn closed(&self) {
        self.emitter.emit(&CLOSED_EVENT, || (Measurements::one(), self.metadata()));
    }

    fn metadata(&self) -> Metadata {
        let metadata = Metadata::new();
        match &self.name {
            Some(name) => metadata.with("bulkhead_name", name.clone()),
            None => metadata,
        }
    }
}
