//! Calls through a closed circuit.

use std::future::{Future, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use failsafe::CircuitBreaker as _;
use foundation_breaker::CircuitBreaker;

use super::ours;
use super::peers::{self, Drivers, operation};
use crate::bench::measure::{Contender, Sample, Work, timed};

/// At most so many times the fastest peer's time, on one thread and on two.
const TARGETS: [f64; 2] = [0.40, 0.10];
/// Two threads get at least 1.8 times as much done as one: a call takes at most so many times as long.
const SCALING: f64 = 1.11;
const RUN: usize = 2_048;

/// Ours in several variants, and the peers.
pub(crate) fn contenders(threads: usize) -> Vec<Contender<'static>> {
    let recloser = peers::recloser();
    let failsafe = peers::failsafe();
    vec![
        Contender::ours("foundation", TARGETS[threads - 1], timed_calls(ours::intensity())),
        Contender::ours("foundation, permit", None, permits(ours::intensity())),
        Contender::ours("foundation, future", None, futures(ours::intensity()))
            .note("polled once, with a waker that does nothing"),
        Contender::ours("foundation, in a row", None, timed_calls(ours::in_a_row())),
        Contender::ours("foundation, count window", None, timed_calls(ours::count_window())),
        Contender::ours("foundation, time window", None, timed_calls(ours::time_window())),
        Contender::ours("foundation, observed", None, timed_calls(ours::observed()))
            .note("the observer takes every event and does nothing with it"),
        Contender::ours("floor: one atomic load", None, atomic_load()).note("what no breaker can do without"),
        Contender::peer("recloser", timed(RUN, move |_, _| assert!(black_box(&recloser.call(operation)).is_ok()))),
        Contender::peer("failsafe", timed(RUN, move |_, _| assert!(black_box(&failsafe.call(operation)).is_ok()))),
        Drivers::closed(threads).contender(Result::is_ok),
    ]
}

/// Two threads that call through one breaker, and one that does so alone.
pub(crate) fn scaling() -> Vec<Contender<'static>> {
    let alone = timed_calls(ours::intensity());
    let alone: Work<'static> =
        Box::new(move |thread, cursor| if thread == 0 { alone(thread, cursor) } else { Sample::default() });
    vec![
        Contender::ours("foundation", SCALING, timed_calls(ours::intensity())),
        Contender::peer("foundation, 1 thread", alone).note("the other thread looks at the clock meanwhile"),
    ]
}

fn timed_calls(breaker: CircuitBreaker) -> Work<'static> {
    timed(RUN, move |_, _| call(&breaker))
}

#[inline]
pub(crate) fn call(breaker: &CircuitBreaker) {
    assert!(black_box(&breaker.call(operation)).is_ok());
}

fn permits(breaker: CircuitBreaker) -> Work<'static> {
    timed(RUN, move |_, _| {
        let Ok(permit) = breaker.try_acquire() else { panic!("the circuit is closed") };
        assert!(black_box(&operation()).is_ok());
        permit.success();
    })
}

fn futures(breaker: CircuitBreaker) -> Work<'static> {
    timed(RUN, move |_, _| {
        let call = pin!(breaker.call_async(|| ready(operation())));
        let Poll::Ready(result) = call.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the operation is over at once");
        };
        assert!(black_box(&result).is_ok());
    })
}

fn atomic_load() -> Work<'static> {
    let word = AtomicU64::new(1);
    timed(RUN, move |_, _| assert!(*black_box(&word.load(Ordering::Acquire)) == 1))
}
