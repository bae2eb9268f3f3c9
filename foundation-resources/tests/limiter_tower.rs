//! The middleware of the limiter.
#![cfg(all(feature = "limiter", feature = "tower", feature = "test-util", not(loom)))]

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_resources::rate_limit::tower::{ByKey, RateLimitError, RateLimitLayer, ThrottleLayer};
use foundation_resources::rate_limit::{
    DenialReason, FixedWindow, Limiter, Quota, RateLimiter, SlidingWindow, WaitError,
};
use foundation_types::{Clock, ManualClock};
use tower::{Layer, Service, ServiceExt, service_fn};

const SECOND: Duration = Duration::from_secs(1);

type Answer = Result<&'static str, Infallible>;

/// A service that counts its calls.
fn counting(
    calls: &Arc<AtomicUsize>,
) -> impl Service<&'static str, Response = &'static str, Error = Infallible> + Clone {
    let calls = calls.clone();
    service_fn(move |request| {
        calls.fetch_add(1, Ordering::Relaxed);
        async move { Answer::Ok(request) }
    })
}

fn one_a_second(clock: &ManualClock) -> Arc<Limiter<SlidingWindow, ManualClock>> {
    Arc::new(Limiter::with_clock(Quota::per_second(1), clock.clone()))
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_the_service_is_not_called() {
    let (clock, calls) = (ManualClock::new(), Arc::new(AtomicUsize::new(0)));
    let service = RateLimitLayer::new(one_a_second(&clock)).layer(counting(&calls));
    assert_eq!(service.clone().oneshot("a").await, Ok("a"));
    let error = service.clone().oneshot("b").await.expect_err("over the limit");
    assert_eq!(error.retry_after(), Some(SECOND));
    assert!(matches!(error, RateLimitError::Denied(denial) if denial.reason == DenialReason::Exceeded));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    clock.advance(SECOND);
    assert_eq!(service.oneshot("c").await, Ok("c"));
}

#[tokio::test]
async fn keys_are_counted_apart() {
    let (clock, calls) = (ManualClock::new(), Arc::new(AtomicUsize::new(0)));
    let limiter = Arc::new(RateLimiter::<String, FixedWindow>::builder().clock(clock.clone()).build());
    let policy = ByKey::new(limiter.clone(), Quota::per_minute(1), |request: &&'static str| (*request).to_owned());
    let service = RateLimitLayer::new(policy).layer(counting(&calls));
    assert!(service.clone().oneshot("a").await.is_ok());
    assert!(service.clone().oneshot("b").await.is_ok());
    assert!(service.clone().oneshot("a").await.is_err());
    assert_eq!(limiter.len(), 2);
}

#[tokio::test]
async fn readiness_that_nobody_uses_spends_nothing() {
    let (clock, calls) = (ManualClock::new(), Arc::new(AtomicUsize::new(0)));
    let limiter = one_a_second(&clock);
    let mut service = RateLimitLayer::new(limiter.clone()).layer(counting(&calls));
    for _ in 0..3 {
        poll_fn(|context| service.poll_ready(context)).await.expect("ready");
    }
    assert_eq!(limiter.usage().count, 0);
    assert!(service.call("a").await.is_ok());
    assert_eq!(limiter.usage().count, 1);
}

#[tokio::test]
async fn errors_of_the_service_are_passed_on_and_count() {
    let clock = ManualClock::new();
    let limiter = one_a_second(&clock);
    let failing = service_fn(|(): ()| async { Err::<(), _>("boom") });
    let error = RateLimitLayer::new(limiter.clone()).layer(failing).oneshot(()).await.expect_err("it fails");
    assert_eq!((error, error.retry_after()), (RateLimitError::Service("boom"), None));
    assert_eq!(limiter.usage().count, 1);
}

#[test]
fn a_throttled_request_waits_for_its_place_and_is_then_passed_on() {
    let (clock, calls) = (ManualClock::new(), Arc::new(AtomicUsize::new(0)));
    let mut service = ThrottleLayer::new(one_a_second(&clock), 10 * SECOND).layer(counting(&calls));
    let mut first = pin!(service.call("a"));
    assert_eq!(poll_once(first.as_mut()), Poll::Ready(Ok("a")));
    let mut second = pin!(service.call("b"));
    assert!(poll_once(second.as_mut()).is_pending());
    clock.advance(SECOND.saturating_sub(Duration::from_nanos(1)));
    assert!(poll_once(second.as_mut()).is_pending());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    clock.advance(Duration::from_nanos(1));
    assert_eq!(poll_once(second.as_mut()), Poll::Ready(Ok("b")));
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn a_throttled_request_that_cannot_be_in_time_is_refused_at_once() {
    let (clock, calls) = (ManualClock::new(), Arc::new(AtomicUsize::new(0)));
    let limiter = one_a_second(&clock);
    assert!(limiter.check().is_allowed());
    let mut service = ThrottleLayer::new(limiter, SECOND / 2).layer(counting(&calls));
    let Poll::Ready(Err(error)) = poll_once(pin!(service.call("a"))) else { panic!("it is known at once") };
    assert!(matches!(error, RateLimitError::NoPlace(WaitError::TooLong { .. })));
    assert_eq!(error.retry_after(), Some(SECOND));
    let closed = Arc::new(Limiter::<FixedWindow, _>::with_clock(Quota::per_second(0), clock.clone()));
    let mut service = ThrottleLayer::new(closed, SECOND).layer(counting(&calls));
    let Poll::Ready(Err(error)) = poll_once(pin!(service.call("a"))) else { panic!("it is known at once") };
    assert!(matches!(error, RateLimitError::NoPlace(WaitError::Never(_))));
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

#[test]
fn a_throttled_request_that_is_dropped_counts_nothing() {
    let (clock, calls) = (ManualClock::new(), Arc::new(AtomicUsize::new(0)));
    let limiter = one_a_second(&clock);
    assert!(limiter.check().is_allowed());
    let mut service = ThrottleLayer::new(limiter.clone(), SECOND).layer(counting(&calls));
    {
        let mut waiting = pin!(service.call("a"));
        assert!(poll_once(waiting.as_mut()).is_pending());
        assert!(clock.mono() < clock.next_deadline().expect("a timer"));
    }
    assert_eq!(clock.pending(), 0);
    clock.advance(SECOND);
    assert_eq!((limiter.usage().count, calls.load(Ordering::Relaxed)), (0, 0));
}
