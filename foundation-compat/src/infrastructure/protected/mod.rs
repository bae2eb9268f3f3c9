//! Operations behind a limiter, a breaker and a pool.
//!
//! ```
//! use std::convert::Infallible;
//! use std::time::Duration;
//! use foundation_compat::foundation_breaker::CircuitBreaker;
//! use foundation_compat::foundation_resources::pool::{Pool, from_fn};
//! use foundation_compat::foundation_resources::rate_limit::{Quota, RateLimiter};
//! use foundation_compat::foundation_types::Name;
//! use foundation_compat::infrastructure::protected::{ProtectError, Protected};
//!
//! let limiter: RateLimiter<String> = RateLimiter::new();
//! let breaker = CircuitBreaker::builder(Name::from_static("store")).build()?;
//! let pool = Pool::builder(from_fn(|| Ok::<_, Infallible>(Vec::<u8>::new()))).build()?;
//! let protected = || {
//!     Protected::new()
//!         .rate_limit(&limiter, "user-7", Quota::per_hour(1))
//!         .breaker(&breaker)
//!         .pool(&pool, Duration::from_secs(5))
//! };
//!
//! let stored = protected().call(|store| {
//!     store.push(1);
//!     Ok::<_, Infallible>(store.len())
//! });
//! assert_eq!(stored, Ok(1));
//! let refused = protected().call(|_| Ok::<_, Infallible>(2));
//! assert!(matches!(refused, Err(ProtectError::RateLimited(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod layer;

use std::future::Future;
use std::time::Duration;

use foundation_breaker::{AnyErr, CircuitBreaker, FailureClassifier, Outcome};
use foundation_resources::pool::{AsyncFactory, CheckoutError, Factory, Pool};
use foundation_resources::rate_limit::{Algorithm, Quota, RateLimiter};
use foundation_types::Clock;

pub use self::error::ProtectError;
pub use self::layer::{BreakerLayer, LayerPermit, Lease, RateLayer, RateLimit};

/// The layers around one call. A layer that is not named does not exist, and costs nothing.
///
/// They come in the order limiter, breaker, pool, operation, in whatever order they are named. The first refusal ends the
/// call: later layers are not touched, and the operation does not run.
///
/// - What the limiter has counted stays counted when a later layer refuses.
/// - The breaker sees what the operation comes to, also through a pool. That the pool has no worker to lend says nothing about
///   what is called and counts as nothing; that a worker could not be made counts as a failure.
/// - A panic of the operation is a failure for the breaker, and the pool does with the worker what it does after a panic; then
///   it goes on to the caller.
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is called unless an operation is given"]
pub struct Protected<R = (), B = (), P = (), K = AnyErr> {
    rate: R,
    breaker: B,
    pool: P,
    classify: K,
}

impl Protected {
    /// No layers.
    pub const fn new() -> Self {
        Self { rate: (), breaker: (), pool: (), classify: AnyErr }
    }
}

impl Default for Protected {
    fn default() -> Self {
        Self::new()
    }
}

impl<B, P, K> Protected<(), B, P, K> {
    /// Counts the call as one of `key` under `quota`.
    pub fn rate_limit<'l, Key, Q: ?Sized, A: Algorithm, C, S>(
        self,
        limiter: &'l RateLimiter<Key, A, C, S>,
        key: &'l Q,
        quota: Quota,
    ) -> Protected<RateLimit<'l, Key, Q, A, C, S>, B, P, K> {
        let Self { rate: (), breaker, pool, classify } = self;
        Protected { rate: RateLimit { limiter, key, quota }, breaker, pool, classify }
    }
}

impl<R, P, K> Protected<R, (), P, K> {
    /// Lets `breaker` decide whether the call is made, and tells it what came of it.
    pub fn breaker<C: Clock>(self, breaker: &CircuitBreaker<C>) -> Protected<R, &CircuitBreaker<C>, P, K> {
        let Self { rate, breaker: (), pool, classify } = self;
        Protected { rate, breaker, pool, classify }
    }
}

impl<R, B, K> Protected<R, B, (), K> {
    /// Gives the operation a worker of `pool`, for which the call waits at most `wait` long. The operation itself has no time
    /// limit.
    pub fn pool<F: AsyncFactory, C: Clock>(
        self,
        pool: &Pool<F, C>,
        wait: Duration,
    ) -> Protected<R, B, Lease<'_, F, C>, K> {
        let Self { rate, breaker, pool: (), classify } = self;
        Protected { rate, breaker, pool: Lease { pool, wait }, classify }
    }
}

impl<R, B, P> Protected<R, B, P> {
    /// Lets `classify` say what the result of the operation means to the breaker, instead of taking every `Err` for a failure.
    pub fn classify<K>(self, classify: K) -> Protected<R, B, P, K> {
        let Self { rate, breaker, pool, classify: AnyErr } = self;
        Protected { rate, breaker, pool, classify }
    }
}

