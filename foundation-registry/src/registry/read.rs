//! Looking things up.

use foundation_types::{Metadata, Namespace, Pid, ServiceName, Value};

use super::{Core, Registry, Store};
use crate::backend::Hooked;
use crate::entry::{EntryKind, EntrySnapshot, StoredEntry};
use crate::error::{BackendError, LookupError, RegistryError};
use crate::index::MetadataIndex;
use crate::key::KeyRef;
use crate::table::{Pin, pin};

impl Registry {
    /// Who holds the name. One cloned `Arc` dearer than [`with`](Self::with).
    ///
    /// # Errors
    /// [`LookupError::NotFound`] if no live owner does, [`LookupError::Closed`], [`LookupError::Backend`].
    #[inline]
    pub fn lookup(&self, namespace: &Namespace, name: &ServiceName) -> Result<Pid, LookupError> {
        self.with(namespace, name, |entry| entry.pid().clone())
    }

    /// Shows the entry of a name to `read` without taking a share of it: the cheapest lookup there is.
    ///
    /// No lock is held while `read` runs, so it may call the registry. Memory that other threads give up meanwhile is
    /// held back until it returns, so it should be short.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    #[inline]
    pub fn with<R>(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        read: impl FnOnce(&StoredEntry) -> R,
    ) -> Result<R, LookupError> {
        self.core.with(namespace, name, read)
    }

    /// Everything about the entry of a name.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn entry(&self, namespace: &Namespace, name: &ServiceName) -> Result<EntrySnapshot, LookupError> {
        loop {
            // An entry without one has been withdrawn since it was found; what is there now will be found next.
            if let Some(snapshot) = self.with(namespace, name, |entry| self.core.view(entry))? {
                return Ok(snapshot);
            }
        }
    }

    /// Whether a live owner holds the name.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn is_registered(&self, namespace: &Namespace, name: &ServiceName) -> Result<bool, RegistryError> {
        match self.with(namespace, name, |_| ()) {
            Ok(()) => Ok(true),
            Err(LookupError::NotFound) => Ok(false),
            Err(LookupError::Closed) => Err(RegistryError::Closed),
            Err(LookupError::Backend(error)) => Err(error.into()),
        }
    }

    /// The services of a namespace, each once, in no order. O(services in it).
    ///
    /// It shows every service that was there during the whole call, and none that was not there at any time of it.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn services(&self, namespace: &Namespace) -> Result<Vec<EntrySnapshot>, RegistryError> {
        let entries = self.core.collect(Some(namespace), EntryKind::Service)?;
        Ok(entries.iter().map(|entry| entry.snapshot()).collect())
    }

    /// How many services a namespace has. O(services in it), without copying them.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn count(&self, namespace: &Namespace) -> Result<usize, RegistryError> {
        self.core.check_open()?;
        Ok(self.core.read_backend(|backend| backend.count(namespace, EntryKind::Service))?)
    }

    /// The services of a namespace whose metadata satisfies `predicate`, which runs outside every lock. O(services in
    /// the namespace).
    ///
    /// # Errors
    /// [`RegistryError`].
    ///
    /// # Panics
    /// If the predicate does. The registry is unharmed.
    pub fn find(
        &self,
        namespace: &Namespace,
        mut predicate: impl FnMut(&Metadata) -> bool,
    ) -> Result<Vec<EntrySnapshot>, RegistryError> {
        let entries = self.core.collect(Some(namespace), EntryKind::Service)?;
        let snapshots = entries.iter().map(|entry| entry.snapshot());
        Ok(snapshots.filter(|entry| predicate(&entry.metadata)).collect())
    }

    /// The indexed services of a namespace with this value in an index field, each once. O(result).
    ///
    /// A list in the field counts as each of its items; null counts as nothing. A field that is not indexed finds nothing.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn find_indexed(
        &self,
        namespace: &Namespace,
        field: &str,
        value: &Value,
    ) -> Result<Vec<EntrySnapshot>, RegistryError> {
        self.core.check_open()?;
        let mut found = Vec::new();
        for candidate in self.core.index.candidates(namespace, field, value) {
            let is_it = |entry: &StoredEntry| entry.generation() == candidate.generation();
            // Only what is in place counts: rows are there before their entries, and after them.
            match self.with(namespace, &candidate.key().name, |entry| is_it(entry).then(|| entry.snapshot())) {
                Ok(Some(entry)) if MetadataIndex::is_match(&entry.metadata, field, value) => found.push(entry),
                Ok(_) | Err(LookupError::NotFound) => {}
                Err(LookupError::Closed) => return Err(RegistryError::Closed),
                Err(LookupError::Backend(error)) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// Turns the metadata index on, from the entries that were registered with indexing, or off, which frees it. While it
    /// is off, [`find_indexed`](Self::find_indexed) finds nothing. On is the default. O(entries) when it changes.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn set_indexing(&self, on: bool) -> Result<(), RegistryError> {
        let guards = self.core.lock_all();
        if on {
            self.core.index.enable(&self.core.collect(None, EntryKind::Service)?);
        } else {
            self.core.check_open()?;
            self.core.index.disable();
        }
        drop(guards);
        Ok(())
    }

    /// How many rows the metadata index holds.
    pub fn index_rows(&self) -> usize {
        self.core.index.len()
    }
}

#[cfg(feature = "test-util")]
impl Registry {
    /// What the registry holds, for leak tests. O(entries).
    ///
    /// # Panics
    /// If the back-end fails.
    pub fn held(&self) -> Held {
        let states = self.core.lock_all();
        let waiters = states.iter().map(|state| state.waiters.values().map(Vec::len).sum::<usize>()).sum();
        let watchers = states.iter().map(|state| state.watchers.len()).sum();
        let health = self.core.with_backend(crate::Backend::health).expect("a leak test needs its back-end");
        drop(states);
        Held { entries: health.registrations, index_rows: self.index_rows(), waiters, watchers }
    }
}

/// What a registry holds; see [`Registry::held`].
#[cfg(feature = "test-util")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// Entries in the back-end, of both kinds, dead ones included.
    pub entries: usize,
    /// Rows of the metadata index.
    pub index_rows: usize,
    /// Futures that wait for a name.
    pub waiters: usize,
    /// Places in which a watch is noted.
    pub watchers: usize,
}

