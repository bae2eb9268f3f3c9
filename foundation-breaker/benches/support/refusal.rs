//! Calls that an open circuit refuses.

use std::hint::black_box;

use failsafe::CircuitBreaker as _;
use foundation_breaker::{CallError, CircuitBreaker};
use tower_resilience_circuitbreaker::CircuitBreakerError;

use super::ours;
use super::peers::{self, Drivers, operation};
use crate::bench::measure::{Contender, Work, timed};

/// At most so many times the fastest peer's time.
const TARGET: f64 = 0.40;
const RUN: usize = 1_024;

/// Ours in several variants, and the peers.
pub(crate) fn contenders(threads: usize) -> Vec<Contender<'static>> {
    let recloser = peers::open_recloser();
    let failsafe = peers::open_failsafe();
    let permit = ours::open();
    vec![
        Contender::ours("foundation", TARGET, refused(ours::open())).note("tells when to come again, unlike the peers"),
        Contender::ours(
            "foundation, permit",
            None,
            timed(RUN, move |_, _| assert!(black_box(&permit.try_acquire()).is_err())),
        ),
        Contender::ours("foundation, long name", None, refused(ours::open_with_long_name()))
            .note("a name of more than 23 bytes is shared and counted, not copied"),
        Contender::ours("foundation, held open", None, refused(ours::held_open())),
        Contender::peer(
            "recloser",
            timed(RUN, move |_, _| {
                assert!(matches!(black_box(&recloser.call(operation)), Err(recloser::Error::Rejected)));
            }),
        ),
        Contender::peer(
            "failsafe",
            timed(RUN, move |_, _| {
                assert!(matches!(black_box(&failsafe.call(operation)), Err(failsafe::Error::Rejected)));
            }),
        ),
        Drivers::open(threads).contender(|result| matches!(result, Err(CircuitBreakerError::OpenCircuit))),
    ]
}

fn refused(breaker: CircuitBreaker) -> Work<'static> {
    timed(RUN, move |_, _| refuse(&breaker))
}

#[inline]
pub(crate) fn refuse(breaker: &CircuitBreaker) {
    assert!(matches!(black_box(&breaker.call(operation)), Err(CallError::Rejected(_))));
}
