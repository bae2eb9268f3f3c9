//! The layers around an operation.

use std::fmt;
use std::future::Future;
use std::hash::BuildHasher;
use std::time::Duration;

use foundation_breaker::{CallError, CircuitBreaker, FailureClassifier};
use foundation_resources::pool::{AsyncFactory, Pool};
use foundation_resources::rate_limit::{Algorithm, AsKey, Denial, Quota, RateLimiter};
use foundation_types::Clock;

mod sealed {
    pub trait Sealed {}
}
use sealed::Sealed;

/// The outermost layer: whether a call is made at all. Either a [`RateLimit`], or `()` for none.
pub trait RateLayer: Sealed {
    /// Counts the call, if it fits.
    ///
    /// # Errors
    /// The denial.
    fn admit(&self) -> Result<(), Denial>;
}

/// A limiter with what a call counts as. Made by [`Protected::rate_limit`](super::Protected::rate_limit).
pub struct RateLimit<'l, Key, Q: ?Sized, A: Algorithm, C, S> {
    pub(super) limiter: &'l RateLimiter<Key, A, C, S>,
    pub(super) key: &'l Q,
    pub(super) quota: Quota,
}

impl<Key, Q: ?Sized, A: Algorithm, C, S> fmt::Debug for RateLimit<'_, Key, Q, A, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys may be secrets.
        f.debug_struct("RateLimit").field("quota", &self.quota).finish_non_exhaustive()
    }
}

impl Sealed for () {}

impl RateLayer for () {
    fn admit(&self) -> Result<(), Denial> {
        Ok(())
    }
}

impl<Key, Q: ?Sized, A: Algorithm, C, S> Sealed for RateLimit<'_, Key, Q, A, C, S> {}

impl<Key, Q, A, C, S> RateLayer for RateLimit<'_, Key, Q, A, C, S>
where
    Q: AsKey<Key> + ?Sized,
    A: Algorithm,
    C: Clock,
    S: BuildHasher,
{
    fn admit(&self) -> Result<(), Denial> {
        self.limiter.check(self.key, self.quota).into_result().map(drop)
    }
}

/// The middle layer: whether what is called works. Either a breaker, or `()` for none, or one or the other.
pub trait BreakerLayer: Sealed {
    /// Runs `op` if the circuit lets it.
    ///
    /// # Errors
    /// As [`CircuitBreaker::call_with`].
    fn run<T, E, K>(&self, classify: K, op: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>>
    where
        K: FailureClassifier<Result<T, E>>;

    /// Runs the future of `op` if the circuit lets it.
    ///
    /// # Errors
    /// As [`CircuitBreaker::call_async_with`].
    fn run_async<T, E, K, F>(
        &self,
        classify: K,
        op: impl FnOnce() -> F,
    ) -> impl Future<Output = Result<T, CallError<E>>>
    where
        F: Future<Output = Result<T, E>>,
        K: FailureClassifier<Result<T, E>>;
}

impl BreakerLayer for () {
    fn run<T, E, K>(&self, _: K, op: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>>
    where
        K: FailureClassifier<Result<T, E>>,
    {
        op().map_err(CallError::Operation)
    }

    async fn run_async<T, E, K, F>(&self, _: K, op: impl FnOnce() -> F) -> Result<T, CallError<E>>
    where
        F: Future<Output = Result<T, E>>,
        K: FailureClassifier<Result<T, E>>,
    {
        op().await.map_err(CallError::Operation)
    }
}

impl<C> Sealed for &CircuitBreaker<C> {}

impl<C: Clock> BreakerLayer for &CircuitBreaker<C> {
    fn run<T, E, K>(&self, classify: K, op: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>>
    where
        K: FailureClassifier<Result<T, E>>,
    {
        self.call_with(classify, op)
    }

    async fn run_async<T, E, K, F>(&self, classify: K, op: impl FnOnce() -> F) -> Result<T, CallError<E>>
    where
        F: Future<Output = Result<T, E>>,
        K: FailureClassifier<Result<T, E>>,
    {
        self.call_async_with(classify, op).await
    }
}

impl<B: Sealed> Sealed for Option<B> {}

impl<B: BreakerLayer> BreakerLayer for Option<B> {
    fn run<T, E, K>(&self, classify: K, op: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>>
    where
        K: FailureClassifier<Result<T, E>>,
    {
        match self {
            Some(breaker) => breaker.run(classify, op),
            None => ().run(classify, op),
        }
    }

    async fn run_async<T, E, K, F>(&self, classify: K, op: impl FnOnce() -> F) -> Result<T, CallError<E>>
    where
        F: Future<Output = Result<T, E>>,
        K: FailureClassifier<Result<T, E>>,
    {
        match self {
            Some(breaker) => breaker.run_async(classify, op).await,
            None => ().run_async(classify, op).await,
        }
    }
}

/// The innermost layer: a pool, and how long a call waits for one of its workers. Made by
/// [`Protected::pool`](super::Protected::pool).
pub struct Lease<'p, F: AsyncFactory, C> {
    pub(super) pool: &'p Pool<F, C>,
    pub(super) wait: Duration,
}

impl<F: AsyncFactory, C: Clock> fmt::Debug for Lease<'_, F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("pool", self.pool).field("wait", &self.wait).finish()
    }
}
