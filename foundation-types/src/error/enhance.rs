//! Laying what an operation knows over the errors that arise in it.

use super::cause::Cause;
use super::context::ErrorContext;
use super::kind::ErrorKind;
use super::record::Error;
use crate::{Metadata, Value};

const OPERATION: &str = "operation_context";
/// Where information goes that would hide the operation.
const OPERATION_INFO: &str = "operation_context_info";
const REASON: &str = "original_reason";

impl ErrorContext {
    /// The failure with what this operation knows.
    ///
    /// A record gets the context key `operation_context` (see [`ErrorContext::operation_context`]), and this
    /// operation's correlation id if it has none; nothing else changes. Anything else becomes a record of kind
    /// `external_error` with `original_reason`, `operation_context` and the correlation id, and the failure as its
    /// source.
    pub fn enhance(&self, failure: impl Into<Cause>) -> Error {
        self.enhance_with(failure, &Metadata::new())
    }

    /// As [`enhance`](Self::enhance), with `info` in the context too.
    ///
    /// In a record `info` wins over what is there, in the record of a foreign failure `original_reason` wins over it.
    /// It never hides the operation: its key `operation_context` is kept as `operation_context_info`.
    pub fn enhance_with(&self, failure: impl Into<Cause>, info: &Metadata) -> Error {
        let mut info = info.clone();
        if let Some(hidden) = info.remove(OPERATION) {
            info.insert(OPERATION_INFO, hidden);
        }
        let (mut error, reason) = split(failure.into());
        error.0.context.extend(info);
        if let Some(reason) = reason {
            error.0.context.insert(REASON, reason);
        }
        error.0.context.insert(OPERATION, self.operation_context());
        error.0.correlation_id.get_or_insert_with(|| self.correlation_id().clone());
        error
    }
}

/// The failure with `entries` and then `info` laid over its context.
///
/// A failure that is no record becomes one of kind `external_error`, whose `original_reason` wins over both.
pub fn add_context(failure: impl Into<Cause>, entries: &Metadata, info: &Metadata) -> Error {
    let (mut error, reason) = split(failure.into());
    error.0.context.overlay(entries);
    error.0.context.overlay(info);
    if let Some(reason) = reason {
        error.0.context.insert(REASON, reason);
    }
    error
}

/// The record of a failure, and the original reason if the record had to be made.
fn split(failure: Cause) -> (Error, Option<Value>) {
    match failure.into_record() {
        Ok(record) => (record, None),
        Err(foreign) => {
            let reason = foreign.reason();
            (Error::new(ErrorKind::ExternalError).caused_by(foreign), Some(reason))
        }
    }
}
