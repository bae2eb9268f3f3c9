//! Loops whose instructions are counted: the same number in every run, on whatever machine.

use std::hint::black_box;

use foundation_registry::RegistryKey;
use foundation_types::{Owner, Pid};

use super::capability::{Agents, SHARING, Which};
use super::churn::{self, Newcomers};
use super::fleet::{Fleet, key, register};
use super::maps::RawMap;

const ENTRIES: usize = 1_000;
const ITERATIONS: usize = 1_000;

/// A loop, a pattern for the name of the function it is in, and how to run it.
struct Loop {
    name: &'static str,
    pattern: &'static str,
    run: fn(),
}

const LOOPS: [Loop; 9] = [
    Loop { name: "lookup, id read", pattern: "*counted_with*", run: || counted_with(&Fleet::new(ENTRIES)) },
    Loop { name: "lookup, pid cloned", pattern: "*counted_lookup*", run: || counted_lookup(&Fleet::new(ENTRIES)) },
    Loop { name: "papaya get", pattern: "*counted_papaya*", run: || counted_papaya(&Fleet::new(ENTRIES)) },
    Loop { name: "scc peek", pattern: "*counted_scc*", run: || counted_scc(&Fleet::new(ENTRIES)) },
    Loop { name: "RwLock<HashMap> get", pattern: "*counted_rwlock*", run: || counted_rwlock(&Fleet::new(ENTRIES)) },
    Loop {
        name: "register+unregister",
        pattern: "*counted_churn*",
        run: || counted_churn(&Fleet::new(ENTRIES), &Newcomers::new(1)),
    },
    Loop {
        name: "dashmap insert+remove",
        pattern: "*counted_insert_remove*",
        run: || counted_insert_remove(&Fleet::new(ENTRIES), &Newcomers::new(1)),
    },
    Loop { name: "owner death, a name", pattern: "*instructions::die*", run: || death(&Fleet::new(ENTRIES)) },
    Loop { name: "capability query", pattern: "*counted_query*", run: || counted_query(&Agents::new(ENTRIES)) },
];

/// Prints the loops: name, pattern and iterations, with tabs between.
pub(crate) fn list() {
    for Loop { name, pattern, .. } in &LOOPS {
        println!("{name}\t{pattern}\t{ITERATIONS}");
    }
}

/// Runs one loop. Returns whether there is such a one.
pub(crate) fn run(name: &str) -> bool {
    let found = LOOPS.iter().find(|candidate| candidate.name == name);
    if let Some(found) = found {
        (found.run)();
    }
    found.is_some()
}

#[inline(never)]
fn counted_with(fleet: &Fleet) {
    for RegistryKey { namespace, name } in fleet.keys.iter().cycle().take(ITERATIONS) {
        assert!(black_box(fleet.registry.with(namespace, name, |entry| entry.pid().id())).is_ok());
    }
}

#[inline(never)]
fn counted_lookup(fleet: &Fleet) {
    for RegistryKey { namespace, name } in fleet.keys.iter().cycle().take(ITERATIONS) {
        assert!(black_box(fleet.registry.lookup(namespace, name)).is_ok());
    }
}

fn get_all(map: &impl RawMap, keys: &[RegistryKey]) {
    for key in keys.iter().cycle().take(ITERATIONS) {
        assert!(black_box(map.get(key, Pid::id)).is_some());
    }
}

#[inline(never)]
fn counted_papaya(fleet: &Fleet) {
    get_all(&fleet.papaya, &fleet.keys);
}

#[inline(never)]
fn counted_scc(fleet: &Fleet) {
    get_all(&fleet.scc_index, &fleet.keys);
}

#[inline(never)]
fn counted_rwlock(fleet: &Fleet) {
    get_all(&fleet.locked, &fleet.keys);
}

#[inline(never)]
fn counted_churn(fleet: &Fleet, newcomers: &Newcomers) {
    for number in 0..ITERATIONS {
        churn::register_unregister(&fleet.registry, newcomers, 0, number);
    }
}

#[inline(never)]
fn counted_insert_remove(fleet: &Fleet, newcomers: &Newcomers) {
    for number in 0..ITERATIONS {
        churn::insert_remove(&fleet.dash, newcomers, 0, number);
    }
}

fn death(fleet: &Fleet) {
    let owner = Owner::new();
    for number in 0..ITERATIONS {
        register(&fleet.registry, &key("mortal", number), &owner.pid());
    }
    die(owner);
}

#[inline(never)]
fn die(owner: Owner) {
    drop(owner);
}

#[inline(never)]
fn counted_query(agents: &Agents) {
    for number in 0..ITERATIONS {
        assert_eq!(black_box(agents.ask(Which::InTurn, number)), SHARING);
    }
}
