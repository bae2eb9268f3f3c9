//! A factory that fails on demand.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use crate::pool::{AsyncFactory, Factory};

/// Why a worker was not made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Told,
    /// By the factory inside.
    Failed,
}

/// What a [`Faulty`] factory is told, and what it has done.
#[derive(Default)]
pub(super) struct Orders {
    pub(super) made: AtomicUsize,
    pub(super) retired: AtomicUsize,
    pub(super) refuses: AtomicBool,
    /// Whether the making of a worker hangs.
    pub(super) hangs: AtomicBool,
}

impl Orders {
    fn has(flag: &AtomicBool) -> bool {
        flag.load(Ordering::SeqCst)
    }
}

/// Numbers the workers of another factory from 1, and refuses and hangs as it is told.
pub(super) struct Faulty<F> {
    pub(super) inner: F,
    pub(super) orders: Arc<Orders>,
}

/// A worker that may be broken.
pub(super) struct Numbered<T> {
    pub(super) number: usize,
    pub(super) is_broken: bool,
    item: T,
}

impl<F: Factory> AsyncFactory for Faulty<F> {
    type Item = Numbered<F::Item>;
    type Error = Refusal;

    async fn create(&self) -> Result<Self::Item, Refusal> {
        poll_fn(|_| if Orders::has(&self.orders.hangs) { Poll::Pending } else { Poll::Ready(()) }).await;
        if Orders::has(&self.orders.refuses) {
            return Err(Refusal::Told);
        }
        let item = Factory::create(&self.inner).map_err(|_| Refusal::Failed)?;
        Ok(Numbered { number: self.orders.made.fetch_add(1, Ordering::SeqCst) + 1, is_broken: false, item })
    }

    fn is_usable(&self, worker: &mut Self::Item) -> bool {
        let is_usable = Factory::is_usable(&self.inner, &mut worker.item);
        assert!(is_usable, "a worker that nobody has used is usable");
        !worker.is_broken
    }

    fn retire(&self, worker: Self::Item) {
        Factory::retire(&self.inner, worker.item);
        self.orders.retired.fetch_add(1, Ordering::SeqCst);
    }
}
