//! When a circuit opens that looks at rates.

use std::time::Duration;

use foundation_types::{Clock, ManualClock, MonoTime};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::command::{NANO, count_window, ms, time_window};
use super::subject::{Breaker, Permit, Setup};
use super::{Factory, check};
use crate::classify::Outcome;
use crate::options::{CountWindow, Options, Rate, Recovery, SlowCalls, TimeWindow, TripPolicy};
use crate::snapshot::State;

const LONG: Recovery = Recovery::AutoClose { after: Duration::from_secs(1_000_000) };

/// An outcome as a naive observer writes it down.
#[derive(Clone, Copy)]
struct Call {
    at: MonoTime,
    failed: bool,
    slow: bool,
}

/// Whether these calls are too many bad ones.
fn trips(calls: &[Call], min_calls: u32, failure_rate: Rate, slow: Option<SlowCalls>) -> bool {
    let reached = |rate: Rate, part: usize| part * 10_000 >= usize::from(rate.as_basis_points()) * calls.len();
    calls.len() >= min_calls as usize
        && (reached(failure_rate, calls.iter().filter(|call| call.failed).count())
            || slow.is_some_and(|slow| reached(slow.rate, calls.iter().filter(|call| call.slow).count())))
}

/// P8: the circuit is open iff a recount of the outcomes that were written down says so, after each of them.
pub fn p08_rate_windows<B: Breaker>(make: Factory<'_, B>) {
    let policy =
        prop_oneof![count_window().prop_map(TripPolicy::CountWindow), time_window().prop_map(TripPolicy::TimeWindow)];
    let gap = select(vec![Duration::ZERO, Duration::ZERO, NANO, ms(1), ms(5), ms(7), ms(10), ms(50)]);
    let took = select(vec![Duration::ZERO, ms(3), ms(3) + NANO, ms(10), ms(10) + NANO]);
    let fails = select(vec![true, false, false]);
    check(1_500, (policy, vec((gap, took, fails), 1..60)), |(trip, calls)| {
        let clock = ManualClock::new();
        clock.advance(ms(3));
        let start = clock.mono();
        let breaker = make(Setup::new(Options::new(trip, LONG).expect("in range"), &clock));
        let mut written: Vec<Call> = Vec::new();
        for (gap, took, failed) in calls {
            clock.advance(gap);
            let permit = breaker.try_acquire().expect("closed");
            clock.advance(took);
            permit.report(if failed { Outcome::Failure } else { Outcome::Success });
            let slow = trip.slow_calls().is_some_and(|slow| took > slow.longer_than);
            written.push(Call { at: clock.mono(), failed, slow });
            let opens = match trip {
                TripPolicy::CountWindow(CountWindow { size, min_calls, failure_rate, slow }) => {
                    let last = &written[written.len().saturating_sub(size as usize)..];
                    trips(last, min_calls, failure_rate, slow)
                }
                TripPolicy::TimeWindow(TimeWindow { window, buckets, min_calls, failure_rate, slow }) => {
                    let bucket =
                        |at: MonoTime| at.saturating_since(start).as_nanos() * u128::from(buckets) / window.as_nanos();
                    let oldest = (bucket(clock.mono()) + 1).saturating_sub(u128::from(buckets));
                    let last: Vec<_> = written.iter().copied().filter(|call| bucket(call.at) >= oldest).collect();
                    trips(&last, min_calls, failure_rate, slow)
                }
                _ => unreachable!("not drawn"),
            };
            assert_eq!(breaker.state(), if opens { State::Open } else { State::Closed });
            if opens {
                return;
            }
        }
    });
    trips_on_a_success(make);
}

/// Nine failures do not open a circuit that decides from ten calls on; the success that is the tenth does.
fn trips_on_a_success<B: Breaker>(make: Factory<'_, B>) {
    let half = Rate::percent(50).expect("in range");
    let window = CountWindow { size: 10, min_calls: 10, failure_rate: half, slow: None };
    let options = Options::new(TripPolicy::CountWindow(window), LONG).expect("in range");
    let breaker = make(Setup::new(options, &ManualClock::new()));
    for _ in 0..9 {
        breaker.melt();
        assert_eq!(breaker.state(), State::Closed);
    }
    breaker.try_acquire().expect("closed").report(Outcome::Success);
    assert_eq!(breaker.state(), State::Open);
}

/// P9: a call is slow if it took strictly longer; successes alone open the circuit if enough of them are slow.
pub fn p09_slow_rate<B: Breaker>(make: Factory<'_, B>) {
    let limit = select(vec![Duration::ZERO, NANO, ms(5), Duration::from_hours(1)]);
    check(300, (limit, 1_u32..10, 1_u32..=100, any::<bool>()), |(longer_than, calls, percent, by_time)| {
        let slow = Some(SlowCalls { longer_than, rate: Rate::percent(percent).expect("in range") });
        let failure_rate = Rate::ALL;
        let trip = if by_time {
            let window = Duration::from_hours(24);
            TripPolicy::TimeWindow(TimeWindow { window, buckets: 1, min_calls: calls, failure_rate, slow })
        } else {
            TripPolicy::CountWindow(CountWindow { size: calls, min_calls: calls, failure_rate, slow })
        };
        let clock = ManualClock::new();
        let breaker = make(Setup::new(Options::new(trip, LONG).expect("in range"), &clock));
        let call = |took: Duration| {
            let permit = breaker.try_acquire().expect("closed");
            clock.advance(took);
            permit.report(Outcome::Success);
        };
        // Exactly as long as is allowed, over and over.
        for _ in 0..2 * calls {
            call(longer_than);
        }
        assert_eq!((breaker.state(), breaker.view().totals.slow), (State::Closed, 0));
        breaker.reset();
        for _ in 1..calls {
            call(longer_than + NANO);
            assert_eq!(breaker.state(), State::Closed, "too few to decide");
        }
        call(longer_than + NANO);
        assert_eq!((breaker.state(), breaker.view().totals.slow), (State::Open, u64::from(calls)));
    });
}
