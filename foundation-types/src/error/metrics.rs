//! The events of the error system. Making an error emits nothing; these functions do, when called.

use super::context::ErrorContext;
use super::record::Error;
use super::vocabulary::{Category, Subcategory};
use crate::{Emitter, EventName, Measurements, Metadata, event_name};

const DURATION: EventName = event_name!("foundation.operations.duration");

/// Counts `error`: emits `foundation.errors.<category>.<subcategory>` with the measurement `counter: 1` and the
/// metadata `error_type`, `severity` and `code`.
///
/// Classes outside the known ones count as `other`, which bounds the number of names. Without an observer this is one
/// test of a pointer.
pub fn collect_error_metrics(error: &Error, emitter: &Emitter) {
    if !emitter.is_installed() {
        return;
    }
    let category = match error.category() {
        Category::Other(_) => "other",
        known => known.as_str(),
    };
    let subcategory = match error.subcategory() {
        Subcategory::Other(_) => "other",
        known => known.as_str(),
    };
    let name = EventName::from_segments(["foundation", "errors", category, subcategory])
        .expect("known classes are lower-case words");
    emitter.emit(&name, || {
        let metadata = Metadata::new()
            .with("error_type", error.kind().as_str())
            .with("severity", error.severity().as_str())
            .with("code", error.code());
        (Measurements::new().with("counter", 1), metadata)
    });
}

/// Emits how long the operation took, in nanoseconds, to the emitter of its context.
pub(super) fn emit_duration(context: &ErrorContext) {
    context.emitter().emit(&DURATION, || {
        let nanos = i64::try_from(context.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let metadata = Metadata::new()
            .with("module", context.module())
            .with("function", context.function())
            .with("correlation_id", context.correlation_id().clone());
        (Measurements::new().with("gauge", nanos), metadata)
    });
}
