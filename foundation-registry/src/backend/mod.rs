//! Where entries are kept: the trait, and the two back-ends that live in the process.
//!
//! A back-end is a map from keys to entries, atomic per key. Everything that makes it a registry stands above it, written
//! once in [`Registry`](crate::Registry): removal at death, indexes, waiters, watchers, kinds, telemetry.
//!
//! Why the trait is shaped so: every method is synchronous, because every back-end answers reads from memory, a networked
//! one from its mirror. Entries are shared (`Arc`), so that a lookup copies nothing, and a back-end never drops the last
//! share of one under a lock of its own: what it displaces it returns.

mod partitioned;
mod rooms;
mod sharded;

use std::ops::{ControlFlow, Deref};
use std::sync::Arc;

use foundation_types::{Generation, Health, Metadata, Namespace, OwnerId, Pid};

pub use self::partitioned::Partitioned;
use self::rooms::Rooms;
pub(crate) use self::rooms::estimated_bytes;
pub(crate) use self::sharded::Hooked;
pub use self::sharded::Sharded;
use crate::entry::{EntryKind, SameOwner, StoredEntry};
use crate::error::BackendError;
use crate::key::KeyRef;

/// Keeps the entries of a registry.
///
/// Each method is atomic per key. Reads never show an entry whose owner is dead; such an entry stays, unseen, until it is
/// released, swept, or displaced by a claim. No method runs foreign code under a lock, the `Drop` of metadata and payloads
/// included.
pub trait Backend: Send + Sync + 'static {
    /// Claims the key of `entry` for its owner.
    ///
    /// A live holder that is another owner refuses the claim. A dead holder is displaced. What a holder that is the same
    /// owner does, `same_owner` says; with [`SameOwner::Replace`] the entry in place takes over the metadata of `entry`
    /// and keeps its generation.
    ///
    /// # Errors
    /// [`ClaimError`]; nothing has changed then.
    fn claim(&self, entry: Arc<StoredEntry>, same_owner: SameOwner) -> Result<Claimed, ClaimError>;

    /// The live entry of a key.
    ///
    /// # Errors
    /// [`BackendError`]; "not found" is `None`, never an error.
    fn get(&self, key: KeyRef<'_>) -> Result<Option<Arc<StoredEntry>>, BackendError>;

    /// Shows the live entry of a key to `read`; returns whether there was one. Back-ends that can do so without taking a
    /// share of the entry should: this is the path of every lookup.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn read(&self, key: KeyRef<'_>, read: &mut dyn FnMut(&StoredEntry)) -> Result<bool, BackendError> {
        let entry = self.get(key)?;
        if let Some(entry) = &entry {
            read(entry);
        }
        Ok(entry.is_some())
    }

    /// Replaces the metadata of the live entry of `key`, if it has the generation expected (any, if `None`).
    ///
    /// # Errors
    /// [`BackendError`]; nothing has changed then.
    fn replace(
        &self,
        key: KeyRef<'_>,
        expect: Option<Generation>,
        metadata: Arc<Metadata>,
    ) -> Result<Replaced, BackendError>;

    /// Removes the entry of `key`, dead or alive, if it has the generation expected (any, if `None`), and returns it.
    ///
    /// # Errors
    /// [`BackendError`]; nothing has changed then.
    fn release(&self, key: KeyRef<'_>, expect: Option<Generation>) -> Result<Option<Arc<StoredEntry>>, BackendError>;

    /// Removes and returns every entry of an owner.
    ///
    /// # Errors
    /// [`BackendError`].
    fn release_owner(&self, owner: OwnerId) -> Result<Vec<Arc<StoredEntry>>, BackendError>;

    /// Removes and returns every entry whose owner is dead. Behind a registry there are none, as it removes them at the
    /// death.
    ///
    /// # Errors
    /// [`BackendError`].
    fn sweep(&self) -> Result<Vec<Arc<StoredEntry>>, BackendError>;

    /// Calls `visit` for each live entry of the kind, of one namespace or of all, until it breaks. No lock is held while
    /// it runs. It sees every entry that was there during the whole call, and none that was not there at any time of it.
    ///
    /// For one namespace it costs as much as there are entries of that kind in it, never as much as there are entries.
    ///
    /// # Errors
    /// [`BackendError`].
    fn for_each(
        &self,
        namespace: Option<&Namespace>,
        kind: EntryKind,
        visit: &mut dyn FnMut(Arc<StoredEntry>) -> ControlFlow<()>,
    ) -> Result<(), BackendError>;

    /// How many live entries of the kind a namespace holds.
    ///
    /// # Errors
    /// [`BackendError`].
    fn count(&self, namespace: &Namespace, kind: EntryKind) -> Result<usize, BackendError> {
        let mut count = 0;
        self.for_each(Some(namespace), kind, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok(count)
    }

    /// How it is.
    ///
    /// # Errors
    /// [`BackendError`], which counts as a failed check.
    fn health(&self) -> Result<BackendHealth, BackendError>;

    /// What it is.
    fn info(&self) -> BackendInfo;
}

/// The result of a successful claim.
#[derive(Debug)]
#[non_exhaustive]
pub enum Claimed {
    /// The entry is in place.
    New {
        /// The entry of a dead owner that it took the place of.
        displaced: Option<Arc<StoredEntry>>,
    },
    /// The owner held the name already, and the entry in place is as it was.
    Kept(Arc<StoredEntry>),
    /// The owner held the name already, and the entry in place has the new metadata.
    Replaced {
        /// The entry in place.
        entry: Arc<StoredEntry>,
        /// Its metadata before.
        old: Arc<Metadata>,
    },
}

/// Why a claim was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// A live owner holds the name.
    #[error("name is held by {0}")]
    Held(Pid),
    /// The owner that claims is dead.
    #[error("owner is dead")]
    DeadOwner,
    /// The back-end failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// The result of replacing metadata.
#[derive(Debug)]
#[non_exhaustive]
pub enum Replaced {
    /// Done.
    Done {
        /// The entry.
        entry: Arc<StoredEntry>,
        /// Its metadata before.
        old: Arc<Metadata>,
    },
    /// No live owner holds the name.
    NotFound,
    /// The name is held by another claim than the one expected.
    Superseded,
}

/// How a back-end is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BackendHealth {
    /// By the share of dead entries: healthy below 10 %, degraded below 30 %, else unhealthy.
    pub status: Health,
    /// Entries held, dead ones included.
    pub registrations: usize,
    /// Entries of live owners.
    pub live: usize,
    /// Entries of dead owners; behind a registry these are there for moments only.
    pub dead: usize,
    /// Estimated memory of the entries, in bytes.
    pub bytes: usize,
    /// Anything else worth showing.
    pub detail: Metadata,
}

