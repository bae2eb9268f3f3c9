//! A service with a breaker around it.

use std::fmt;
use std::task::{Context, Poll, ready};

use foundation_types::{Clock, SystemClock};
use tower_service::Service;

use super::future::ResponseFuture;
use crate::breaker::{CircuitBreaker, Readiness};
use crate::classify::{AnyErr, FailureClassifier};
use crate::error::CallError;

/// A service with a breaker around it, made by a [`BreakerLayer`](super::BreakerLayer).
///
/// - `poll_ready` is that of the inner service, after the wait for the circuit where the layer is one of
///   [back-pressure](super::BreakerLayer::back_pressure). It takes no permit.
/// - `call` asks the circuit. If that refuses, the future is ready with [`CallError::Rejected`] and the inner service is not
///   touched; what the inner service set aside when it said that it is ready, it keeps for the next call.
///
/// A clone goes through the same circuit. It has no part in what the original waits for, nor in its calls.
///
/// # Panics
/// `call` does when that of the inner service does, which counts as a failure.
pub struct BreakerService<S, K = AnyErr, C: Clock = SystemClock> {
    inner: S,
    gate: Gate<C>,
    classify: K,
}

/// What a caller passes on the way to being ready.
pub(super) enum Gate<C: Clock> {
    /// Nothing; calls are refused as they come.
    Refuse(CircuitBreaker<C>),
    /// The wait for the circuit.
    Wait(Readiness<C>),
}

impl<C: Clock> Gate<C> {
    const fn breaker(&self) -> &CircuitBreaker<C> {
        match self {
            Self::Refuse(breaker) => breaker,
            Self::Wait(readiness) => readiness.breaker(),
        }
    }

    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Refuse(_) => Poll::Ready(()),
            Self::Wait(readiness) => readiness.poll_ready(context),
        }
    }
}

impl<C: Clock> Clone for Gate<C> {
    /// The wait of one handle is not that of another, which has a task of its own to wake.
    fn clone(&self) -> Self {
        match self {
            Self::Refuse(breaker) => Self::Refuse(breaker.clone()),
            Self::Wait(readiness) => Self::Wait(readiness.breaker().readiness()),
        }
    }
}

impl<S, K, C: Clock> BreakerService<S, K, C> {
    pub(super) const fn new(inner: S, gate: Gate<C>, classify: K) -> Self {
        Self { inner, gate, classify }
    }

    /// The breaker.
    pub const fn breaker(&self) -> &CircuitBreaker<C> {
        self.gate.breaker()
    }

    /// The inner service.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service. What is called through it goes past the breaker.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service, without the breaker.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<R, S, K, C> Service<R> for BreakerService<S, K, C>
where
    S: Service<R>,
    K: FailureClassifier<Result<S::Response, S::Error>> + Clone,
    C: Clock,
{
    type Response = S::Response;
    type Error = CallError<S::Error>;
    type Future = ResponseFuture<S::Future, K, Self::Error, C>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // The circuit first, so that nothing of the inner service is set aside for the length of an opening.
        ready!(self.gate.poll_open(context));
        self.inner.poll_ready(context).map_err(CallError::Operation)
    }

    fn call(&mut self, request: R) -> Self::Future {
        match self.gate.breaker().try_acquire_owned() {
            // While `call` runs the permit is on the stack, so that a panic in it counts.
            Ok(permit) => ResponseFuture::running(self.inner.call(request), self.classify.clone(), permit),
            Err(rejected) => ResponseFuture::refused(rejected.into()),
        }
    }
}

impl<S: Clone, K: Clone, C: Clock> Clone for BreakerService<S, K, C> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.gate.clone(), self.classify.clone())
    }
}

impl<S: fmt::Debug, K, C: Clock> fmt::Debug for BreakerService<S, K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerService")
            .field("inner", &self.inner)
            .field("breaker", self.breaker())
            .finish_non_exhaustive()
    }
}
