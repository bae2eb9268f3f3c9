//! The public suite on the breakers and the set of this crate.
#![cfg(feature = "conformance")]

use foundation_breaker::{BreakerSet, CircuitBreaker, breaker_conformance, set_conformance};
#[cfg(feature = "agent")]
use foundation_breaker::{agent::AgentBreaker, agent_breaker_conformance};

breaker_conformance!(breaker, |setup| CircuitBreaker::from(setup));
set_conformance!(set, |clock| BreakerSet::with_clock(clock));
#[cfg(feature = "agent")]
agent_breaker_conformance!(agent_breaker, |setup| AgentBreaker::from(setup));
