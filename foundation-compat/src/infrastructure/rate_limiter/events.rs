//! The events of the original's rate limiter: names, measurements and metadata as there.

use foundation_resources::rate_limit::Quota;
use foundation_types::{Emitter, EventName, Measurements, Metadata, Text, event_name};

use crate::infrastructure::record::millis;

/// A request was let through: the caller's metadata, `entity_id`, `operation`, `count` (this request included), `limit`,
/// `time_window_ms`.
pub const REQUEST_ALLOWED_EVENT: EventName = event_name!("foundation.foundation.infra.rate_limiter.request_allowed");
/// A request was refused: the caller's metadata, `entity_id`, `operation`, `limit`, `time_window_ms`.
pub const REQUEST_DENIED_EVENT: EventName = event_name!("foundation.foundation.infra.rate_limiter.request_denied");
/// The counts of a pair were forgotten: `entity_id`, `operation`.
pub const BUCKET_RESET_EVENT: EventName = event_name!("foundation.foundation.infra.rate_limiter.bucket_reset");

fn counted() -> Measurements {
    Measurements::new().with("counter", 1)
}

fn about(metadata: Metadata, (entity, operation): (&Text, &Text)) -> Metadata {
    metadata.with("entity_id", entity.clone()).with("operation", operation.clone())
}

fn limited(metadata: Metadata, quota: &Quota) -> Metadata {
    metadata.with("limit", quota.limit()).with("time_window_ms", millis(quota.window()))
}

pub(super) fn allowed(emitter: &Emitter, pair: (&Text, &Text), quota: &Quota, count: u32, callers: Metadata) {
    emitter.emit(&REQUEST_ALLOWED_EVENT, || (counted(), limited(about(callers, pair).with("count", count), quota)));
}

pub(super) fn denied(emitter: &Emitter, pair: (&Text, &Text), quota: &Quota, callers: Metadata) {
    emitter.emit(&REQUEST_DENIED_EVENT, || (counted(), limited(about(callers, pair), quota)));
}

pub(super) fn reset(emitter: &Emitter, pair: (&Text, &Text)) {
    emitter.emit(&BUCKET_RESET_EVENT, || (counted(), about(Metadata::new(), pair)));
}
