//! What a registry holds: one entry for each claimed name.

use std::any::{Any, type_name};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use crate::sync::Mutex;
use foundation_types::liveness::{HookId, OnExit};
use foundation_types::{ExitReason, Generation, Metadata, MonoTime, Namespace, Pid, ServiceName, Timestamp};

#[cfg(feature = "agent")]
use crate::agents::AgentRecord;
use crate::key::{KeyRef, RegistryKey};
use crate::registry::Stripe;
use crate::table::Node;

/// Which side of the API made an entry. Enumerations of the core see services only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// Made by the core API.
    Service,
    /// Made by the agent API.
    Agent,
}

/// One claim of a name: who holds it since when, and what it says about itself.
///
/// Who, when and under which [`Generation`] never change; metadata and payload are exchanged as a whole. A back-end shares
/// entries with the registry above it and must treat two entries as the same only if they are the same allocation or have
/// equal generations.
// Aligned so that the low bits of its address are free for the tag of a table slot, and in this order so that a lookup
// finds what it needs in the first lines.
#[repr(C, align(16))]
pub struct StoredEntry {
    key: RegistryKey,
    pid: Pid,
    generation: Generation,
    hash: u64,
    kind: EntryKind,
    /// Written under the stripe's lock.
    indexed: AtomicBool,
    /// Set when the entry leaves the registry; payload and agent record are gone then. The metadata, which is plain data,
    /// stays for readers that found the entry before. Written under the lock of `body`.
    withdrawn: AtomicBool,
    /// Where a back-end keeps it in its lists of namespaces. Guarded by that back-end's lock.
    place: AtomicU64,
    at: RegisteredAt,
    /// The part of the registry that removes it when its owner dies; dangling for a back-end used alone.
    home: Weak<Stripe>,
    /// Held for single reads and writes of its fields only, never while foreign code runs.
    body: Mutex<Body>,
}

/// The part of an entry that is exchanged.
#[derive(Clone, Default)]
pub(crate) struct Body {
    /// `None` stands for no metadata, as most entries of a plain registry have none.
    metadata: Option<Arc<Metadata>>,
    pub(crate) payload: Option<Payload>,
    /// What removes the entry when its owner dies.
    pub(crate) hook: Option<HookId>,
    #[cfg(feature = "agent")]
    pub(crate) agent: Option<Arc<AgentRecord>>,
}

impl Body {
    pub(crate) fn new(metadata: impl Into<Arc<Metadata>>) -> Self {
        let mut body = Self::default();
        body.exchange_metadata(metadata.into());
        body
    }

    pub(crate) fn metadata(&self) -> Arc<Metadata> {
        self.metadata.clone().unwrap_or_else(empty_metadata)
    }

    fn exchange_metadata(&mut self, metadata: Arc<Metadata>) -> Option<Arc<Metadata>> {
        std::mem::replace(&mut self.metadata, (!metadata.is_empty()).then_some(metadata))
    }
}

/// When an entry was registered, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisteredAt {
    /// On the monotonic clock of the registry.
    pub mono: MonoTime,
    /// On its wall clock.
    pub wall: Timestamp,
}

/// A client handle of any type, as [`Registry::provide`](crate::Registry::provide) stores it.
#[derive(Clone)]
pub(crate) struct Payload(Arc<Typed>);

struct Typed {
    value: Box<dyn Any + Send + Sync>,
    type_name: &'static str,
}

impl Payload {
    /// `T` may be unsized only behind a sized handle, hence `Arc<T>` is what is stored.
    pub(crate) fn new<T: ?Sized + Send + Sync + 'static>(value: Arc<T>) -> Self {
        Self(Arc::new(Typed { value: Box::new(value), type_name: type_name::<T>() }))
    }

    /// The very `Arc` given to [`Payload::new`], or the name of the type that is stored.
    pub(crate) fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, &'static str> {
        self.0.value.downcast_ref::<Arc<T>>().cloned().ok_or(self.0.type_name)
    }
}

