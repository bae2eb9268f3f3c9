//! Agents that are not looked at, and those in whom there is nothing to see.

use foundation_types::Feature;
use proptest::collection::vec;
use proptest::sample::select;

use super::draws::{any_status, setup};
use super::pair::{Pair, command};
use super::subject::AgentBreaker;
use crate::conformance::{AgentFactory, check};

/// Whether agents are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Switch {
    On,
    Off(Feature),
    AllOff,
}

/// P24: a breaker whose agent is well and uses nothing is its circuit, in every answer and total. While its switch is off,
/// that of the registry or that of all agent features, it is so whatever becomes of the agent.
pub fn p24_base_when_off<B: AgentBreaker>(make: AgentFactory<'_, B>) {
    let switches =
        select(vec![Switch::On, Switch::Off(Feature::Breaker), Switch::Off(Feature::Registry), Switch::AllOff]);
    // With how the agent is from then on, where nobody looks.
    let commands = vec((command(), any_status()), 0..80);
    check(500, (setup(), switches, commands), |(setup, switch, commands)| {
        let breaker = make(setup.clone());
        match switch {
            Switch::On => true,
            Switch::Off(feature) => setup.gate.disable(feature),
            Switch::AllOff => setup.gate.disable_agent_features(),
        };
        let mut pair = Pair::new(&breaker, &setup);
        for (command, status) in commands {
            if switch != Switch::On {
                setup.agent_is(status);
            }
            pair.run(&command);
        }
        assert_eq!(breaker.gated(), 0);
    });
}
