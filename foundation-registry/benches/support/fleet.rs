//! Registries and raw maps with the same population.

use foundation_registry::{Registry, RegistryKey};
use foundation_types::{Metadata, Namespace, Owner, Pid, ServiceName};

use super::maps::{Dash, Locked, Papaya, RawMap, SccIndex, SccMap};
use crate::bench::order::shuffle;

/// A registry and its raw peers, each holding the same names for the same owners, of which each holds one.
pub(crate) struct Fleet {
    pub(crate) registry: Registry,
    pub(crate) papaya: Papaya,
    pub(crate) scc_map: SccMap,
    pub(crate) scc_index: SccIndex,
    pub(crate) dash: Dash,
    pub(crate) locked: Locked,
    /// All names, in the random order in which they are looked up.
    pub(crate) keys: Vec<RegistryKey>,
    _owners: Vec<Owner>,
}

impl Fleet {
    pub(crate) fn new(size: usize) -> Self {
        let owners: Vec<Owner> = (0..size).map(|_| Owner::new()).collect();
        let names: Vec<RegistryKey> = (0..size).map(|number| key("service", number)).collect();
        let registry = Registry::new();
        for (key, owner) in names.iter().zip(&owners) {
            register(&registry, key, &owner.pid());
        }
        let mut keys = names.clone();
        shuffle(&mut keys);
        Self {
            registry,
            papaya: populated(&names, &owners),
            scc_map: populated(&names, &owners),
            scc_index: populated(&names, &owners),
            dash: populated(&names, &owners),
            locked: populated(&names, &owners),
            keys,
            _owners: owners,
        }
    }
}

fn populated<M: RawMap>(keys: &[RegistryKey], owners: &[Owner]) -> M {
    let map = M::default();
    for (key, owner) in keys.iter().zip(owners) {
        map.insert(key.clone(), owner.pid());
    }
    map
}

/// A key in the namespace of the running system.
pub(crate) fn key(prefix: &str, number: usize) -> RegistryKey {
    RegistryKey::new(Namespace::Production, name(prefix, number))
}

pub(crate) fn name(prefix: &str, number: usize) -> ServiceName {
    ServiceName::new(format!("{prefix}-{number:07}")).expect("letters, a hyphen and digits are a name")
}

pub(crate) fn register(registry: &Registry, key: &RegistryKey, pid: &Pid) {
    registry
        .register(&key.namespace, &key.name, pid, Metadata::new())
        .expect("the name is free, the owner alive and the registry open");
}
