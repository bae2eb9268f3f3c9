//! The original's `Foundation.ProcessRegistry`, with its back-ends, its back-end monitor and its agent functions.
//!
//! The functions act on the registry of the [global instance](crate::global); [`ProcessRegistry`] has the same as methods
//! for any registry. The bare name is the function with the most arguments; a shorter one carries its arity.
//!
//! What the original answers with `{:ok, x}` and `:ok` is `Ok`, what it answers with `:error` and `{:error, reason}` is
//! `Err`. Where the original raises because its registry is down, the error says `Closed`.
//!
//! ```
//! use foundation_compat::process_registry::{self, RegisterError};
//! use foundation_compat::{Metadata, Namespace, Owner, ServiceName};
//!
//! let (here, cache) = (Namespace::test(), ServiceName::from_static("cache"));
//! let (one, two) = (Owner::new(), Owner::new());
//! process_registry::register(&here, &cache, &one.pid(), Metadata::new().with("tier", "hot"))?;
//! let taken = process_registry::register_3(&here, &cache, &two.pid());
//! assert_eq!(taken, Err(RegisterError::AlreadyRegistered { holder: one.pid() }));
//! drop(one);
//! assert_eq!(process_registry::registered(&here, &cache), Ok(false));
//! # Ok::<(), RegisterError>(())
//! ```

#[cfg(feature = "agent")]
pub mod agent;
pub mod backend;
pub mod backend_monitor;
mod child_spec;
mod error;
mod facade;
mod indexing;
mod stats;

use std::sync::Arc;

use foundation_registry::{LookupError, RegistryError, Via};
use foundation_types::{Metadata, Namespace, Pid, ServiceName, TestRef, Value};

pub use self::child_spec::{ChildKind, ChildSpec, Restart};
pub use self::error::{RegisterError, UpdateError};
pub use self::facade::{ProcessRegistry, ServiceEntry, ServiceMap};
pub use self::indexing::{NewService, OptimizationStats};
pub use self::stats::{EtsTableInfo, ProcessRegistryStats};
use crate::global::{self, on_global};

fn here() -> ProcessRegistry {
    ProcessRegistry::from(&global::get())
}

/// The registry of the global instance, which exists from now on. The options are ignored.
pub fn start(options: &Metadata) -> ProcessRegistry {
    let _ = options;
    here()
}

/// As [`start`] without options.
pub fn start_0() -> ProcessRegistry {
    here()
}

/// How a supervisor would run the registry. The argument is ignored.
pub fn child_spec(argument: &Metadata) -> ChildSpec {
    let _ = argument;
    ChildSpec {
        id: "Foundation.ProcessRegistry",
        kind: ChildKind::Supervisor,
        restart: Restart::Permanent,
        shutdown: None,
    }
}

/// As [`ProcessRegistry::find_services_by_metadata`], in the global registry.
///
/// # Errors
/// As there.
///
/// # Panics
/// If the predicate does.
pub fn find_services_by_metadata(
    namespace: &Namespace,
    predicate: impl FnMut(&Metadata) -> bool,
) -> Result<Vec<ServiceEntry>, RegistryError> {
    here().find_services_by_metadata(namespace, predicate)
}

/// As [`ProcessRegistry::bulk_register`], in the global registry.
pub fn bulk_register(services: impl IntoIterator<Item = NewService>) -> Vec<(Result<(), RegisterError>, ServiceName)> {
    here().bulk_register(services)
}

/// As [`ProcessRegistry::configure_metadata_mode`], in the global registry.
#[cfg(feature = "agent")]
pub fn configure_metadata_mode(view: foundation_types::MetadataView) -> foundation_types::MetadataView {
    here().configure_metadata_mode(view)
}

on_global! {
    ProcessRegistry(here()):
    fn register(namespace: &Namespace, service: &ServiceName, pid: &Pid, metadata: Metadata)
        -> Result<(), RegisterError>;
    fn register_3(namespace: &Namespace, service: &ServiceName, pid: &Pid) -> Result<(), RegisterError>;
    fn lookup(namespace: &Namespace, service: &ServiceName) -> Result<Pid, LookupError>;
    fn unregister(namespace: &Namespace, service: &ServiceName) -> Result<(), RegistryError>;
    fn registered(namespace: &Namespace, service: &ServiceName) -> Result<bool, RegistryError>;
    fn get_metadata(namespace: &Namespace, service: &ServiceName) -> Result<Arc<Metadata>, LookupError>;
    fn lookup_with_metadata(namespace: &Namespace, service: &ServiceName)
        -> Result<(Pid, Arc<Metadata>), LookupError>;
    fn update_metadata(namespace: &Namespace, service: &ServiceName, metadata: Metadata) -> Result<(), UpdateError>;
    fn list_services(namespace: &Namespace) -> Result<Vec<ServiceName>, RegistryError>;
    fn get_all_services(namespace: &Namespace) -> Result<ServiceMap<Pid>, RegistryError>;
    fn list_services_with_metadata(namespace: &Namespace) -> Result<ServiceMap<Arc<Metadata>>, RegistryError>;
    fn count_services(namespace: &Namespace) -> Result<usize, RegistryError>;
    fn via_tuple(namespace: &Namespace, service: &ServiceName) -> Via;
    fn cleanup_test_namespace(test: TestRef) -> Result<(), RegistryError>;
    fn stats() -> Result<ProcessRegistryStats, RegistryError>;
    fn register_with_indexing(namespace: &Namespace, service: &ServiceName, pid: &Pid, metadata: Metadata)
        -> Result<(), RegisterError>;
    fn register_with_indexing_3(namespace: &Namespace, service: &ServiceName, pid: &Pid) -> Result<(), RegisterError>;
    fn cached_lookup(namespace: &Namespace, service: &ServiceName) -> Result<Pid, LookupError>;
    fn find_by_indexed_metadata(namespace: &Namespace, field: &str, value: &Value)
        -> Result<Vec<ServiceEntry>, RegistryError>;
    fn get_optimization_stats() -> OptimizationStats;
    fn initialize_optimizations() -> Result<(), RegistryError>;
    fn cleanup_optimizations() -> Result<(), RegistryError>;
}
