//! Nothing stays taken, however a call ends.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use foundation_compat::foundation_breaker::{Options, Probe, Recovery, State, TripPolicy};
use foundation_compat::infrastructure::ExecuteError;
use proptest::prelude::*;

use crate::bench::{Bench, NAME, all_layers, config};

/// How the future of an operation ends, after so many polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Succeed,
    Fail,
    Panic,
}

/// A bench whose breaker is half-open, with one place for a probe.
fn half_open() -> Bench {
    let bench = Bench::new();
    let recovery = Recovery::Probe(Probe::default());
    let options = Options::new(TripPolicy::ConsecutiveFailures { threshold: 1 }, recovery).expect("in range");
    let breaker = bench.foundation.breakers().install(&NAME, options).expect("room");
    breaker.melt();
    bench.clock.advance(Duration::from_mins(1));
    assert_eq!(breaker.state(), State::HalfOpen);
    bench
}

proptest! {
    #[test]
    fn q21_after_any_call_probe_slots_workers_and_places_in_line_are_free(
        end in prop_oneof![Just(End::Succeed), Just(End::Fail), Just(End::Panic)],
        polls_of_operation in 1..4_usize,
        polls_before_drop in proptest::option::of(0..6_usize),
        waits_first in any::<bool>(),
    ) {
        let bench = half_open();
        let options = all_layers().timeout(Duration::from_secs(5));
        let mut held = waits_first.then(|| bench.pool().try_checkout().expect("idle"));
        let polled = Rc::new(Cell::new(0));
        let operation = {
            let polled = Rc::clone(&polled);
            move || {
                poll_fn(move |_| {
                    polled.set(polled.get() + 1);
                    if polled.get() < polls_of_operation {
                        return Poll::Pending;
                    }
                    match end {
                        End::Succeed => Poll::Ready(Ok(1)),
                        End::Fail => Poll::Ready(Err("no")),
                        End::Panic => panic!("bang"),
                    }
                })
            }
        };
        let mut call = Box::pin(bench.infrastructure.execute_protected_async("key", &options, operation));
        let mut context = Context::from_waker(Waker::noop());
        let mut result = None;
        let mut polls = 0;
        while result.is_none() && polls_before_drop.is_none_or(|most| polls < most) {
            if let Poll::Ready(ready) = Pin::as_mut(&mut call).poll(&mut context) {
                result = Some(ready);
            }
            polls += 1;
            // After the first poll the worker comes back.
            drop(held.take());
        }
        drop(call);
        drop(held);

        let totals = bench.totals();
        prop_assert_eq!(totals.outstanding(), 0);
        let snapshot = bench.breaker().snapshot();
        prop_assert_eq!(snapshot.probes.outstanding, 0);
        let figures = bench.figures();
        prop_assert_eq!((figures.checked_out, figures.waiting, figures.in_transition), (0, 0, 0));
        let words = bench.words();
        let count = |word: &str| words.iter().filter(|said| *said == word).count();
        prop_assert_eq!(count("checkout"), count("checkin"));
        prop_assert_eq!(count("execute_start"), usize::from(polls > 0));
        prop_assert_eq!(count("execute_stop") + count("execute_exception"), count("execute_start"));
        match (&result, end) {
            (Some(Ok(1)), End::Succeed) => prop_assert_eq!(snapshot.state, State::Closed),
            (Some(Err(ExecuteError::Operation("no"))), End::Fail)
            | (Some(Err(ExecuteError::Exception { .. })), End::Panic) => {
                prop_assert_eq!(snapshot.state, State::Open);
            }
            (None, _) => prop_assert_eq!((snapshot.state, totals.failed), (State::HalfOpen, 1), "counts as nothing"),
            other => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn q21_after_any_call_that_blocks_everything_is_free(
        ends in proptest::collection::vec(prop_oneof![Just(End::Succeed), Just(End::Fail), Just(End::Panic)], 1..12),
    ) {
        let bench = Bench::new();
        for end in ends {
            let result = bench.infrastructure.execute_protected("key", &all_layers(), || match end {
                End::Succeed => Ok(1),
                End::Fail => Err("no"),
                End::Panic => panic!("bang"),
            });
            let figures = bench.figures();
            prop_assert_eq!((figures.checked_out, figures.waiting, bench.totals().outstanding()), (0, 0, 0));
            let is_expected = match result {
                Ok(_) => end == End::Succeed,
                Err(ExecuteError::Operation(_)) => end == End::Fail,
                Err(ExecuteError::Exception { .. }) => end == End::Panic,
                Err(ExecuteError::CircuitBreaker(_)) => bench.breaker().state() == State::Open,
                Err(_) => false,
            };
            prop_assert!(is_expected);
        }
    }
}

#[test]
fn a_call_that_was_dropped_half_way_says_so() {
    let bench = Bench::new();
    let options = all_layers();
    let never = || std::future::pending::<Result<(), Infallible>>();
    let mut call = Box::pin(bench.infrastructure.execute_protected_async("key", &options, never));
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(bench.figures().checked_out, 1);
    drop(call);
    let stops = bench.observer.events_named("foundation.foundation.infrastructure.execute_stop");
    assert_eq!(stops[0].metadata.get("reason").and_then(|reason| reason.as_str()), Some("cancelled"));
    assert_eq!(bench.figures().checked_out, 0);
    assert_eq!(bench.totals().ignored, 1);
}

#[test]
fn threads_that_share_all_layers_leave_nothing_taken_and_everything_counted() {
    const THREADS: u32 = 4;
    const CALLS: u32 = 200;
    let bench = Bench::with(1_000_000, |builder| builder);
    bench.infrastructure.configure_protection("key", config(500)).expect("valid");
    // Time stands still, so whoever waits for the one worker waits until it is handed over.
    let options = all_layers().timeout(Duration::from_secs(5));
    let run = |number: u32| {
        bench.infrastructure.execute_protected_with_connection("key", &options, |worker: &mut u32| match number % 3 {
            0 => Ok(*worker),
            1 => Err("no"),
            _ => panic!("bang"),
        })
    };
    let refused: u64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let results = (0..CALLS).map(run);
                    results.filter(|result| matches!(result, Err(ExecuteError::RateLimiter(_)))).count() as u64
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic gets past")).sum()
    });
    assert_eq!(refused, u64::from(THREADS * CALLS) - 500, "exactly the quota was let through");
    let totals = bench.totals();
    assert_eq!((totals.admitted, totals.ignored, totals.outstanding()), (500, 0, 0));
    assert_eq!(totals.succeeded + totals.failed, 500);
    let figures = bench.figures();
    assert_eq!((figures.checked_out, figures.waiting, figures.overflow, figures.in_transition), (0, 0, 0, 0));
    let words = bench.words();
    let count = |word: &str| words.iter().filter(|said| *said == word).count();
    assert_eq!((count("checkout"), count("checkin"), count("call_executed")), (500, 500, 500));
    assert_eq!(count("execute_start"), (THREADS * CALLS) as usize);
    assert_eq!(count("execute_stop") + count("execute_exception"), count("execute_start"));
}
