//! A back-end of independent partitions, each behind one lock.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::available_parallelism;

use crossbeam_utils::CachePadded;
use foldhash::fast::RandomState;
use foundation_types::{Generation, Metadata, Namespace, OwnerId};
use hashbrown::{HashMap, HashTable};
use parking_lot::RwLock;

use super::rooms::{Rooms, estimated_bytes};
use super::{Backend, BackendHealth, BackendInfo, ClaimError, Claimed, Replaced};
use crate::entry::{EntryKind, SameOwner, StoredEntry};
use crate::error::BackendError;
use crate::key::KeyRef;
use crate::table::Node;

/// Partitions with a store, an owner table and a lock of their own, so that removing the entries of an owner touches only
/// what the owner holds.
///
/// For programs that lean on [`Backend::release_owner`] without a registry above, and the second opinion that the default
/// back-end is tested against. Reads take a shared lock.
pub struct Partitioned(Box<[CachePadded<RwLock<Partition>>]>);

struct Partition {
    entries: HashTable<Arc<StoredEntry>>,
    owners: HashMap<OwnerId, Held, RandomState>,
    rooms: Rooms,
}

/// The entries of one owner.
type Held = HashMap<Generation, Arc<StoredEntry>, RandomState>;

impl Partitioned {
    /// With as many partitions.
    pub fn with_partitions(partitions: NonZeroUsize) -> Self {
        Self((0..partitions.get()).map(|_| CachePadded::new(RwLock::new(Partition::new()))).collect())
    }

    fn partition(&self, hash: u64) -> &RwLock<Partition> {
        // The hash table inside uses the top seven and the low bits.
        let index = (hash >> 16) % u64::try_from(self.0.len()).expect("fewer partitions than addresses");
        &self.0[usize::try_from(index).expect("an index below the number of partitions")]
    }
}

impl Default for Partitioned {
    /// One partition for each core.
    fn default() -> Self {
        Self::with_partitions(available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }
}

impl Partition {
    fn new() -> Self {
        Self { entries: HashTable::new(), owners: HashMap::with_hasher(RandomState::default()), rooms: Rooms::new() }
    }

    fn get(&self, key: KeyRef<'_>) -> Option<&Arc<StoredEntry>> {
        self.entries.find(key.hash(), |entry| entry.is(key))
    }

    fn insert(&mut self, entry: Arc<StoredEntry>) {
        self.rooms.insert(Arc::clone(&entry));
        self.owners.entry(entry.pid().id()).or_default().insert(entry.generation(), Arc::clone(&entry));
        self.entries.insert_unique(entry.hash(), entry, |entry| entry.hash());
    }

    fn remove(&mut self, entry: &Arc<StoredEntry>) {
        if let Ok(found) = self.entries.find_entry(entry.hash(), |there| Arc::ptr_eq(there, entry)) {
            found.remove();
        }
        if self.entries.len() * 8 < self.entries.capacity() {
            let len = self.entries.len();
            self.entries.shrink_to(2 * len, |entry| entry.hash());
        }
        self.rooms.remove(entry);
        let owner = entry.pid().id();
        if let Some(held) = self.owners.get_mut(&owner) {
            held.remove(&entry.generation());
            if held.is_empty() {
                self.owners.remove(&owner);
                self.owners.shrink_to(2 * self.owners.len());
            }
        }
    }
}

impl Backend for Partitioned {
    fn claim(&self, entry: Arc<StoredEntry>, same_owner: SameOwner) -> Result<Claimed, ClaimError> {
        let mut partition = self.partition(entry.hash()).write();
        let holder = partition.get(entry.key_ref()).cloned();
        if let Some(holder) = holder.as_ref().filter(|holder| holder.is_alive()) {
            drop(partition);
            return super::claim_held(Arc::clone(holder), &entry, same_owner);
        }
        if !entry.is_alive() {
            return Err(ClaimError::DeadOwner);
        }
        if let Some(dead) = &holder {
            partition.remove(dead);
        }
        partition.insert(entry);
        Ok(Claimed::New { displaced: holder })
    }

    fn get(&self, key: KeyRef<'_>) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        let entry = self.partition(key.hash()).read().get(key).cloned();
        Ok(entry.filter(|entry| entry.is_alive()))
    }

    fn replace(
        &self,
        key: KeyRef<'_>,
        expect: Option<Generation>,
        metadata: Arc<Metadata>,
    ) -> Result<Replaced, BackendError> {
        Ok(super::replace_in_place(self.get(key)?, expect, metadata))
    }

    fn release(&self, key: KeyRef<'_>, expect: Option<Generation>) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        let mut partition = self.partition(key.hash()).write();
        let entry = partition.get(key).cloned();
        let entry = entry.filter(|entry| expect.is_none_or(|generation| generation == entry.generation()));
        if let Some(entry) = &entry {
            partition.remove(entry);
        }
        Ok(entry)
    }

    fn release_owner(&self, owner: OwnerId) -> Result<Vec<Arc<StoredEntry>>, BackendError> {
        let mut released = Vec::new();
        for partition in &self.0 {
            if !partition.read().owners.contains_key(&owner) {
                continue;
            }
            let mut partition = partition.write();
            let held = partition.owners.remove(&owner).unwrap_or_default();
            for entry in held.values() {
                partition.remove(entry);
            }
            released.extend(held.into_values());
        }
        Ok(released)
    }

    fn sweep(&self) -> Result<Vec<Arc<StoredEntry>>, BackendError> {
        let mut released = Vec::new();
        for partition in &self.0 {
            let mut partition = partition.write();
            let dead: Vec<_> = partition.entries.iter().filter(|entry| !entry.is_alive()).cloned().collect();
            for entry in &dead {
                partition.remove(entry);
            }
            released.extend(dead);
        }
        Ok(released)
    }

    fn for_each(
        &self,
        namespace: Option<&Namespace>,
        kind: EntryKind,
        visit: &mut dyn FnMut(Arc<StoredEntry>) -> ControlFlow<()>,
    ) -> Result<(), BackendError> {
        let rooms = self.0.iter().map(|partition| parking_lot::RwLockReadGuard::map(partition.read(), |p| &p.rooms));
        super::for_each_in(rooms, namespace, kind, visit);
        Ok(())
    }

    fn count(&self, namespace: &Namespace, kind: EntryKind) -> Result<usize, BackendError> {
        Ok(self.0.iter().map(|partition| super::live_in(partition.read().rooms.of(namespace, kind))).sum())
    }

    fn health(&self) -> Result<BackendHealth, BackendError> {
        let rooms = self.0.iter().map(|partition| parking_lot::RwLockReadGuard::map(partition.read(), |p| &p.rooms));
        Ok(super::health_of(rooms, estimated_bytes))
    }

    fn info(&self) -> BackendInfo {
        BackendInfo::in_process("partitioned", self.0.iter().map(|partition| partition.read().entries.len()).collect())
    }
}
