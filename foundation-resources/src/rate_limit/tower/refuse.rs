//! Refusing what does not fit.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::super::{Decision, Denial};
use super::{Policy, RateLimitError};

/// Makes a [`RateLimitService`] of a service.
#[derive(Clone, Debug)]
pub struct RateLimitLayer<P> {
    policy: P,
}

impl<P> RateLimitLayer<P> {
    /// A layer whose services count by `policy`, together.
    pub const fn new(policy: P) -> Self {
        Self { policy }
    }
}

impl<S, P: Clone> Layer<S> for RateLimitLayer<P> {
    type Service = RateLimitService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimitService::new(inner, self.policy.clone())
    }
}

/// Calls a service with the requests that fit and refuses the others at once, with [`RateLimitError::Denied`].
#[derive(Clone, Debug)]
pub struct RateLimitService<S, P> {
    inner: S,
    policy: P,
}

impl<S, P> RateLimitService<S, P> {
    /// Limits `inner` by `policy`.
    pub const fn new(inner: S, policy: P) -> Self {
        Self { inner, policy }
    }

    /// The service inside.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service inside.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, P, Request> Service<Request> for RateLimitService<S, P>
where
    S: Service<Request>,
    P: Policy<Request>,
{
    type Response = S::Response;
    type Error = RateLimitError<S::Error>;
    type Future = RateLimitFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(RateLimitError::Service)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let state = match self.policy.check(&request) {
            Decision::Allowed(_) => State::Called { future: self.inner.call(request) },
            Decision::Denied(denial) => State::Denied { denial },
        };
        RateLimitFuture { state }
    }
}

pin_project! {
    /// The answer of a [`RateLimitService`].
    ///
    /// # Cancel safety
    /// As cancel-safe as the future of the service inside. The request stays counted.
    #[derive(Debug)]
    pub struct RateLimitFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    #[derive(Debug)]
    enum State<F> {
        Called {
            #[pin]
            future: F,
        },
        Denied { denial: Denial },
    }
}

impl<F: Future<Output = Result<T, E>>, T, E> Future for RateLimitFuture<F> {
    type Output = Result<T, RateLimitError<E>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match self.project().state.project() {
            StateProjection::Called { future } => ready!(future.poll(context)).map_err(RateLimitError::Service),
            StateProjection::Denied { denial } => Err(RateLimitError::Denied(*denial)),
        })
    }
}
