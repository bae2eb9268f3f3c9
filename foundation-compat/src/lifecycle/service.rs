//! What a service is.

use std::error::Error;

use foundation_types::{ExitReason, Health, Metadata, ServiceName};
use serde::Serialize;

use super::config::ServiceConfig;
use super::context::ServiceContext;

/// Any error of a service.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// A part of a program that is started, watched and stopped by a [`Supervisor`](super::Supervisor).
///
/// All methods run on threads of the supervisor, never on the one that called it and never under a lock. [`start`](Self::start),
/// the notices about dependencies, [`config_changed`](Self::config_changed) and [`stop`](Self::stop) of one service run one
/// after the other; [`check_health`](Self::check_health) may run beside any of them. A panic in one of them is caught.
///
/// ```
/// use foundation_compat::lifecycle::{BoxError, HealthReport, Service, ServiceContext, ServiceSpec, Supervisor};
/// use foundation_types::{ExitReason, Health, Name};
///
/// struct Heartbeat;
///
/// impl Service for Heartbeat {
///     fn start(&self, context: &ServiceContext) -> Result<(), BoxError> {
///         context.spawn(Name::from_static("beat"), |stop| stop.wait())?;
///         Ok(())
///     }
///     fn check_health(&self) -> Result<HealthReport, BoxError> {
///         Ok(HealthReport::of(Health::Healthy))
///     }
/// }
///
/// let supervisor = Supervisor::builder().service(ServiceSpec::new("heartbeat", |_| Ok(Heartbeat))).start()?;
/// assert_eq!(supervisor.health_check().overall_health, Health::Healthy);
/// # Ok::<(), foundation_compat::lifecycle::LifecycleError>(())
/// ```
pub trait Service: Send + Sync + 'static {
    /// How the service wants to be treated. Asked once for each start, before [`start`](Self::start).
    fn config(&self) -> ServiceConfig {
        ServiceConfig::default()
    }

    /// Becomes ready, or fails. Work that goes on in the background is started through `context`, and is supervised: the
    /// end of any of it is the end of the service.
    ///
    /// # Errors
    /// Whatever keeps the service from becoming ready.
    fn start(&self, context: &ServiceContext) -> Result<(), BoxError> {
        let _ = context;
        Ok(())
    }

    /// How the service is. Called at its health-check interval while a monitor is on, and whenever somebody asks.
    ///
    /// # Errors
    /// The check itself failed, which counts as degraded.
    fn check_health(&self) -> Result<HealthReport, BoxError> {
        Ok(HealthReport::unsupported())
    }

    /// What the service uses at the moment. Asked together with each health check and for
    /// [`service_metrics`](super::Supervisor::service_metrics), unless the configuration turns
    /// [`resource_monitoring`](ServiceConfig::resource_monitoring) off.
    fn usage(&self) -> Usage {
        Usage::default()
    }

    /// A declared dependency runs: called once after the start if it did then, and once for each time that it began to.
    fn dependency_ready(&self, name: &ServiceName) {
        let _ = name;
    }

    /// A declared dependency does not run: called once after the start if it did not then, and once for each time that it
    /// ceased to.
    fn dependency_lost(&self, name: &ServiceName) {
        let _ = name;
    }

    /// The configuration is about to become `new`, which is valid.
    ///
    /// # Errors
    /// The service refuses it; then the old one stays in force.
    fn config_changed(&self, new: &ServiceConfig) -> Result<(), BoxError> {
        let _ = new;
        Ok(())
    }

    /// Releases what the service holds. Called exactly once for each successful start, whatever ended the service. Its
    /// background work has been told to stop by then, and may still run.
    fn stop(&self, reason: &ExitReason) {
        let _ = reason;
    }
}

/// What a health check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthReport {
    health: Option<Health>,
    details: Metadata,
}

impl HealthReport {
    /// A report without details.
    pub const fn of(health: Health) -> Self {
        Self { health: Some(health), details: Metadata::new() }
    }

    /// The report of a service that has no health check: it is as healthy as it is alive.
    pub const fn unsupported() -> Self {
        Self { health: None, details: Metadata::new() }
    }

    /// This report with details.
    #[must_use]
    pub fn with_details(mut self, details: Metadata) -> Self {
        self.details = details;
        self
    }

    /// The health; `None` if the service has no health check.
    pub const fn health(&self) -> Option<Health> {
        self.health
    }

    /// The circumstances.
    pub const fn details(&self) -> &Metadata {
        &self.details
    }
}

/// What a service uses, as far as it knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Usage {
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Messages, requests or jobs that wait to be served.
    pub queue_len: Option<u64>,
}

impl Usage {
    /// This usage with memory in bytes.
    #[must_use]
    pub const fn memory(mut self, bytes: u64) -> Self {
        self.memory_bytes = Some(bytes);
        self
    }

    /// This usage with the number of jobs that wait.
    #[must_use]
    pub const fn queue(mut self, waiting: u64) -> Self {
        self.queue_len = Some(waiting);
        self
    }
}
