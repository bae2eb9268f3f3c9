//! The original's `Foundation.Error`: functions over the common record [`Error`].
//!
//! The bare name is the function with the most arguments; a shorter one carries its arity.
//!
//! ```
//! use foundation_compat::error::{self, Options};
//! use foundation_compat::{ErrorKind, Metadata};
//!
//! let timeout = error::new(ErrorKind::Timeout, None, Options::new().context(Metadata::new().with("host", "db-1")));
//! assert!(error::retryable(&timeout));
//! assert_eq!(
//!     error::to_string(&timeout),
//!     r#"[4301:timeout] Operation timeout | Context: {"host":"db-1"} | Severity: medium"#,
//! );
//! ```

pub mod types;

pub use foundation_types::Error;
use foundation_types::Metadata;
use foundation_types::error::WrapOpts;
pub use foundation_types::error::{Cause, CorrelationId, DecodeError, ErrorKind, Frame, RetryDelay};

use crate::global;

/// What [`new`] and [`wrap_error`] take beside kind and message: nothing unless said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Options {
    context: Metadata,
    correlation_id: Option<CorrelationId>,
    stacktrace: Option<Vec<Frame>>,
}

impl Options {
    /// Nothing.
    pub const fn new() -> Self {
        Self { context: Metadata::new(), correlation_id: None, stacktrace: None }
    }

    /// The option `context`.
    pub fn context(mut self, context: Metadata) -> Self {
        self.context = context;
        self
    }

    /// The option `correlation_id`.
    pub fn correlation_id(mut self, id: impl Into<CorrelationId>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// The option `stacktrace`, of which the first ten frames are kept. An empty stack is not the same as none.
    pub fn stacktrace(mut self, frames: impl IntoIterator<Item = Frame>) -> Self {
        self.stacktrace = Some(frames.into_iter().collect());
        self
    }
}

/// An error of a kind, with code, severity, category and retry strategy from the definition of the kind; unknown text
/// becomes a kind with the code 9999. Without a message it has that of the definition.
pub fn new(kind: impl Into<ErrorKind>, message: Option<&str>, options: Options) -> Error {
    let error = Error::new(kind).with_clock(global::get().clock()).with_context_map(options.context);
    let error = message.into_iter().fold(error, Error::with_message);
    let error = options.correlation_id.into_iter().fold(error, Error::with_correlation_id);
    options.stacktrace.into_iter().fold(error, Error::with_frames)
}

/// As [`new`] without options.
pub fn new_2(kind: impl Into<ErrorKind>, message: Option<&str>) -> Error {
    new(kind, message, Options::new())
}

/// As [`new`] without message and options.
pub fn new_1(kind: impl Into<ErrorKind>) -> Error {
    new_2(kind, None)
}

/// The error of [`new`] as a result.
///
/// # Errors
/// That error, always.
pub fn error_result<T>(kind: impl Into<ErrorKind>, message: Option<&str>, options: Options) -> Result<T, Error> {
    Err(new(kind, message, options))
}

/// As [`error_result`] without options.
///
/// # Errors
/// As there.
pub fn error_result_2<T>(kind: impl Into<ErrorKind>, message: Option<&str>) -> Result<T, Error> {
    error_result(kind, message, Options::new())
}

/// As [`error_result`] without message and options.
///
/// # Errors
/// As there.
pub fn error_result_1<T>(kind: impl Into<ErrorKind>) -> Result<T, Error> {
    error_result_2(kind, None)
}

/// Wraps the failure of a result; a success passes through untouched.
///
/// A record keeps everything and shows the wrapper in the context keys `wrapped_by`, `wrapper_message` and
/// `wrapper_context`. Anything else, also a failure given as [`Value`](crate::Value), becomes a record of the wrapper's kind
/// with the options, and `original_reason` in its context.
///
/// # Errors
/// The failure, wrapped.
pub fn wrap_error<T>(
    result: Result<T, impl Into<Cause>>,
    kind: impl Into<ErrorKind>,
    message: Option<&str>,
    options: Options,
) -> Result<T, Error> {
    result.map_err(|failure| {
        let failure = failure.into();
        let is_record = failure.as_record().is_some();
        let Options { context, correlation_id, stacktrace } = options;
        let wrap = WrapOpts::new().context_map(context);
        let wrap = message.into_iter().fold(wrap, WrapOpts::message);
        let wrap = correlation_id.into_iter().fold(wrap, WrapOpts::correlation_id);
        let error = Error::wrapping(kind, wrap, failure);
        if is_record {
            return error;
        }
        stacktrace.into_iter().fold(error.with_clock(global::get().clock()), Error::with_frames)
    })
}

/// As [`wrap_error`] without options.
///
/// # Errors
/// As there.
pub fn wrap_error_3<T>(
    result: Result<T, impl Into<Cause>>,
    kind: impl Into<ErrorKind>,
    message: Option<&str>,
) -> Result<T, Error> {
    wrap_error(result, kind, message, Options::new())
}

/// As [`wrap_error`] without message and options.
///
/// # Errors
/// As there.
pub fn wrap_error_2<T>(result: Result<T, impl Into<Cause>>, kind: impl Into<ErrorKind>) -> Result<T, Error> {
    wrap_error_3(result, kind, None)
}

/// Whether the retry strategy allows another attempt. [`Error::is_transient`] says whether one is worth it.
pub fn retryable(error: &Error) -> bool {
    error.is_retryable()
}

/// The delay before an attempt, counted from 0.
pub fn retry_delay(error: &Error, attempt: u32) -> RetryDelay {
    error.retry_delay(attempt)
}

/// Whether someone should be told: severity high or critical.
pub fn should_escalate(error: &Error) -> bool {
    error.should_escalate()
}

/// The error on one line: `[<code>:<kind>] <message> | Context: {…} | Severity: <severity>`.
pub fn to_string(error: &Error) -> String {
    error.to_string()
}

/// Counts the error: emits `foundation.errors.<category>.<subcategory>` to the observer of the global instance.
pub fn collect_error_metrics(error: &Error) {
    foundation_types::error::collect_error_metrics(error, global::get().emitter());
}
