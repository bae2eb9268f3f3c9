//! Loops whose instructions are counted.

use std::hint::black_box;

use failsafe::CircuitBreaker as _;
use foundation_breaker::CircuitBreaker;
use recloser::Recloser;

use super::peers::{self, Failsafe, operation};
use super::set::Hosts;
use super::{closed, ours, refusal};
use crate::bench::command::Loop;

const ITERATIONS: usize = 1_000;
const HOSTS: usize = 1_000;

pub(crate) const LOOPS: [Loop; 5] = [
    counted("call, closed", "*counted_call*", || counted_call(&ours::intensity())),
    counted("refusal", "*counted_refusal*", || counted_refusal(&ours::open())),
    counted("look up and call", "*counted_set*", || counted_set(&Hosts::new(HOSTS))),
    counted("recloser, closed", "*counted_recloser*", || counted_recloser(&peers::recloser())),
    counted("failsafe, closed", "*counted_failsafe*", || counted_failsafe(&peers::failsafe())),
];

const fn counted(name: &'static str, pattern: &'static str, run: fn()) -> Loop {
    Loop { name, pattern, iterations: ITERATIONS, run }
}

#[inline(never)]
fn counted_call(breaker: &CircuitBreaker) {
    for _ in 0..ITERATIONS {
        closed::call(breaker);
    }
}

#[inline(never)]
fn counted_refusal(breaker: &CircuitBreaker) {
    for _ in 0..ITERATIONS {
        refusal::refuse(breaker);
    }
}

#[inline(never)]
fn counted_set(hosts: &Hosts) {
    for number in 0..ITERATIONS {
        hosts.look_up_and_call(hosts.name(number));
    }
}

#[inline(never)]
fn counted_recloser(recloser: &Recloser) {
    for _ in 0..ITERATIONS {
        assert!(black_box(&recloser.call(operation)).is_ok());
    }
}

#[inline(never)]
fn counted_failsafe(failsafe: &Failsafe) {
    for _ in 0..ITERATIONS {
        assert!(black_box(&failsafe.call(operation)).is_ok());
    }
}
