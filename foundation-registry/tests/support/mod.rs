//! What the tests of this folder share.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use foundation_registry::{Partitioned, Registry, RegistryBuilder};

/// A future polled by hand.
pub(crate) struct Task<F> {
    future: Pin<Box<F>>,
    wakes: Arc<Wakes>,
}

#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl<F: Future> Task<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future: Box::pin(future), wakes: Arc::default() }
    }

    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Whether it was woken since the last call.
    pub(crate) fn was_woken(&self) -> bool {
        self.wakes.0.swap(0, Ordering::SeqCst) > 0
    }

    /// Goes on with another waker, as a future does that moves to another task.
    pub(crate) fn move_to_new_task(&mut self) -> impl Fn() -> bool + use<F> {
        let old = std::mem::take(&mut self.wakes);
        move || old.0.swap(0, Ordering::SeqCst) > 0
    }
}

/// A registry on each back-end, with more options.
pub(crate) fn on_each_backend(with: impl Fn(RegistryBuilder) -> RegistryBuilder) -> [Registry; 2] {
    let partitioned = Registry::builder().backend(Arc::new(Partitioned::default()));
    [Registry::builder(), partitioned].map(|builder| with(builder).build().expect("the options are in range"))
}
