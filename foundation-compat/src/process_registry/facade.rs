//! The process registry for a given registry.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use foundation_registry::{CleanupOptions, EntrySnapshot, LookupError, Registry, RegistryError, Via};
#[cfg(feature = "agent")]
use foundation_types::Clock;
use foundation_types::{Metadata, Namespace, Pid, ServiceName, TestRef};

use super::error::{RegisterError, UpdateError};
use crate::foundation::{Foundation, LegacyLogs};

const TARGET: &str = "foundation::registry";

/// A service as searches give it: `{name, pid, metadata}`.
pub type ServiceEntry = (ServiceName, Pid, Arc<Metadata>);

/// Something about each service of a namespace, by name.
pub type ServiceMap<T> = BTreeMap<ServiceName, T>;

pub(super) fn entry_of(entry: EntrySnapshot) -> ServiceEntry {
    (entry.key.name, entry.pid, entry.metadata)
}

/// The original's process registry on a given [`Registry`]: the same entries, under the old names.
///
/// The methods without a word about errors fail only with [`RegistryError`] or its equivalent: after the shutdown of the
/// registry, and if its back-end fails. Cheap to clone.
#[derive(Clone)]
pub struct ProcessRegistry {
    registry: Registry,
    #[cfg(feature = "agent")]
    clock: Arc<dyn Clock>,
    logs: LegacyLogs,
}

impl ProcessRegistry {
    /// The process registry on `registry`. Records of agents that are updated are stamped by the clocks of the operating
    /// system; for a registry with another clock, take it from its [`Foundation`].
    pub fn new(registry: Registry) -> Self {
        Self {
            registry,
            #[cfg(feature = "agent")]
            clock: Arc::new(foundation_types::SystemClock),
            logs: LegacyLogs::default(),
        }
    }

    /// With these log lines.
    #[must_use]
    pub fn with_logs(mut self, logs: LegacyLogs) -> Self {
        self.logs = logs;
        self
    }

    /// The registry below.
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    #[cfg(feature = "agent")]
    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Claims a name for the owner of `pid`.
    ///
    /// If the same owner holds the name already this succeeds, and the first metadata stays. For a dead owner it succeeds,
    /// too, and nothing is registered.
    ///
    /// # Errors
    /// [`RegisterError::AlreadyRegistered`] if another live owner holds the name; [`RegisterError::Limit`],
    /// [`RegisterError::Closed`], [`RegisterError::Backend`].
    pub fn register(
        &self,
        namespace: &Namespace,
        service: &ServiceName,
        pid: &Pid,
        metadata: Metadata,
    ) -> Result<(), RegisterError> {
        let result = RegisterError::legacy(self.registry.register(namespace, service, pid, metadata));
        self.log("register", namespace, service, result.as_ref().err());
        result
    }

