//! Loops whose instructions are counted.

use std::hint::black_box;

use crate::bench::command::Loop;
use crate::contenders::{Bulkheads, Pools, now};

const ITERATIONS: usize = 1_000;

pub(crate) const LOOPS: [Loop; 5] = [
    counted("checkout+return", "*counted_checkout*", || counted_checkout(&Pools::of(4))),
    counted("deadpool get+return", "*counted_deadpool*", || counted_deadpool(&Pools::of(4))),
    counted("acquire+release", "*counted_acquire*", || counted_acquire(&Bulkheads::of(4))),
    counted("acquire+release, owned", "*counted_owned*", || counted_owned(&Bulkheads::of(4))),
    counted("tokio Semaphore", "*counted_semaphore*", || counted_semaphore(&Bulkheads::of(4))),
];

const fn counted(name: &'static str, pattern: &'static str, run: fn()) -> Loop {
    Loop { name, pattern, iterations: ITERATIONS, run }
}

#[inline(never)]
fn counted_checkout(pools: &Pools) {
    for _ in 0..ITERATIONS {
        assert!(black_box(pools.ours.try_checkout()).is_ok());
    }
}

#[inline(never)]
fn counted_deadpool(pools: &Pools) {
    for _ in 0..ITERATIONS {
        assert!(black_box(now(pools.deadpool.get())).is_ok());
    }
}

#[inline(never)]
fn counted_acquire(bulkheads: &Bulkheads) {
    for _ in 0..ITERATIONS {
        assert!(black_box(bulkheads.ours.try_acquire()).is_ok());
    }
}

#[inline(never)]
fn counted_owned(bulkheads: &Bulkheads) {
    for _ in 0..ITERATIONS {
        assert!(black_box(bulkheads.ours.try_acquire()).is_ok_and(|permit| {
            drop(black_box(permit.into_owned()));
            true
        }));
    }
}

#[inline(never)]
fn counted_semaphore(bulkheads: &Bulkheads) {
    for _ in 0..ITERATIONS {
        assert!(black_box(bulkheads.tokio.try_acquire()).is_ok());
    }
}