impl<R: RateLayer, B: BreakerLayer, K> Protected<R, B, (), K> {
    /// Runs `op` on this thread, if no layer refuses.
    ///
    /// # Errors
    /// [`ProtectError::RateLimited`], [`ProtectError::Rejected`], [`ProtectError::Operation`].
    ///
    /// # Panics
    /// If `op` or the classifier does.
    pub fn call<T, E>(self, op: impl FnOnce() -> Result<T, E>) -> Result<T, ProtectError<E>>
    where
        K: FailureClassifier<Result<T, E>>,
    {
        self.rate.admit().map_err(ProtectError::RateLimited)?;
        let permit = self.breaker.admit().map_err(ProtectError::Rejected)?;
        let result = op();
        permit.report(self.classify.outcome(&result));
        result.map_err(ProtectError::Operation)
    }

    /// Runs the future of `op`, if no layer refuses. The layers are asked when this is first polled.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    ///
    /// # Panics
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    /// Dropped half way it gives a half-open breaker its place back; what the call counts as says the breaker's
    /// [`CancelPolicy`](foundation_breaker::CancelPolicy).
    pub async fn call_async<T, E, F>(self, op: impl FnOnce() -> F) -> Result<T, ProtectError<E>>
    where
        F: Future<Output = Result<T, E>>,
        K: FailureClassifier<Result<T, E>>,
    {
        self.rate.admit().map_err(ProtectError::RateLimited)?;
        let permit = self.breaker.admit().map_err(ProtectError::Rejected)?;
        let result = op().await;
        permit.report(self.classify.outcome(&result));
        result.map_err(ProtectError::Operation)
    }
}

impl<R: RateLayer, B: BreakerLayer, F: AsyncFactory, C: Clock, K> Protected<R, B, Lease<'_, F, C>, K> {
    /// Runs `op` with a worker on this thread, if no layer refuses.
    ///
    /// # Errors
    /// [`ProtectError`].
    ///
    /// # Panics
    /// If `op`, the classifier or the factory of the pool does.
    pub fn call<T, E>(
        self,
        op: impl FnOnce(&mut <F as AsyncFactory>::Item) -> Result<T, E>,
    ) -> Result<T, ProtectError<E, <F as AsyncFactory>::Error>>
    where
        F: Factory<Item = <F as AsyncFactory>::Item, Error = <F as AsyncFactory>::Error>,
        K: FailureClassifier<Result<T, E>>,
    {
        let Self { rate, breaker, pool: Lease { pool, wait }, classify } = self;
        rate.admit().map_err(ProtectError::RateLimited)?;
        let permit = breaker.admit().map_err(ProtectError::Rejected)?;
        let result = match pool.checkout_timeout(wait) {
            Ok(mut worker) => Ok(op(&mut worker)),
            Err(error) => Err(error),
        };
        permit.report(outcome(&classify, &result));
        flat(result)
    }

    /// Runs the future of `op` with a worker, if no layer refuses. The layers are asked when this is first polled.
    ///
    /// # Errors
    /// [`ProtectError`].
    ///
    /// # Panics
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    /// Dropped at any point it gives back its place in line, the worker, and the place in a half-open breaker; what the call
    /// counts as says the breaker's [`CancelPolicy`](foundation_breaker::CancelPolicy).
    pub async fn call_async<T, E>(
        self,
        op: impl AsyncFnOnce(&mut F::Item) -> Result<T, E>,
    ) -> Result<T, ProtectError<E, F::Error>>
    where
        K: FailureClassifier<Result<T, E>>,
    {
        let Self { rate, breaker, pool: Lease { pool, wait }, classify } = self;
        rate.admit().map_err(ProtectError::RateLimited)?;
        let permit = breaker.admit().map_err(ProtectError::Rejected)?;
        let result = match pool.checkout_within(wait).await {
            Ok(mut worker) => Ok(op(&mut worker).await),
            Err(error) => Err(error),
        };
        permit.report(outcome(&classify, &result));
        flat(result)
    }
}

/// What a call through a pool means to the breaker.
fn outcome<T, E, P, K>(classify: &K, result: &Result<Result<T, E>, CheckoutError<P>>) -> Outcome
where
    K: FailureClassifier<Result<T, E>>,
{
    match result {
        Ok(result) => classify.outcome(result),
        Err(CheckoutError::Create(_)) => Outcome::Failure,
        Err(_) => Outcome::Ignored,
    }
}

fn flat<T, E, P>(result: Result<Result<T, E>, CheckoutError<P>>) -> Result<T, ProtectError<E, P>> {
    match result {
        Ok(result) => result.map_err(ProtectError::Operation),
        Err(error) => Err(ProtectError::Checkout(error)),
    }
}
