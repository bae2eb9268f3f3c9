//! When a circuit opens that counts failures.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::command::{Command, NANO, Pair, draws, ms, options, recovery, step, use_of_it};
use super::model::Ending;
use super::subject::{Breaker, Setup};
use super::{Factory, check};
use crate::classify::Outcome;
use crate::conformance::Permit;
use crate::options::{Options, Recovery, TripPolicy};
use crate::snapshot::State;
use foundation_types::{Clock, ManualClock};

/// P2: the circuit opens at the first failure of which more than are tolerated are younger than the window.
pub fn p02_intensity<B: Breaker>(make: Factory<'_, B>) {
    const WINDOW: Duration = ms(100);
    // At one instant, apart, and such that sums are the window or a nanosecond less.
    let gap = select(vec![Duration::ZERO, Duration::ZERO, NANO, ms(20), ms(50), WINDOW.saturating_sub(NANO), WINDOW]);
    check(2_000, (0_u32..6, vec((gap, any::<bool>()), 1..40)), |(tolerance, melts)| {
        let policy = TripPolicy::FailureIntensity { tolerance, window: WINDOW };
        let recovery = Recovery::AutoClose { after: ms(1_000_000) };
        let clock = ManualClock::new();
        let breaker = make(Setup::new(Options::new(policy, recovery).expect("in range"), &clock));
        let mut instants = Vec::new();
        for (gap, by_call) in melts {
            clock.advance(gap);
            if by_call {
                breaker.try_acquire().map(|permit| permit.report(Outcome::Failure)).expect("closed");
            } else {
                breaker.melt();
            }
            instants.push(clock.mono());
            let young = instants.iter().filter(|at| clock.mono().saturating_since(**at) < WINDOW).count();
            let opens = young > tolerance as usize;
            assert_eq!(breaker.state(), if opens { State::Open } else { State::Closed });
            if opens {
                return;
            }
            assert_eq!(breaker.view().window.failures, young as u64);
        }
    });
}

/// P5: a policy that counts failures alone takes no notice of successes.
pub fn p05_success_neutrality<B: Breaker>(make: Factory<'_, B>) {
    let trip = (0_u32..4, select(vec![NANO, ms(10), ms(50)]))
        .prop_map(|(tolerance, window)| TripPolicy::FailureIntensity { tolerance, window });
    let options = (trip, select(vec![ms(10), ms(70)]))
        .prop_map(|(trip, after)| Options::new(trip, Recovery::AutoClose { after }).expect("in range"));
    let steps = vec((step(), 0_usize..4), 1..80);
    check(500, (options, steps), |(options, steps)| {
        let mut without = Pair::new(make, options.clone(), &[0.0]);
        let mut with = Pair::new(make, options, &[0.0]);
        for (step, successes) in steps {
            let by = without.resolve(step);
            without.advance(by);
            with.advance(by);
            for _ in 0..successes {
                if with.acquire() {
                    with.end(0, Ending::Success);
                }
            }
            assert_eq!(without.acquire(), with.acquire());
            for pair in [&mut without, &mut with] {
                if !pair.held.is_empty() {
                    pair.end(0, Ending::Failure);
                }
            }
            let (without, with) = (without.breaker.view(), with.breaker.view());
            let seen = |view: super::View| (view.state, view.generation, view.window, view.retry_after);
            assert_eq!(seen(without), seen(with));
        }
    });
}

/// P6: a circuit that counts failures in a row opens at the first run of so many, and a success breaks the run.
pub fn p06_consecutive<B: Breaker>(make: Factory<'_, B>) {
    check(
        1_000,
        (1_u32..6, recovery(), vec(select(vec![true, true, false]), 1..60)),
        |(threshold, recovery, fails)| {
            let options = Options::new(TripPolicy::ConsecutiveFailures { threshold }, recovery).expect("in range");
            let clock = ManualClock::new();
            let breaker = make(Setup::new(options, &clock));
            let mut run = 0;
            for fails in fails {
                let outcome = if fails { Outcome::Failure } else { Outcome::Success };
                breaker.try_acquire().map(|permit| permit.report(outcome)).expect("closed");
                run = if fails { run + 1 } else { 0 };
                if run == threshold {
                    assert_eq!(breaker.state(), State::Open);
                    return;
                }
                assert_eq!((breaker.state(), breaker.view().consecutive_failures), (State::Closed, run));
            }
        },
    );
    // A success of a call that began before the run, and one that the operator's reset made old.
    check(300, (draws(), vec(use_of_it(), 1..60), options()), |(draws, commands, other)| {
        let trip = TripPolicy::ConsecutiveFailures { threshold: 2 };
        let options = Options::new(trip, other.recovery().clone()).expect("in range");
        let mut pair = Pair::new(make, options, &draws);
        for command in &commands {
            pair.run(command);
            pair.run(&Command::View);
        }
    });
}
