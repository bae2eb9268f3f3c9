//! A service with the breakers of a set around it.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use foundation_types::{Clock, SystemClock};
use tower_service::Service;

use super::{BreakerKey, KeyedCallError};
use crate::breaker::OwnedPermit;
use crate::classify::{AnyErr, FailureClassifier};
use crate::options::Options;
use crate::set::BreakerSet;
use crate::tower::ResponseFuture;

/// A service with the breakers of a set around it, made by a [`KeyedBreakerLayer`](super::KeyedBreakerLayer).
///
/// - `poll_ready` is that of the inner service.
/// - `call` finds the breaker that the request names, makes it if there is none, and asks it. If anything of that fails the
///   future is ready with the error, and the inner service is not touched.
///
/// # Panics
/// `call` does when the key's function does, which counts for no breaker, or when the `call` of the inner service does, which
/// counts as a failure.
pub struct KeyedBreakerService<S, N, K = AnyErr, C = SystemClock> {
    pub(super) inner: S,
    pub(super) set: Arc<BreakerSet<C>>,
    pub(super) name: N,
    pub(super) options: Options,
    pub(super) classify: K,
}

impl<S, N, K, C> KeyedBreakerService<S, N, K, C> {
    /// The breakers.
    pub const fn set(&self) -> &Arc<BreakerSet<C>> {
        &self.set
    }

    /// The inner service.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service. What is called through it goes past the breakers.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service, without the breakers.
    pub fn into_inner(self) -> S {
        self.inner
    }

    fn acquire<R, E>(&self, request: &R) -> Result<OwnedPermit<C>, KeyedCallError<E>>
    where
        N: BreakerKey<R>,
        C: Clock + Clone,
    {
        let name = self.name.key(request).map_err(KeyedCallError::InvalidKey)?;
        let breaker = self.set.get_or_install(&name, || self.options.clone()).map_err(KeyedCallError::Full)?;
        breaker.try_acquire_owned().map_err(KeyedCallError::Rejected)
    }
}

impl<R, S, N, K, C> Service<R> for KeyedBreakerService<S, N, K, C>
where
    S: Service<R>,
    N: BreakerKey<R>,
    K: FailureClassifier<Result<S::Response, S::Error>> + Clone,
    C: Clock + Clone,
{
    type Response = S::Response;
    type Error = KeyedCallError<S::Error>;
    type Future = ResponseFuture<S::Future, K, Self::Error, C>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(KeyedCallError::Operation)
    }

    fn call(&mut self, request: R) -> Self::Future {
        match self.acquire(&request) {
            // While `call` runs the permit is on the stack, so that a panic in it counts.
            Ok(permit) => ResponseFuture::running(self.inner.call(request), self.classify.clone(), permit),
            Err(error) => ResponseFuture::refused(error),
        }
    }
}

impl<S: Clone, N: Clone, K: Clone, C> Clone for KeyedBreakerService<S, N, K, C> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            set: Arc::clone(&self.set),
            name: self.name.clone(),
            options: self.options.clone(),
            classify: self.classify.clone(),
        }
    }
}

impl<S: fmt::Debug, N, K, C> fmt::Debug for KeyedBreakerService<S, N, K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBreakerService")
            .field("inner", &self.inner)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
