//! Statistics under their old names.

use foundation_registry::RegistryError;

use super::facade::ProcessRegistry;

/// What a registry holds; see [`ProcessRegistry::stats`].
///
/// The services in test namespaces are `total_services - production_services - custom_namespace_services`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessRegistryStats {
    /// Services of live owners, in all namespaces.
    pub total_services: usize,
    /// Those in the production namespace.
    pub production_services: usize,
    /// Those in custom namespaces, in the presence of which the original raises.
    pub custom_namespace_services: usize,
    /// Test namespaces with at least one service.
    pub test_namespaces: usize,
    /// How many changes of different names can go on at once.
    pub partitions: usize,
    /// The same number.
    pub partition_count: usize,
    /// Estimated memory of all entries, in bytes.
    pub memory_usage_bytes: usize,
    /// The table behind the registry.
    pub ets_table_info: EtsTableInfo,
}

/// The table behind a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EtsTableInfo {
    /// Whether there is one.
    pub backup_table_exists: bool,
    /// Services of live owners in it.
    pub table_size: usize,
    /// Estimated memory of its entries, in machine words.
    pub memory_words: usize,
}

impl ProcessRegistry {
    /// Counts what the registry holds. O(entries). No content of the registry makes it fail.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn stats(&self) -> Result<ProcessRegistryStats, RegistryError> {
        let stats = self.registry().stats()?;
        Ok(ProcessRegistryStats {
            total_services: stats.total_services,
            production_services: stats.production_services,
            custom_namespace_services: stats.custom_namespace_services,
            test_namespaces: stats.test_namespaces,
            partitions: stats.partitions,
            partition_count: stats.partitions,
            memory_usage_bytes: stats.memory_usage_bytes,
            ets_table_info: EtsTableInfo {
                backup_table_exists: stats.table_info.exists,
                table_size: stats.total_services,
                memory_words: stats.memory_usage_bytes.div_ceil(size_of::<usize>()),
            },
        })
    }
}
