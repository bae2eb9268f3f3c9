//! The default back-end: lock-free reads, writers of one shard in turn.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::available_parallelism;

use crossbeam_utils::CachePadded;
use foundation_types::liveness::no_death_in_progress;
use foundation_types::{Generation, Metadata, Namespace, OwnerId, ServiceName};
use crate::sync::Mutex;

use super::rooms::{Rooms, estimated_bytes};
use super::{Backend, BackendHealth, BackendInfo, ClaimError, Claimed, Replaced};
use crate::entry::{EntryKind, SameOwner, StoredEntry};
use crate::error::BackendError;
use crate::key::{RegistryKey, hash_key};
use crate::table::{Pin, Table, pin};

/// The fewest shards by default: growth stalls one shard only, so more of them make each stall smaller.
const MIN_SHARDS: usize = if cfg!(loom) { 2 } else { 64 };

/// A concurrent hash table in this process, the default.
///
/// Reads take no lock and write to no shared memory. Writers lock one shard, chosen by the hash of the key. Removing all
/// entries of an owner or of the dead ([`Backend::release_owner`], [`Backend::sweep`]) walks the whole table; a
/// [`Registry`](crate::Registry) needs neither.
pub struct Sharded {
    table: Table<StoredEntry>,
    /// The entries of each shard by namespace. Locked before the shard of the table with the same number.
    rooms: Box<[CachePadded<Mutex<Rooms>>]>,
}

impl Sharded {
    /// With as many shards, rounded up to a power of two, at least 2.
    pub fn with_partitions(partitions: NonZeroUsize) -> Self {
        let table = Table::new(partitions.get());
        let rooms = (0..table.shard_count()).map(|_| CachePadded::new(Mutex::new(Rooms::new()))).collect();
        Self { table, rooms }
    }

    /// The live entry of a key, for as long as the pin lasts.
    ///
    /// The owner's liveness is another cache miss, so it is looked at only while some death in the process is under way:
    /// otherwise an entry that is in the table belongs to a live owner, as the registry removes it in an exit hook. A
    /// back-end used alone has no such hook, hence `hooked`.
    #[inline]
    pub(crate) fn peek<'p>(
        &self,
        pin: &'p Pin,
        namespace: &Namespace,
        name: &ServiceName,
        hooked: Hooked,
    ) -> Option<&'p StoredEntry> {
        // Before the table is read: see `no_death_in_progress`.
        let settled = matches!(hooked, Hooked::Yes) && no_death_in_progress();
        let hash = hash_key(namespace, name);
        let entry = self.table.get(pin, hash, |entry| entry.is(namespace, name))?;
        (settled || entry.is_alive()).then_some(entry)
    }
}

/// Whether every entry is removed by an exit hook of its owner.
#[derive(Clone, Copy)]
pub(crate) enum Hooked {
    Yes,
    No,
}

impl Default for Sharded {
    /// Four shards for each core, at least 64.
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        let shards = NonZeroUsize::new(if cfg!(loom) { MIN_SHARDS } else { (4 * cores).max(MIN_SHARDS) }).expect("at least the minimum");
        Self::with_partitions(shards)
    }
}

impl Backend for Sharded {
    fn claim(&self, entry: Arc<StoredEntry>, same_owner: SameOwner) -> Result<Claimed, ClaimError> {
        let hash = entry_hash(&entry);
        let shard = self.table.shard_of(hash);
        let is_key = |there: &StoredEntry| there.key() == entry.key();
        let mut rooms = self.rooms[shard].lock();
        let mut table = self.table.write(shard);
        if let Some(holder) = table.get(hash, is_key)
            && holder.is_alive()
        {
            drop(table);
            drop(rooms);
            return super::claim_held(holder, &entry, same_owner);
        }
        if !entry.is_alive() {
            return Err(ClaimError::DeadOwner);
        }
        let displaced = table.put(Arc::clone(&entry), is_key);
        if let Some(displaced) = &displaced {
            rooms.remove(displaced);
        }
        rooms.insert(entry);
        Ok(Claimed::New { displaced })
    }

    fn get(&self, namespace: &Namespace, name: &ServiceName) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        let hash = hash_key(namespace, name);
        let entry = self.table.get_shared(&pin(), hash, |entry| entry.is(namespace, name));
        Ok(entry.filter(|entry| entry.is_alive()))
    }

    fn read(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        read: &mut dyn FnMut(&StoredEntry),
    ) -> Result<bool, BackendError> {
        let pin = pin();
        let entry = self.peek(&pin, namespace, name, Hooked::No);
        if let Some(entry) = entry {
            read(entry);
        }
        Ok(entry.is_some())
    }

    fn replace(
        &self,
        key: &RegistryKey,
        expect: Option<Generation>,
        metadata: Arc<Metadata>,
    ) -> Result<Replaced, BackendError> {
        // The entry refuses new metadata once it is withdrawn, so no lock of the table is needed.
        Ok(super::replace_in_place(self.get(&key.namespace, &key.name)?, expect, metadata))
    }

    fn release(&self, key: &RegistryKey, expect: Option<Generation>) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        let hash = hash_key(&key.namespace, &key.name);
        let shard = self.table.shard_of(hash);
        let mut rooms = self.rooms[shard].lock();
        let mut table = self.table.write(shard);
        let expected = |there: &StoredEntry| {
            there.key() == key && expect.is_none_or(|generation| generation == there.generation())
        };
        let released = table.remove(hash, expected);
        if let Some(entry) = &released {
            rooms.remove(entry);
        }
        Ok(released)
    }

    fn release_owner(&self, owner: OwnerId) -> Result<Vec<Arc<StoredEntry>>, BackendError> {
        Ok(self.release_all(|entry| entry.pid().id() == owner))
    }

    fn sweep(&self) -> Result<Vec<Arc<StoredEntry>>, BackendError> {
        Ok(self.release_all(|entry| !entry.is_alive()))
    }

    fn for_each(
        &self,
        namespace: Option<&Namespace>,
        kind: EntryKind,
        visit: &mut dyn FnMut(Arc<StoredEntry>) -> ControlFlow<()>,
    ) -> Result<(), BackendError> {
        super::for_each_in(self.rooms.iter().map(|rooms| rooms.lock()), namespace, kind, visit);
        Ok(())
    }

    fn count(&self, namespace: &Namespace, kind: EntryKind) -> Result<usize, BackendError> {
        Ok(self.rooms.iter().map(|rooms| super::live_in(rooms.lock().of(namespace, kind))).sum())
    }

    fn health(&self) -> Result<BackendHealth, BackendError> {
        Ok(super::health_of(self.rooms.iter().map(|rooms| rooms.lock()), estimated_bytes))
    }

    fn info(&self) -> BackendInfo {
        BackendInfo::in_process("sharded", self.rooms.iter().map(|rooms| rooms.lock().len()).collect())
    }
}

impl Sharded {
    fn release_all(&self, which: impl Fn(&StoredEntry) -> bool) -> Vec<Arc<StoredEntry>> {
        let mut released = Vec::new();
        for (shard, rooms) in self.rooms.iter().enumerate() {
            let mut rooms = rooms.lock();
            let start = released.len();
            released.extend(rooms.iter().filter(|entry| which(entry)).cloned());
            let mut table = self.table.write(shard);
            for entry in &released[start..] {
                table.remove(entry_hash(entry), |there| std::ptr::eq(there, &raw const **entry));
                rooms.remove(entry);
            }
        }
        released
    }
}

fn entry_hash(entry: &StoredEntry) -> u64 {
    crate::table::Node::hash(entry)
}
