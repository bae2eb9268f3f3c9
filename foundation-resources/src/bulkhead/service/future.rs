use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::ServiceError;
use crate::bulkhead::{AcquireError, OwnedBulkheadPermit};

pin_project! {
    /// The response of a [`BulkheadService`](super::BulkheadService). It holds the permit until it is ready or dropped.
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct BulkheadFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    #[derive(Debug)]
    enum State<F> {
        Admitted { #[pin] response: F, permit: Option<OwnedBulkheadPermit> },
        Rejected { error: AcquireError },
    }
}

impl<F> BulkheadFuture<F> {
    pub(super) const fn admitted(response: F, permit: OwnedBulkheadPermit) -> Self {
        Self { state: State::Admitted { response, permit: Some(permit) } }
    }

    pub(super) const fn rejected(error: AcquireError) -> Self {
        Self { state: State::Rejected { error } }
    }
}

impl<F, T, E> Future for BulkheadFuture<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, ServiceError<E>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Admitted { response, permit } => {
                let result = ready!(response.poll(context));
                // Whoever keeps a finished future does not keep others out.
                drop(permit.take());
                Poll::Ready(result.map_err(ServiceError::Service))
            }
            StateProjection::Rejected { error } => Poll::Ready(Err((*error).into())),
        }
    }
}
