//! The public suite on the breaker and the set of this crate.
#![cfg(feature = "conformance")]

use foundation_breaker::{BreakerSet, CircuitBreaker, breaker_conformance, set_conformance};

breaker_conformance!(breaker, |setup| CircuitBreaker::from(setup));
set_conformance!(set, |clock| BreakerSet::with_clock(clock));
