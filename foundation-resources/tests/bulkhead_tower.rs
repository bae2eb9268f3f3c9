//! The bulkhead as middleware.

mod support;

use std::convert::Infallible;
use std::future::{Pending, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_resources::bulkhead::{AcquireError, Bulkhead, BulkheadLayer, BulkheadService, ServiceError, WhenFull};
use foundation_types::{Clock, ManualClock};
use support::poll;
use tower::{Layer, Service, ServiceExt, service_fn};

/// Counts its calls, none of which ever ends, and is ready as it is told.
#[derive(Clone, Default)]
struct Hangs {
    calls: Arc<AtomicUsize>,
    is_busy: Arc<AtomicBool>,
}

impl Service<()> for Hangs {
    type Response = ();
    type Error = Infallible;
    type Future = Pending<Result<(), Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.is_busy.load(Ordering::SeqCst) { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn call(&mut self, (): ()) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        pending()
    }
}

fn ready<C: Clock + Clone>(service: &mut BulkheadService<Hangs, C>) -> bool {
    service.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn bulkhead(max_concurrent: usize) -> Bulkhead {
    Bulkhead::builder(max_concurrent).build().expect("in range")
}

fn figures<C: Clock>(bulkhead: &Bulkhead<C>) -> (usize, usize) {
    let status = bulkhead.status();
    (status.in_use, status.waiting)
}

#[test]
fn a_call_holds_a_permit_until_its_response_is_dropped_and_the_next_is_rejected() {
    let (bulkhead, inner) = (bulkhead(1), Hangs::default());
    let mut service = BulkheadLayer::new(bulkhead.clone()).layer(inner.clone());
    assert!(ready(&mut service));
    assert_eq!(figures(&bulkhead), (0, 0), "readiness holds nothing");
    let first = service.call(());
    assert!(ready(&mut service), "nothing waits");
    let second = poll(&mut Box::pin(service.call(())));
    assert_eq!(second, Poll::Ready(Err(ServiceError::Rejected(AcquireError::Full { max_concurrent: 1 }))));
    assert_eq!((inner.calls.load(Ordering::SeqCst), figures(&bulkhead)), (1, (1, 0)));
    drop(first);
    assert_eq!(figures(&bulkhead), (0, 0));
}

#[test]
fn back_pressure_waits_for_a_permit_and_holds_it_until_the_call() {
    let (bulkhead, inner) = (bulkhead(1), Hangs::default());
    let layer = BulkheadLayer::new(bulkhead.clone()).when_full(WhenFull::Wait);
    let (mut one, mut other) = (layer.layer(inner.clone()), layer.layer(inner));
    assert!(ready(&mut one));
    assert_eq!(figures(&bulkhead), (1, 0));
    assert!(!ready(&mut other));
    assert_eq!(figures(&bulkhead), (1, 1));
    assert!(!ready(&mut one.clone()), "a clone has no permit of its own");

    let response = one.call(());
    assert!(!ready(&mut other));
    drop(response);
    assert!(ready(&mut other));
    drop(other);
    assert_eq!(figures(&bulkhead), (0, 0), "readiness that is not used is given back");
}

#[test]
fn no_permit_is_kept_for_an_inner_service_that_is_not_ready() {
    let (bulkhead, inner) = (bulkhead(1), Hangs::default());
    let mut service = BulkheadLayer::new(bulkhead.clone()).when_full(WhenFull::Wait).layer(inner.clone());
    assert!(ready(&mut service));
    inner.is_busy.store(true, Ordering::SeqCst);
    assert!(!ready(&mut service));
    assert_eq!(figures(&bulkhead), (0, 0));

    inner.is_busy.store(false, Ordering::SeqCst);
    let held = bulkhead.try_acquire().expect("free");
    assert!(!ready(&mut service));
    assert_eq!(figures(&bulkhead), (1, 1));
    inner.is_busy.store(true, Ordering::SeqCst);
    assert!(!ready(&mut service));
    drop(held);
    assert_eq!(figures(&bulkhead), (0, 0));
}

#[test]
fn a_wait_that_ends_without_a_permit_ends_in_a_rejected_call() {
    let clock = ManualClock::new();
    let wait = Duration::from_secs(1);
    let bulkhead = Bulkhead::builder(1).max_waiting(1).max_wait(wait).clock(clock.clone()).build().expect("in range");
    let layer = BulkheadLayer::new(bulkhead.clone()).when_full(WhenFull::Wait);
    let (mut waits, mut refused) = (layer.layer(Hangs::default()), layer.layer(Hangs::default()));
    let _held = bulkhead.try_acquire().expect("free");
    assert!(!ready(&mut waits));
    assert!(ready(&mut refused), "the line is full");
    let rejected = |error| Poll::Ready(Err(ServiceError::Rejected(error)));
    let result = poll(&mut Box::pin(refused.call(())));
    assert_eq!(result, rejected(AcquireError::TooManyWaiting { limit: 1 }));
    clock.advance(wait);
    assert!(ready(&mut waits));
    assert_eq!(poll(&mut Box::pin(waits.call(()))), rejected(AcquireError::Timeout { waited: wait }));
    assert_eq!(figures(&bulkhead), (1, 0));
}

#[tokio::test]
async fn a_finished_response_has_returned_its_permit_and_passes_the_result_on() {
    fn is_fit_for_a_server<T: Clone + Send + Sync + 'static>(_: &T) {}

    let bulkhead = bulkhead(1);
    let layer = BulkheadLayer::new(bulkhead.clone()).when_full(WhenFull::Wait);
    let mut service = layer.layer(service_fn(|number: u32| async move { number.checked_sub(1).ok_or("zero") }));
    is_fit_for_a_server(&service);
    let mut response = Box::pin(service.ready().await.expect("never fails").call(3));
    assert_eq!((&mut response).await, Ok(2));
    assert_eq!(figures(&bulkhead), (0, 0), "though the future is still there");
    assert_eq!(service.oneshot(0).await, Err(ServiceError::Service("zero")));
}
