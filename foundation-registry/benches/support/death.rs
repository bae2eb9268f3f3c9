//! The death of an owner that holds names, beside as many removals from a raw map.

use std::time::{Duration, Instant};

use foundation_registry::{Registry, RegistryKey};
use foundation_types::{Owner, Pid};

use super::fleet::{Fleet, key, register};
use super::maps::RawMap;
use crate::bench::measure::{Contender, Sample, Work};

/// Names that a thread uses up in one sample, by one owner or by several.
const NAMES: usize = 400;

/// Names for owners that will die, some for each thread.
pub(crate) struct Mortals {
    keys: Vec<Vec<RegistryKey>>,
    names_of_each: usize,
    /// Who holds the names in the raw maps.
    heirs: Vec<Owner>,
}

impl Mortals {
    pub(crate) fn new(threads: usize, names_of_each: usize) -> Self {
        let keys = |thread| (0..NAMES).map(|number| key("mortal", thread * NAMES + number)).collect();
        Self {
            keys: (0..threads).map(keys).collect(),
            names_of_each,
            heirs: (0..threads).map(|_| Owner::new()).collect(),
        }
    }
}

/// The registry and the raw maps; an operation is one name.
pub(crate) fn contenders<'a>(fleet: &'a Fleet, mortals: &'a Mortals) -> Vec<Contender<'a>> {
    vec![
        Contender::ours("foundation", None, ours(&fleet.registry, mortals)),
        peer(&fleet.papaya, mortals),
        peer(&fleet.scc_map, mortals),
        peer(&fleet.scc_index, mortals),
        peer(&fleet.dash, mortals),
        peer(&fleet.locked, mortals),
    ]
}

fn ours<'a>(registry: &'a Registry, mortals: &'a Mortals) -> Work<'a> {
    Box::new(|thread, _| {
        let keys = &mortals.keys[thread];
        let hold = |keys: &[RegistryKey]| {
            let owner = Owner::new();
            for key in keys {
                register(registry, key, &owner.pid());
            }
            owner
        };
        let owners: Vec<Owner> = keys.chunks(mortals.names_of_each).map(hold).collect();
        let time = time(|| drop(owners));
        let RegistryKey { namespace, name } = &keys[0];
        assert!(registry.lookup(namespace, name).is_err());
        Sample { operations: NAMES as u64, time }
    })
}

fn peer<'a, M: RawMap>(map: &'a M, mortals: &'a Mortals) -> Contender<'a> {
    let work: Work<'a> = Box::new(|thread, _| {
        let keys = &mortals.keys[thread];
        let pid: Pid = mortals.heirs[thread].pid();
        for key in keys {
            map.insert(key.clone(), pid.clone());
        }
        let time = time(|| keys.iter().for_each(|key| map.remove(key)));
        Sample { operations: NAMES as u64, time }
    });
    Contender::peer(M::NAME, work)
}

fn time(act: impl FnOnce()) -> Duration {
    let start = Instant::now();
    act();
    start.elapsed()
}
