//! A call of a service, with its permit.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use foundation_types::{Clock, SystemClock};
use pin_project_lite::pin_project;

use crate::breaker::OwnedPermit;
use crate::classify::FailureClassifier;
use crate::error::CallError;

pin_project! {
    /// The future of a service with a breaker around it: that of the inner service with the permit of the call, or an error
    /// that is ready.
    ///
    /// `X` is its error: [`CallError`], or [`KeyedCallError`](super::KeyedCallError).
    ///
    /// # Cancel safety
    /// Dropping it gives the call up as [`CancelPolicy`](crate::CancelPolicy) says, and gives a half-open circuit its place
    /// back at once. Unlike a call of [`call_async`](crate::CircuitBreaker::call_async) it has the permit from the beginning,
    /// so it holds a place before it is first polled.
    ///
    /// # Panics
    /// When the inner future or the classifier does, which counts as a failure, and when it is polled again after that or
    /// after it was ready.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, K, X, C: Clock = SystemClock> {
        #[pin]
        stage: Stage<F, K, X, C>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F, K, X, C: Clock> {
        Refused { error: Option<X> },
        Running {
            // Before the future, so that the place is free before whatever the future does when it is dropped.
            permit: Option<OwnedPermit<C>>,
            classify: K,
            #[pin]
            future: F,
        },
        Over,
    }
}

impl<F, K, X, C: Clock> ResponseFuture<F, K, X, C> {
    pub(super) const fn running(future: F, classify: K, permit: OwnedPermit<C>) -> Self {
        Self { stage: Stage::Running { permit: Some(permit), classify, future } }
    }

    pub(super) const fn refused(error: X) -> Self {
        Self { stage: Stage::Refused { error: Some(error) } }
    }
}

impl<F, K, X, C, T, E> Future for ResponseFuture<F, K, X, C>
where
    F: Future<Output = Result<T, E>>,
    K: FailureClassifier<Result<T, E>>,
    X: From<CallError<E>>,
    C: Clock,
{
    type Output = Result<T, X>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut stage = self.project().stage;
        match stage.as_mut().project() {
            StageProjection::Refused { error } => {
                let error = error.take().expect("an error is taken once, and with it goes the stage");
                stage.set(Stage::Over);
                Poll::Ready(Err(error))
            }
            StageProjection::Running { permit: place, classify, future } => {
                let mut permit = place.take().expect("polled after a panic");
                permit.note_unwinding();
                // The permit is on the stack while others' code runs: a panic drops it while the thread unwinds, whenever
                // this future itself will be dropped.
                let Poll::Ready(result) = future.poll(context) else {
                    *place = Some(permit);
                    return Poll::Pending;
                };
                let outcome = classify.outcome(&result);
                stage.set(Stage::Over);
                permit.report(outcome);
                Poll::Ready(result.map_err(|error| CallError::Operation(error).into()))
            }
            StageProjection::Over => panic!("polled after completion"),
        }
    }
}

impl<F, K, X, C: Clock> fmt::Debug for ResponseFuture<F, K, X, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ResponseFuture");
        match &self.stage {
            Stage::Refused { .. } => out.field("stage", &"refused"),
            Stage::Running { permit, .. } => out.field("stage", &"running").field("permit", permit),
            Stage::Over => out.field("stage", &"over"),
        };
        out.finish_non_exhaustive()
    }
}
