//! Waking one thread.

use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Poll, Waker};

use super::sync::lock;

/// Wakes the one thread that listens. Any number of rings between two looks are one.
#[derive(Default)]
pub(super) struct Bell(Mutex<State>);

#[derive(Default)]
struct State {
    has_rung: bool,
    listener: Option<Waker>,
}

impl Bell {
    pub(super) fn ring(&self) {
        let listener = {
            let mut state = lock(&self.0);
            state.has_rung = true;
            state.listener.take()
        };
        if let Some(listener) = listener {
            listener.wake();
        }
    }

    /// Completes when the bell has rung since it last did.
    pub(super) async fn heard(&self) {
        poll_fn(|context| {
            let waker = context.waker().clone();
            let (has_rung, former) = {
                let mut state = lock(&self.0);
                (std::mem::take(&mut state.has_rung), state.listener.replace(waker))
            };
            // Dropping a waker runs code of its executor: not under the lock.
            drop(former);
            if has_rung { Poll::Ready(()) } else { Poll::Pending }
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
    fn a_ring_is_heard_whether_before_or_while_somebody_listens_and_two_are_one() {
        let bell = Arc::new(Bell::default());
        bell.ring();
        bell.ring();
        pollster::block_on(bell.heard());
        assert!(!lock(&bell.0).has_rung);
        let other = Arc::clone(&bell);
        let listening = thread::spawn(move || pollster::block_on(other.heard()));
        bell.ring();
        listening.join().expect("it heard the ring");
    }
}
