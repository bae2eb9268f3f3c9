//! The limiter without keys.

use std::fmt;
use std::num::NonZeroU32;

use foundation_types::{Clock, SystemClock};
use parking_lot::Mutex;

use super::steady::SteadyClock;
use super::{Algorithm, Decision, FixedWindow, Quota, SteadyTime, Usage};

/// Counts the requests of one thing under one quota: one cell under one lock.
///
/// ```
/// use foundation_resources::rate_limit::{Limiter, Quota, TokenBucket};
///
/// let limiter: Limiter<TokenBucket> = Limiter::new(Quota::per_second(10).with_burst(2));
/// assert!(limiter.check().is_allowed());
/// assert!(limiter.check().is_allowed());
/// assert!(!limiter.check().is_allowed());
/// ```
pub struct Limiter<A: Algorithm = FixedWindow, C = SystemClock> {
    pub(super) clock: SteadyClock<C>,
    quota: Quota,
    cell: Mutex<A::Cell>,
}

impl<A: Algorithm> Limiter<A> {
    /// A limiter that has counted nothing yet.
    pub fn new(quota: Quota) -> Self {
        Self::with_clock(quota, SystemClock)
    }
}

impl<A: Algorithm, C: Clock> Limiter<A, C> {
    /// A limiter that takes the time from `clock`.
    pub fn with_clock(quota: Quota, clock: C) -> Self {
        Self { clock: SteadyClock::new(clock), quota, cell: Mutex::default() }
    }

    /// The quota.
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// Counts a request if it fits.
    #[inline]
    pub fn check(&self) -> Decision {
        self.check_n(NonZeroU32::MIN)
    }

    /// Counts a request that costs as much as `cost` others if all of it fits.
    #[inline]
    pub fn check_n(&self, cost: NonZeroU32) -> Decision {
        let now = self.clock.now();
        self.check_at(cost, now)
    }

    #[inline]
    pub(super) fn check_at(&self, cost: NonZeroU32, now: SteadyTime) -> Decision {
        A::check(&mut self.cell.lock(), now, &self.quota, cost)
    }

    /// How much of the quota is used. Counts nothing.
    pub fn usage(&self) -> Usage {
        let now = self.clock.now();
        A::usage(&self.cell.lock(), now, &self.quota)
    }

    /// Forgets what was used.
    pub fn reset(&self) {
        let old = std::mem::take(&mut *self.cell.lock());
        drop(old);
    }
}

impl<A: Algorithm, C> fmt::Debug for Limiter<A, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("algorithm", &A::NAME).field("quota", &self.quota).finish_non_exhaustive()
    }
}
