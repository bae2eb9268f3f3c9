//! The supervision engine: services that start in order, are watched, restarted and stopped.
//!
//! A [`Supervisor`] is given [`ServiceSpec`]s: a name, a [`Phase`], dependencies, a [`Restart`] type and a factory. It starts
//! each service after what it depends on, restarts those that end, by [`Strategy`] and within an [`Intensity`], checks their
//! health when asked or, while a [monitor](Supervisor::monitor) is on, by itself, and stops them in reverse. Services that do
//! not stop in time are reported as [abandoned](StopOutcome::Abandoned), not waited for.
//!
//! It needs no asynchronous runtime; with the feature `tokio` services can have asynchronous tasks as well. It knows nothing
//! else of this crate.
//!
//! # Why this shape
//! Rust can kill no thread, so a supervisor in it can promise less than Erlang's, and must promise that exactly: every call into
//! a service runs on a thread of its own with a deadline, the identity of a run ([`Pid`](foundation_types::Pid)) dies at a
//! moment that everybody agrees on, and whatever outlives it can register nothing any more. Operations take place one after the
//! other; state that must survive a restart belongs to what a factory captures, not to the service.

mod bell;
mod builder;
mod config;
mod context;
mod engine;
mod error;
mod events;
mod graph;
mod group;
mod instance;
mod lane;
mod policy;
mod report;
mod service;
mod spec;
mod status;
mod supervisor;
mod sync;

pub use builder::SupervisorBuilder;
pub use config::{
    InvalidServiceConfig, MAX_EXTRA_KEYS, MAX_SERVICE_DURATION, ServiceConfig, ServiceConfigPatch, Toggle,
};
pub use context::{Directory, ServiceContext};
pub use error::{LifecycleError, SpawnError};
pub use events::{
    ABANDONED_EVENT, DEPENDENCY_WARNINGS_EVENT, FEATURE_CHANGED_EVENT, HEALTH_CHECK_EVENT, HEALTH_CHECK_FAILED_EVENT,
    HEALTH_EVENT, INTENSITY_EXCEEDED_EVENT, RESTARTED_EVENT, STARTED_EVENT, STOPPED_EVENT, STOPPING_EVENT,
};
pub use group::{
    Group, GroupBuilder, GroupError, GroupInfo, MAX_GROUP_SIZE, MEMBER_SHUTDOWN_TIMEOUT, MemberInfo, Topology,
};
pub use instance::MAX_TASKS;
pub use policy::{Intensity, Restart, Strategy};
pub use report::{ShutdownReport, StopOutcome};
pub use service::{BoxError, HealthReport, Service, Usage};
pub use spec::{Phase, ServiceSpec};
pub use status::{
    ApplicationState, ApplicationStatus, CheckedHealth, HealthCheck, HealthSummary, PhaseStatus, ServiceHealth,
    ServiceMetrics, ServiceState, ServiceStatus, gauge_value,
};
pub use supervisor::{MAX_SERVICES, MonitorHandle, Supervisor};
