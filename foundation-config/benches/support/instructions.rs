//! Loops whose instructions are counted.

use foundation_config::{Reader, Store};

use super::typed::look;
use super::{SIZE, Settings, store};
use crate::bench::command::Loop;

const ITERATIONS: usize = 1_000;

pub(crate) const LOOPS: [Loop; 4] = [
    counted("typed read, kept handle", "*counted_reads*", || counted_reads(&mut store().reader())),
    counted("typed read, handle of the moment", "*counted_loads*", || counted_loads(&store())),
    counted("read by path", "*counted_paths*", || counted_paths(&store())),
    counted("update", "*counted_updates*", || counted_updates(&store())),
];

const fn counted(name: &'static str, pattern: &'static str, run: fn()) -> Loop {
    Loop { name, pattern, iterations: ITERATIONS, run }
}

#[inline(never)]
fn counted_reads(reader: &mut Reader<Settings>) {
    for _ in 0..ITERATIONS {
        look(reader.load().server.pool.size);
    }
}

#[inline(never)]
fn counted_loads(store: &Store<Settings>) {
    for _ in 0..ITERATIONS {
        look(store.load().server.pool.size);
    }
}

#[inline(never)]
fn counted_paths(store: &Store<Settings>) {
    for _ in 0..ITERATIONS {
        look(store.get(SIZE).expect("it is set"));
    }
}

#[inline(never)]
fn counted_updates(store: &Store<Settings>) {
    for number in 0..ITERATIONS {
        let size = u32::try_from(1 + number % 16).expect("at most 16");
        store.update(SIZE, size).map(drop).expect("any size is valid");
    }
}