impl BackendHealth {
    /// The report of a back-end that holds so many entries.
    pub fn of(live: usize, dead: usize, bytes: usize, detail: Metadata) -> Self {
        let registrations = live + dead;
        // Integer arithmetic, so that the bounds are exact.
        let status = if dead * 10 < registrations || registrations == 0 {
            Health::Healthy
        } else if dead * 10 < registrations * 3 {
            Health::Degraded
        } else {
            Health::Unhealthy
        };
        Self { status, registrations, live, dead, bytes, detail }
    }
}

/// What a back-end is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackendInfo {
    /// Its kind, for people: `sharded`, `partitioned`, ….
    pub kind: &'static str,
    /// How many entries each of its parts holds.
    pub entries_per_partition: Vec<usize>,
    /// What it can do beyond the trait.
    pub capabilities: BackendCapabilities,
}

impl BackendInfo {
    /// A back-end in this process with the given parts.
    pub fn in_process(kind: &'static str, entries_per_partition: Vec<usize>) -> Self {
        Self { kind, entries_per_partition, capabilities: BackendCapabilities::default() }
    }

    /// The number of parts.
    pub fn partitions(&self) -> usize {
        self.entries_per_partition.len()
    }
}

/// What a back-end can do beyond the trait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackendCapabilities {
    /// Other nodes see its entries.
    pub distributed: bool,
    /// Entries outlive the process.
    pub durable: bool,
    /// It holds entries of owners on other nodes.
    pub external_owners: bool,
}

