//! The registry: everything above the back-end, once for all of them.

mod builder;
mod change;
mod core;
mod read;
mod registered;
mod stripe;
mod switch;

use std::fmt;
use std::sync::Arc;

use foundation_types::{Metadata, Namespace, Pid, ServiceName};

pub use self::builder::{DEFAULT_INDEX_FIELDS, Limits, MAX_INDEX_FIELDS, RegistryBuilder};
#[cfg(feature = "agent")]
pub(crate) use self::change::Aftermath;
pub(crate) use self::core::{Core, Store};
#[cfg(feature = "test-util")]
pub use self::read::Held;
pub use self::registered::{Registered, RegistrationGuard};
pub(crate) use self::stripe::{Stripe, StripeState};
pub use self::switch::SwitchReport;
use crate::backend::Backend;
use crate::entry::{EntryKind, NewEntry};
use crate::error::{RegisterError, RegistryError, UpdateError};
use crate::key::KeyRef;

/// Who is alive, under which name.
///
/// A name in a namespace is claimed for an owner and belongs to it until it is unregistered or the owner dies; when
/// dropping the owner returns, no operation shows the name any more. At most one live owner holds a name, whoever races.
///
/// Cheap to clone; clones are the same registry. Reads of one name take no lock and write to no shared memory.
///
/// ```
/// use foundation_registry::Registry;
/// use foundation_types::{Metadata, Namespace, Owner, ServiceName};
///
/// let registry = Registry::new();
/// let name = ServiceName::from_static("config_server");
///
/// let owner = Owner::new();
/// registry.register(&Namespace::Production, &name, &owner.pid(), Metadata::new())?;
/// assert_eq!(registry.lookup(&Namespace::Production, &name), Ok(owner.pid()));
///
/// drop(owner);
/// assert!(registry.lookup(&Namespace::Production, &name).is_err());
/// # Ok::<(), foundation_registry::RegisterError>(())
/// ```
#[derive(Clone)]
pub struct Registry {
    pub(crate) core: Arc<Core>,
}

impl Registry {
    /// A registry on the default back-end, with the system clock and no observer.
    pub fn new() -> Self {
        Self::builder().build().expect("the defaults are in range")
    }

    /// A registry with options.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    /// Claims `name` for the owner of `pid`.
    ///
    /// If the same owner holds the name already, this succeeds and changes nothing: the first metadata stays.
    ///
    /// # Errors
    /// [`RegisterError::AlreadyRegistered`] with the holder, [`RegisterError::DeadProcess`], [`RegisterError::Limit`],
    /// [`RegisterError::Closed`], [`RegisterError::Backend`]. Nothing has changed then.
    pub fn register(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        pid: &Pid,
        metadata: Metadata,
    ) -> Result<Registered, RegisterError> {
        let new = NewEntry::new(namespace, name, pid);
        // Most entries of a plain registry say nothing about themselves, and need no allocation for it.
        self.register_with(if metadata.is_empty() { new } else { new.metadata(metadata) })
    }

    /// Claims a name with options: indexing, and what happens if the same owner holds it.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_with(&self, new: NewEntry) -> Result<Registered, RegisterError> {
        self.core.claim(new, EntryKind::Service)
    }

    /// Claims several names in order; earlier ones are visible to later ones, and a failure stops none of the others.
    /// Result `i` belongs to item `i`.
    pub fn register_many(&self, items: impl IntoIterator<Item = NewEntry>) -> Vec<Result<Registered, RegisterError>> {
        items.into_iter().map(|new| self.register_with(new)).collect()
    }

    /// Replaces the metadata of a name as a whole. Index rows follow.
    ///
    /// # Errors
    /// [`UpdateError::NotFound`]; [`UpdateError::AgentManaged`] for an entry of the agent API; [`UpdateError::Limit`],
    /// [`UpdateError::Closed`], [`UpdateError::Backend`]. Nothing has changed then.
    pub fn update_metadata(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        metadata: Metadata,
    ) -> Result<(), UpdateError> {
        self.core.update(KeyRef::new(namespace, name), None, metadata)
    }

    /// Gives a name up, whoever holds it. Returns whether a live owner held it.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn unregister(&self, namespace: &Namespace, name: &ServiceName) -> Result<bool, RegistryError> {
        self.core.release(KeyRef::new(namespace, name), None)
    }

    /// Moves all live entries to another back-end and goes on there. Operations issued meanwhile wait, and are neither
    /// lost nor done twice; registrations keep their generations, owners and waiters notice nothing. The back-end left is
    /// emptied. Nothing happens if the registry uses this very one. O(entries).
    ///
    /// # Errors
    /// [`RegistryError`], and the registry goes on with the back-end it had: also if the new one holds entries that are not
    /// this registry's.
    pub fn switch_backend(&self, to: Arc<dyn Backend>) -> Result<SwitchReport, RegistryError> {
        self.core.switch(Store::Dyn(to))
    }

    /// Closes the registry: from now on every operation gives `Closed`, and all who wait are woken with it. Owners are
    /// not touched. Idempotent.
    pub fn shutdown(&self) {
        self.core.shutdown();
    }

    /// Whether this is the same registry.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.core, &other.core)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("backend", &self.core.backend_info().kind).finish_non_exhaustive()
    }
}
