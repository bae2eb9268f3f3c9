//! Loops whose instructions are counted.

use std::hint::black_box;

use crate::bench::command::Loop;
use crate::contenders::Keyed;

const ITERATIONS: usize = 1_000;
const KEYS: usize = 100;

pub(crate) const LOOPS: [Loop; 4] = [
    counted("hit, fixed window", "*counted_fixed*", || counted_fixed(&Keyed::open(KEYS))),
    counted("hit, token bucket", "*counted_bucket*", || counted_bucket(&Keyed::open(KEYS))),
    counted("denial, fixed window", "*counted_denial*", || counted_denial(&Keyed::closed(KEYS))),
    counted("hit, governor", "*counted_governor*", || counted_governor(&Keyed::open(KEYS))),
];

const fn counted(name: &'static str, pattern: &'static str, run: fn()) -> Loop {
    Loop { name, pattern, iterations: ITERATIONS, run }
}

#[inline(never)]
fn counted_fixed(keyed: &Keyed) {
    for key in keyed.keys.iter().cycle().take(ITERATIONS) {
        assert!(black_box(keyed.fixed.check(key.as_str(), keyed.quota)).is_allowed());
    }
}

#[inline(never)]
fn counted_bucket(keyed: &Keyed) {
    for key in keyed.keys.iter().cycle().take(ITERATIONS) {
        assert!(black_box(keyed.bucket.check(key.as_str(), keyed.slow)).is_allowed());
    }
}

#[inline(never)]
fn counted_denial(keyed: &Keyed) {
    for key in keyed.keys.iter().cycle().take(ITERATIONS) {
        assert!(!black_box(keyed.fixed.check(key.as_str(), keyed.quota)).is_allowed());
    }
}

#[inline(never)]
fn counted_governor(keyed: &Keyed) {
    for key in keyed.keys.iter().cycle().take(ITERATIONS) {
        assert!(black_box(keyed.dashmap.check_key(key)).is_ok());
    }
}
