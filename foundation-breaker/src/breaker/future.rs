//! A call that takes time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use foundation_types::{Clock, SystemClock};
use pin_project_lite::pin_project;

use super::{CircuitBreaker, Permit};
use crate::classify::FailureClassifier;
use crate::error::CallError;

pin_project! {
    /// The future of [`CircuitBreaker::call_async`].
    ///
    /// # Panics
    /// When it is polled again after it was ready, or after a panic in it.
    #[must_use = "futures do nothing unless polled"]
    pub struct Call<'b, Op, F, K, C: Clock = SystemClock> {
        breaker: &'b CircuitBreaker<C>,
        classify: K,
        // Before the future, so that the place is free before whatever the future does when it is dropped.
        permit: Option<Permit<'b, C>>,
        #[pin]
        stage: Stage<Op, F>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<Op, F> {
        Waiting { op: Option<Op> },
        Running { #[pin] future: F },
        Over,
    }
}

impl<'b, Op, F, K, C: Clock> Call<'b, Op, F, K, C> {
    pub(super) fn new(breaker: &'b CircuitBreaker<C>, classify: K, op: Op) -> Self {
        Self { breaker, classify, permit: None, stage: Stage::Waiting { op: Some(op) } }
    }
}

impl<Op, F, K, C, T, E> Future for Call<'_, Op, F, K, C>
where
    Op: FnOnce() -> F,
    F: Future<Output = Result<T, E>>,
    K: FailureClassifier<Result<T, E>>,
    C: Clock,
{
    type Output = Result<T, CallError<E>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // While anything of the caller's runs the permit is on the stack, so that a panic finds it there and drops it while
        // the thread unwinds, whenever the future itself will be dropped.
        let permit = match this.stage.as_mut().project() {
            StageProjection::Waiting { op } => {
                let op = op.take().expect("polled after a panic");
                match this.breaker.try_acquire() {
                    Ok(permit) => {
                        this.stage.set(Stage::Running { future: op() });
                        permit
                    }
                    Err(rejected) => {
                        this.stage.set(Stage::Over);
                        return Poll::Ready(Err(CallError::Rejected(rejected)));
                    }
                }
            }
            StageProjection::Running { .. } => {
                let mut permit = this.permit.take().expect("polled after a panic");
                permit.note_unwinding();
                permit
            }
            StageProjection::Over => panic!("polled after completion"),
        };
        let StageProjection::Running { future } = this.stage.as_mut().project() else {
            unreachable!("it runs since it was let through");
        };
        let Poll::Ready(result) = future.poll(context) else {
            *this.permit = Some(permit);
            return Poll::Pending;
        };
        this.stage.set(Stage::Over);
        permit.report(this.classify.outcome(&result));
        Poll::Ready(result.map_err(CallError::Operation))
    }
}
