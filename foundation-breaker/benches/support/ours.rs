//! Breakers of this crate.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use foundation_breaker::{
    Builder, CallError, CircuitBreaker, CountWindow, OpenFor, Probe, Rate, Recovery, TimeWindow, TripPolicy,
};
use foundation_types::{EventName, Measurements, Metadata, Name, Observer};

use super::peers::{IN_A_ROW, OPEN_FOR};

/// The default policy.
pub(crate) fn intensity() -> CircuitBreaker {
    build(builder())
}

pub(crate) fn in_a_row() -> CircuitBreaker {
    build(builder().trip(TripPolicy::ConsecutiveFailures { threshold: IN_A_ROW }))
}

/// The last hundred calls, as recloser looks at unless told otherwise.
pub(crate) fn count_window() -> CircuitBreaker {
    build(builder().trip(TripPolicy::CountWindow(CountWindow {
        size: 100,
        min_calls: 100,
        failure_rate: half(),
        slow: None,
    })))
}

pub(crate) fn time_window() -> CircuitBreaker {
    build(builder().trip(TripPolicy::TimeWindow(TimeWindow {
        window: Duration::from_secs(10),
        buckets: 10,
        min_calls: 100,
        failure_rate: half(),
        slow: None,
    })))
}

/// Tells every call to an observer, which does nothing with it.
pub(crate) fn observed() -> CircuitBreaker {
    struct Blank;

    impl Observer for Blank {
        fn emit(&self, name: &EventName, measurements: &Measurements, metadata: &Metadata) {
            black_box((name, measurements, metadata));
        }
    }

    build(builder().observer(Arc::new(Blank)))
}

/// Opened by failures.
pub(crate) fn open() -> CircuitBreaker {
    open_by_failures(builder())
}

/// As [`open`], with a name too long to be copied with each refusal: all refusals share it.
pub(crate) fn open_with_long_name() -> CircuitBreaker {
    let name = Name::new("search.production.example.internal").expect("letters and dots are a name");
    open_by_failures(CircuitBreaker::builder(name))
}

fn open_by_failures(builder: Builder) -> CircuitBreaker {
    let probe = Probe { open_for: OpenFor::Constant(OPEN_FOR), ..Probe::default() };
    let breaker = build(builder.recovery(Recovery::Probe(probe)));
    while !matches!(breaker.call(|| Err::<Infallible, ()>(())), Err(CallError::Rejected(_))) {}
    breaker
}

pub(crate) fn held_open() -> CircuitBreaker {
    let breaker = intensity();
    breaker.force_open();
    breaker
}

fn builder() -> Builder {
    CircuitBreaker::builder(Name::from_static("search"))
}

fn build(builder: Builder) -> CircuitBreaker {
    builder.build().expect("the options are in range")
}

fn half() -> Rate {
    Rate::percent(50).expect("in range")
}
