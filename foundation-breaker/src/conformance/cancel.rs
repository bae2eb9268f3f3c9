//! Calls that are given up half way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use foundation_types::ManualClock;
use proptest::collection::vec;
use proptest::prelude::*;

use super::calls::{Pends, panic_quietly, poll};
use super::command::{Pair, commands, draws, ms, options};
use super::subject::{Breaker, Setup};
use super::{Factory, check};
use crate::options::{CancelPolicy, OpenFor, Options, Probe, Recovery, TripPolicy};
use crate::snapshot::State;

/// The most awaits of an operation here.
const AWAITS: u32 = 5;

/// P11: when all permits are gone, however they went, no place is taken, and the next call of a half-open circuit is let
/// through.
pub fn p11_no_slot_leak<B: Breaker>(make: Factory<'_, B>) {
    check(500, (options(), draws(), commands()), |(options, draws, commands)| {
        let mut pair = Pair::new(make, options, &draws);
        pair.run_all(&commands);
        // Dropped in the order they came, and so as old ones first.
        pair.held.clear();
        let view = pair.breaker.view();
        assert_eq!((view.probes.outstanding, view.totals.outstanding()), (0, 0));
        if view.state == State::HalfOpen {
            assert!(pair.breaker.try_acquire().is_ok());
        }
    });
    for cancel in [CancelPolicy::Ignore, CancelPolicy::Failure, CancelPolicy::FailureIfLongerThan(ms(1))] {
        for max_concurrent in 1..=3 {
            cancelled_at_every_poll(make, cancel, max_concurrent);
        }
    }
    // Several at once, polled in any order, each given up after some polls, or panicking.
    check(200, (1_u32..4, vec((0_u32..AWAITS, 0_u32..AWAITS + 2, any::<bool>()), 1..12)), |(max_concurrent, calls)| {
        let breaker = half_open(make, CancelPolicy::Ignore, max_concurrent);
        let mut under_way: Vec<_> = calls
            .iter()
            .map(|(awaits, polls, panics)| {
                let last = move || if *panics { match panic_quietly() {} } else { Ok::<_, ()>(()) };
                (Box::pin(breaker.call_async(move || Pends::new(*awaits, last))), *polls)
            })
            .collect();
        while !under_way.is_empty() {
            under_way.retain_mut(|(call, polls)| {
                if *polls == 0 {
                    return false;
                }
                *polls -= 1;
                matches!(catch_unwind(AssertUnwindSafe(|| poll(call.as_mut()))), Ok(Poll::Pending))
            });
            assert!(breaker.view().probes.outstanding <= max_concurrent);
        }
        let view = breaker.view();
        assert_eq!((view.probes.outstanding, view.totals.outstanding()), (0, 0));
        assert!(breaker.try_acquire().is_ok());
    });
}

/// A circuit that no outcome of a probe takes out of this state.
fn half_open<B: Breaker>(make: Factory<'_, B>, cancel: CancelPolicy, max_concurrent: u32) -> B {
    let policy = Probe {
        open_for: OpenFor::Constant(ms(1)),
        max_concurrent,
        required_successes: u32::MAX,
        max_failures: u32::MAX,
        ..Probe::default()
    };
    let trip = TripPolicy::ConsecutiveFailures { threshold: 1 };
    let options = Options::new(trip, Recovery::Probe(policy)).expect("in range").on_cancel(cancel);
    let clock = ManualClock::new();
    let breaker = make(Setup::new(options, &clock));
    breaker.melt();
    clock.advance(ms(1));
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker
}

fn cancelled_at_every_poll<B: Breaker>(make: Factory<'_, B>, cancel: CancelPolicy, max_concurrent: u32) {
    let breaker = half_open(make, cancel, max_concurrent);
    for awaits in 0..AWAITS {
        for polls in 0..=awaits {
            let before = breaker.view();
            // All places at once, so that one that leaks is missed at once.
            let mut calls: Vec<_> = (0..max_concurrent)
                .map(|_| Box::pin(breaker.call_async(move || Pends::new(awaits, || Ok::<_, ()>(())))))
                .collect();
            for _ in 0..polls {
                assert!(calls.iter_mut().all(|call| poll(call.as_mut()).is_pending()));
            }
            let held = if polls == 0 { 0 } else { max_concurrent };
            assert_eq!(breaker.view().probes.outstanding, held);
            assert_eq!(breaker.try_acquire().is_err(), held > 0);
            drop(calls);
            let after = breaker.view();
            assert_eq!((after.state, after.probes.outstanding, after.totals.outstanding()), (State::HalfOpen, 0, 0));
            let given_up = if cancel == CancelPolicy::Failure { after.totals.failed } else { after.totals.ignored };
            let given_up_before =
                if cancel == CancelPolicy::Failure { before.totals.failed } else { before.totals.ignored };
            let by_look = u64::from(held == 0);
            assert_eq!(given_up - given_up_before, u64::from(held) + by_look);
            assert!(breaker.try_acquire().is_ok());
        }
    }
}
