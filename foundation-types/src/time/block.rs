//! Waiting for a future on the thread that calls.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Wakes a thread that is parked, or keeps it from parking.
struct Parker {
    thread: Thread,
    /// Whether there was a wake-up since the last poll. A thread may return from parking without one, and whatever else
    /// runs on it may take its park token.
    is_woken: AtomicBool,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release pairs with the swap in `block_on`: what happened before the wake-up is seen by the next poll.
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// The output of `future`, polled on this thread, which is parked while there is nothing to poll for.
///
/// Not for threads of an async runtime: it keeps them from everything else.
///
/// ```
/// assert_eq!(foundation_types::block_on(async { 7 }), 7);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let parker = Arc::new(Parker { thread: thread::current(), is_woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&parker));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        while !parker.is_woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}
