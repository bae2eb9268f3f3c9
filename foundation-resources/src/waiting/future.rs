//! The future that waits in line.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use foundation_types::contain;

use super::{Queue, Ticket};

/// What is waited for: a queue under a lock, and somebody to give an unwanted grant back to.
pub(crate) trait Source {
    type Grant;

    /// Runs `change` on the queue, under the lock.
    fn with_queue<R>(&self, change: impl FnOnce(&mut Queue<Self::Grant>) -> R) -> R;

    /// A waiter left with this grant unused: it goes to the next in line, or back to where it came from.
    fn give_back(&self, grant: Self::Grant);
}

/// The queue was closed before the waiter was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// Waits for a grant.
///
/// # Cancel safety
/// Dropping it leaves the line; a grant that it had not looked at yet is given back.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Waiting<S: Deref<Target: Source>> {
    source: S,
    /// `None` when served.
    ticket: Option<Ticket>,
}

impl<S: Deref<Target: Source>> Waiting<S> {
    /// The ticket must be of the queue of `source`.
    pub(crate) const fn new(source: S, ticket: Ticket) -> Self {
        Self { source, ticket: Some(ticket) }
    }

    fn leave(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        let (grant, waker) = self.source.with_queue(|queue| queue.leave(ticket));
        if let Some(grant) = grant {
            self.source.give_back(grant);
        }
        // Foreign code, and this may run while the thread unwinds.
        let _ = contain(|| drop(waker));
    }
}

impl<S: Deref<Target: Source> + Unpin> Future for Waiting<S> {
    type Output = Result<<S::Target as Source>::Grant, Closed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { source, ticket } = &mut *self;
        // Cloned and dropped outside the lock: both are foreign code.
        let (mut waker, mut left) = (Some(context.waker().clone()), None);
        let polled = source.with_queue(|queue| {
            let waiting = ticket.as_ref().expect("a future is not polled after it is ready");
            let polled = queue.poll(waiting, &mut waker);
            if polled.is_ready() {
                left = ticket.take().and_then(|served| queue.leave(served).1);
            }
            polled
        });
        // A panic in it must not lose the grant.
        let _ = contain(|| drop((waker, left)));
        polled.map(|grant| grant.ok_or(Closed))
    }
}

impl<S: Deref<Target: Source>> Drop for Waiting<S> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Wakes a waiter, outside every lock. The panic hook reports what a waker does; who returns a worker is not to blame.
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        let _ = contain(|| waker.wake());
    }
}
