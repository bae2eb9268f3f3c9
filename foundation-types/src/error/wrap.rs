//! Saying more about a failure on its way up.

use std::fmt;

use super::cause::Cause;
use super::context::ErrorContext;
use super::correlation::CorrelationId;
use super::kind::ErrorKind;
use super::record::Error;
use super::redact::Redacted;
use crate::{Metadata, Text, Value};

/// One wrapping of an error.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wrap {
    /// The kind of failure that the wrapper saw.
    pub by: ErrorKind,
    /// What the wrapper said.
    pub message: Option<Text>,
    /// What the wrapper knew.
    pub context: Metadata,
}

impl Wrap {
    pub(super) const fn new(by: ErrorKind, message: Option<Text>, context: Metadata) -> Self {
        Self { by, message, context }
    }
}

impl fmt::Debug for Wrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrap")
            .field("by", &self.by)
            .field("message", &self.message)
            .field("context", &Redacted::whole(&self.context))
            .finish()
    }
}

/// What a wrapper adds.
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct WrapOpts {
    message: Option<Text>,
    context: Metadata,
    correlation_id: Option<CorrelationId>,
}

impl WrapOpts {
    /// Adds nothing but the wrapper's kind.
    pub const fn new() -> Self {
        Self { message: None, context: Metadata::new(), correlation_id: None }
    }

    /// With a message.
    pub fn message(mut self, message: impl Into<Text>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// With one entry of context.
    pub fn context(mut self, key: impl Into<Text>, value: impl Into<Value>) -> Self {
        self.context.insert(key, value);
        self
    }

    /// With entries of context, laid over those there are.
    pub fn context_map(mut self, entries: Metadata) -> Self {
        self.context.extend(entries);
        self
    }

    /// With the correlation id of a new record; an existing record keeps its own.
    pub fn correlation_id(mut self, id: impl Into<CorrelationId>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }
}

impl fmt::Debug for WrapOpts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrapOpts")
            .field("message", &self.message)
            .field("context", &Redacted::whole(&self.context))
            .field("correlation_id", &self.correlation_id)
            .finish()
    }
}

impl Error {
    /// Wraps this record, which keeps everything: kind, message, code, severity and so on.
    ///
    /// Three context keys show the outermost wrap, `wrapped_by`, `wrapper_message` (or null) and `wrapper_context`;
    /// [`Error::wraps`] has every wrap.
    #[must_use]
    pub fn wrapped(mut self, by: impl Into<ErrorKind>, opts: WrapOpts) -> Self {
        let by = by.into();
        self.0.context.extend([
            ("wrapped_by", Value::from(by.as_str())),
            ("wrapper_message", opts.message.clone().into()),
            ("wrapper_context", opts.context.clone().into()),
        ]);
        self.0.wraps.push(Wrap::new(by, opts.message, opts.context));
        self
    }

    /// Wraps a failure: a record as [`Error::wrapped`] does; anything else becomes a new record of the kind `by`, with
    /// the context of `opts` and `original_reason`, and the failure as its [`source`](std::error::Error::source).
    pub fn wrapping(by: impl Into<ErrorKind>, opts: WrapOpts, failure: impl Into<Cause>) -> Self {
        match failure.into().into_record() {
            Ok(record) => record.wrapped(by, opts),
            Err(foreign) => {
                let mut error = Self::new(by).with_context_map(opts.context);
                error.0.context.insert("original_reason", foreign.reason());
                error.0.message = opts.message;
                error.0.correlation_id = opts.correlation_id;
                error.caused_by(foreign)
            }
        }
    }
}

/// What results can say about their failures.
///
/// An error that implements [`Classify`](super::Classify) counts as foreign here; turn it into a record first
/// (`.map_err(Error::from)`) to keep its kind.
pub trait ResultExt<T> {
    /// Wraps the failure; see [`Error::wrapping`]. A success passes through untouched.
    fn wrap(self, by: impl Into<ErrorKind>, opts: WrapOpts) -> Result<T, Error>;

    /// Adds what `context` knows to the failure; see [`ErrorContext::enhance`]. A success passes through untouched.
    fn with_error_context(self, context: &ErrorContext) -> Result<T, Error>;
}

impl<T, E: Into<Cause>> ResultExt<T> for Result<T, E> {
    fn wrap(self, by: impl Into<ErrorKind>, opts: WrapOpts) -> Result<T, Error> {
        self.map_err(|failure| Error::wrapping(by, opts, failure))
    }

    fn with_error_context(self, context: &ErrorContext) -> Result<T, Error> {
        self.map_err(|failure| context.enhance(failure))
    }
}
