//! Loops whose instructions are counted.

use std::hint::black_box;

use foundation_registry::RegistryKey;
use foundation_types::{Owner, Pid};

use super::capability::{Agents, SHARING, Which};
use super::churn::{self, Newcomers};
use super::fleet::{Fleet, key, register};
use super::maps::RawMap;
use crate::bench::command::Loop;

const ENTRIES: usize = 1_000;
const ITERATIONS: usize = 1_000;

pub(crate) const LOOPS: [Loop; 9] = [
    counted("lookup, id read", "*counted_with*", || counted_with(&Fleet::new(ENTRIES))),
    counted("lookup, pid cloned", "*counted_lookup*", || counted_lookup(&Fleet::new(ENTRIES))),
    counted("papaya get", "*counted_papaya*", || counted_papaya(&Fleet::new(ENTRIES))),
    counted("scc peek", "*counted_scc*", || counted_scc(&Fleet::new(ENTRIES))),
    counted("RwLock<HashMap> get", "*counted_rwlock*", || counted_rwlock(&Fleet::new(ENTRIES))),
    counted("register+unregister", "*counted_churn*", || counted_churn(&Fleet::new(ENTRIES), &Newcomers::new(1))),
    counted("dashmap insert+remove", "*counted_insert_remove*", || {
        counted_insert_remove(&Fleet::new(ENTRIES), &Newcomers::new(1));
    }),
    counted("owner death, a name", "*instructions::die*", || death(&Fleet::new(ENTRIES))),
    counted("capability query", "*counted_query*", || counted_query(&Agents::new(ENTRIES))),
];

const fn counted(name: &'static str, pattern: &'static str, run: fn()) -> Loop {
    Loop { name, pattern, iterations: ITERATIONS, run }
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
