//! Traces worked out by hand, and their variants. Times are in milliseconds.
#![cfg(feature = "test-util")]

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_breaker::events::{HALF_OPENED_EVENT, OPENED_EVENT};
use foundation_breaker::{
    BreakerSet, CircuitBreaker, OpenFor, Options, Permit, Probe, Recovery, RejectReason, State, TripPolicy,
};
use foundation_types::testing::RecordingObserver;
use foundation_types::{Clock, ManualClock, MonoTime, Name, Value};

type Breaker = CircuitBreaker<ManualClock>;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn at(millis: u64) -> MonoTime {
    MonoTime::from_nanos(millis * 1_000_000)
}

/// Lets time pass until then.
fn until(clock: &ManualClock, millis: u64) {
    assert!(at(millis) >= clock.mono(), "time goes on");
    clock.advance(at(millis).saturating_since(clock.mono()));
}

fn admitted(breaker: &Breaker) -> Permit<'_, ManualClock> {
    breaker.try_acquire().expect("let through")
}

fn refused(breaker: &Breaker) -> (RejectReason, Option<Duration>) {
    let rejected = breaker.try_acquire().expect_err("refused");
    (rejected.reason, rejected.retry_after)
}

fn breaker(options: Options) -> (Breaker, ManualClock) {
    let clock = ManualClock::new();
    let breaker = CircuitBreaker::builder(Name::from_static("trace")).options(options).clock(clock.clone()).build();
    (breaker.expect("in range"), clock)
}

/// A fuse of two failures within a second, half a second open.
fn fuse() -> (Breaker, ManualClock) {
    breaker(Options::fuse(2, ms(1_000), ms(500)).expect("in range"))
}

#[test]
fn a_fuse_opens_at_the_third_failure_within_its_window_and_closes_by_itself() {
    let (breaker, clock) = fuse();
    admitted(&breaker).failure();
    until(&clock, 400);
    admitted(&breaker).failure();
    assert_eq!(breaker.state(), State::Closed, "two are tolerated");
    until(&clock, 999);
    admitted(&breaker).failure();
    assert_eq!(breaker.snapshot().open_until, Some(at(1_499)));
    until(&clock, 1_000);
    assert_eq!(refused(&breaker), (RejectReason::Open, Some(ms(499))));
    until(&clock, 1_200);
    breaker.melt();
    assert_eq!(breaker.next_deadline(), Some(at(1_499)));
    until(&clock, 1_498);
    assert_eq!(refused(&breaker), (RejectReason::Open, Some(ms(1))));
    until(&clock, 1_499);
    admitted(&breaker).success();
    assert_eq!((breaker.state(), breaker.snapshot().window.failures), (State::Closed, 0));
}

#[test]
fn a_failure_exactly_as_old_as_the_window_counts_no_more() {
    let (breaker, clock) = fuse();
    for instant in [0, 400, 1_000] {
        until(&clock, instant);
        admitted(&breaker).failure();
    }
    assert_eq!((breaker.state(), breaker.snapshot().window.failures), (State::Closed, 2));
    until(&clock, 1_399);
    admitted(&breaker).failure();
    assert_eq!(breaker.snapshot().open_until, Some(at(1_899)));
}

#[test]
fn a_failure_a_millisecond_later_finds_one_more_expired() {
    let (breaker, clock) = fuse();
    for instant in [0, 400, 1_000, 1_400] {
        until(&clock, instant);
        admitted(&breaker).failure();
    }
    assert_eq!((breaker.state(), breaker.snapshot().window.failures), (State::Closed, 2));
}

#[test]
fn what_an_operator_holds_open_neither_time_nor_reset_nor_install_closes() {
    let clock = ManualClock::new();
    let set = BreakerSet::with_clock(clock.clone());
    let name = Name::from_static("trace");
    let options = || Options::fuse(2, ms(1_000), ms(500)).expect("in range");
    let breaker = set.install(&name, options()).expect("room");
    for instant in [0, 400, 999] {
        until(&clock, instant);
        admitted(&breaker).failure();
    }
    until(&clock, 1_200);
    breaker.force_open();
    let forced = (RejectReason::ForcedOpen, None);
    until(&clock, 1_499);
    assert_eq!(refused(&breaker), forced);
    breaker.reset();
    assert_eq!(refused(&breaker), forced);
    let again = set.install(&name, options()).expect("room");
    assert_eq!((refused(&breaker), refused(&again)), (forced, forced));
    until(&clock, 3_000);
    breaker.lift();
    assert_eq!(breaker.snapshot().window.failures, 0);
    admitted(&breaker).success();
    assert_eq!(again.state(), State::Closed);
}

