//! The error record.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::agent_data::AgentData;
use super::cause::Cause;
use super::correlation::CorrelationId;
use super::definition::{Definition, Entry};
use super::distributed::DistributedContext;
use super::frame::{Captured, Frame};
use super::kind::ErrorKind;
use super::recovery;
use super::retry::{Backoff, RetryAdvice, RetryDelay, RetryStrategy};
use super::vocabulary::{Category, Domain, Severity, Subcategory};
use super::wrap::Wrap;
use crate::{Clock, Metadata, SystemClock, Text, Timestamp};

/// The common error record, for boundaries, logs and wires.
///
/// Its identity is the pair of domain and kind. Code, severity, category, subcategory, retry strategy, recovery actions
/// and default message follow from that pair (see [`Definition`]) and can be overridden one by one. It is one pointer
/// wide, and making one neither logs nor emits anything.
///
/// `Display` is the one-line form for logs, `Debug` shows everything; both replace the values of keys named like
/// secrets (`password`, `token`, `secret`, `api_key`, `authorization`).
///
/// ```
/// use foundation_types::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Timeout).with_context("host", "db-1").with_context("token", "s3cret");
/// assert_eq!(
///     error.to_string(),
///     r#"[4301:timeout] Operation timeout | Context: {"host":"db-1","token":"[redacted]"} | Severity: medium"#,
/// );
/// ```
#[derive(Clone)]
pub struct Error(pub(super) Box<Inner>);

/// What an error holds; `None` where the definition is in force.
#[derive(Clone)]
pub(super) struct Inner {
    pub(super) domain: Domain,
    pub(super) kind: ErrorKind,
    pub(super) code: Option<u32>,
    pub(super) severity: Option<Severity>,
    pub(super) category: Option<Category>,
    pub(super) subcategory: Option<Subcategory>,
    pub(super) retry: Option<RetryStrategy>,
    pub(super) message: Option<Text>,
    pub(super) context: Metadata,
    pub(super) correlation_id: Option<CorrelationId>,
    pub(super) timestamp: Timestamp,
    pub(super) stack: Option<Stack>,
    pub(super) recovery_actions: Option<Vec<Text>>,
    pub(super) cause: Option<Cause>,
    pub(super) dropped_causes: u32,
    pub(super) wraps: Vec<Wrap>,
    pub(super) distributed: Option<DistributedContext>,
    pub(super) retry_count: Option<u32>,
    pub(super) max_retries: Option<NonZeroU32>,
    pub(super) retry_context: Option<Metadata>,
    pub(super) agent: Option<AgentData>,
}

#[derive(Clone)]
pub(super) enum Stack {
    Frames(Vec<Frame>),
    Captured(Arc<Captured>),
}

impl Error {
    /// An error of this kind in [`Domain::Core`], stamped with the wall time of [`SystemClock`].
    ///
    /// Text is a kind too; unknown text becomes a kind with the definition 9999.
    pub fn new(kind: impl Into<ErrorKind>) -> Self {
        Self::at(kind.into(), SystemClock.wall())
    }

    /// An error described by one row of the definition table, also a row that is not the definition of its kind.
    pub fn from_entry(entry: &'static Entry) -> Self {
        let (own, in_force) = (&entry.definition, Definition::of(&entry.domain, &entry.kind));
        let mut error = Self::new(entry.kind.clone()).with_domain(entry.domain.clone());
        error.0.code = (own.code != in_force.code).then_some(own.code);
        error.0.severity = (own.severity != in_force.severity).then_some(own.severity);
        error.0.category = (own.category != in_force.category).then(|| own.category.clone());
        error.0.subcategory = (own.subcategory != in_force.subcategory).then(|| own.subcategory.clone());
        error.0.retry = (own.retry != in_force.retry).then_some(own.retry);
        error
    }

    pub(super) fn at(kind: ErrorKind, timestamp: Timestamp) -> Self {
        Self(Box::new(Inner {
            domain: Domain::Core,
            kind,
            code: None,
            severity: None,
            category: None,
            subcategory: None,
            retry: None,
            message: None,
            context: Metadata::new(),
            correlation_id: None,
            timestamp,
            stack: None,
            recovery_actions: None,
            cause: None,
            dropped_causes: 0,
            wraps: Vec::new(),
            distributed: None,
            retry_count: None,
            max_retries: None,
            retry_context: None,
            agent: None,
        }))
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where it went wrong.
    pub fn domain(&self) -> &Domain {
        &self.0.domain
    }

    /// What the table says about this domain and kind.
    pub fn definition(&self) -> &'static Definition {
        Definition::of(&self.0.domain, &self.0.kind)
    }

    /// The number for people, 1 to 9999. Programs dispatch on [`Error::kind`].
    pub fn code(&self) -> u32 {
        self.0.code.unwrap_or_else(|| self.definition().code)
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.0.severity.unwrap_or_else(|| self.definition().severity)
    }

    /// The broad class.
    pub fn category(&self) -> &Category {
        self.0.category.as_ref().unwrap_or_else(|| &self.definition().category)
    }

    /// The narrow class.
    pub fn subcategory(&self) -> &Subcategory {
        self.0.subcategory.as_ref().unwrap_or_else(|| &self.definition().subcategory)
    }