    /// As [`register`](Self::register), with empty metadata.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_3(&self, namespace: &Namespace, service: &ServiceName, pid: &Pid) -> Result<(), RegisterError> {
        self.register(namespace, service, pid, Metadata::new())
    }

    /// Who holds a name: `{:ok, pid}` or `:error`.
    ///
    /// # Errors
    /// [`LookupError::NotFound`] if no live owner does; [`LookupError::Closed`], [`LookupError::Backend`].
    pub fn lookup(&self, namespace: &Namespace, service: &ServiceName) -> Result<Pid, LookupError> {
        self.registry.lookup(namespace, service)
    }

    /// Gives a name up, whoever holds it and whether anyone does.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn unregister(&self, namespace: &Namespace, service: &ServiceName) -> Result<(), RegistryError> {
        let result = self.registry.unregister(namespace, service).map(drop);
        self.log("unregister", namespace, service, result.as_ref().err());
        result
    }

    /// Whether a live owner holds a name.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn registered(&self, namespace: &Namespace, service: &ServiceName) -> Result<bool, RegistryError> {
        self.registry.is_registered(namespace, service)
    }

    /// The metadata of a name; that of an agent is the view in force.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn get_metadata(&self, namespace: &Namespace, service: &ServiceName) -> Result<Arc<Metadata>, LookupError> {
        Ok(self.registry.entry(namespace, service)?.metadata)
    }

    /// Who holds a name and its metadata, both of one instant.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn lookup_with_metadata(
        &self,
        namespace: &Namespace,
        service: &ServiceName,
    ) -> Result<(Pid, Arc<Metadata>), LookupError> {
        let entry = self.registry.entry(namespace, service)?;
        Ok((entry.pid, entry.metadata))
    }

    /// Replaces the metadata of a name as a whole.
    ///
    /// # Errors
    /// [`UpdateError::NotFound`] if no live owner holds the name; [`UpdateError::InvalidMetadata`] if it is an agent's;
    /// [`UpdateError::Limit`], [`UpdateError::Closed`], [`UpdateError::Backend`].
    pub fn update_metadata(
        &self,
        namespace: &Namespace,
        service: &ServiceName,
        metadata: Metadata,
    ) -> Result<(), UpdateError> {
        let result = self.registry.update_metadata(namespace, service, metadata).map_err(UpdateError::from);
        self.log("update metadata of", namespace, service, result.as_ref().err());
        result
    }

    /// The names of the services of a namespace, in no order. O(services in it), as the other enumerations.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn list_services(&self, namespace: &Namespace) -> Result<Vec<ServiceName>, RegistryError> {
        Ok(self.registry.services(namespace)?.into_iter().map(|entry| entry.key.name).collect())
    }

    /// The owners of the services of a namespace.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn get_all_services(&self, namespace: &Namespace) -> Result<ServiceMap<Pid>, RegistryError> {
        Ok(self.registry.services(namespace)?.into_iter().map(|entry| (entry.key.name, entry.pid)).collect())
    }

    /// The metadata of the services of a namespace.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn list_services_with_metadata(
        &self,
        namespace: &Namespace,
    ) -> Result<ServiceMap<Arc<Metadata>>, RegistryError> {
        Ok(self.registry.services(namespace)?.into_iter().map(|entry| (entry.key.name, entry.metadata)).collect())
    }

    /// How many services a namespace has.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn count_services(&self, namespace: &Namespace) -> Result<usize, RegistryError> {
        self.registry.count(namespace)
    }

    /// The services of a namespace whose metadata satisfies a predicate, in no order. The predicate may call the registry.
    ///
    /// # Errors
    /// [`RegistryError`].
    ///
    /// # Panics
    /// If the predicate does.
    pub fn find_services_by_metadata(
        &self,
        namespace: &Namespace,
        predicate: impl FnMut(&Metadata) -> bool,
    ) -> Result<Vec<ServiceEntry>, RegistryError> {
        Ok(self.registry.find(namespace, predicate)?.into_iter().map(entry_of).collect())
    }

    /// A name as a value: it can be passed on, claimed and looked up, and claims nothing by itself.
    pub fn via_tuple(&self, namespace: &Namespace, service: &ServiceName) -> Via {
        self.registry.via(namespace, service)
    }

    /// Ends every owner of a name in a test namespace, politely at first, and empties the namespace. Blocks for 150 ms at
    /// the most, plus scheduling; an empty namespace takes no time.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn cleanup_test_namespace(&self, test: TestRef) -> Result<(), RegistryError> {
        self.registry.cleanup_namespace(&Namespace::Test(test), CleanupOptions::new()).map(drop)
    }

    /// Sets how much readers see of agents and returns what it was. Nothing stored is changed.
    #[cfg(feature = "agent")]
    pub fn configure_metadata_mode(&self, view: foundation_types::MetadataView) -> foundation_types::MetadataView {
        self.registry.configure_metadata_mode(view)
    }

    pub(super) fn log<E: fmt::Display>(
        &self,
        what: &str,
        namespace: &Namespace,
        service: &ServiceName,
        error: Option<&E>,
    ) {
        if !self.logs.debug_registry {
            return;
        }
        match error {
            None => tracing::debug!(target: TARGET, %namespace, %service, "{what} service"),
            Some(error) => tracing::debug!(target: TARGET, %namespace, %service, %error, "could not {what} service"),
        }
    }
}

impl From<&Foundation> for ProcessRegistry {
    /// The process registry of an instance.
    fn from(foundation: &Foundation) -> Self {
        Self {
            registry: foundation.registry().clone(),
            #[cfg(feature = "agent")]
            clock: Arc::clone(foundation.clock()),
            logs: foundation.legacy_logs(),
        }
    }
}

impl fmt::Debug for ProcessRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessRegistry").field("registry", &self.registry).finish_non_exhaustive()
    }
}
