//! What an operator does.

use proptest::collection::vec;

use super::command::{Command, Pair, command, commands, draws, options_with_faults};
use super::subject::Breaker;
use super::{Factory, check};
use crate::error::RejectReason;
use crate::snapshot::{ProbeCounts, State, WindowCounts};

/// P14: while an operator holds the circuit open nothing gets a call through; the end of that always leaves an empty circuit
/// that lets calls through. Twice is once.
pub fn p14_forced_open_dominates<B: Breaker>(make: Factory<'_, B>) {
    let meanwhile = vec(command(options_with_faults()), 0..40);
    check(500, (options_with_faults(), draws(), commands(), meanwhile), |(options, draws, before, meanwhile)| {
        let mut pair = Pair::new(make, options, &draws);
        pair.run_all(&before);
        pair.run(&Command::ForceOpen);
        let once = pair.breaker.view();
        pair.run(&Command::ForceOpen);
        assert_eq!(pair.breaker.view(), once);
        for command in meanwhile.iter().filter(|command| !matches!(command, Command::Lift)) {
            pair.run(command);
            assert_eq!(pair.breaker.state(), State::ForcedOpen);
            let rejected = pair.breaker.try_acquire().err().expect("held open");
            assert_eq!((rejected.reason, rejected.retry_after), (RejectReason::ForcedOpen, None));
            assert!(!pair.acquire(), "the model counts one refusal, and the breaker two");
            pair.model.acquire().expect_err("held open");
        }
        pair.run(&Command::Lift);
        assert_is_fresh(&pair);
        let once = pair.breaker.view();
        pair.run(&Command::Lift);
        assert_eq!(pair.breaker.view(), once);
        pair.agree();
    });
}

/// P15: after a reset of a circuit that is not held open the next call is let through, and nothing is remembered.
pub fn p15_reset<B: Breaker>(make: Factory<'_, B>) {
    check(500, (super::command::options(), draws(), commands()), |(options, draws, commands)| {
        let mut pair = Pair::new(make, options, &draws);
        for command in &commands {
            // These are about what follows a reset, not about injected faults.
            if !matches!(command, Command::Reconfigure(options) if options.fault_rate().is_some()) {
                pair.run(command);
            }
        }
        pair.run(&Command::Reset);
        if pair.breaker.state() == State::ForcedOpen {
            pair.run(&Command::Lift);
        }
        assert_is_fresh(&pair);
        assert!(pair.acquire());
        pair.agree();
    });
}

fn assert_is_fresh<B: Breaker>(pair: &Pair<B>) {
    let view = pair.breaker.view();
    assert_eq!(view.state, State::Closed);
    assert_eq!((view.window, view.consecutive_failures), (WindowCounts::default(), 0));
    assert_eq!((view.probes, view.opened_in_a_row), (ProbeCounts::default(), 0));
    assert_eq!((view.retry_after, view.last_failure_at), (None, None));
}
