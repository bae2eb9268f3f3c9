//! Calls that do not block.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_compat::foundation_breaker::CircuitBreaker;
use foundation_compat::foundation_resources::pool::{Pool, from_fn};
use foundation_compat::foundation_resources::rate_limit::{Quota, RateLimiter};
use foundation_compat::infrastructure::ProtectedOptions;
use foundation_compat::infrastructure::protected::Protected;

use crate::bench::{Bench, NAME, all_layers};

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

#[test]
fn they_give_what_the_blocking_ones_give() {
    let bench = Bench::new();
    let options = all_layers();
    let plain = bench.infrastructure.execute_protected_async("key", &options, || async { Ok::<_, Infallible>(1) });
    assert_eq!(now(plain), Ok(1));
    let with_worker =
        bench.infrastructure.execute_protected_with_connection_async("key", &options, async |worker: &mut u32| {
            Ok::<_, Infallible>(*worker)
        });
    assert_eq!(now(with_worker), Ok(7));
    let expected = ["execute_start", "request_allowed", "checkout", "checkin", "call_executed", "execute_stop"];
    assert_eq!(bench.words(), [expected, expected].concat());
    assert_eq!(bench.totals().succeeded, 2);
}

#[test]
fn nothing_is_asked_before_the_first_poll() {
    let bench = Bench::new();
    let options = all_layers();
    drop(bench.infrastructure.execute_protected_async("key", &options, || async { Ok::<_, Infallible>(1) }));
    assert!(bench.words().is_empty());
    assert_eq!((bench.requests(), bench.totals().admitted), (0, 0));
}

#[test]
fn layers_that_are_values_work_without_blocking_too() {
    let limiter: RateLimiter<String> = RateLimiter::new();
    let breaker = CircuitBreaker::builder(NAME).build().expect("in range");
    let pool = Pool::builder(from_fn(|| Ok::<_, Infallible>(3_u32))).build().expect("starts");
    let quota = Quota::per_hour(10);
    let layers = || Protected::new().rate_limit(&limiter, "user", quota).breaker(&breaker);
    assert_eq!(now(layers().call_async(|| async { Ok::<_, Infallible>(1) })), Ok(1));
    let pooled = layers().pool(&pool, Duration::ZERO).call_async(async |worker| Ok::<_, Infallible>(*worker));
    assert_eq!(now(pooled), Ok(3));
    assert_eq!((limiter.usage("user", quota).count, breaker.snapshot().totals.succeeded), (2, 2));
    assert_eq!(
        now(Protected::new().call_async(|| async { Err::<(), _>("no") })).expect_err("fails").into_operation(),
        Some("no")
    );
}

#[test]
fn their_futures_can_be_sent() {
    fn sendable(future: impl Future + Send) {
        drop(future);
    }
    let bench = Bench::new();
    let options = ProtectedOptions::new();
    sendable(bench.infrastructure.execute_protected_async("key", &options, || async { Ok::<_, Infallible>(1) }));
    sendable(bench.infrastructure.execute_protected_with_connection_async(
        "key",
        &options,
        async |worker: &mut u32| Ok::<_, Infallible>(*worker),
    ));
    let pool = Pool::builder(from_fn(|| Ok::<_, Infallible>(3_u32))).build().expect("starts");
    let protected = Protected::new().pool(&pool, Duration::ZERO);
    sendable(protected.call_async(async |worker| Ok::<_, Infallible>(*worker)));
}
