//! The original's `Foundation.ErrorContext`: functions over [`ErrorContext`].
//!
//! Contexts made here take their time from the clock of the [global instance](crate::global) and emit to its observer. The
//! bare name is the function with the most arguments; a shorter one carries its arity.
//!
//! ```
//! use foundation_compat::{Error, ErrorKind, Value, error_context};
//!
//! let context = error_context::new_2("Loader", "load");
//! let loaded: Result<(), Error> = error_context::with_context(&context, || Err::<(), _>(Error::new(ErrorKind::Timeout)));
//! let error = error_context::enhance_error(loaded, &context).unwrap_err();
//! assert!(error.context().contains_key("operation_context"));
//! assert_eq!(error.correlation_id(), Some(context.correlation_id()));
//! ```

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

pub use foundation_types::ErrorContext;
use foundation_types::error::{Cause, CorrelationId, add_context as overlay};
use foundation_types::{Error, Metadata, Text};

use crate::global;

/// What [`new`] takes beside module and function: nothing unless said.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Options {
    correlation_id: Option<CorrelationId>,
    metadata: Metadata,
    parent_context: Option<ErrorContext>,
}

impl Options {
    /// Nothing.
    pub const fn new() -> Self {
        Self { correlation_id: None, metadata: Metadata::new(), parent_context: None }
    }

    /// The option `correlation_id`; a fresh UUID if absent.
    pub fn correlation_id(mut self, id: impl Into<CorrelationId>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// The option `metadata`.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// The option `parent_context`: the context is part of it, and takes nothing over from it.
    pub fn parent_context(mut self, parent: ErrorContext) -> Self {
        self.parent_context = Some(parent);
        self
    }
}

/// The context of an operation that starts now.
pub fn new(module: impl Into<Text>, function: impl Into<Text>, options: Options) -> ErrorContext {
    let global = global::get();
    let context = ErrorContext::timed_by(Arc::clone(global.clock()), module, function)
        .with_emitter(global.emitter().clone())
        .with_metadata_map(options.metadata);
    let context = options.correlation_id.into_iter().fold(context, ErrorContext::with_correlation_id);
    options.parent_context.into_iter().fold(context, ErrorContext::with_parent)
}

/// As [`new`] without options.
pub fn new_2(module: impl Into<Text>, function: impl Into<Text>) -> ErrorContext {
    new(module, function, Options::new())
}

/// The context of an operation within another: with its own id and start, the same correlation id, and metadata laid over
/// that of the other.
pub fn child_context(
    parent: &ErrorContext,
    module: impl Into<Text>,
    function: impl Into<Text>,
    metadata: Metadata,
) -> ErrorContext {
    parent.child_with(module, function, metadata)
}

/// As [`child_context`] without metadata.
pub fn child_context_3(parent: &ErrorContext, module: impl Into<Text>, function: impl Into<Text>) -> ErrorContext {
    child_context(parent, module, function, Metadata::new())
}

/// The context with one more step on its path.
pub fn add_breadcrumb(
    context: ErrorContext,
    module: impl Into<Text>,
    function: impl Into<Text>,
    metadata: Metadata,
) -> ErrorContext {
    context.breadcrumb(module, function, metadata)
}

/// As [`add_breadcrumb`] without metadata.
pub fn add_breadcrumb_3(context: ErrorContext, module: impl Into<Text>, function: impl Into<Text>) -> ErrorContext {
    add_breadcrumb(context, module, function, Metadata::new())
}

/// The context with entries laid over its metadata.
pub fn add_metadata(context: ErrorContext, metadata: Metadata) -> ErrorContext {
    context.with_metadata_map(metadata)
}

/// Runs a function with the context current and gives its result as it is, errors included. A panic becomes an
/// `internal_error` with the message `Exception in operation: <panic message>`; what the function was changing then may be
/// half changed.
///
/// # Errors
/// The function's own, or that of its panic.
pub fn with_context<T, E: Into<Error>>(
    context: &ErrorContext,
    function: impl FnOnce() -> Result<T, E>,
) -> Result<T, Error> {
    context.catch(AssertUnwindSafe(function))
}

/// A failure with `operation_context`, and the correlation id of the context if it has none. What is no record becomes one
/// of kind `external_error`, with `original_reason`. A success passes through untouched.
///
/// # Errors
/// The failure, with the context.
pub fn enhance_error<T>(result: Result<T, impl Into<Cause>>, context: &ErrorContext) -> Result<T, Error> {
    result.map_err(|failure| context.enhance(failure))
}

/// What [`add_context`] adds: an operation, or a map.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Circumstances<'c> {
    /// What an operation knows.
    Operation(&'c ErrorContext),
    /// Entries to be laid over the context of the error.
    Map(&'c Metadata),
}

impl<'c> From<&'c ErrorContext> for Circumstances<'c> {
    fn from(context: &'c ErrorContext) -> Self {
        Self::Operation(context)
    }
}

impl<'c> From<&'c Metadata> for Circumstances<'c> {
    fn from(map: &'c Metadata) -> Self {
        Self::Map(map)
    }
}

/// A failure with what an operation or a map knows, and `info` over it. What is no record becomes one of kind
/// `external_error`, with `original_reason`. A success passes through untouched.
///
/// With an operation `info` cannot hide `operation_context`: its key of that name is kept as `operation_context_info`.
///
/// # Errors
/// The failure, with the context.
pub fn add_context<'c, T>(
    result: Result<T, impl Into<Cause>>,
    circumstances: impl Into<Circumstances<'c>>,
    info: &Metadata,
) -> Result<T, Error> {
    result.map_err(|failure| match circumstances.into() {
        Circumstances::Operation(context) => context.enhance_with(failure, info),
        Circumstances::Map(map) => overlay(failure, map, info),
    })
}

/// As [`add_context`] without `info`.
///
/// # Errors
/// As there.
pub fn add_context_2<'c, T>(
    result: Result<T, impl Into<Cause>>,
    circumstances: impl Into<Circumstances<'c>>,
) -> Result<T, Error> {
    add_context(result, circumstances, &Metadata::new())
}

/// The context that the calling thread or task is in, if any.
pub fn get_current_context() -> Option<ErrorContext> {
    ErrorContext::current()
}

/// The path of a context on one line: `Module.function (D ago)`, joined with ` -> `.
pub fn format_breadcrumbs(context: &ErrorContext) -> String {
    context.format_breadcrumbs()
}

/// For how long the operation has been running, in nanoseconds.
pub fn get_operation_duration(context: &ErrorContext) -> u64 {
    u64::try_from(context.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
