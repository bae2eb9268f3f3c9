//! Waiting for a place.

use std::hash::BuildHasher;
use std::num::NonZeroU32;
use std::time::Duration;

use foundation_types::{Clock, sleep_until};

use super::steady::SteadyClock;
use super::{Admission, Algorithm, AsKey, Decision, Denial, Limiter, Quota, RateLimiter, SteadyTime};

/// Why waiting for a place ended without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The request can never be admitted, or nobody can say when.
    #[error("waiting is of no use: {0}")]
    Never(#[source] Denial),
    /// No place can be free within the time allowed. Known, and said, as soon as it is so, not when the time is up.
    #[error("no place within {at_most:?}: {denial}")]
    TooLong {
        /// The time allowed.
        at_most: Duration,
        /// The last denial.
        #[source]
        denial: Denial,
    },
}

impl WaitError {
    /// The denial that ended the wait.
    pub const fn denial(&self) -> &Denial {
        match self {
            Self::Never(denial) | Self::TooLong { denial, .. } => denial,
        }
    }
}

/// Asks `check` until it admits, and sleeps in between as long as the denials say.
async fn admitted<C: Clock>(
    clock: &SteadyClock<C>,
    at_most: Duration,
    check: impl Fn(SteadyTime) -> Decision,
) -> Result<Admission, WaitError> {
    let deadline = clock.clock().mono().saturating_add(at_most);
    loop {
        // The pause is counted from the time that the check was made with, so that none of it is lost.
        let asked_at = clock.clock().mono();
        let denial = match check(clock.at(asked_at)) {
            Decision::Allowed(admission) => return Ok(admission),
            Decision::Denied(denial) => denial,
        };
        let Some(pause) = denial.retry_after else { return Err(WaitError::Never(denial)) };
        // A foreign algorithm that promises room at once and has none must not keep the thread busy.
        let retry_at = asked_at.saturating_add(pause.max(Duration::from_nanos(1)));
        if retry_at > deadline {
            return Err(WaitError::TooLong { at_most, denial });
        }
        sleep_until(clock.clock(), retry_at).await;
    }
}

impl<K, A: Algorithm, C: Clock, S: BuildHasher> RateLimiter<K, A, C, S> {
    /// Waits until a request of `key` fits `quota`, for at most `at_most`, and counts it.
    ///
    /// Nothing is reserved while it waits, and nobody is first in line: of several that wait for one place, whoever asks first
    /// gets it, and the others wait for the next. A request that finds a place at once never waits.
    ///
    /// # Errors
    /// [`WaitError::Never`]; [`WaitError::TooLong`], as soon as the wait is known to be longer than `at_most`.
    ///
    /// # Cancel safety
    /// Dropping the future counts nothing.
    pub async fn until_allowed<Q: AsKey<K> + ?Sized>(
        &self,
        key: &Q,
        quota: Quota,
        at_most: Duration,
    ) -> Result<Admission, WaitError> {
        self.until_allowed_n(key, quota, NonZeroU32::MIN, at_most).await
    }

    /// Waits until a request of `key` that costs as much as `cost` others fits `quota`, for at most `at_most`, and counts it.
    ///
    /// # Errors
    /// As [`until_allowed`](Self::until_allowed).
    ///
    /// # Cancel safety
    /// Dropping the future counts nothing.
    pub async fn until_allowed_n<Q: AsKey<K> + ?Sized>(
        &self,
        key: &Q,
        quota: Quota,
        cost: NonZeroU32,
        at_most: Duration,
    ) -> Result<Admission, WaitError> {
        admitted(&self.clock, at_most, |now| self.check_at(key, quota, cost, now)).await
    }
}

impl<A: Algorithm, C: Clock> Limiter<A, C> {
    /// Waits until a request fits, for at most `at_most`, and counts it.
    ///
    /// # Errors
    /// As [`RateLimiter::until_allowed`].
    ///
    /// # Cancel safety
    /// Dropping the future counts nothing.
    pub async fn until_allowed(&self, at_most: Duration) -> Result<Admission, WaitError> {
        self.until_allowed_n(NonZeroU32::MIN, at_most).await
    }

    /// Waits until a request that costs as much as `cost` others fits, for at most `at_most`, and counts it.
    ///
    /// # Errors
    /// As [`RateLimiter::until_allowed`].
    ///
    /// # Cancel safety
    /// Dropping the future counts nothing.
    pub async fn until_allowed_n(&self, cost: NonZeroU32, at_most: Duration) -> Result<Admission, WaitError> {
        admitted(&self.clock, at_most, |now| self.check_at(cost, now)).await
    }
}
