//! The rate limits of an instance, by their old functions.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use foundation_resources::rate_limit::{Admission, Decision, Denial, Pair, Quota};
use foundation_types::error::{Cause, Domain, Error, ErrorKind};
use foundation_types::{Metadata, Text, contain};

use super::events;
use crate::foundation::Foundation;
use crate::infrastructure::contained;
use crate::infrastructure::record::{advised, coded, millis};

/// What the original says of a pair that was never checked: 100 a minute.
const UNKNOWN_QUOTA: Quota = Quota::per_minute(100);

/// The original's rate limiter on a given [`Foundation`]: fixed windows that begin at multiples of their length since the Unix
/// epoch. Cheap to clone.
///
/// Entities and operations are whatever has a text form, and what has the same one is the same: the number 123 and the text
/// `"123"`. Any text will do, also an empty one.
#[derive(Clone)]
pub struct RateLimiter {
    foundation: Foundation,
}

impl RateLimiter {
    /// Counts a request of `entity` for `operation`, if it is not the `limit`-th + 1 within its window.
    ///
    /// The limit is that of this call: raising it admits the difference, lowering it denies at once, and 0 denies
    /// everything. Windows of different length have counts of their own. What is denied counts nothing. The event carries
    /// `metadata`; where a key of the limiter is in it, the limiter's value wins.
    ///
    /// # Errors
    /// 6001 `rate_limit_exceeded`, with advice when to try again; 6009 `validation_failed` if `time_window` is zero or longer
    /// than [`MAX_WINDOW`](foundation_resources::rate_limit::MAX_WINDOW), or if an argument fails to give its text.
    pub fn check_rate(
        &self,
        entity: impl fmt::Display,
        operation: impl fmt::Display,
        limit: u32,
        time_window: Duration,
        metadata: Metadata,
    ) -> Result<(), Error> {
        let pair = self.pair(&entity, &operation)?;
        let quota = self.quota(&pair, limit, time_window)?;
        self.check(pair, quota, metadata).map(drop)
    }

    /// As [`check_rate`](Self::check_rate) without metadata.
    ///
    /// # Errors
    /// As there.
    pub fn check_rate_4(
        &self,
        entity: impl fmt::Display,
        operation: impl fmt::Display,
        limit: u32,
        time_window: Duration,
    ) -> Result<(), Error> {
        self.check_rate(entity, operation, limit, time_window, Metadata::new())
    }

    /// The state of a pair under the quota that it was last checked with. Counts nothing.
    ///
    /// A pair that is not known is available, under 100 a minute.
    ///
    /// # Errors
    /// 6009 `validation_failed` if an argument fails to give its text.
    pub fn get_status(&self, entity: impl fmt::Display, operation: impl fmt::Display) -> Result<RateStatus, Error> {
        let (entity, operation) = self.pair(&entity, &operation)?;
        Ok(self.status_of(entity, operation))
    }

    /// Forgets what a pair has used, in windows of every length, whether it is known or not.
    ///
    /// # Errors
    /// 6009 `validation_failed` if an argument fails to give its text.
    pub fn reset(&self, entity: impl fmt::Display, operation: impl fmt::Display) -> Result<(), Error> {
        let (entity, operation) = self.pair(&entity, &operation)?;
        self.foundation.rate_limiter().reset(&Pair(entity.as_str(), operation.as_str()));
        events::reset(self.foundation.emitter(), (&entity, &operation));
        Ok(())
    }

    /// Checks, and runs `run` if the request is let through. The request counts also if that fails.
    ///
    /// # Errors
    /// As [`check_rate`](Self::check_rate), without running it; 6008 `rate_limited_operation_failed` with its error as the
    /// source.
    ///
    /// # Panics
    /// If `run` does: here the original lets pass what is no error, and the limiter needs no protection from it.
    pub fn execute_with_limit<T, E: Into<Cause>>(
        &self,
        entity: impl fmt::Display,
        operation: impl fmt::Display,
        limit: u32,
        time_window: Duration,
        run: impl FnOnce() -> Result<T, E>,
        metadata: Metadata,
    ) -> Result<T, Error> {
        let pair = self.pair(&entity, &operation)?;
        let quota = self.quota(&pair, limit, time_window)?;
        self.check(pair.clone(), quota, metadata)?;
        run().map_err(|error| {
            let cause = error.into();
            self.error(ErrorKind::RateLimitedOperationFailed, 6008, (&pair.0, &pair.1))
                .with_context("exception", contained::text(cause.as_error()))
                .caused_by(cause)
        })
    }

