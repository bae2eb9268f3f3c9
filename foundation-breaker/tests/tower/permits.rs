//! What becomes of the permit of a call, however that ends.

use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc;
use std::task::Poll;

use foundation_breaker::tower::BreakerLayer;
use foundation_breaker::{CancelPolicy, Outcome, State};
use proptest::prelude::*;
use tower::{Layer, Service, service_fn};

use crate::support::{Ask, Bench, Guarded, OPEN_FOR, PROBE_TIMEOUT, TICK, Then, now, poll};

/// Runs what panics; returns whether it did.
fn panics<T>(code: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(|| drop(code()))).is_err()
}

#[test]
fn a_call_holds_a_place_from_the_call_to_the_answer() {
    let bench = Bench::new();
    bench.half_open();
    let mut future = bench.refusing().call(Then::Answer(200).after(1));
    assert_eq!(bench.outstanding(), 1);
    assert_eq!(poll(&mut future), Poll::Pending);
    assert_eq!((bench.outstanding(), bench.breaker.state()), (1, State::HalfOpen));
    assert_eq!(poll(&mut future), Poll::Ready(Ok(200)));
    assert_eq!(bench.breaker.state(), State::Closed, "it reports when it is ready, not when it is dropped");
}

#[test]
fn p11_dropping_the_future_at_any_poll_gives_the_place_back_at_once() {
    const PENDING: usize = 3;
    for polls in 0..=PENDING {
        let bench = Bench::new();
        bench.half_open();
        let mut service = bench.refusing();
        let mut future = service.call(Then::Answer(200).after(PENDING));
        for _ in 0..polls {
            assert_eq!(poll(&mut future), Poll::Pending);
        }
        assert_eq!(bench.outstanding(), 1);
        drop(future);
        let snapshot = bench.breaker.snapshot();
        assert_eq!((snapshot.probes.outstanding, snapshot.state), (0, State::HalfOpen));
        assert_eq!((snapshot.totals.ignored, snapshot.totals.outstanding()), (1, 0));
        assert_eq!(now(service.call(Then::Answer(200).now())), Ok(200), "the next probe is let through");
        assert_eq!(bench.breaker.state(), State::Closed);
    }
}

#[test]
fn p11_the_place_is_free_before_the_inner_future_does_what_it_does_when_dropped() {
    let bench = Bench::new();
    bench.half_open();
    let seen = Rc::new(Cell::new(None));
    let inner = service_fn(|()| {
        let (breaker, seen) = (bench.breaker.clone(), Rc::clone(&seen));
        let last_deed = OnDrop(move || seen.set(Some(breaker.snapshot().probes.outstanding)));
        Box::pin(async move {
            let _last_deed = last_deed;
            pending::<Result<(), ()>>().await
        })
    });
    let mut future = BreakerLayer::new(bench.breaker.clone()).layer(inner).call(());
    assert_eq!((poll(&mut future), bench.outstanding(), seen.get()), (Poll::Pending, 1, None));
    drop(future);
    assert_eq!(seen.get(), Some(0));
}

#[test]
fn a_call_given_up_counts_as_the_policy_says() {
    for (policy, took, state) in [
        (CancelPolicy::Ignore, PROBE_TIMEOUT / 2, State::HalfOpen),
        (CancelPolicy::Failure, TICK, State::Open),
        (CancelPolicy::FailureIfLongerThan(TICK), TICK, State::HalfOpen),
        (CancelPolicy::FailureIfLongerThan(TICK), 2 * TICK, State::Open),
    ] {
        let bench = Bench::with(policy);
        bench.half_open();
        let mut future = bench.refusing().call(Then::Answer(200).after(1));
        assert_eq!(poll(&mut future), Poll::Pending);
        bench.clock.advance(took);
        drop(future);
        assert_eq!((bench.breaker.state(), bench.outstanding()), (state, 0), "{policy:?} after {took:?}");
    }
}

#[test]
fn p17_a_panic_at_any_poll_counts_as_one_failure_and_reaches_the_caller() {
    const LAST: usize = 2;
    for polls in 0..=LAST {
        let bench = Bench::new();
        let mut future = bench.refusing().call(Then::Panic.after(polls));
        for _ in 0..polls {
            assert_eq!(poll(&mut future), Poll::Pending);
        }
        assert!(panics(|| poll(&mut future)));
        assert_eq!(bench.breaker.state(), State::Open, "it counts when it happens, though the future is there yet");
        assert!(panics(|| poll(&mut future)), "and the future is of no more use");
        drop(future);
        let totals = bench.breaker.snapshot().totals;
        assert_eq!((totals.failed, totals.ignored, totals.outstanding()), (1, 0, 0));
    }
}

