//! Letting what does not fit wait.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::super::{Decision, WaitError};
use super::{Policy, RateLimitError, Wait};

/// Makes a [`ThrottleService`] of a service.
#[derive(Clone, Debug)]
pub struct ThrottleLayer<P> {
    policy: P,
    at_most: Duration,
}

impl<P> ThrottleLayer<P> {
    /// A layer whose services count by `policy`, together, and whose requests wait for at most `at_most`.
    pub const fn new(policy: P, at_most: Duration) -> Self {
        Self { policy, at_most }
    }
}

impl<S, P: Clone> Layer<S> for ThrottleLayer<P> {
    type Service = ThrottleService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        ThrottleService { inner, policy: self.policy.clone(), at_most: self.at_most }
    }
}

/// Calls a service with each request as soon as it fits. What cannot fit in time is refused at once, with
/// [`RateLimitError::NoPlace`].
///
/// Requests wait inside their futures, each with the instance of the service that was ready for it, and nothing bounds how many;
/// bound the concurrency of the caller, or put a limit on concurrency around this service. A request that fits at once allocates
/// nothing.
#[derive(Clone, Debug)]
pub struct ThrottleService<S, P> {
    inner: S,
    policy: P,
    at_most: Duration,
}

impl<S, P> ThrottleService<S, P> {
    /// The service inside.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service inside.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, P, Request> Service<Request> for ThrottleService<S, P>
where
    S: Service<Request> + Clone,
    P: Policy<Request>,
{
    type Response = S::Response;
    type Error = RateLimitError<S::Error>;
    type Future = ThrottleFuture<S, Request>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(RateLimitError::Service)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let state = match self.policy.check(&request) {
            Decision::Allowed(_) => State::Called { future: self.inner.call(request) },
            Decision::Denied(denial) if denial.retry_after.is_none() => {
                State::Refused { error: WaitError::Never(denial) }
            }
            Decision::Denied(_) => {
                let wait = self.policy.until_allowed(&request, self.at_most);
                // The instance that was ready goes with the request; the clone has to become ready for the next.
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                State::Waiting { wait, call: Some((ready, request)) }
            }
        };
        ThrottleFuture { state }
    }
}

pin_project! {
    /// The answer of a [`ThrottleService`].
    ///
    /// # Cancel safety
    /// Dropped while it waits, it counts nothing; after that it is as cancel-safe as the future of the service inside.
    pub struct ThrottleFuture<S: Service<Request>, Request> {
        #[pin]
        state: State<S, Request>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S: Service<Request>, Request> {
        Waiting {
            wait: Wait,
            call: Option<(S, Request)>,
        },
        Called {
            #[pin]
            future: S::Future,
        },
        Refused { error: WaitError },
    }
}

impl<S: Service<Request>, Request> Future for ThrottleFuture<S, Request> {
    type Output = Result<S::Response, RateLimitError<S::Error>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Called { future } => {
                    return future.poll(context).map_err(RateLimitError::Service);
                }
                StateProjection::Refused { error } => return Poll::Ready(Err(RateLimitError::NoPlace(*error))),
                StateProjection::Waiting { wait, call } => match (ready!(wait.as_mut().poll(context)), call.take()) {
                    (Ok(_), Some((mut service, request))) => State::Called { future: service.call(request) },
                    (Ok(_), None) => unreachable!("the state changes as soon as the call is taken"),
                    (Err(error), _) => State::Refused { error },
                },
            };
            state.set(next);
        }
    }
}

impl<S: Service<Request>, Request> fmt::Debug for ThrottleFuture<S, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Waiting { .. } => "waiting",
            State::Called { .. } => "called",
            State::Refused { .. } => "refused",
        };
        f.debug_struct("ThrottleFuture").field("state", &state).finish_non_exhaustive()
    }
}
