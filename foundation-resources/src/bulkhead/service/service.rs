use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use foundation_types::{Clock, SystemClock};
use tower_service::Service;

use super::{BulkheadFuture, ServiceError, WhenFull};
use crate::bulkhead::{AcquireError, Bulkhead, OwnedBulkheadPermit};
use crate::waiting::Mutex;

type Admission = Result<OwnedBulkheadPermit, AcquireError>;

/// A service behind a [`Bulkhead`].
///
/// Unless it is told to [wait](WhenFull::Wait), it takes a permit in `call` and is ready whenever the inner service is. If
/// it is told to, a service that is ready holds a permit until it is called or dropped. A clone has none.
pub struct BulkheadService<S, C = SystemClock> {
    inner: S,
    bulkhead: Bulkhead<C>,
    when_full: WhenFull,
    readiness: Readiness,
}

/// How far a service that waits has come.
enum Readiness {
    Idle,
    /// The lock is never taken: it makes the service `Sync`, which many servers ask for.
    InLine(Mutex<Pin<Box<dyn Future<Output = Admission> + Send>>>),
    Ready(Admission),
}

impl<S, C> BulkheadService<S, C> {
    pub(super) const fn new(inner: S, bulkhead: Bulkhead<C>, when_full: WhenFull) -> Self {
        Self { inner, bulkhead, when_full, readiness: Readiness::Idle }
    }
}

impl<S, C: Clock + Clone> BulkheadService<S, C> {
    fn try_acquire(&self) -> Admission {
        Ok(self.bulkhead.try_acquire()?.into_owned())
    }

    fn poll_admission(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            self.readiness = match &mut self.readiness {
                Readiness::Ready(_) => return Poll::Ready(()),
                Readiness::InLine(waiting) => Readiness::Ready(ready!(waiting.get_mut().as_mut().poll(context))),
                Readiness::Idle => {
                    let bulkhead = self.bulkhead.clone();
                    let waiting = async move { Ok(bulkhead.acquire().await?.into_owned()) };
                    Readiness::InLine(Mutex::new(Box::pin(waiting)))
                }
            }
        }
    }
}

impl<S, C, Request> Service<Request> for BulkheadService<S, C>
where
    S: Service<Request>,
    C: Clock + Clone,
{
    type Response = S::Response;
    type Error = ServiceError<S::Error>;
    type Future = BulkheadFuture<S::Future>;

    /// Ready when the inner service is, and, if it waits, when it has a permit or will not get one.
    ///
    /// The inner service comes first, so that no permit is held while that is not ready.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let ready = self.inner.poll_ready(context);
        if !matches!(ready, Poll::Ready(Ok(()))) {
            // It may be a long time, or forever: others can use the permit, or the place in line.
            self.readiness = Readiness::Idle;
            return ready.map_err(ServiceError::Service);
        }
        match self.when_full {
            WhenFull::Reject => Poll::Ready(Ok(())),
            WhenFull::Wait => self.poll_admission(context).map(Ok),
        }
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let admission = match std::mem::replace(&mut self.readiness, Readiness::Idle) {
            Readiness::Ready(admission) => admission,
            Readiness::Idle | Readiness::InLine(_) => self.try_acquire(),
        };
        match admission {
            Ok(permit) => BulkheadFuture::admitted(self.inner.call(request), permit),
            Err(error) => BulkheadFuture::rejected(error),
        }
    }
}

impl<S: Clone, C: Clone> Clone for BulkheadService<S, C> {
    /// A service that has no permit and no place in line of its own yet.
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.bulkhead.clone(), self.when_full)
    }
}

impl<S: fmt::Debug, C: Clock> fmt::Debug for BulkheadService<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkheadService")
            .field("inner", &self.inner)
            .field("bulkhead", &self.bulkhead)
            .field("when_full", &self.when_full)
            .finish_non_exhaustive()
    }
}
