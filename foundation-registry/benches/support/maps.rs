//! The concurrent maps that a registry could be made of, behind one face.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use foundation_registry::RegistryKey;
use foundation_types::Pid;
use parking_lot::RwLock;

/// A map of names to pids, with the hash function that the registry uses.
pub(crate) trait RawMap: Sync + Default {
    const NAME: &'static str;

    fn get<R>(&self, key: &RegistryKey, read: impl FnOnce(&Pid) -> R) -> Option<R>;
    fn insert(&self, key: RegistryKey, pid: Pid);
    fn remove(&self, key: &RegistryKey);
}

#[derive(Default)]
pub(crate) struct Papaya(papaya::HashMap<RegistryKey, Pid, RandomState>);

impl RawMap for Papaya {
    const NAME: &'static str = "papaya";

    fn get<R>(&self, key: &RegistryKey, read: impl FnOnce(&Pid) -> R) -> Option<R> {
        self.0.pin().get(key).map(read)
    }

    fn insert(&self, key: RegistryKey, pid: Pid) {
        self.0.pin().insert(key, pid);
    }

    fn remove(&self, key: &RegistryKey) {
        self.0.pin().remove(key);
    }
}

#[derive(Default)]
pub(crate) struct SccMap(scc::HashMap<RegistryKey, Pid, RandomState>);

impl RawMap for SccMap {
    const NAME: &'static str = "scc::HashMap";

    fn get<R>(&self, key: &RegistryKey, read: impl FnOnce(&Pid) -> R) -> Option<R> {
        self.0.read_sync(key, |_, pid| read(pid))
    }

    fn insert(&self, key: RegistryKey, pid: Pid) {
        let _ = self.0.insert_sync(key, pid);
    }

    fn remove(&self, key: &RegistryKey) {
        self.0.remove_sync(key);
    }
}

#[derive(Default)]
pub(crate) struct SccIndex(scc::HashIndex<RegistryKey, Pid, RandomState>);

impl RawMap for SccIndex {
    const NAME: &'static str = "scc::HashIndex";

    fn get<R>(&self, key: &RegistryKey, read: impl FnOnce(&Pid) -> R) -> Option<R> {
        self.0.peek_with(key, |_, pid| read(pid))
    }

    fn insert(&self, key: RegistryKey, pid: Pid) {
        let _ = self.0.insert_sync(key, pid);
    }

    fn remove(&self, key: &RegistryKey) {
        self.0.remove_sync(key);
    }
}

#[derive(Default)]
pub(crate) struct Dash(dashmap::DashMap<RegistryKey, Pid, RandomState>);

impl RawMap for Dash {
    const NAME: &'static str = "dashmap";

    fn get<R>(&self, key: &RegistryKey, read: impl FnOnce(&Pid) -> R) -> Option<R> {
        self.0.get(key).map(|pid| read(&pid))
    }

    fn insert(&self, key: RegistryKey, pid: Pid) {
        self.0.insert(key, pid);
    }

    fn remove(&self, key: &RegistryKey) {
        self.0.remove(key);
    }
}

#[derive(Default)]
pub(crate) struct Locked(RwLock<HashMap<RegistryKey, Pid, RandomState>>);

impl RawMap for Locked {
    const NAME: &'static str = "RwLock<HashMap>";

    fn get<R>(&self, key: &RegistryKey, read: impl FnOnce(&Pid) -> R) -> Option<R> {
        self.0.read().get(key).map(read)
    }

    fn insert(&self, key: RegistryKey, pid: Pid) {
        self.0.write().insert(key, pid);
    }

    fn remove(&self, key: &RegistryKey) {
        // The guard is gone before what was removed is dropped.
        let removed = self.0.write().remove(key);
        drop(removed);
    }
}
