//! The original's back-end over partitions.

use foundation_registry::BackendError;
use foundation_types::Health;

use super::Backend;

/// The back-end of independent partitions.
pub use foundation_registry::backend::Partitioned as Partitions;

/// What a back-end is and holds; see [`get_registry_info`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryInfo {
    /// How it is.
    pub status: Health,
    /// Entries.
    pub registrations_count: usize,
    /// Names: as many, as keys are unique.
    pub unique_registrations: usize,
    /// Names that are held twice: none.
    pub duplicate_keys: usize,
    /// How many partitions it has.
    pub partitions: usize,
    /// How many owners a name can have: `unique`.
    pub keys_type: &'static str,
    /// What kind of back-end it is.
    pub backend_type: &'static str,
}

/// How the entries are spread; see [`get_partition_stats`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PartitionStats {
    /// How many partitions there are.
    pub total_partitions: usize,
    /// Entries in all of them.
    pub total_registrations: usize,
    /// Entries of each if they were spread evenly.
    pub expected_per_partition: f64,
    /// Entries of each.
    pub distribution: Vec<usize>,
}

/// What a back-end is and holds. O(entries).
///
/// # Errors
/// [`BackendError`].
pub fn get_registry_info<B: Backend + ?Sized>(backend: &B) -> Result<RegistryInfo, BackendError> {
    let (health, info) = (backend.health()?, backend.info());
    Ok(RegistryInfo {
        status: health.status,
        registrations_count: health.registrations,
        unique_registrations: health.registrations,
        duplicate_keys: 0,
        partitions: info.partitions(),
        keys_type: "unique",
        backend_type: info.kind,
    })
}

/// How the entries of a back-end are spread over its partitions.
pub fn get_partition_stats<B: Backend + ?Sized>(backend: &B) -> PartitionStats {
    let distribution = backend.info().entries_per_partition;
    let (partitions, total) = (distribution.len(), distribution.iter().sum::<usize>());
    PartitionStats {
        total_partitions: partitions,
        total_registrations: total,
        expected_per_partition: if partitions == 0 { 0.0 } else { total as f64 / partitions as f64 },
        distribution,
    }
}
