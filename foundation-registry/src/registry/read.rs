//! Looking things up.

use std::sync::Arc;

use foundation_types::{Metadata, Namespace, Pid, ServiceName, Value};

use super::{Core, Registry, Store};
use crate::backend::Hooked;
use crate::entry::{EntryKind, EntrySnapshot, StoredEntry};
use crate::error::{LookupError, RegistryError};
use crate::table::pin;

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
        self.with(namespace, name, |entry| self.core.view(entry))
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
        Ok(self.core.with_backend(|backend| backend.count(namespace, EntryKind::Service))?)
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
        Ok(self.core.index.find(namespace, field, value))
    }

    /// Turns the metadata index on, from the entries that were registered with indexing, or off, which frees it. While it
    /// is off, [`find_indexed`](Self::find_indexed) finds nothing. On is the default. O(entries) when it changes.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn set_indexing(&self, on: bool) -> Result<(), RegistryError> {
        self.core.check_open()?;
        if !on {
            self.core.index.disable();
            return Ok(());
        }
        let guards = self.core.lock_all();
        let entries = self.core.collect(None, EntryKind::Service)?;
        self.core.index.enable(&entries);
        drop(guards);
        Ok(())
    }

    /// How many rows the metadata index holds.
    pub fn index_rows(&self) -> usize {
        self.core.index.len()
    }
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
        match self.store.get(&pin) {
            Store::Sharded(sharded) => {
                sharded.peek(&pin, namespace, name, Hooked::Yes).map(read).ok_or(LookupError::NotFound)
            }
            Store::Dyn(backend) => {
                let (mut read, mut result) = (Some(read), None);
                backend.read(namespace, name, &mut |entry| result = read.take().map(|read| read(entry)))?;
                result.ok_or(LookupError::NotFound)
            }
        }
    }

    /// A share of the live entry of a name.
    pub(crate) fn shared(&self, namespace: &Namespace, name: &ServiceName) -> Result<Arc<StoredEntry>, LookupError> {
        self.check_open()?;
        self.get(namespace, name)?.ok_or(LookupError::NotFound)
    }

    /// A snapshot, with the metadata of an agent as the view in force shows it.
    pub(crate) fn view(&self, entry: &StoredEntry) -> EntrySnapshot {
        #[cfg(feature = "agent")]
        if entry.kind() == EntryKind::Agent {
            return self.agents.view(entry);
        }
        entry.snapshot()
    }
}
