//! Filling in an error record.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::correlation::CorrelationId;
use super::definition::UNKNOWN_CODE;
use super::distributed::DistributedContext;
use super::frame::{Captured, Frame, MAX_FRAMES};
use super::record::{Error, Stack};
use super::retry::RetryStrategy;
use super::vocabulary::{Category, Domain, Severity, Subcategory};
use crate::{Clock, Metadata, Text, Timestamp, Value};

impl Error {
    /// Moves the error to another domain, whose definition of its kind is then in force.
    #[must_use]
    pub fn with_domain(mut self, domain: impl Into<Domain>) -> Self {
        self.0.domain = domain.into();
        self
    }

    /// Sets the message; the empty text is a message too.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = Some(message.into().into());
        self
    }

    /// Sets the code. What is not within 1 to 9999 becomes 9999.
    #[must_use]
    pub fn with_code(mut self, code: u32) -> Self {
        self.0.code = Some(if matches!(code, 1..=UNKNOWN_CODE) { code } else { UNKNOWN_CODE });
        self
    }

    /// Sets the severity.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.0.severity = Some(severity);
        self
    }

    /// Sets both classes.
    #[must_use]
    pub fn with_category(mut self, category: impl Into<Category>, subcategory: impl Into<Subcategory>) -> Self {
        self.0.category = Some(category.into());
        self.0.subcategory = Some(subcategory.into());
        self
    }

    /// Sets one entry of the context.
    #[must_use]
    pub fn with_context(mut self, key: impl Into<Text>, value: impl Into<Value>) -> Self {
        self.0.context.insert(key, value);
        self
    }

    /// Lays `entries` over the context: their values win.
    #[must_use]
    pub fn with_context_map(mut self, entries: Metadata) -> Self {
        self.0.context.extend(entries);
        self
    }

    /// Sets the correlation id.
    #[must_use]
    pub fn with_correlation_id(mut self, id: impl Into<CorrelationId>) -> Self {
        self.0.correlation_id = Some(id.into());
        self
    }

    /// Sets when it happened.
    #[must_use]
    pub fn with_timestamp(mut self, timestamp: Timestamp) -> Self {
        self.0.timestamp = timestamp;
        self
    }

    /// Stamps the error with the wall time of `clock`.
    #[must_use]
    pub fn with_clock(self, clock: &dyn Clock) -> Self {
        self.with_timestamp(clock.wall())
    }

    /// Sets the stack. The first ten frames are kept; an empty stack is a stack.
    #[must_use]
    pub fn with_frames(mut self, frames: impl IntoIterator<Item = Frame>) -> Self {
        self.0.stack = Some(Stack::Frames(frames.into_iter().take(MAX_FRAMES).collect()));
        self
    }

    /// Captures the stack of the caller if `RUST_BACKTRACE` or `RUST_LIB_BACKTRACE` asks for it, as
    /// [`std::backtrace::Backtrace::capture`] does; else changes nothing. Symbols are looked up when frames are asked
    /// for.
    #[must_use]
    pub fn with_backtrace(mut self) -> Self {
        if let Some(captured) = Captured::if_enabled() {
            self.0.stack = Some(Stack::Captured(Arc::new(captured)));
        }
        self
    }

    /// Captures the stack of the caller, whatever the environment says.
    #[must_use]
    pub fn with_forced_backtrace(mut self) -> Self {
        if let Some(captured) = Captured::always() {
            self.0.stack = Some(Stack::Captured(Arc::new(captured)));
        }
        self
    }

    /// Sets the retry strategy.
    #[must_use]
    pub fn with_retry(mut self, strategy: RetryStrategy) -> Self {
        self.0.retry = Some(strategy);
        self
    }

    /// Sets how many attempts were made before.
    #[must_use]
    pub fn with_retry_count(mut self, attempts: u32) -> Self {
        self.0.retry_count = Some(attempts);
        self
    }

    /// Limits the attempts.
    #[must_use]
    pub fn with_max_retries(mut self, attempts: NonZeroU32) -> Self {
        self.0.max_retries = Some(attempts);
        self
    }

    /// Sets the numbers that override those of the strategy: `base_delay` and `max_delay` in milliseconds,
    /// `backoff_factor` of at least 1.
    #[must_use]
    pub fn with_retry_context(mut self, context: Metadata) -> Self {
        self.0.retry_context = Some(context);
        self
    }

    /// Sets the recovery actions; an empty list brings the usual ones of the kind back.
    #[must_use]
    pub fn with_recovery_actions<T: Into<Text>>(mut self, actions: impl IntoIterator<Item = T>) -> Self {
        let actions: Vec<Text> = actions.into_iter().map(Into::into).collect();
        self.0.recovery_actions = (!actions.is_empty()).then_some(actions);
        self
    }

    /// Sets which nodes the error came over.
    #[must_use]
    pub fn with_distributed(mut self, context: DistributedContext) -> Self {
        self.0.distributed = Some(context);
        self
    }
}
