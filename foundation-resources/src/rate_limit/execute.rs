//! Checking and running in one.

use std::hash::BuildHasher;

use foundation_types::Clock;

use super::{Algorithm, AsKey, Denial, Quota, RateLimiter};

/// Why there is no result of [`RateLimiter::execute`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError<E> {
    /// The request did not fit. The operation did not run.
    #[error(transparent)]
    Denied(Denial),
    /// The operation ran and failed. The request counts.
    #[error("rate-limited operation failed: {0}")]
    Operation(#[source] E),
}

impl<K, A: Algorithm, C: Clock, S: BuildHasher> RateLimiter<K, A, C, S> {
    /// Checks, and runs `run` if the request fits. The request counts also if that fails or panics; a panic is the caller's.
    ///
    /// For an operation that awaits, check first: `limiter.check(key, quota).into_result()?`, then await it.
    ///
    /// # Errors
    /// [`ExecuteError::Denied`] without running it; [`ExecuteError::Operation`] with what it returned.
    pub fn execute<Q: AsKey<K> + ?Sized, T, E>(
        &self,
        key: &Q,
        quota: Quota,
        run: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, ExecuteError<E>> {
        self.check(key, quota).into_result().map_err(ExecuteError::Denied)?;
        run().map_err(ExecuteError::Operation)
    }
}