#[test]
fn p17_a_panic_of_call_of_a_classifier_or_of_a_destructor_counts_as_one_failure() {
    let bench = Bench::new();
    let confused = |_: &Result<u16, &'static str>| -> Outcome { panic!("as asked") };
    let layer = BreakerLayer::new(bench.breaker.clone());
    let mut confused = layer.clone().classify(confused).layer(bench.backend.clone());
    let mut service = layer.layer(bench.backend.clone());
    let mut cases: [&mut dyn FnMut(); 3] = [
        &mut || drop(service.call(Then::PanicInCall.now())),
        &mut || drop(now(confused.call(Then::Answer(200).now()))),
        &mut || drop(now(bench.refusing().call(Then::PanicInDrop.now()))),
    ];
    for (case, code) in (1..).zip(&mut cases) {
        assert!(panics(code));
        let snapshot = bench.breaker.snapshot();
        assert_eq!((snapshot.totals.failed, snapshot.totals.outstanding(), snapshot.state), (case, 0, State::Open));
        bench.breaker.reset();
    }
}

/// Does something when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn p17_a_call_made_and_given_up_while_the_thread_unwinds_for_another_reason_is_no_failure() {
    let bench = Bench::new();
    let mut service = bench.refusing();
    assert!(panics(|| {
        let _call = OnDrop(|| drop(service.call(Then::Answer(200).now())));
        panic!("for a reason of its own");
    }));
    let totals = bench.breaker.snapshot().totals;
    assert_eq!((totals.admitted, totals.ignored, totals.failed), (1, 1, 0));
}

#[test]
fn p17_a_panic_counts_though_the_call_was_made_while_the_thread_unwound_for_another_reason() {
    let bench = Bench::new();
    let mut service = bench.refusing();
    let (give, take) = mpsc::channel();
    assert!(panics(|| {
        let _call = OnDrop(|| give.send(service.call(Then::Panic.now())).expect("it is taken below"));
        panic!("for a reason of its own");
    }));
    let mut future = take.recv().expect("it was made");
    assert!(panics(|| poll(&mut future)));
    assert_eq!((bench.breaker.state(), bench.breaker.snapshot().totals.failed), (State::Open, 1));
}

#[test]
fn a_future_is_not_to_be_polled_after_it_was_ready() {
    let bench = Bench::new();
    let mut service = bench.refusing();
    let mut answered = service.call(Then::Answer(200).now());
    assert!(poll(&mut answered).is_ready());
    bench.open();
    let mut refused = service.call(Then::Answer(200).now());
    assert!(poll(&mut refused).is_ready());
    for future in [&mut answered, &mut refused] {
        assert!(panics(|| poll(future)));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Ready,
    Call(Ask),
    Poll(usize),
    Drop(usize),
    Advance,
}

fn step() -> impl Strategy<Value = Step> {
    let then = prop_oneof![
        Just(Then::Answer(200)),
        Just(Then::Fail),
        Just(Then::Panic),
        Just(Then::PanicInCall),
        Just(Then::PanicInDrop)
    ];
    let ask = (0..3_usize, then).prop_map(|(pending, then)| Ask { pending, then });
    prop_oneof![
        1 => Just(Step::Ready),
        3 => ask.prop_map(Step::Call),
        4 => any::<prop::sample::Index>().prop_map(|index| Step::Poll(index.index(1 << 16))),
        2 => any::<prop::sample::Index>().prop_map(|index| Step::Drop(index.index(1 << 16))),
        1 => Just(Step::Advance),
    ]
}

type Future = <Guarded as Service<Ask>>::Future;

proptest! {
    #[test]
    fn p11_no_place_leaks_whatever_becomes_of_calls(steps in prop::collection::vec(step(), 1..60), waits in any::<bool>()) {
        let bench = Bench::new();
        bench.half_open();
        let mut service = if waits { bench.waiting() } else { bench.refusing() };
        let mut futures: Vec<Future> = Vec::new();
        for step in steps {
            match step {
                Step::Ready => drop(crate::support::poll_ready(&mut service)),
                Step::Call(ask) => {
                    if let Ok(future) = catch_unwind(AssertUnwindSafe(|| service.call(ask))) {
                        futures.push(future);
                    }
                }
                Step::Poll(index) if !futures.is_empty() => {
                    let index = index % futures.len();
                    if catch_unwind(AssertUnwindSafe(|| poll(&mut futures[index]))).map_or(true, |poll| poll.is_ready()) {
                        drop(futures.swap_remove(index));
                    }
                }
                Step::Drop(index) if !futures.is_empty() => drop(futures.swap_remove(index % futures.len())),
                Step::Poll(_) | Step::Drop(_) => {}
                Step::Advance => bench.clock.advance(OPEN_FOR),
            }
            let probes = bench.breaker.snapshot().probes;
            prop_assert!(probes.outstanding <= 1);
        }
        drop(futures);
        let snapshot = bench.breaker.snapshot();
        prop_assert_eq!((snapshot.totals.outstanding(), snapshot.probes.outstanding), (0, 0));
        bench.clock.advance(OPEN_FOR);
        prop_assert_eq!(now(service.call(Then::Answer(200).now())), Ok(200));
        prop_assert_eq!(bench.breaker.state(), State::Closed);
    }
}
