//! Waking one thread.

use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

use super::sync::lock;

/// Wakes the one thread that listens. Any number of rings between two looks are one.
#[derive(Default)]
pub(super) struct Bell {
    rung: AtomicBool,
    listener: Mutex<Option<Waker>>,
}

impl Bell {
    pub(super) fn ring(&self) {
        // SeqCst, as the swap in `heard`: either that sees the ring, or this sees its waker.
        self.rung.store(true, Ordering::SeqCst);
        let listener = lock(&self.listener).take();
        if let Some(listener) = listener {
            listener.wake();
        }
    }

    /// Completes when the bell has rung since it last did.
    pub(super) async fn heard(&self) {
        poll_fn(|context| {
            let waker = context.waker().clone();
            let former = lock(&self.listener).replace(waker);
            drop(former);
            if self.rung.swap(false, Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn a_ring_is_heard_whether_before_or_while_somebody_listens() {
        let bell = Arc::new(Bell::default());
        bell.ring();
        bell.ring();
        pollster::block_on(bell.heard());
        let other = Arc::clone(&bell);
        let listening = thread::spawn(move || pollster::block_on(other.heard()));
        bell.ring();
        listening.join().expect("it heard the ring");
        assert!(!bell.rung.load(Ordering::SeqCst), "the two rings before were one");
    }
}
