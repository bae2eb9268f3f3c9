//! The suite that every breaker must pass, ours and a stranger's.
//!
//! [`breaker_conformance!`](crate::breaker_conformance) makes one test of each property of a breaker, and
//! [`set_conformance!`](crate::set_conformance) of each property of a set of breakers, given a factory:
//!
//! ```
//! # fn main() {}
//! use foundation_breaker::{BreakerSet, CircuitBreaker, breaker_conformance, set_conformance};
//!
//! breaker_conformance!(breaker, |setup| CircuitBreaker::from(setup));
//! set_conformance!(set, |clock| BreakerSet::with_clock(clock));
//! ```
//!
//! With feature `agent`, `agent_breaker_conformance!` does the same for a breaker that looks at the agent that calls.
//!
//! Each property is also a function here, which panics with the smallest counterexample it finds. Commands are drawn at
//! random, given to the breaker and to the [`Model`], and shrunk.

#[cfg(feature = "agent")]
mod agents;
mod agreement;
mod calls;
mod cancel;
mod command;
mod events;
mod faults;
mod model;
mod opening;
mod operator;
mod probing;
mod recovery;
mod sets;
mod subject;
mod windows;

use foundation_types::ManualClock;
use foundation_types::testing::check;

#[cfg(feature = "agent")]
pub use self::agents::{AgentBreaker, AgentSetup, p24_base_when_off, p25_agent_gate};
pub use self::agreement::{p01_model_equality, p07_observation_independence, p21_totals};
pub use self::calls::{p17_panic, p18_never_run};
pub use self::cancel::p11_no_slot_leak;
pub use self::events::p23_events;
pub use self::faults::p22_fault_injection;
pub use self::model::{Admitted, Ending, Model, StateChange};
pub use self::opening::{p02_intensity, p05_success_neutrality, p06_consecutive};
pub use self::operator::{p14_forced_open_dominates, p15_reset};
pub use self::probing::{p10_probe_bound, p12_stale_reports, p13_probe_timeout};
pub use self::recovery::{p03_heal_instant, p04_melts_while_open, p16_backoff};
pub use self::sets::{p19_independence, p20_set};
pub use self::subject::{Breaker, Permit, Set, Setup, View};
pub use self::windows::{p08_rate_windows, p09_slow_rate};

/// Makes a breaker.
pub type Factory<'f, B> = &'f dyn Fn(Setup) -> B;

/// Makes an empty set of breakers that read this clock.
pub type SetFactory<'f, S> = &'f dyn Fn(ManualClock) -> S;

/// Makes the breaker of an agent.
#[cfg(feature = "agent")]
pub type AgentFactory<'f, B> = &'f dyn Fn(AgentSetup) -> B;

/// Makes one test of each property for the breaker that `$factory` makes (see [`conformance`](crate::conformance)).
#[macro_export]
macro_rules! breaker_conformance {
    ($name:ident, $factory:expr) => {
        mod $name {
            use super::*;

            $crate::breaker_conformance!(@tests $factory;
                p01_model_equality, p02_intensity, p03_heal_instant, p04_melts_while_open, p05_success_neutrality,
                p06_consecutive, p07_observation_independence, p08_rate_windows, p09_slow_rate, p10_probe_bound,
                p11_no_slot_leak, p12_stale_reports, p13_probe_timeout, p14_forced_open_dominates, p15_reset,
                p16_backoff, p17_panic, p18_never_run, p21_totals, p22_fault_injection, p23_events
            );
        }
    };
    (@tests $factory:expr; $($property:ident),*) => {
        $crate::breaker_conformance!(@each $factory; $($property)*);
    };
    (@each $factory:expr; $property:ident $($rest:ident)*) => {
        #[test]
        fn $property() {
            $crate::conformance::$property(&$factory);
        }

        $crate::breaker_conformance!(@each $factory; $($rest)*);
    };
    (@each $factory:expr;) => {};
}

/// Makes one test of each property for the set that `$factory` makes (see [`conformance`](crate::conformance)).
#[macro_export]
macro_rules! set_conformance {
    ($name:ident, $factory:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn p19_independence() {
                $crate::conformance::p19_independence(&$factory);
            }

            #[test]
            fn p20_set() {
                $crate::conformance::p20_set(&$factory);
            }
        }
    };
}

/// Makes one test of each property for the breaker of an agent that `$factory` makes (see
/// [`conformance`](crate::conformance)).
///
/// ```
/// # fn main() {}
/// use foundation_breaker::agent::AgentBreaker;
/// use foundation_breaker::agent_breaker_conformance;
///
/// agent_breaker_conformance!(agent_breaker, |setup| AgentBreaker::from(setup));
/// ```
#[cfg(feature = "agent")]
#[macro_export]
macro_rules! agent_breaker_conformance {
    ($name:ident, $factory:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn p24_base_when_off() {
                $crate::conformance::p24_base_when_off(&$factory);
            }

            #[test]
            fn p25_agent_gate() {
                $crate::conformance::p25_agent_gate(&$factory);
            }
        }
    };
}
