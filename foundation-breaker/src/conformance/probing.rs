//! Half-open circuits.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use foundation_types::ManualClock;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::command::{NANO, Pair, ending, ms};
use super::model::Ending;
use super::subject::{Breaker, Permit, Setup};
use super::{Factory, check};
use crate::classify::Outcome;
use crate::error::RejectReason;
use crate::options::{OpenFor, Options, Probe, Recovery, TripPolicy};
use crate::random::Random;
use crate::snapshot::State;

const THREADS: u32 = 4;
const CALLS_EACH: u32 = 5_000;

fn probing(policy: Probe) -> Options {
    Options::new(TripPolicy::ConsecutiveFailures { threshold: 1 }, Recovery::Probe(policy)).expect("in range")
}

/// Ends a call at random.
fn end_somehow<P: Permit>(permit: P, random: &Random) {
    let draw = random.uniform();
    if draw < 0.3 {
        permit.report(Outcome::Success);
    } else if draw < 0.6 {
        permit.report(Outcome::Failure);
    } else if draw < 0.8 {
        permit.report(Outcome::Ignored);
    } else {
        drop(permit);
    }
}

/// P10: never more probes at once than the policy says, whatever threads do.
pub fn p10_probe_bound<B: Breaker>(make: Factory<'_, B>) {
    for max_concurrent in [1, 2, 3] {
        stays_half_open(make, max_concurrent);
        opens_and_closes(make, max_concurrent);
    }
}

/// A circuit that stays half-open: the probes are counted by those who make them.
fn stays_half_open<B: Breaker>(make: Factory<'_, B>, max_concurrent: u32) {
    let endless = Probe {
        open_for: OpenFor::Constant(ms(1)),
        max_concurrent,
        required_successes: u32::MAX,
        max_failures: u32::MAX,
        ..Probe::default()
    };
    let clock = ManualClock::new();
    let breaker = make(Setup::new(probing(endless), &clock));
    breaker.melt();
    clock.advance(ms(1));
    let (under_way, let_through) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (breaker, under_way, let_through) = (&breaker, &under_way, &let_through);
            scope.spawn(move || {
                let random = Random::seeded(u64::from(thread));
                for _ in 0..CALLS_EACH {
                    match breaker.try_acquire() {
                        Ok(permit) => {
                            assert!(permit.is_probe());
                            let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
                            assert!(now <= max_concurrent, "{now} probes at once");
                            let_through.fetch_add(1, Ordering::Relaxed);
                            if random.uniform() < 0.1 {
                                thread::yield_now();
                            }
                            under_way.fetch_sub(1, Ordering::SeqCst);
                            end_somehow(permit, &random);
                        }
                        Err(rejected) => {
                            assert_eq!(rejected.reason, RejectReason::HalfOpenBusy);
                            thread::yield_now();
                        }
                    }
                }
            });
        }
    });
    let view = breaker.view();
    assert_eq!((view.state, view.probes.outstanding, view.totals.outstanding()), (State::HalfOpen, 0, 0));
    assert_eq!(view.totals.admitted, u64::from(let_through.into_inner()));
    assert!(view.totals.admitted > 0, "the first call finds a free place");
    let all: Vec<_> = (0..max_concurrent).map(|_| breaker.try_acquire().expect("a free place")).collect();
    assert!(breaker.try_acquire().is_err());
    drop(all);
}

/// A circuit that opens and closes all the time: the breaker itself is asked.
fn opens_and_closes<B: Breaker>(make: Factory<'_, B>, max_concurrent: u32) {
    let policy = Probe {
        open_for: OpenFor::Constant(ms(1)),
        max_concurrent,
        required_successes: 2,
        max_failures: 1,
        probe_timeout: ms(2),
        ..Probe::default()
    };
    let clock = ManualClock::new();
    let breaker = make(Setup::new(probing(policy), &clock));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (breaker, clock) = (&breaker, &clock);
            scope.spawn(move || {
                let random = Random::seeded(u64::from(thread));
                let mut held = Vec::new();
                for _ in 0..CALLS_EACH {
                    if let Ok(permit) = breaker.try_acquire() {
                        held.push(permit);
                    } else {
                        clock.advance(ms(1));
                    }
                    if held.len() > 2 {
                        held.drain(..).for_each(|permit| end_somehow(permit, &random));
                    }
                    assert!(breaker.view().probes.outstanding <= max_concurrent);
                }
            });
        }
    });
    let view = breaker.view();
    assert_eq!((view.probes.outstanding, view.totals.outstanding()), (0, 0));
    assert!(view.totals.opened > 1, "{view:?}");
}

