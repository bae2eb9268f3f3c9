//! What a request counts against.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{Clock, SystemClock};

use super::super::key::KeyHasher;
use super::super::{Admission, Algorithm, Decision, FixedWindow, Limiter, Quota, RateLimiter, WaitError};

/// A request that waits for its place.
pub type Wait = Pin<Box<dyn Future<Output = Result<Admission, WaitError>> + Send>>;

/// Says what a request counts against, and counts it.
pub trait Policy<Request> {
    /// Counts the request if it fits.
    fn check(&self, request: &Request) -> Decision;

    /// Waits until the request fits, for at most so long, and counts it. Dropping the future counts nothing.
    fn until_allowed(&self, request: &Request, at_most: Duration) -> Wait;
}

/// All requests count against one quota.
impl<Request, A: Algorithm, C: Clock> Policy<Request> for Arc<Limiter<A, C>> {
    fn check(&self, _: &Request) -> Decision {
        Limiter::check(self)
    }

    fn until_allowed(&self, _: &Request, at_most: Duration) -> Wait {
        let limiter = self.clone();
        Box::pin(async move { Limiter::until_allowed(&limiter, at_most).await })
    }
}

/// Requests count by a key that is found in them, each key against the same quota.
pub struct ByKey<F, K, A: Algorithm = FixedWindow, C = SystemClock, S = KeyHasher> {
    limiter: Arc<RateLimiter<K, A, C, S>>,
    quota: Quota,
    key: F,
}

impl<F, K, A: Algorithm, C, S> ByKey<F, K, A, C, S> {
    /// Finds the key of a request by `key`, a function of `&Request`. What has no key of its own can share one.
    pub fn new(limiter: Arc<RateLimiter<K, A, C, S>>, quota: Quota, key: F) -> Self {
        Self { limiter, quota, key }
    }
}

impl<F: Clone, K, A: Algorithm, C, S> Clone for ByKey<F, K, A, C, S> {
    fn clone(&self) -> Self {
        Self { limiter: self.limiter.clone(), quota: self.quota, key: self.key.clone() }
    }
}

impl<F, K, A: Algorithm, C, S> fmt::Debug for ByKey<F, K, A, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByKey").field("limiter", &self.limiter).field("quota", &self.quota).finish_non_exhaustive()
    }
}

impl<Request, F, K, A, C, S> Policy<Request> for ByKey<F, K, A, C, S>
where
    F: Fn(&Request) -> K,
    K: Hash + Eq + Clone + Send + Sync + 'static,
    A: Algorithm,
    C: Clock,
    S: BuildHasher + Send + Sync + 'static,
{
    fn check(&self, request: &Request) -> Decision {
        self.limiter.check(&(self.key)(request), self.quota)
    }

    fn until_allowed(&self, request: &Request, at_most: Duration) -> Wait {
        let (limiter, key, quota) = (self.limiter.clone(), (self.key)(request), self.quota);
        Box::pin(async move { limiter.until_allowed(&key, quota, at_most).await })
    }
}