impl Core {
    #[inline]
    pub(crate) fn with<R>(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        read: impl FnOnce(&StoredEntry) -> R,
    ) -> Result<R, LookupError> {
        self.check_open()?;
        let pin = pin();
        let key = KeyRef::new(namespace, name);
        // The back-end of nearly everyone, first and by type.
        if let Store::Sharded(sharded) = self.store.get(&pin)
            && let Some(entry) = sharded.peek(&pin, key, Hooked::Yes)
        {
            return Ok(read(entry));
        }
        self.with_any(&pin, key, read)
    }

    #[cold]
    fn with_any<R>(&self, pin: &Pin, key: KeyRef<'_>, read: impl FnOnce(&StoredEntry) -> R) -> Result<R, LookupError> {
        let mut store = self.store.get(pin);
        let mut read = read;
        loop {
            match store.read(pin, key, read)? {
                Ok(result) => return Ok(result),
                Err(not_run) => read = not_run,
            }
            // A back-end that was left is emptied: what was not found there may be in its successor.
            let now = self.store.get(pin);
            if std::ptr::eq(store, now) {
                return Err(LookupError::NotFound);
            }
            store = now;
        }
    }

    /// A snapshot, with the metadata of an agent as the view in force shows it; `None` for an agent that is gone.
    #[cfg_attr(
        not(feature = "agent"),
        expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "agents need both")
    )]
    pub(crate) fn view(&self, entry: &StoredEntry) -> Option<EntrySnapshot> {
        #[cfg(feature = "agent")]
        if entry.kind() == EntryKind::Agent {
            return self.agents.view(entry);
        }
        Some(entry.snapshot())
    }
}

impl Store {
    /// Shows the live entry of a name to `read`, or gives `read` back if there is none.
    #[inline]
    fn read<R, F: FnOnce(&StoredEntry) -> R>(
        &self,
        pin: &Pin,
        key: KeyRef<'_>,
        read: F,
    ) -> Result<Result<R, F>, BackendError> {
        match self {
            Self::Sharded(sharded) => Ok(match sharded.peek(pin, key, Hooked::Yes) {
                Some(entry) => Ok(read(entry)),
                None => Err(read),
            }),
            Self::Dyn(backend) => {
                let (mut read, mut result) = (Some(read), None);
                backend.read(key, &mut |entry| result = read.take().map(|read| read(entry)))?;
                Ok(match (result, read) {
                    (None, Some(read)) => Err(read),
                    (Some(result), _) => Ok(result),
                    (None, None) => unreachable!("taken only to make the result"),
                })
            }
            Self::Again(store) => store.read(pin, key, read),
        }
    }
}
