#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

#[cfg(feature = "agent")]
mod agents;
pub mod backend;
mod classify;
mod cleanup;
#[cfg(feature = "conformance")]
pub mod conformance;
mod entry;
mod error;
#[cfg(feature = "test-util")]
mod fault;
mod index;
mod inspect;
mod key;
mod monitor;
mod registry;
mod service;
mod stats;
mod sync;
mod table;
mod typed;
mod via;
mod wait;
mod watch;

#[cfg(all(feature = "agent", feature = "test-util"))]
pub use agents::AgentsHeld;
#[cfg(feature = "agent")]
pub use agents::{
    AgentEntry, AgentError, AgentQuery, AgentStats, Agents, CLEANUP_EVENT, HEALTH_CHANGED_EVENT, HealthChange,
    HealthOverview, METADATA_MODE_CHANGED_EVENT, REGISTERED_EVENT, RegistryDirectory, ResourceStats,
};
pub use backend::{Backend, Partitioned, Sharded};
pub use cleanup::{CLEANUP_GRACE, CLEANUP_LAST_CALL, CleanupOptions, CleanupReport};
pub use entry::{EntryKind, EntrySnapshot, NewEntry, RegisteredAt, SameOwner, StoredEntry};
pub use error::{
    BackendError, GetError, HealthCheckError, LimitExceeded, LookupError, OptionsError, RegisterError, RegistryError,
    UpdateError, WaitError,
};
#[cfg(feature = "test-util")]
pub use fault::{BackendOperation, Fault, FaultyBackend};
pub use key::{KeyRef, RegistryKey};
pub use monitor::{
    ActiveBackend, BACKEND_FAILOVER_EVENT, BackendMetrics, BackendMonitor, Failover, MAX_METRIC_SAMPLES,
    MonitorOptions, MonitorReport, MonitorThread, OperationMetrics, SwitchError,
};
#[cfg(feature = "test-util")]
pub use registry::Held;
pub use registry::{
    DEFAULT_INDEX_FIELDS, Limits, MAX_INDEX_FIELDS, Registered, RegistrationGuard, Registry, RegistryBuilder,
    SwitchReport,
};
pub use service::{
    DEFAULT_HEALTH_CHECK_TIMEOUT, DEFAULT_WAIT_TIMEOUT, LOOKUP_EVENT, REGISTER_EVENT, ServiceInfo, ServiceLogs,
    ServiceRegistry, ServiceStatus, Verdict,
};
pub use stats::{RegistryStats, TableInfo};
pub use typed::{Handle, ServiceKey};
pub use via::Via;
pub use wait::WaitFor;
pub use watch::{RegistryChange, RemovalReason, WATCH_CAPACITY, Watch};
