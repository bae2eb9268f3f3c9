//! Registering a name and giving it up again.

use foundation_registry::{Registry, RegistryKey};
use foundation_types::{Metadata, Owner, Pid};

use super::fleet::{Fleet, key};
use super::maps::RawMap;
use crate::bench::measure::{Contender, Work, timed};

/// At most so many times the fastest raw map's insert and remove.
const TARGET: f64 = 2.5;
const RUN: usize = 64;
/// Names that a thread claims and gives up in turn.
const NAMES: usize = 4096;

/// What each thread registers: names of its own, for an owner of its own.
pub(crate) struct Newcomers {
    keys: Vec<Vec<RegistryKey>>,
    _owners: Vec<Owner>,
    pids: Vec<Pid>,
}

impl Newcomers {
    pub(crate) fn new(threads: usize) -> Self {
        let owners: Vec<Owner> = (0..threads).map(|_| Owner::new()).collect();
        let keys = |thread| (0..NAMES).map(|number| key("newcomer", thread * NAMES + number)).collect();
        Self { keys: (0..threads).map(keys).collect(), pids: owners.iter().map(Owner::pid).collect(), _owners: owners }
    }

    fn get(&self, thread: usize, number: usize) -> (&RegistryKey, &Pid) {
        (&self.keys[thread][number % NAMES], &self.pids[thread])
    }
}

/// The registry and the raw maps.
pub(crate) fn contenders<'a>(fleet: &'a Fleet, newcomers: &'a Newcomers) -> Vec<Contender<'a>> {
    vec![
        Contender::ours("foundation", TARGET, ours(&fleet.registry, newcomers)),
        peer(&fleet.papaya, newcomers),
        peer(&fleet.scc_map, newcomers),
        peer(&fleet.scc_index, newcomers),
        peer(&fleet.dash, newcomers),
        peer(&fleet.locked, newcomers),
    ]
}

fn ours<'a>(registry: &'a Registry, newcomers: &'a Newcomers) -> Work<'a> {
    timed(RUN, |thread, number| register_unregister(registry, newcomers, thread, number))
}

fn peer<'a, M: RawMap>(map: &'a M, newcomers: &'a Newcomers) -> Contender<'a> {
    Contender::peer(M::NAME, timed(RUN, |thread, number| insert_remove(map, newcomers, thread, number)))
}

/// One pair of calls of thread number `thread`.
pub(crate) fn register_unregister(registry: &Registry, newcomers: &Newcomers, thread: usize, number: usize) {
    let (RegistryKey { namespace, name }, pid) = newcomers.get(thread, number);
    let registered = registry.register(namespace, name, pid, Metadata::new());
    assert!(registered.is_ok());
    drop(registered);
    assert_eq!(registry.unregister(namespace, name), Ok(true));
}

/// What a raw map does in the place of [`register_unregister`].
pub(crate) fn insert_remove<M: RawMap>(map: &M, newcomers: &Newcomers, thread: usize, number: usize) {
    let (key, pid) = newcomers.get(thread, number);
    map.insert(key.clone(), pid.clone());
    map.remove(key);
}