/// P12: a report of a call from an earlier generation changes the totals alone, except a late failure where a policy counts
/// failures when they are reported.
pub fn p12_stale_reports<B: Breaker>(make: Factory<'_, B>) {
    let trip = prop_oneof![
        super::command::trip(),
        Just(TripPolicy::ConsecutiveFailures { threshold: 2 }),
        Just(TripPolicy::FailureIntensity { tolerance: 1, window: ms(1_000) }),
    ];
    let episodes = vec((0_usize..3, 0_u8..3), 1..6);
    check(600, (trip, super::command::probe(), episodes, vec(ending(), 20)), |(trip, policy, episodes, endings)| {
        let mut pair = Pair::new(make, Options::new(trip, Recovery::Probe(policy)).expect("in range"), &[0.5]);
        let mut stale = Vec::new();
        for (calls, way_out) in episodes {
            for _ in 0..calls {
                pair.acquire();
            }
            stale.append(&mut pair.held);
            match way_out {
                0 => {
                    pair.run(&super::command::Command::ForceOpen);
                    pair.run(&super::command::Command::Lift);
                }
                1 => pair.run(&super::command::Command::Reset),
                // To half-open, where the probes of the episode before are the stale ones.
                _ => {
                    for _ in 0..4 {
                        pair.run(&super::command::Command::Melt);
                    }
                    if let Some(deadline) = pair.model.deadline() {
                        pair.advance(deadline.saturating_since(pair.model.now()));
                    } else {
                        pair.run(&super::command::Command::Reset);
                    }
                }
            }
        }
        for ((permit, call), ending) in stale.into_iter().zip(endings) {
            let before = pair.breaker.view();
            let is_late_failure = ending == Ending::Failure
                && !call.is_probe()
                && matches!(trip, TripPolicy::FailureIntensity { .. })
                && before.state == State::Closed;
            pair.held.push((permit, call));
            pair.end(pair.held.len() - 1, ending);
            if !is_late_failure {
                let after = pair.breaker.view();
                assert_eq!(after.totals.outstanding() + 1, before.totals.outstanding());
                assert_eq!(super::View { totals: before.totals, ..after }, before);
            }
            pair.agree();
        }
    });
}

/// P13: a probe that does not report opens the circuit again at its time-out, not at the moment somebody looks.
pub fn p13_probe_timeout<B: Breaker>(make: Factory<'_, B>) {
    let timeout = select(vec![NANO, ms(5), Duration::from_mins(1)]);
    let open_for = select(vec![NANO, ms(5), Duration::from_secs(5)]);
    check(500, (timeout, open_for, 0.0..1.0, any::<bool>()), |(probe_timeout, open_for, share, looks_early)| {
        let clock = ManualClock::new();
        let policy = Probe { open_for: OpenFor::Constant(open_for), probe_timeout, ..Probe::default() };
        let breaker = make(Setup::new(probing(policy), &clock));
        breaker.melt();
        clock.advance(open_for);
        let hung = breaker.try_acquire().expect("due");
        clock.advance(probe_timeout.saturating_sub(NANO));
        if looks_early {
            assert_eq!(breaker.state(), State::HalfOpen);
        }
        // Somewhere within the opening that began at the time-out.
        let late = open_for.mul_f64(share).min(open_for.saturating_sub(NANO));
        clock.advance(NANO + late);
        let rejected = breaker.try_acquire().err().expect("open again");
        assert_eq!((rejected.reason, rejected.retry_after), (RejectReason::Open, Some(open_for.saturating_sub(late))));
        clock.advance(open_for.saturating_sub(late));
        let view = breaker.view();
        assert_eq!((view.state, view.probes.outstanding, view.totals.opened), (State::HalfOpen, 0, 2));
        hung.report(Outcome::Success);
        assert_eq!(breaker.state(), State::HalfOpen, "a stale success closes nothing");

        // Nobody looks between the time-out and the end of the opening after it.
        let second = breaker.try_acquire().expect("a free place");
        clock.advance(probe_timeout + open_for);
        let view = breaker.view();
        assert_eq!((view.state, view.probes.outstanding, view.totals.opened), (State::HalfOpen, 0, 3));
        drop(second);
    });
}
