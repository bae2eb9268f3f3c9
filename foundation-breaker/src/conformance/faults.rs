//! Calls that are refused on purpose.

use super::Factory;
use super::subject::Breaker;

/// P22: a closed circuit refuses exactly those calls whose draw is below the rate, and that changes one count and nothing
/// else. In a build without fault injection, no call is ever refused on purpose.
pub fn p22_fault_injection<B: Breaker>(make: Factory<'_, B>) {
    #[cfg(feature = "fault-injection")]
    injected::faults(make);
    #[cfg(not(feature = "fault-injection"))]
    absent::no_faults(make);
}

#[cfg(feature = "fault-injection")]
mod injected {
    use proptest::collection::vec;
    use proptest::sample::select;

    use crate::conformance::command::{Command, Pair, draws, options, use_of_it};
    use crate::conformance::subject::{Breaker, Permit};
    use crate::conformance::{Factory, View, check};
    use crate::error::RejectReason;
    use crate::snapshot::State;

    pub(super) fn faults<B: Breaker>(make: Factory<'_, B>) {
        let rate = select(vec![1e-9, 0.125, 0.25, 0.5, 0.875, 1.0]);
        check(500, (options(), rate, draws(), vec(use_of_it(), 0..30)), |(options, rate, draws, before)| {
            let Ok(options) = options.inject_faults(rate) else { return };
            let mut pair = Pair::new(make, options, &draws);
            pair.run_all(&before);
            pair.run(&Command::Reset);
            // As many as come around to the same draw.
            let refusals: Vec<_> = (0..draws.len())
                .map(|_| {
                    let before = pair.breaker.view();
                    let refused = pair.breaker.try_acquire().map_err(|rejected| {
                        assert_eq!((rejected.reason, rejected.retry_after), (RejectReason::Injected, None));
                    });
                    let is_refused = refused.is_err();
                    if is_refused {
                        let after = pair.breaker.view();
                        assert_eq!(after.state, State::Closed);
                        let mut totals = before.totals;
                        totals.injected += 1;
                        assert_eq!(after, View { totals, ..before });
                    }
                    if let Ok(permit) = refused {
                        permit.report(crate::classify::Outcome::Ignored);
                    }
                    is_refused
                })
                .collect();
            let below = |draws: &[f64]| draws.iter().filter(|draw| **draw < rate).count();
            assert_eq!(refusals.iter().filter(|refused| **refused).count(), below(&draws));
            let is_in_order = (0..draws.len()).any(|first| {
                let turned: Vec<_> = draws[first..].iter().chain(&draws[..first]).map(|draw| *draw < rate).collect();
                turned == refusals
            });
            assert!(is_in_order, "{refusals:?} by draws {draws:?} at {rate}");
            if rate >= 1.0 {
                assert!(refusals.iter().all(|refused| *refused));
            }
        });
    }
}

#[cfg(not(feature = "fault-injection"))]
mod absent {
    use crate::conformance::command::{Pair, commands, draws, options};
    use crate::conformance::subject::Breaker;
    use crate::conformance::{Factory, check};

    pub(super) fn no_faults<B: Breaker>(make: Factory<'_, B>) {
        check(100, (options(), draws(), commands()), |(options, draws, commands)| {
            let mut pair = Pair::new(make, options, &draws);
            pair.run_all(&commands);
            assert_eq!(pair.breaker.view().totals.injected, 0);
        });
    }
}
