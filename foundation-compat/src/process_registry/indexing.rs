//! The original's `Foundation.ProcessRegistry.Optimizations`: the metadata index, and lookups that are no faster for being
//! cached.

use foundation_registry::{LookupError, NewEntry, RegistryError};
use foundation_types::{Metadata, Namespace, Pid, ServiceName, Value};

use super::error::RegisterError;
use super::facade::{ProcessRegistry, ServiceEntry, entry_of};

/// An item of [`ProcessRegistry::bulk_register`]: `{namespace, service, pid, metadata}`.
pub type NewService = (Namespace, ServiceName, Pid, Metadata);

/// What the index holds; see [`ProcessRegistry::get_optimization_stats`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct OptimizationStats {
    /// Rows of the metadata index.
    pub metadata_index_size: usize,
    /// Cached lookups: none, as lookups are exact and as fast as a cache.
    pub cache_size: usize,
    /// The share of lookups that the cache answered: absent without a cache.
    pub cache_hit_rate: Option<f64>,
}

impl ProcessRegistry {
    /// Claims a name, to be found by [`find_by_indexed_metadata`](Self::find_by_indexed_metadata). If the same owner holds
    /// it already, its metadata is replaced.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_with_indexing(
        &self,
        namespace: &Namespace,
        service: &ServiceName,
        pid: &Pid,
        metadata: Metadata,
    ) -> Result<(), RegisterError> {
        let new = NewEntry::new(namespace, service, pid).metadata(metadata).indexed();
        let result = RegisterError::legacy(self.registry().register_with(new));
        self.log("register and index", namespace, service, result.as_ref().err());
        result
    }

    /// As [`register_with_indexing`](Self::register_with_indexing), with empty metadata.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_with_indexing_3(
        &self,
        namespace: &Namespace,
        service: &ServiceName,
        pid: &Pid,
    ) -> Result<(), RegisterError> {
        self.register_with_indexing(namespace, service, pid, Metadata::new())
    }

    /// The same as [`lookup`](Self::lookup): never stale.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn cached_lookup(&self, namespace: &Namespace, service: &ServiceName) -> Result<Pid, LookupError> {
        self.lookup(namespace, service)
    }

    /// Registers several services in order, each as [`register_with_indexing`](Self::register_with_indexing). A failure
    /// stops none of the others; result `i`, with the name of the service, belongs to item `i`.
    pub fn bulk_register(
        &self,
        services: impl IntoIterator<Item = NewService>,
    ) -> Vec<(Result<(), RegisterError>, ServiceName)> {
        let register = |(namespace, service, pid, metadata): NewService| {
            let result = self.register_with_indexing(&namespace, &service, &pid, metadata);
            (result, service)
        };
        services.into_iter().map(register).collect()
    }

    /// The indexed services of a namespace with this value in an index field, each once, in no order; a list in the field
    /// counts as each of its items. The fields are [`foundation_registry::DEFAULT_INDEX_FIELDS`] unless the registry was
    /// built with others; another field finds nothing. O(result).
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn find_by_indexed_metadata(
        &self,
        namespace: &Namespace,
        field: &str,
        value: &Value,
    ) -> Result<Vec<ServiceEntry>, RegistryError> {
        Ok(self.registry().find_indexed(namespace, field, value)?.into_iter().map(entry_of).collect())
    }

    /// What the index holds.
    pub fn get_optimization_stats(&self) -> OptimizationStats {
        OptimizationStats { metadata_index_size: self.registry().index_rows(), cache_size: 0, cache_hit_rate: None }
    }

    /// Turns the metadata index on, which it is by default, and fills it from the services that were registered with
    /// indexing. Idempotent.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn initialize_optimizations(&self) -> Result<(), RegistryError> {
        self.registry().set_indexing(true)
    }

    /// Turns the metadata index off and frees it: searches in it find nothing until it is
    /// [turned on](Self::initialize_optimizations) again. Nothing else is affected.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn cleanup_optimizations(&self) -> Result<(), RegistryError> {
        self.registry().set_indexing(false)
    }
}