/// What a claim does where a live owner holds the name. Called outside the back-end's locks.
fn claim_held(holder: Arc<StoredEntry>, claim: &StoredEntry, same_owner: SameOwner) -> Result<Claimed, ClaimError> {
    match same_owner {
        SameOwner::Keep if holder.pid() == claim.pid() => Ok(Claimed::Kept(holder)),
        SameOwner::Replace if holder.pid() == claim.pid() => match holder.set_metadata(claim.metadata()) {
            Some(old) => Ok(Claimed::Replaced { entry: holder, old }),
            // Withdrawn since it was found: the claim met the holder while it was there.
            None => Ok(Claimed::Kept(holder)),
        },
        _ => Err(ClaimError::Held(holder.pid().clone())),
    }
}

fn replace_in_place(entry: Option<Arc<StoredEntry>>, expect: Option<Generation>, metadata: Arc<Metadata>) -> Replaced {
    let Some(entry) = entry else { return Replaced::NotFound };
    if expect.is_some_and(|generation| generation != entry.generation()) {
        return Replaced::Superseded;
    }
    match entry.set_metadata(metadata) {
        Some(old) => Replaced::Done { entry, old },
        None => Replaced::NotFound,
    }
}

/// Visits the live entries of shard after shard, each copied under its lock and shown outside it.
fn for_each_in<R: Deref<Target = Rooms>>(
    shards: impl Iterator<Item = R>,
    namespace: Option<&Namespace>,
    kind: EntryKind,
    visit: &mut dyn FnMut(Arc<StoredEntry>) -> ControlFlow<()>,
) {
    let mut found: Vec<Arc<StoredEntry>> = Vec::new();
    for rooms in shards {
        match namespace {
            Some(namespace) => found.extend(rooms.of(namespace, kind).iter().cloned()),
            None => found.extend(rooms.all(kind).cloned()),
        }
        drop(rooms);
        for entry in found.drain(..).filter(|entry| entry.is_alive()) {
            if visit(entry).is_break() {
                return;
            }
        }
    }
}

fn live_in(entries: &[Arc<StoredEntry>]) -> usize {
    entries.iter().filter(|entry| entry.is_alive()).count()
}

fn health_of<R: Deref<Target = Rooms>>(
    shards: impl Iterator<Item = R>,
    bytes_of: impl Fn(&StoredEntry) -> usize,
) -> BackendHealth {
    let (mut live, mut dead, mut bytes) = (0, 0, 0);
    for rooms in shards {
        for entry in rooms.iter() {
            if entry.is_alive() {
                live += 1;
            } else {
                dead += 1;
            }
            bytes += bytes_of(entry);
        }
    }
    BackendHealth::of(live, dead, bytes, Metadata::new())
}

impl<B: Backend + ?Sized> Backend for Arc<B> {
    fn claim(&self, entry: Arc<StoredEntry>, same_owner: SameOwner) -> Result<Claimed, ClaimError> {
        (**self).claim(entry, same_owner)
    }

    fn get(&self, key: KeyRef<'_>) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        (**self).get(key)
    }

    fn read(&self, key: KeyRef<'_>, read: &mut dyn FnMut(&StoredEntry)) -> Result<bool, BackendError> {
        (**self).read(key, read)
    }

    fn replace(
        &self,
        key: KeyRef<'_>,
        expect: Option<Generation>,
        metadata: Arc<Metadata>,
    ) -> Result<Replaced, BackendError> {
        (**self).replace(key, expect, metadata)
    }

    fn release(&self, key: KeyRef<'_>, expect: Option<Generation>) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        (**self).release(key, expect)
    }

    fn release_owner(&self, owner: OwnerId) -> Result<Vec<Arc<StoredEntry>>, BackendError> {
        (**self).release_owner(owner)
    }

    fn sweep(&self) -> Result<Vec<Arc<StoredEntry>>, BackendError> {
        (**self).sweep()
    }

    fn for_each(
        &self,
        namespace: Option<&Namespace>,
        kind: EntryKind,
        visit: &mut dyn FnMut(Arc<StoredEntry>) -> ControlFlow<()>,
    ) -> Result<(), BackendError> {
        (**self).for_each(namespace, kind, visit)
    }

    fn count(&self, namespace: &Namespace, kind: EntryKind) -> Result<usize, BackendError> {
        (**self).count(namespace, kind)
    }

    fn health(&self) -> Result<BackendHealth, BackendError> {
        (**self).health()
    }

    fn info(&self) -> BackendInfo {
        (**self).info()
    }
}