    /// As [`execute_with_limit`](Self::execute_with_limit) without metadata.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    pub fn execute_with_limit_5<T, E: Into<Cause>>(
        &self,
        entity: impl fmt::Display,
        operation: impl fmt::Display,
        limit: u32,
        time_window: Duration,
        run: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, Error> {
        self.execute_with_limit(entity, operation, limit, time_window, run, Metadata::new())
    }

    /// The check of texts that are there, and of a quota that is valid.
    pub(crate) fn check(
        &self,
        (entity, operation): (Text, Text),
        quota: Quota,
        metadata: Metadata,
    ) -> Result<Admission, Error> {
        let (limits, emitter) = (self.foundation.limits(), self.foundation.emitter());
        let decision = limits.pairs.check(&Pair(entity.as_str(), operation.as_str()), quota);
        let result = match decision {
            Decision::Allowed(admission) => {
                events::allowed(emitter, (&entity, &operation), &quota, admission.count, metadata);
                Ok(admission)
            }
            Decision::Denied(denial) => {
                events::denied(emitter, (&entity, &operation), &quota, metadata);
                Err(self.exceeded((&entity, &operation), &quota, &denial))
            }
        };
        limits.recent.note((entity, operation), quota);
        result
    }

    pub(crate) fn status_of(&self, entity: Text, operation: Text) -> RateStatus {
        let limits = self.foundation.limits();
        let pair = (entity, operation);
        let quota = limits.recent.get(&pair).unwrap_or(UNKNOWN_QUOTA);
        let usage = limits.pairs.usage(&pair, quota);
        let (entity_id, operation) = pair;
        RateStatus {
            status: if usage.is_available() { RateState::Available } else { RateState::RateLimited },
            entity_id,
            operation,
            current_count: usage.count,
            limit: quota.limit(),
            window: quota.window(),
            remaining: usage.remaining,
            reset_after: usage.reset_after,
        }
    }

    /// Counts `increment` requests of a key of its own.
    pub(super) fn hit(&self, key: &str, quota: Quota, increment: NonZeroU32) -> Decision {
        self.foundation.limits().backend.check_n(key, quota, increment)
    }

    fn pair(&self, entity: &impl fmt::Display, operation: &impl fmt::Display) -> Result<(Text, Text), Error> {
        // A text form that fails panics in `to_string`.
        let pair = contain(|| (Text::from(entity.to_string()), Text::from(operation.to_string())));
        pair.map_err(|message| {
            coded(self.foundation.clock(), Domain::Limiter, ErrorKind::ValidationFailed, 6009)
                .with_message("Entity or operation has no text form")
                .with_context("reason", message)
        })
    }

    fn error(&self, kind: ErrorKind, code: u32, (entity, operation): (&Text, &Text)) -> Error {
        coded(self.foundation.clock(), Domain::Limiter, kind, code)
            .with_context("entity_id", entity.clone())
            .with_context("operation", operation.clone())
    }

    fn exceeded(&self, pair: (&Text, &Text), quota: &Quota, denial: &Denial) -> Error {
        let error = self
            .error(ErrorKind::RateLimitExceeded, 6001, pair)
            .with_context("limit", quota.limit())
            .with_context("time_window_ms", millis(quota.window()));
        advised(error, denial.retry_after)
    }

    fn quota(&self, (entity, operation): &(Text, Text), limit: u32, window: Duration) -> Result<Quota, Error> {
        Quota::new(limit, window).map_err(|error| {
            self.error(ErrorKind::ValidationFailed, 6009, (entity, operation))
                .with_message(error.to_string())
                .with_context("time_window_ms", millis(window))
        })
    }
}

impl From<&Foundation> for RateLimiter {
    /// The rate limiter of an instance.
    fn from(foundation: &Foundation) -> Self {
        Self { foundation: foundation.clone() }
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("limiter", self.foundation.rate_limiter()).finish_non_exhaustive()
    }
}

/// The state of a pair of entity and operation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateStatus {
    /// Whether the next request would be let through.
    pub status: RateState,
    /// The entity.
    pub entity_id: Text,
    /// The operation.
    pub operation: Text,
    /// How many requests count in the window of now.
    pub current_count: u32,
    /// The limit that it was last checked with.
    pub limit: u32,
    /// The window that it was last checked with.
    pub window: Duration,
    /// How many more requests would be let through.
    pub remaining: u32,
    /// After how long the window is over; zero if nothing counts now.
    pub reset_after: Duration,
}

/// Whether a pair would be let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateState {
    /// It would.
    Available,
    /// It would not.
    RateLimited,
}

impl RateState {
    /// The word of the original: `available` or `rate_limited`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::RateLimited => "rate_limited",
        }
    }
}