impl StoredEntry {
    /// An entry outside any registry, for tests of back-ends and for mirrors of remote ones.
    pub fn new(
        key: RegistryKey,
        pid: Pid,
        metadata: Metadata,
        generation: Generation,
        kind: EntryKind,
        at: RegisteredAt,
    ) -> Self {
        let hash = key.borrowed().hash();
        Self::with_home(key, hash, pid, generation, kind, at, Weak::new(), Body::new(metadata))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one private value, all different in type")]
    pub(crate) fn with_home(
        key: RegistryKey,
        hash: u64,
        pid: Pid,
        generation: Generation,
        kind: EntryKind,
        at: RegisteredAt,
        home: Weak<Stripe>,
        body: Body,
    ) -> Self {
        Self {
            key,
            pid,
            generation,
            hash,
            kind,
            indexed: AtomicBool::new(false),
            withdrawn: AtomicBool::new(false),
            place: AtomicU64::new(0),
            at,
            home,
            body: Mutex::new(body),
        }
    }

    /// The key.
    pub fn key(&self) -> &RegistryKey {
        &self.key
    }

    /// Who holds the name.
    pub fn pid(&self) -> &Pid {
        &self.pid
    }

    /// Which claim of the name this is.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Which side of the API made it.
    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    /// When it was registered.
    pub fn registered_at(&self) -> RegisteredAt {
        self.at
    }

    /// The metadata of now. Empty for an agent, whose record is shown by [`Registry::entry`](crate::Registry::entry).
    pub fn metadata(&self) -> Arc<Metadata> {
        self.body.lock().metadata()
    }

    /// Replaces the metadata of an entry that is still in place and returns the old one; `None` if it was withdrawn.
    ///
    /// For back-ends: the indexes and watchers of a registry above are not told.
    /// [`Registry::update_metadata`](crate::Registry::update_metadata) tells them.
    pub fn set_metadata(&self, metadata: Arc<Metadata>) -> Option<Arc<Metadata>> {
        let mut body = self.body.lock();
        if self.is_withdrawn() {
            return None;
        }
        Some(body.exchange_metadata(metadata).unwrap_or_else(empty_metadata))
    }

    /// Whether it takes part in searches by metadata index.
    pub fn is_indexed(&self) -> bool {
        // Relaxed: changes are ordered by the stripe's lock; who reads without it takes either answer.
        self.indexed.load(Ordering::Relaxed)
    }

    pub(crate) fn set_indexed(&self) {
        self.indexed.store(true, Ordering::Relaxed);
    }

    /// Whether the entry has left its registry. Exact under the lock of the body.
    pub(crate) fn is_withdrawn(&self) -> bool {
        // Acquire: who sees it set sees what the withdrawing thread did before.
        self.withdrawn.load(Ordering::Acquire)
    }

    /// Whether the owner is alive.
    pub fn is_alive(&self) -> bool {
        self.pid.is_alive()
    }

    /// Whether the owner is alive and the entry has not left its registry.
    pub fn is_current(&self) -> bool {
        self.is_alive() && !self.is_withdrawn()
    }

    /// Everything about the entry as of now.
    pub fn snapshot(&self) -> EntrySnapshot {
        let body = self.body.lock();
        EntrySnapshot {
            key: self.key.clone(),
            pid: self.pid.clone(),
            metadata: body.metadata(),
            generation: self.generation,
            registered_at: self.at,
            kind: self.kind,
            indexed: self.is_indexed(),
            has_payload: body.payload.is_some(),
        }
    }

    #[inline]
    pub(crate) fn is(&self, key: KeyRef<'_>) -> bool {
        self.hash == key.hash() && key.is(&self.key)
    }

    pub(crate) fn body(&self) -> crate::sync::MutexGuard<'_, Body> {
        self.body.lock()
    }

    /// A copy for another back-end: the same claim, in an allocation of its own.
    pub(crate) fn duplicate(&self) -> Self {
        let body = self.body.lock().clone();
        let (key, pid, home) = (self.key.clone(), self.pid.clone(), self.home.clone());
        let mut copy = Self::with_home(key, self.hash, pid, self.generation, self.kind, self.at, home, body);
        copy.indexed = AtomicBool::new(self.is_indexed());
        copy
    }

    /// Marks an entry that has left its registry: what may hold code of the user's goes to the caller, to be dropped
    /// outside every lock, and the exit hook is named, to be detached.
    pub(crate) fn withdraw(&self) -> Remains {
        let mut body = self.body.lock();
        // Release: pairs with the acquire load in `is_withdrawn`.
        self.withdrawn.store(true, Ordering::Release);
        Remains {
            payload: body.payload.take(),
            #[cfg(feature = "agent")]
            agent: body.agent.take(),
            hook: body.hook.take(),
        }
    }

    /// Whether it was claimed through the registry with this stripe.
    pub(crate) fn is_at_home(&self, stripe: &Arc<Stripe>) -> bool {
        std::ptr::eq(self.home.as_ptr(), Arc::as_ptr(stripe))
    }

    /// The part of the registry it was claimed through.
    pub(crate) fn home(&self) -> Option<Arc<Stripe>> {
        self.home.upgrade()
    }

