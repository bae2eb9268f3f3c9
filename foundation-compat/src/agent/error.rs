//! The agent-aware original's `Foundation.Types.Error`: the common record, with who acted.
//!
//! ```
//! use foundation_compat::agent::error::{self, Fields};
//! use foundation_compat::foundation_types::error::{ErrorKind, RetryStrategy};
//!
//! let exhausted = error::new(Fields {
//!     code: Some(3004),
//!     error_type: Some(ErrorKind::AgentResourceExhausted),
//!     message: Some("out of memory".to_owned()),
//!     retry_strategy: Some(RetryStrategy::LinearBackoff),
//!     ..Fields::default()
//! })?;
//! assert_eq!(error::get_category(&exhausted), "agent");
//! assert_eq!(error::suggested_retry_delay(&exhausted, 2).map(|delay| delay.as_secs()), Some(2));
//! # Ok::<(), error::MissingField>(())
//! ```

use std::any::Any;
use std::error::Error as StdError;
use std::time::Duration;

pub use foundation_types::AgentContext;
use foundation_types::Metadata;
use foundation_types::error::{
    CorrelationId, DecodeError, Error, ErrorKind, RetryStrategy, Severity, category_of, is_in_category,
};

pub use crate::error::types::MissingField;
use crate::error::types::required;
use crate::global;

/// The fields of a record. [`new`] requires `code`, `error_type` and `message`; [`from_exception`] requires none.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// The number for people, 1 to 9999.
    pub code: Option<u32>,
    /// What went wrong.
    pub error_type: Option<ErrorKind>,
    /// What happened, for people.
    pub message: Option<String>,
    /// How bad it is; medium if absent, high for an exception.
    pub severity: Option<Severity>,
    /// The circumstances.
    pub context: Metadata,
    /// Which agent acted.
    pub agent_context: Option<AgentContext>,
    /// When to try again; never if absent.
    pub retry_strategy: Option<RetryStrategy>,
    /// What ties the error to its request; a fresh random one if absent.
    pub correlation_id: Option<CorrelationId>,
}

/// What [`from_exception`] makes a record of.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Exception<'e> {
    /// An error of any type.
    Error(&'e (dyn StdError + 'static)),
    /// The payload of a panic, as [`std::panic::catch_unwind`] gives it.
    Panic(&'e (dyn Any + Send)),
}

impl<'e, E: StdError + 'static> From<&'e E> for Exception<'e> {
    fn from(error: &'e E) -> Self {
        Self::Error(error)
    }
}

/// A record with these fields. If `RUST_BACKTRACE` asks for it, it has the stack of the caller.
///
/// # Errors
/// [`MissingField`] for the first required field that is absent.
pub fn new(fields: Fields) -> Result<Error, MissingField> {
    required(fields.code, "code")?;
    let kind = required(fields.error_type.clone(), "error_type")?;
    required(fields.message.as_ref(), "message")?;
    Ok(filled(Error::new(kind), fields, Severity::Medium))
}

/// The record of an exception: kind and code follow from its type, the context has `exception_type`. What the fields say
/// comes on top.
pub fn from_exception<'e>(exception: impl Into<Exception<'e>>, fields: Fields) -> Error {
    let error = match exception.into() {
        Exception::Error(error) => Error::from_exception(error),
        Exception::Panic(payload) => Error::from_panic(payload),
    };
    let error = match &fields.error_type {
        None => error,
        Some(kind) => Error::new(kind.clone())
            .with_code(error.code())
            .with_message(error.message())
            .with_context_map(error.context().clone()),
    };
    filled(error, fields, Severity::High)
}

/// As [`from_exception`] without fields.
pub fn from_exception_1<'e>(exception: impl Into<Exception<'e>>) -> Error {
    from_exception(exception, Fields::default())
}

fn filled(error: Error, fields: Fields, severity: Severity) -> Error {
    let error = error
        .with_clock(global::get().clock())
        .with_severity(fields.severity.unwrap_or(severity))
        .with_context_map(fields.context)
        .with_retry(fields.retry_strategy.unwrap_or(RetryStrategy::NoRetry))
        .with_correlation_id(fields.correlation_id.unwrap_or_else(CorrelationId::fresh))
        .with_backtrace();
    let error = fields.code.into_iter().fold(error, Error::with_code);
    let error = fields.message.into_iter().fold(error, Error::with_message);
    fields.agent_context.into_iter().fold(error, Error::with_agent_context)
}

/// The error with another agent that acted.
pub fn add_agent_context(error: Error, context: AgentContext) -> Error {
    error.with_agent_context(context)
}

/// The error with entries laid over its context.
pub fn add_context(error: Error, context: Metadata) -> Error {
    error.with_context_map(context)
}

/// Whether the retry strategy allows another attempt.
pub fn retryable(error: &Error) -> bool {
    error.is_retryable()
}

/// Whether the code of the error lies in the named range: the original's `category?/2`.
pub fn category(error: &Error, name: &str) -> bool {
    is_in_category(error.code(), name)
}

/// The name of the range that the code of the error lies in, or `unknown`.
pub fn get_category(error: &Error) -> &'static str {
    category_of(error.code())
}

/// The ten keys of the original's map, as JSON.
pub fn to_map(error: &Error) -> serde_json::Value {
    error.to_agent_map()
}

/// Reads the map that [`to_map`] makes, and the full JSON form of a record.
///
/// # Errors
/// [`DecodeError`] for anything else.
pub fn from_map(map: &serde_json::Value) -> Result<Error, DecodeError> {
    Error::from_agent_map(map)
}

/// Whether someone should be told: severity high or critical.
pub fn alertable(error: &Error) -> bool {
    error.should_escalate()
}

/// The delay before an attempt, counted from 1; `None` if there should be none. The number is used as it is, so that the
/// first exponential delay is 2 s and the first linear one 1 s.
pub fn suggested_retry_delay(error: &Error, attempt: u32) -> Option<Duration> {
    error.retry_delay(attempt).duration()
}
