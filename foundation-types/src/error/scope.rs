//! The operation that a thread or a task is in.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{UnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::context::ErrorContext;
use super::exception::payload_text;
use super::kind::ErrorKind;
use super::metrics;
use super::record::Error;
use crate::contain::drop_contained;

thread_local! {
    /// The contexts entered on this thread, the innermost last, each with the number of its guard.
    static ENTERED: RefCell<Vec<(u64, ErrorContext)>> = const { RefCell::new(Vec::new()) };
    static NEXT_GUARD: Cell<u64> = const { Cell::new(0) };
}

/// Keeps a context current on the thread; dropping it brings back the one before.
///
/// Guards may be dropped in any order: each takes away only its own context. A guard that is leaked leaves its context
/// in place until the thread ends.
#[must_use = "the context is current only as long as the guard lives"]
pub struct ContextGuard {
    number: u64,
    /// A guard belongs to the thread that made it.
    not_send: PhantomData<*const ()>,
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        // A thread that is ending may have given up its contexts already.
        let left = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            let index = entered.iter().rposition(|(number, _)| *number == self.number)?;
            Some(entered.remove(index))
        });
        // The context may own the caller's clock and observer: their destructors run after the borrow has ended.
        drop(left);
    }
}

impl fmt::Debug for ContextGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextGuard").finish_non_exhaustive()
    }
}

impl ErrorContext {
    /// The context that the calling thread or task is in, if any. Threads and tasks never see each other's.
    pub fn current() -> Option<Self> {
        ENTERED.try_with(|entered| entered.borrow().last().map(|(_, context)| context.clone())).ok().flatten()
    }

    /// Makes this context current on the calling thread until the guard is dropped, however that comes about.
    ///
    /// In `async` code use [`instrument`](Self::instrument): a guard held across an `.await` would follow the thread
    /// and not the task. Guards are not `Send`, so the compiler refuses most such uses.
    pub fn enter(&self) -> ContextGuard {
        let number = NEXT_GUARD.try_with(|next| next.replace(next.get().wrapping_add(1))).unwrap_or_default();
        let _ = ENTERED.try_with(|entered| entered.borrow_mut().push((number, self.clone())));
        ContextGuard { number, not_send: PhantomData }
    }

    /// Runs `f` with this context current and returns what it returns; errors are not changed.
    ///
    /// # Panics
    /// If `f` does; the context before is current again then.
    pub fn scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let output = {
            let _guard = self.enter();
            f()
        };
        metrics::emit_duration(self);
        output
    }

    /// Runs `f` with this context current and turns a panic into an error. What `f` returns comes back as it is.
    ///
    /// The error of a panic is `internal_error`, with the message `Exception in operation: <panic message>`, the
    /// context `exception_type` (`panic`), `exception_message` and `operation_context`, and the correlation id of this
    /// context. If backtraces are enabled, its frames lead to the place that caught the panic.
    ///
    /// In a program built with `panic = "abort"` a panic ends the process and nothing is caught.
    pub fn catch<T, E: Into<Error>>(&self, f: impl FnOnce() -> Result<T, E> + UnwindSafe) -> Result<T, Error> {
        let outcome = {
            let _guard = self.enter();
            catch_unwind(f)
        };
        match outcome {
            Ok(result) => {
                metrics::emit_duration(self);
                result.map_err(Into::into)
            }
            Err(payload) => {
                let error = self.panicked(&*payload);
                drop_contained(payload);
                metrics::collect_error_metrics(&error, self.emitter());
                Err(error)
            }
        }
    }

    fn panicked(&self, payload: &(dyn Any + Send)) -> Error {
        let message = payload_text(payload);
        Error::new(ErrorKind::InternalError)
            .with_clock(self.clock())
            .with_message(format!("Exception in operation: {message}"))
            .with_context("exception_type", "panic")
            .with_context("exception_message", message)
            .with_context("operation_context", self.operation_context())
            .with_correlation_id(self.correlation_id().clone())
            .with_backtrace()
    }

    /// Wraps `future` so that this context is current while it is polled and while it is dropped.
    ///
    /// The future is moved to the heap, once.
    pub fn instrument<F: Future>(&self, future: F) -> Instrumented<F> {
        Instrumented { future: Some(Box::pin(future)), context: self.clone() }
    }
}

/// A future with a context of its own, made by [`ErrorContext::instrument`].
///
/// # Cancel safety
/// As cancel-safe as the future inside, which is dropped with this one.
#[must_use = "futures do nothing unless polled"]
pub struct Instrumented<F> {
    /// `None` once it has completed or is being dropped.
    future: Option<Pin<Box<F>>>,
    context: ErrorContext,
}

impl<F> Instrumented<F> {
    /// The context.
    pub const fn context(&self) -> &ErrorContext {
        &self.context
    }

    fn drop_future(&mut self) {
        if let Some(future) = self.future.take() {
            let _guard = self.context.enter();
            drop(future);
        }
    }
}

impl<F: Future> Future for Instrumented<F> {
    type Output = F::Output;

    /// # Panics
    /// If polled again after it has completed.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let polled = {
            let _guard = this.context.enter();
            this.future.as_mut().expect("a completed future is not polled").as_mut().poll(context)
        };
        if polled.is_ready() {
            this.drop_future();
            metrics::emit_duration(&this.context);
        }
        polled
    }
}

impl<F> Drop for Instrumented<F> {
    fn drop(&mut self) {
        self.drop_future();
    }
}

impl<F> fmt::Debug for Instrumented<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instrumented").field("context", &self.context).finish_non_exhaustive()
    }
}
