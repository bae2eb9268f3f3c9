//! The original's table back-end: a concurrent map.

use std::ops::ControlFlow;

use foundation_registry::{BackendError, EntryKind};

use super::Backend;

/// The default back-end.
pub use foundation_registry::backend::Sharded as Ets;

/// What a back-end holds; see [`get_statistics`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EtsStatistics {
    /// What kind of back-end it is.
    pub backend_type: &'static str,
    /// Entries, dead ones included.
    pub total_registrations: usize,
    /// Entries of live owners.
    pub alive_processes: usize,
    /// Entries of dead owners.
    pub dead_processes: usize,
    /// Estimated memory of the entries, in bytes.
    pub memory_usage_bytes: usize,
    /// The mean size of metadata, in bytes of its compact JSON text, rounded down; 0 without entries.
    pub average_metadata_size_bytes: usize,
    /// The version of the back-end.
    pub backend_version: &'static str,
}

/// Removes the entries of dead owners from a back-end that is used alone and returns how many there were. Behind a registry
/// there are none, as it removes them at the death.
///
/// # Errors
/// [`BackendError`].
pub fn cleanup_dead_processes<B: Backend + ?Sized>(backend: &B) -> Result<usize, BackendError> {
    Ok(backend.sweep()?.len())
}

/// Counts what a back-end holds. O(entries).
///
/// # Errors
/// [`BackendError`].
pub fn get_statistics<B: Backend + ?Sized>(backend: &B) -> Result<EtsStatistics, BackendError> {
    let health = backend.health()?;
    let (mut entries, mut metadata_bytes) = (0_usize, 0_usize);
    for kind in [EntryKind::Service, EntryKind::Agent] {
        backend.for_each(None, kind, &mut |entry| {
            entries += 1;
            metadata_bytes += entry.metadata().to_json_string().len();
            ControlFlow::Continue(())
        })?;
    }
    Ok(EtsStatistics {
        backend_type: backend.info().kind,
        total_registrations: health.registrations,
        alive_processes: health.live,
        dead_processes: health.dead,
        memory_usage_bytes: health.bytes,
        average_metadata_size_bytes: metadata_bytes.checked_div(entries).unwrap_or(0),
        backend_version: "1.0.0",
    })
}
