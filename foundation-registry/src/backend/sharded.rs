//! The default back-end: lock-free reads, writers of one shard in turn.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::available_parallelism;

use foundation_types::liveness::no_death_in_progress;
use foundation_types::{Generation, Metadata, Namespace, OwnerId};

use super::rooms::{Rooms, estimated_bytes};
use super::{Backend, BackendHealth, BackendInfo, ClaimError, Claimed, Replaced};
use crate::entry::{EntryKind, SameOwner, StoredEntry};
use crate::error::BackendError;
use crate::key::KeyRef;
use crate::table::{Pin, Table, pin};

/// The fewest shards by default: growth stalls one shard only, so more of them make each stall smaller.
const MIN_SHARDS: usize = if cfg!(loom) { 2 } else { 64 };

/// A concurrent hash table in this process, the default.
///
/// Reads take no lock and write to no shared memory. Writers lock one shard, chosen by the hash of the key. Removing all
/// entries of an owner or of the dead ([`Backend::release_owner`], [`Backend::sweep`]) walks the whole table; a
/// [`Registry`](crate::Registry) needs neither.
pub struct Sharded {
    /// With the entries of each shard by namespace, under the same lock.
    table: Table<StoredEntry, Rooms>,
}

impl Sharded {
    /// With as many shards, rounded up to a power of two, at least 2.
    pub fn with_partitions(partitions: NonZeroUsize) -> Self {
        Self { table: Table::new(partitions.get(), Rooms::new) }
    }

    /// The live entry of a key, for as long as the pin lasts.
    ///
    /// The owner's liveness is another cache miss, so it is looked at only while some death in the process is under way:
    /// otherwise an entry that is in the table belongs to a live owner, as the registry removes it in an exit hook. A
    /// back-end used alone has no such hook, hence `hooked`.
    #[inline]
    pub(crate) fn peek<'p>(&self, pin: &'p Pin, key: KeyRef<'_>, hooked: Hooked) -> Option<&'p StoredEntry> {
        // Before the table is read: see `no_death_in_progress`.
        let settled = matches!(hooked, Hooked::Yes) && no_death_in_progress();
        let entry = self.table.get(pin, key.hash(), |entry| entry.is(key))?;
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
        let shards = NonZeroUsize::new(if cfg!(loom) { MIN_SHARDS } else { (4 * cores).max(MIN_SHARDS) })
            .expect("at least the minimum");
        Self::with_partitions(shards)
    }
}

impl Backend for Sharded {
    fn claim(&self, entry: Arc<StoredEntry>, same_owner: SameOwner) -> Result<Claimed, ClaimError> {
        let key = entry.key_ref();
        let mut shard = self.table.write(key.hash());
        let holder = shard.get(key.hash(), |there| there.is(key));
        if let Some(holder) = holder.as_ref().filter(|holder| holder.is_alive()) {
            drop(shard);
            return super::claim_held(Arc::clone(holder), &entry, same_owner);
        }
        if !entry.is_alive() {
            return Err(ClaimError::DeadOwner);
        }
        let displaced = if holder.is_some() {
            shard.put(Arc::clone(&entry), |there| there.is(key))
        } else {
            shard.add(Arc::clone(&entry));
            None
        };
        if let Some(displaced) = &displaced {
            shard.beside().remove(displaced);
        }
        shard.beside().insert(Arc::clone(&entry));
        Ok(Claimed::New { displaced })
    }

    fn get(&self, key: KeyRef<'_>) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        let entry = self.table.get_shared(&pin(), key.hash(), |entry| entry.is(key));
        Ok(entry.filter(|entry| entry.is_alive()))
    }

    fn read(&self, key: KeyRef<'_>, read: &mut dyn FnMut(&StoredEntry)) -> Result<bool, BackendError> {
        let pin = pin();
        let entry = self.peek(&pin, key, Hooked::No);
        if let Some(entry) = entry {
            read(entry);
        }
        Ok(entry.is_some())
    }

    fn replace(
        &self,
        key: KeyRef<'_>,
        expect: Option<Generation>,
        metadata: Arc<Metadata>,
    ) -> Result<Replaced, BackendError> {
        // The entry refuses new metadata once it is withdrawn, so no lock of the table is needed.
        Ok(super::replace_in_place(self.get(key)?, expect, metadata))
    }

    fn release(&self, key: KeyRef<'_>, expect: Option<Generation>) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        let mut shard = self.table.write(key.hash());
        let expected =
            |there: &StoredEntry| there.is(key) && expect.is_none_or(|generation| generation == there.generation());
        let released = shard.remove(key.hash(), expected);
        if let Some(entry) = &released {
            shard.beside().remove(entry);
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
        super::for_each_in(self.table.writers(), namespace, kind, visit);
        Ok(())
    }

    fn count(&self, namespace: &Namespace, kind: EntryKind) -> Result<usize, BackendError> {
        Ok(self.table.writers().map(|shard| super::live_in(shard.of(namespace, kind))).sum())
    }

    fn health(&self) -> Result<BackendHealth, BackendError> {
        Ok(super::health_of(self.table.writers(), estimated_bytes))
    }

    fn info(&self) -> BackendInfo {
        BackendInfo::in_process("sharded", self.table.writers().map(|shard| shard.len()).collect())
    }
}

impl Sharded {
    fn release_all(&self, which: impl Fn(&StoredEntry) -> bool) -> Vec<Arc<StoredEntry>> {
        let mut released = Vec::new();
        for mut shard in self.table.writers() {
            let start = released.len();
            released.extend(shard.iter().filter(|entry| which(entry)).cloned());
            for entry in &released[start..] {
                shard.remove(entry.key_ref().hash(), |there| std::ptr::eq(there, &raw const **entry));
                shard.beside().remove(entry);
            }
        }
        released
    }
}
