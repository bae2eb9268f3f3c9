//! The layers around an operation.

use std::fmt;
use std::hash::BuildHasher;
use std::time::Duration;

use foundation_breaker::{CircuitBreaker, Outcome, Permit, Rejected};
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
    /// Permission for one call.
    type Permit: LayerPermit;

    /// Asks whether the circuit lets a call through.
    ///
    /// # Errors
    /// The refusal.
    fn admit(self) -> Result<Self::Permit, Rejected>;
}

/// Permission for one call. Dropped without a report it is as a [`Permit`] that is.
pub trait LayerPermit: Sealed {
    /// What the call came to.
    fn report(self, outcome: Outcome);
}

impl BreakerLayer for () {
    type Permit = ();

    fn admit(self) -> Result<(), Rejected> {
        Ok(())
    }
}

impl LayerPermit for () {
    fn report(self, _: Outcome) {}
}

impl<C> Sealed for &CircuitBreaker<C> {}

impl<'b, C: Clock> BreakerLayer for &'b CircuitBreaker<C> {
    type Permit = Permit<'b, C>;

    fn admit(self) -> Result<Permit<'b, C>, Rejected> {
        self.try_acquire()
    }
}

impl<C: Clock> Sealed for Permit<'_, C> {}

impl<C: Clock> LayerPermit for Permit<'_, C> {
    fn report(self, outcome: Outcome) {
        Permit::report(self, outcome);
    }
}

impl<L: Sealed> Sealed for Option<L> {}

impl<B: BreakerLayer> BreakerLayer for Option<B> {
    type Permit = Option<B::Permit>;

    fn admit(self) -> Result<Self::Permit, Rejected> {
        self.map(B::admit).transpose()
    }
}

impl<P: LayerPermit> LayerPermit for Option<P> {
    fn report(self, outcome: Outcome) {
        if let Some(permit) = self {
            permit.report(outcome);
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
