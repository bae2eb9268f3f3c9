//! The original's `Foundation.Types.Error`: the common record from a list of its fields.

use std::num::NonZeroU32;

use foundation_types::error::{
    Category, Cause, CorrelationId, DistributedContext, Error, ErrorKind, Frame, RetryStrategy, Severity, Subcategory,
};
use foundation_types::{Metadata, Text, Timestamp};

use crate::global;

/// The fields of a record. Required are `code`, `error_type`, `message` and `severity`; what else is absent has the value
/// of the kind's definition, but for the retry strategy, which is never.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// The number for people, 1 to 9999.
    pub code: Option<u32>,
    /// What went wrong.
    pub error_type: Option<ErrorKind>,
    /// What happened, for people.
    pub message: Option<String>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// The circumstances.
    pub context: Metadata,
    /// What ties the error to its request.
    pub correlation_id: Option<CorrelationId>,
    /// When it happened; now if absent.
    pub timestamp: Option<Timestamp>,
    /// The stack, of which ten frames are kept.
    pub stacktrace: Option<Vec<Frame>>,
    /// The broad class.
    pub category: Option<Category>,
    /// The narrow class.
    pub subcategory: Option<Subcategory>,
    /// When to try again.
    pub retry_strategy: Option<RetryStrategy>,
    /// What a person can do about it.
    pub recovery_actions: Vec<Text>,
    /// What it stems from.
    pub caused_by: Option<Cause>,
    /// Which nodes it came over.
    pub distributed_context: Option<DistributedContext>,
    /// How many attempts were made before.
    pub retry_count: Option<u32>,
    /// How many attempts are allowed.
    pub max_retries: Option<NonZeroU32>,
    /// The numbers that override those of the retry strategy.
    pub retry_context: Option<Metadata>,
}

/// A required field of an error is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("field {field} is missing")]
#[non_exhaustive]
pub struct MissingField {
    /// The field.
    pub field: &'static str,
}

pub(crate) fn required<T>(value: Option<T>, field: &'static str) -> Result<T, MissingField> {
    value.ok_or(MissingField { field })
}

/// A record with these fields.
///
/// # Errors
/// [`MissingField`] for the first required field that is absent.
pub fn new(fields: Fields) -> Result<Error, MissingField> {
    let code = required(fields.code, "code")?;
    let kind = required(fields.error_type, "error_type")?;
    let message = required(fields.message, "message")?;
    let severity = required(fields.severity, "severity")?;
    let mut error = Error::new(kind)
        .with_clock(global::get().clock())
        .with_code(code)
        .with_message(message)
        .with_severity(severity)
        .with_context_map(fields.context)
        .with_retry(fields.retry_strategy.unwrap_or(RetryStrategy::NoRetry))
        .with_recovery_actions(fields.recovery_actions);
    if fields.category.is_some() || fields.subcategory.is_some() {
        let category = fields.category.unwrap_or_else(|| error.category().clone());
        let subcategory = fields.subcategory.unwrap_or_else(|| error.subcategory().clone());
        error = error.with_category(category, subcategory);
    }
    error = fields.timestamp.into_iter().fold(error, Error::with_timestamp);
    error = fields.correlation_id.into_iter().fold(error, Error::with_correlation_id);
    error = fields.stacktrace.into_iter().fold(error, Error::with_frames);
    error = fields.caused_by.into_iter().fold(error, Error::caused_by);
    error = fields.distributed_context.into_iter().fold(error, Error::with_distributed);
    error = fields.retry_count.into_iter().fold(error, Error::with_retry_count);
    error = fields.max_retries.into_iter().fold(error, Error::with_max_retries);
    Ok(fields.retry_context.into_iter().fold(error, Error::with_retry_context))
}

/// As [`new`] without any field, which is too few.
///
/// # Errors
/// [`MissingField`], always.
pub fn new_0() -> Result<Error, MissingField> {
    new(Fields::default())
}
