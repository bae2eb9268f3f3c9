//! Numbers about a registry as a whole.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::thread::available_parallelism;

use foundation_types::Namespace;

use crate::backend::estimated_bytes;
use crate::entry::{EntryKind, StoredEntry};
use crate::error::RegistryError;
use crate::registry::{Registry, Store};

/// What a registry holds at the moment; see [`Registry::stats`].
///
/// Always `total_services = production_services + test_services + custom_namespace_services`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryStats {
    /// Services of live owners, in all namespaces.
    pub total_services: usize,
    /// Those in [`Namespace::Production`].
    pub production_services: usize,
    /// Those in test namespaces.
    pub test_services: usize,
    /// Those in custom namespaces.
    pub custom_namespace_services: usize,
    /// Test namespaces with at least one service.
    pub test_namespaces: usize,
    /// How many changes of different names can go on at once: the parallelism available for the default back-end, the
    /// partitions of any other.
    pub partitions: usize,
    /// Estimated memory of those services, in bytes. Agents are not in it, as in none of these numbers.
    pub memory_usage_bytes: usize,
    /// The store behind it.
    pub table_info: TableInfo,
}

/// The store behind a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableInfo {
    /// Whether there is one. There is while the registry is open.
    pub exists: bool,
    /// Services of live owners.
    pub entries: usize,
    /// Their estimated memory, in bytes.
    pub bytes: usize,
}

impl Registry {
    /// Counts what the registry holds. O(entries).
    ///
    /// Each service is counted as it was at some instant of the call; the parts add up to the total also while others
    /// register.
    ///
    /// # Errors
    /// [`RegistryError`]; no content of the registry makes it fail.
    pub fn stats(&self) -> Result<RegistryStats, RegistryError> {
        self.core.check_open()?;
        let counts = self.core.read_backend(|backend| {
            let mut counts = Counts::default();
            backend.for_each(None, EntryKind::Service, &mut |entry| {
                counts.add(&entry);
                ControlFlow::Continue(())
            })?;
            Ok::<_, RegistryError>(counts)
        })?;
        let total = counts.production + counts.test + counts.custom;
        Ok(RegistryStats {
            total_services: total,
            production_services: counts.production,
            test_services: counts.test,
            custom_namespace_services: counts.custom,
            test_namespaces: counts.test_namespaces.len(),
            partitions: self.partitions(),
            memory_usage_bytes: counts.bytes,
            table_info: TableInfo { exists: true, entries: total, bytes: counts.bytes },
        })
    }

    fn partitions(&self) -> usize {
        let store = self.core.store.get_shared();
        match &*store {
            Store::Sharded(_) => available_parallelism().map_or(1, NonZeroUsize::get),
            other => other.backend().info().partitions(),
        }
    }
}

#[derive(Default)]
struct Counts {
    production: usize,
    test: usize,
    custom: usize,
    bytes: usize,
    test_namespaces: HashSet<Namespace>,
}

impl Counts {
    fn add(&mut self, entry: &StoredEntry) {
        self.bytes += estimated_bytes(entry);
        let namespace = &entry.key().namespace;
        match namespace {
            Namespace::Production => self.production += 1,
            Namespace::Test(_) => {
                self.test += 1;
                if !self.test_namespaces.contains(namespace) {
                    self.test_namespaces.insert(namespace.clone());
                }
            }
            Namespace::Custom(_) => self.custom += 1,
        }
    }
}
