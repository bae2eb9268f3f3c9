//! What the tests of pools and bulkheads share.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use foundation_resources::pool::Factory;

/// The factory said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused")]
pub(crate) struct Refused;

/// Makes numbered workers, keeps count of them, and does what it is told.
#[derive(Clone, Default)]
pub(crate) struct Workers(Arc<Inner>);

#[derive(Default)]
struct Inner {
    made: AtomicUsize,
    retired: AtomicUsize,
    refuses: AtomicBool,
    refuses_after: AtomicUsize,
    panics_on_create: AtomicBool,
    panics_on_retire: AtomicBool,
    panics_on_check: AtomicBool,
}

/// A worker with its number, from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Worker {
    pub(crate) number: usize,
    pub(crate) is_broken: bool,
}

impl Workers {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn made(&self) -> usize {
        self.0.made.load(Ordering::SeqCst)
    }

    pub(crate) fn retired(&self) -> usize {
        self.0.retired.load(Ordering::SeqCst)
    }

    pub(crate) fn refuse(&self, refuse: bool) {
        self.0.refuses.store(refuse, Ordering::SeqCst);
    }

    /// Makes so many workers in all, and refuses from then on.
    pub(crate) fn refuse_after(&self, made: usize) {
        self.0.refuses_after.store(made, Ordering::SeqCst);
    }

    pub(crate) fn panic_on_create(&self, panics: bool) {
        self.0.panics_on_create.store(panics, Ordering::SeqCst);
    }

    pub(crate) fn panic_on_retire(&self, panics: bool) {
        self.0.panics_on_retire.store(panics, Ordering::SeqCst);
    }

    pub(crate) fn panic_on_check(&self, panics: bool) {
        self.0.panics_on_check.store(panics, Ordering::SeqCst);
    }
}

impl Factory for Workers {
    type Item = Worker;
    type Error = Refused;

    fn create(&self) -> Result<Worker, Refused> {
        let inner = &self.0;
        assert!(!inner.panics_on_create.load(Ordering::SeqCst), "create");
        let limit = inner.refuses_after.load(Ordering::SeqCst);
        if inner.refuses.load(Ordering::SeqCst) || (limit > 0 && self.made() >= limit) {
            return Err(Refused);
        }
        Ok(Worker { number: inner.made.fetch_add(1, Ordering::SeqCst) + 1, is_broken: false })
    }

    fn is_usable(&self, worker: &mut Worker) -> bool {
        assert!(!self.0.panics_on_check.load(Ordering::SeqCst), "check");
        !worker.is_broken
    }

    fn retire(&self, _: Worker) {
        self.0.retired.fetch_add(1, Ordering::SeqCst);
        assert!(!self.0.panics_on_retire.load(Ordering::SeqCst), "retire");
    }
}

/// Polls once, for a task that nobody wakes.
pub(crate) fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// The output of a future that is ready now.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match poll(&mut Box::pin(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("not ready"),
    }
}