/// What breakers of agents are made of.
fn agent_base() -> (Breaker, ManualClock) {
    let recovery = Probe { open_for: OpenFor::Constant(ms(100)), max_concurrent: 3, ..Probe::default() };
    let trip = TripPolicy::ConsecutiveFailures { threshold: 2 };
    let (breaker, clock) = breaker(Options::new(trip, Recovery::Probe(recovery)).expect("in range"));
    admitted(&breaker).failure();
    until(&clock, 1);
    admitted(&breaker).success();
    until(&clock, 2);
    admitted(&breaker).failure();
    assert_eq!((breaker.state(), breaker.snapshot().consecutive_failures), (State::Closed, 1));
    until(&clock, 3);
    admitted(&breaker).failure();
    assert_eq!(breaker.snapshot().open_until, Some(at(103)));
    until(&clock, 102);
    assert_eq!(refused(&breaker), (RejectReason::Open, Some(ms(1))));
    until(&clock, 103);
    (breaker, clock)
}

#[test]
fn one_of_three_probes_closes_and_the_other_two_come_too_late() {
    let (breaker, _clock) = agent_base();
    let [first, second, third] = [(); 3].map(|()| admitted(&breaker));
    assert!(first.is_probe() && second.is_probe() && third.is_probe());
    assert_eq!(refused(&breaker), (RejectReason::HalfOpenBusy, None));
    first.success();
    assert_eq!(breaker.state(), State::Closed);
    second.failure();
    third.failure();
    assert_eq!((breaker.state(), breaker.snapshot().consecutive_failures), (State::Closed, 0));
}

#[test]
fn one_of_three_probes_opens_and_the_places_of_all_are_free_in_the_next_episode() {
    let (breaker, clock) = agent_base();
    let [first, second, third] = [(); 3].map(|()| admitted(&breaker));
    until(&clock, 110);
    first.failure();
    assert_eq!(breaker.snapshot().open_until, Some(at(210)));
    second.success();
    assert_eq!(breaker.state(), State::Open);
    until(&clock, 210);
    assert_eq!((breaker.state(), breaker.snapshot().probes.outstanding), (State::HalfOpen, 0));
    let next = [(); 3].map(|()| admitted(&breaker));
    assert_eq!(refused(&breaker), (RejectReason::HalfOpenBusy, None));
    third.success();
    assert_eq!((breaker.state(), breaker.snapshot().probes.outstanding), (State::HalfOpen, 3));
    drop(next);
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_probe_that_is_polled_once_and_dropped_leaves_its_place() {
    let recovery = Probe { open_for: OpenFor::Constant(ms(100)), ..Probe::default() };
    let trip = TripPolicy::ConsecutiveFailures { threshold: 1 };
    let (breaker, clock) = breaker(Options::new(trip, Recovery::Probe(recovery)).expect("in range"));
    breaker.melt();
    until(&clock, 100);
    {
        let mut probe = pin!(breaker.call_async(std::future::pending::<Result<(), ()>>));
        assert!(poll(probe.as_mut()).is_pending());
        assert_eq!(refused(&breaker), (RejectReason::HalfOpenBusy, None));
    }
    let probes = breaker.snapshot().probes;
    assert_eq!((breaker.state(), probes.outstanding, probes.successes), (State::HalfOpen, 0, 0));
    assert!(admitted(&breaker).is_probe());
}

#[test]
fn a_probe_that_hangs_has_opened_the_circuit_and_that_has_ended_before_anybody_looks() {
    // The trace lets a probe through at 1 000, of a circuit that opened 5 000 before; here it all happens 10 000 later.
    const LATER: u64 = 10_000;
    let recovery = Probe { open_for: OpenFor::Constant(ms(5_000)), probe_timeout: ms(60_000), ..Probe::default() };
    let observer = Arc::new(RecordingObserver::new());
    let clock = ManualClock::new();
    let breaker = CircuitBreaker::builder(Name::from_static("trace"))
        .trip(TripPolicy::ConsecutiveFailures { threshold: 1 })
        .recovery(Recovery::Probe(recovery))
        .observer(observer.clone())
        .clock(clock.clone())
        .build()
        .expect("in range");
    until(&clock, LATER - 4_000);
    breaker.melt();
    until(&clock, LATER + 1_000);
    let hung = admitted(&breaker);
    assert!(hung.is_probe());
    observer.take();

    until(&clock, LATER + 70_000);
    assert_eq!((breaker.state(), breaker.snapshot().probes.outstanding), (State::HalfOpen, 0));
    let heard: Vec<_> = observer
        .take()
        .iter()
        .map(|event| (event.name.clone(), event.metadata.get("at").and_then(Value::as_i64)))
        .collect();
    let nanos = |millis: u64| i64::try_from(at(millis).as_nanos()).ok();
    let expected = [(OPENED_EVENT, nanos(LATER + 61_000)), (HALF_OPENED_EVENT, nanos(LATER + 66_000))];
    assert_eq!(heard, expected);
    hung.success();
    assert_eq!(breaker.state(), State::HalfOpen);
}