    /// The key with its hash.
    pub fn key_ref(&self) -> KeyRef<'_> {
        KeyRef::with_hash(&self.key.namespace, &self.key.name, self.hash)
    }

    /// Where a back-end keeps it: the number of the list, and of the entry in it.
    pub(crate) fn place(&self) -> (u32, u32) {
        // Relaxed: written and read under the back-end's lock.
        let place = self.place.load(Ordering::Relaxed);
        #[expect(clippy::cast_possible_truncation, reason = "the halves are wanted")]
        ((place >> 32) as u32, place as u32)
    }

    pub(crate) fn set_place(&self, list: u32, number: u32) {
        self.place.store(u64::from(list) << 32 | u64::from(number), Ordering::Relaxed);
    }
}

/// What is left of a withdrawn entry. Dropping it may run code of the user's.
#[must_use = "drop it outside every lock"]
pub(crate) struct Remains {
    #[expect(dead_code, reason = "held for its drop")]
    payload: Option<Payload>,
    #[cfg(feature = "agent")]
    pub(crate) agent: Option<Arc<AgentRecord>>,
    pub(crate) hook: Option<HookId>,
}

impl Node for StoredEntry {
    fn hash(&self) -> u64 {
        self.hash
    }
}

impl OnExit for StoredEntry {
    fn on_exit(self: Arc<Self>, reason: &ExitReason) {
        if let Some(stripe) = self.home() {
            stripe.bury(&self, reason);
        }
    }
}

impl fmt::Debug for StoredEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredEntry")
            .field("key", &self.key)
            .field("pid", &self.pid)
            .field("generation", &self.generation)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// An entry as it was at one instant.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EntrySnapshot {
    /// The key.
    pub key: RegistryKey,
    /// Who holds the name.
    pub pid: Pid,
    /// What it says about itself.
    pub metadata: Arc<Metadata>,
    /// Which claim of the name this is.
    pub generation: Generation,
    /// When it was registered.
    pub registered_at: RegisteredAt,
    /// Which side of the API made it.
    pub kind: EntryKind,
    /// Whether it takes part in searches by metadata index.
    pub indexed: bool,
    /// Whether a client handle can be fetched with [`Registry::get`](crate::Registry::get).
    pub has_payload: bool,
}

impl EntrySnapshot {
    /// The name within the namespace.
    pub fn name(&self) -> &ServiceName {
        &self.key.name
    }

    /// The node the owner lives on.
    pub fn node(&self) -> &foundation_types::NodeId {
        match self.pid.locality() {
            foundation_types::liveness::Locality::Local => foundation_types::NodeId::local(),
            foundation_types::liveness::Locality::Remote { node, .. } => node,
        }
    }
}

/// A name to be claimed; see [`Registry::register_with`](crate::Registry::register_with).
#[must_use = "a new entry does nothing until it is registered"]
pub struct NewEntry {
    pub(crate) key: RegistryKey,
    pub(crate) pid: Pid,
    pub(crate) same_owner: SameOwner,
    pub(crate) indexed: bool,
    pub(crate) body: Body,
}

impl NewEntry {
    /// A plain entry without metadata, which keeps what is there if the owner holds the name already.
    pub fn new(namespace: &Namespace, name: &ServiceName, pid: &Pid) -> Self {
        Self {
            key: RegistryKey::new(namespace.clone(), name.clone()),
            pid: pid.clone(),
            same_owner: SameOwner::Keep,
            indexed: false,
            body: Body::default(),
        }
    }

    /// With this metadata.
    pub fn metadata(mut self, metadata: impl Into<Arc<Metadata>>) -> Self {
        self.body.exchange_metadata(metadata.into());
        self
    }

    /// Findable by [`Registry::find_indexed`](crate::Registry::find_indexed); if the owner holds the name already, its
    /// metadata is replaced.
    pub fn indexed(mut self) -> Self {
        self.indexed = true;
        self.same_owner = SameOwner::Replace;
        self
    }

    /// What happens if the owner holds the name already.
    pub fn same_owner(mut self, policy: SameOwner) -> Self {
        self.same_owner = policy;
        self
    }

    pub(crate) fn payload(mut self, payload: Payload) -> Self {
        self.body.payload = Some(payload);
        self
    }
}

impl fmt::Debug for NewEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEntry").field("key", &self.key).field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// One empty map for all entries without metadata.
pub(crate) fn empty_metadata() -> Arc<Metadata> {
    thread_local! {
        // One per thread, so that threads which register do not share its count.
        static EMPTY: Arc<Metadata> = Arc::default();
    }
    EMPTY.with(Arc::clone)
}

/// What a claim does if the same owner holds the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SameOwner {
    /// Succeed and change nothing: the first metadata stays.
    Keep,
    /// Succeed and replace metadata and payload; the generation stays.
    Replace,
    /// Refuse, naming the holder.
    Refuse,
}
