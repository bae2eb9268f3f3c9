//! How long a circuit stays open.

use std::time::Duration;

use foundation_types::{ManualClock, Ratio};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::command::{NANO, ms};
use super::subject::{Breaker, Permit, Setup};
use super::{Factory, check};
use crate::classify::Outcome;
use crate::error::RejectReason;
use crate::options::{OpenFor, Options, Probe, Recovery, TripPolicy};
use crate::snapshot::State;

fn refusal<B: Breaker>(breaker: &B) -> Option<(RejectReason, Option<Duration>)> {
    breaker.try_acquire().err().map(|rejected| (rejected.reason, rejected.retry_after))
}

/// P3: a circuit that closes by itself refuses until the instant, lets through at it, and has forgotten everything.
pub fn p03_heal_instant<B: Breaker>(make: Factory<'_, B>) {
    let open_for = select(vec![NANO, ms(1), ms(20), ms(25), Duration::from_mins(1)]);
    let looks = vec(0.0..1.0, 0..5);
    check(500, (0_u32..5, (1_u64..100).prop_map(ms), open_for, looks), |(tolerance, window, open_for, mut looks)| {
        let clock = ManualClock::new();
        let breaker = make(Setup::new(Options::fuse(tolerance, window, open_for).expect("in range"), &clock));
        for _ in 0..=tolerance {
            assert_eq!(breaker.state(), State::Closed);
            breaker.melt();
        }
        looks.sort_by(f64::total_cmp);
        let mut passed = Duration::ZERO;
        let last = open_for.saturating_sub(NANO);
        for at in looks.into_iter().map(|share| open_for.mul_f64(share).min(last)).chain([last]) {
            clock.advance(at.saturating_sub(passed));
            passed = at;
            assert_eq!(refusal(&breaker), Some((RejectReason::Open, Some(open_for.saturating_sub(passed)))));
        }
        clock.advance(NANO);
        assert_eq!(refusal(&breaker), None);
        for _ in 0..tolerance {
            breaker.melt();
            assert_eq!(breaker.state(), State::Closed);
        }
        breaker.melt();
        assert_eq!(breaker.state(), State::Open);
    });
}

/// P4: neither failures nor refusals while the circuit is open move the instant at which that ends.
pub fn p04_melts_while_open<B: Breaker>(make: Factory<'_, B>) {
    const OPEN_FOR: Duration = ms(500);
    let recovery = prop_oneof![
        Just(Recovery::AutoClose { after: OPEN_FOR }),
        Just(Recovery::Probe(Probe { open_for: OpenFor::Constant(OPEN_FOR), ..Probe::default() })),
    ];
    // A share of what is left, and what then happens: a melt, a failure of a call from before, or a refusal.
    let happenings = vec((0.0..1.0, 0_u8..3), 1..20);
    check(500, (recovery, happenings), |(recovery, happenings)| {
        let trip = TripPolicy::FailureIntensity { tolerance: 0, window: ms(60_000) };
        let clock = ManualClock::new();
        let breaker = make(Setup::new(Options::new(trip, recovery).expect("in range"), &clock));
        let mut before: Vec<_> = (0..20).map(|_| breaker.try_acquire().expect("closed")).collect();
        breaker.melt();
        let mut left = OPEN_FOR;
        for (share, what) in happenings {
            let by = left.mul_f64(share).min(left.saturating_sub(NANO));
            clock.advance(by);
            left -= by;
            match what {
                0 => breaker.melt(),
                1 => before.pop().map(|permit| permit.report(Outcome::Failure)).expect("as many as happen"),
                _ => assert!(breaker.try_acquire().is_err()),
            }
            assert_eq!(refusal(&breaker), Some((RejectReason::Open, Some(left))));
            if left == NANO {
                break;
            }
        }
        clock.advance(left);
        assert_eq!(refusal(&breaker), None);
    });
}

/// P16: the n-th opening in a row lasts `base * factor^(n - 1)`, at most `max`, times the draw where there is jitter; after
/// a close the row begins anew.
pub fn p16_backoff<B: Breaker>(make: Factory<'_, B>) {
    let base = select(vec![NANO, ms(1), ms(100), Duration::from_hours(1)]);
    // Each row is so many openings; a close ends it.
    check(400, (base, 1_u32..5, 1_u32..300, vec(1_u32..40, 1..4)), |(base, factor, times, rows)| {
        let max = base * times;
        let policy = Probe { open_for: OpenFor::Exponential { base, factor, max }, ..Probe::default() };
        let trip = TripPolicy::ConsecutiveFailures { threshold: 1 };
        let clock = ManualClock::new();
        let breaker = make(Setup::new(Options::new(trip, Recovery::Probe(policy)).expect("in range"), &clock));
        for row in rows {
            for nth in 0..row {
                breaker.try_acquire().map(|permit| permit.report(Outcome::Failure)).expect("closed, or due");
                let exact = base.as_nanos().saturating_mul(u128::from(factor).saturating_pow(nth));
                let expected = Duration::from_nanos(u64::try_from(exact.min(max.as_nanos())).expect("some hours"));
                assert_eq!(refusal(&breaker), Some((RejectReason::Open, Some(expected))));
                assert_eq!(breaker.view().opened_in_a_row, nth + 1);
                clock.advance(expected);
            }
            breaker.try_acquire().map(|permit| permit.report(Outcome::Success)).expect("due");
            assert_eq!((breaker.state(), breaker.view().opened_in_a_row), (State::Closed, 0));
        }
    });
    jitter_shortens(make);
}

/// Jitter of a quarter, drawn in eighths: 1 - 1/4 * draw of the time.
fn jitter_shortens<B: Breaker>(make: Factory<'_, B>) {
    let open_for = OpenFor::Constant(ms(64));
    let policy = Probe { open_for, jitter: Ratio::new(0.25).expect("in range"), ..Probe::default() };
    let options = Options::new(TripPolicy::ConsecutiveFailures { threshold: 1 }, Recovery::Probe(policy));
    let clock = ManualClock::new();
    let random = crate::random::Random::scripted([0.0, 0.5, 0.875]);
    let breaker = make(Setup { random, ..Setup::new(options.expect("in range"), &clock) });
    for expected in [64, 56, 50, 64] {
        breaker.melt();
        assert_eq!(refusal(&breaker), Some((RejectReason::Open, Some(ms(expected)))));
        breaker.reset();
    }
}
