//! Tasks whose identity dies with them.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::{ExitReason, Owner};

impl Owner {
    /// Runs `future` as a task of the current tokio runtime. The owner dies when the task ends, panics or is aborted, and
    /// [`Pid::kill`](super::Pid::kill) aborts the task.
    ///
    /// A panic becomes [`ExitReason::Panic`] with its message, and goes on to the join handle.
    ///
    /// # Panics
    /// Outside a tokio runtime, as `tokio::spawn` does; the owner dies of it.
    ///
    /// # Cancel safety
    /// Aborting the task drops `future`, then the owner dies with [`ExitReason::Normal`], or [`ExitReason::Killed`] if a
    /// kill was the cause.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let runtime = Handle::current();
        let pid = self.pid();
        // A pair is dropped from the left: a task aborted before its first poll drops the future, then the owner.
        let parts = (future, self);
        let task = runtime.spawn(async move {
            let parts = parts;
            // Declared first, so that it is dropped after the future also when the task is aborted at the await below.
            let owner = parts.1;
            let output = {
                let mut future = pin!(parts.0);
                poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
                    Ok(poll) => poll.map(Ok),
                    Err(payload) => Poll::Ready(Err(payload)),
                })
                .await
            };
            match output {
                Ok(output) => {
                    drop(owner);
                    output
                }
                Err(payload) => {
                    owner.exit(ExitReason::from_panic(&*payload));
                    resume_unwind(payload)
                }
            }
        });
        let abort = task.abort_handle();
        match pid.on_exit(Box::new(move |_| abort.abort())) {
            Ok(guard) => guard.keep(),
            // It died before the hook was in place, perhaps by a kill: the hook's work is to be done now.
            Err(_) => task.abort(),
        }
        task
    }
}