    /// When to try again.
    pub fn retry_strategy(&self) -> RetryStrategy {
        self.0.retry.unwrap_or_else(|| self.definition().retry)
    }

    /// What happened, for people.
    pub fn message(&self) -> &str {
        self.0.message.as_deref().unwrap_or_else(|| self.definition().message)
    }

    /// The circumstances, by key.
    pub fn context(&self) -> &Metadata {
        &self.0.context
    }

    /// What ties this error to its request, if known.
    pub fn correlation_id(&self) -> Option<&CorrelationId> {
        self.0.correlation_id.as_ref()
    }

    /// When it was made.
    pub fn timestamp(&self) -> Timestamp {
        self.0.timestamp
    }

    /// The stack, at most ten frames; `None` if none was recorded. The first call on a captured stack looks up its
    /// symbols, which takes milliseconds.
    pub fn frames(&self) -> Option<&[Frame]> {
        match self.0.stack.as_ref()? {
            Stack::Frames(frames) => Some(frames),
            Stack::Captured(captured) => Some(captured.frames()),
        }
    }

    /// What a person can do about it; never empty. An `operation` in the context adds an action that names it.
    pub fn recovery_actions(&self) -> Vec<Text> {
        self.0.recovery_actions.clone().unwrap_or_else(|| recovery::actions(&self.0.kind, &self.0.context))
    }

    /// Who wrapped this error, innermost first.
    pub fn wraps(&self) -> &[Wrap] {
        &self.0.wraps
    }

    /// Which nodes the error came over, if it did.
    pub fn distributed(&self) -> Option<&DistributedContext> {
        self.0.distributed.as_ref()
    }

    /// How many attempts were made before, if counted.
    pub fn retry_count(&self) -> Option<u32> {
        self.0.retry_count
    }

    /// How many attempts are allowed, if limited.
    pub fn max_retries(&self) -> Option<NonZeroU32> {
        self.0.max_retries
    }

    /// The numbers that override those of the strategy: `base_delay` and `max_delay` in milliseconds, `backoff_factor`.
    pub fn retry_context(&self) -> Option<&Metadata> {
        self.0.retry_context.as_ref()
    }

    /// Whether the strategy allows another attempt at all.
    pub fn is_retryable(&self) -> bool {
        self.retry_strategy() != RetryStrategy::NoRetry
    }

    /// Whether the same operation may succeed later without anyone changing anything; see
    /// [`RetryAdvice::is_transient`].
    pub fn is_transient(&self) -> bool {
        let permanent = matches!(self.category(), Category::Config | Category::Security)
            || matches!(
                self.subcategory(),
                Subcategory::Structure
                    | Subcategory::Validation
                    | Subcategory::Auth
                    | Subcategory::Authorization
                    | Subcategory::AccessControl
                    | Subcategory::Security
                    | Subcategory::Corruption
                    | Subcategory::NotFound
            );
        self.is_retryable() && !permanent
    }

    /// Whether someone should be told: severity high or critical.
    pub fn should_escalate(&self) -> bool {
        self.severity().is_alertable()
    }

    /// The delay before attempt `attempt`, counted from 0. Total: huge attempts saturate.
    ///
    /// The retry context may override the numbers of the strategy; without it exponential and linear delays are at most
    /// 30 s.
    pub fn retry_delay(&self, attempt: u32) -> RetryDelay {
        self.0
            .retry_context
            .as_ref()
            .map(Backoff::from_context)
            .unwrap_or_default()
            .delay(self.retry_strategy(), attempt)
    }

    /// The delay before the next attempt; `None` if the strategy is never or the attempts are used up.
    pub fn next_attempt(&self) -> Option<RetryDelay> {
        let made = self.0.retry_count.unwrap_or(0);
        let used_up = self.0.max_retries.is_some_and(|max| made >= max.get());
        (self.is_retryable() && !used_up).then(|| self.retry_delay(made))
    }

    /// Everything about trying again in one value.
    pub fn retry_advice(&self) -> RetryAdvice {
        RetryAdvice { strategy: self.retry_strategy(), next: self.next_attempt(), transient: self.is_transient() }
    }
}

impl PartialEq for Error {
    /// Compares what the errors say, not how it came to be: an overridden field equals the same value from the
    /// definition, and foreign causes are equal if their texts are.
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (&self.0, &other.0);
        one.domain == two.domain
            && one.kind == two.kind
            && self.code() == other.code()
            && self.severity() == other.severity()
            && self.category() == other.category()
            && self.subcategory() == other.subcategory()
            && self.retry_strategy() == other.retry_strategy()
            && self.message() == other.message()
            && one.context == two.context
            && one.correlation_id == two.correlation_id
            && one.timestamp == two.timestamp
            && self.frames() == other.frames()
            && self.recovery_actions() == other.recovery_actions()
            && one.cause == two.cause
            && one.dropped_causes == two.dropped_causes
            && one.wraps == two.wraps
            && one.distributed == two.distributed
            && one.retry_count == two.retry_count
            && one.max_retries == two.max_retries
            && one.retry_context == two.retry_context
            && one.agent == two.agent
    }
}

impl Eq for Error {}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(Cause::as_error)
    }
}
