//! The handle of a running application.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{ExitReason, Monitor, Pid, ServiceName};

use super::builder::SupervisorBuilder;
use super::config::{ServiceConfig, ServiceConfigPatch};
use super::engine::{Driving, Engine, MonitorThread};
use super::error::LifecycleError;
use super::report::{ShutdownReport, StopOutcome};
use super::spec::ServiceSpec;
use super::status::{ApplicationStatus, HealthCheck, ServiceMetrics};

/// The most services of one supervisor.
pub const MAX_SERVICES: usize = 100_000;

/// Starts services in order, restarts those that end, watches their health and stops them in reverse. Dropping it shuts down.
///
/// Operations that start or stop services take place one after the other; reading never waits for them. No method panics, in
/// whatever state the application is.
///
/// Code of a service that an operation may be waiting for gets none: `WouldWaitForItself` is the answer in its `start`, `stop`,
/// health check and notices, and in its tasks if the operation is about that very service.
#[must_use = "dropping the supervisor stops its services"]
pub struct Supervisor {
    engine: Arc<Engine>,
    driving: Driving,
}

impl Supervisor {
    /// A supervisor with options.
    pub fn builder() -> SupervisorBuilder {
        SupervisorBuilder::default()
    }

    pub(super) const fn new(engine: Arc<Engine>, driving: Driving) -> Self {
        Self { engine, driving }
    }

    pub(super) const fn driving(&self) -> Driving {
        self.driving
    }

    pub(super) const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// How the application and its services are, as far as is known without asking them. O(services).
    pub fn status(&self) -> ApplicationStatus {
        self.engine.status()
    }

    /// Whether the application runs, and with it every service that is neither disabled nor done. O(services).
    pub fn available(&self) -> bool {
        self.engine.is_available()
    }

    /// The names of all services in the order of their start, disabled ones included.
    pub fn services(&self) -> Vec<ServiceName> {
        self.engine.names()
    }

    /// The identity of a service. A restart gives it another one.
    ///
    /// # Errors
    /// `UnknownService`, `Disabled`, `NotRunning`.
    pub fn pid(&self, name: &ServiceName) -> Result<Pid, LifecycleError> {
        self.engine.pid_of(name)
    }

    /// The configuration of a service that runs.
    ///
    /// # Errors
    /// `UnknownService`, `NotRunning`.
    pub fn service_config(&self, name: &ServiceName) -> Result<ServiceConfig, LifecycleError> {
        self.engine.config_of(name)
    }

    /// Asks every service that is not disabled how it is, all at the same time, and waits for as long as one check may take.
    /// Nothing is restarted because of an answer. Who asks while a check of a service is under way gets the outcome of that
    /// one.
    pub fn health_check(&self) -> HealthCheck {
        self.engine.health_check()
    }

    /// Stops a service, if it runs, and starts it anew. That counts towards no limit, and services that depend on it go on.
    ///
    /// # Errors
    /// `UnknownService`; `Disabled`; `MissingDependencies`, in declared order, and nothing was stopped; the errors of a start,
    /// after which the service stays as it is, stopped; `WouldWaitForItself`; `Stopped` and
    /// `IntensityExceeded` after the end of the application.
    pub fn restart_service(&self, name: &ServiceName) -> Result<Pid, LifecycleError> {
        self.engine.restart_service(name)
    }

    /// Starts one more service, after all others, and supervises it like them. Returns its identity when it is ready.
    ///
    /// # Errors
    /// `DuplicateService`, `TooManyServices`, `UnknownDependency`, `PhaseOrder`, `MissingDependencies`, `Disabled` if its
    /// feature is off, and the errors of a start: in each case it is as if it had not been added. `Stopped` and
    /// `IntensityExceeded` after the end of the application.
    pub fn add_service(&self, spec: ServiceSpec) -> Result<Pid, LifecycleError> {
        self.engine.add_service(spec)
    }

    /// Stops a service for good and forgets it. Returns how it stopped, if it ran.
    ///
    /// # Errors
    /// `UnknownService`; `RequiredBy` if another service depends on it; `WouldWaitForItself` in the code of that service;
    /// `Stopped` and `IntensityExceeded` after the end of the application.
    pub fn remove_service(&self, name: &ServiceName) -> Result<Option<StopOutcome>, LifecycleError> {
        self.engine.remove_service(name)
    }

    /// Switches optional services off: stops them, dependents first, and turns their features off. They are not restarted, do
    /// not count in the health, and are reported as disabled. One that is disabled already stays so.
    ///
    /// # Errors
    /// And then nothing has changed: `UnknownService`; `NotOptional`; `RequiredBy` if an enabled service that is not among them
    /// depends on one; `WouldWaitForItself`; `Stopped` and `IntensityExceeded` after the end of the
    /// application.
    pub fn disable_services(&self, names: &[ServiceName]) -> Result<(), LifecycleError> {
        self.engine.disable_services(names)
    }

    /// Switches optional services on: turns their features on and starts them, dependencies first. One that is enabled already
    /// stays as it is.
    ///
    /// # Errors
    /// And then nothing has changed: `UnknownService`; `NotOptional`; `MissingDependencies` if one needs a service that neither
    /// runs nor is among them; the errors of a start; `WouldWaitForItself`; `Stopped` and `IntensityExceeded` after the end of
    /// the application.
    pub fn enable_services(&self, names: &[ServiceName]) -> Result<(), LifecycleError> {
        self.engine.enable_services(names)
    }

    /// Changes the configuration of a service that runs, until it is restarted: a new run begins with what the service wants.
    ///
    /// # Errors
    /// And then the old one stays in force: `UnknownService`, `Disabled`, `NotRunning`; `InvalidConfig`, and the service was not
    /// asked; `ConfigRefused`; `ConfigTimeout`; `WouldWaitForItself`; `Stopped` and `IntensityExceeded` after the end of the
    /// application.
    pub fn update_service_config(&self, name: &ServiceName, patch: &ServiceConfigPatch) -> Result<(), LifecycleError> {
        self.engine.update_config(name, patch)
    }

    /// What a service has been through since it was started. Asks it for its [usage](super::Service::usage), on this thread.
    ///
    /// # Errors
    /// `UnknownService`.
    pub fn service_metrics(&self, name: &ServiceName) -> Result<ServiceMetrics, LifecycleError> {
        self.engine.service_metrics(name)
    }

    /// Starts a thread that checks the health of each service at its interval, the first time at once, until every handle of it
    /// is dropped or the application ends. If one is on already, this is another handle of it.
    ///
    /// # Errors
    /// `NoThread`; `Stopped` and `IntensityExceeded` after the end of the application.
    pub fn monitor(&self) -> Result<MonitorHandle, LifecycleError> {
        self.engine.monitor(self.driving).map(MonitorHandle)
    }

    /// Does what is due: restarts of services that have ended, then health checks, if a [monitor](Self::monitor) is on. Returns
    /// how many exits were dealt with and checks made.
    ///
    /// Needed only by supervisors that are [driven by hand](SupervisorBuilder::driven_by_hand); to others it does no harm.
    pub fn run_due(&self) -> usize {
        self.engine.run_due()
    }

    /// Blocks until the application has ended, and says why: [`ExitReason::Shutdown`] if it was shut down, an error if services
    /// ended too often.
    pub fn wait(&self) -> ExitReason {
        self.exited().wait()
    }

    /// Resolves when the application has ended.
    pub fn exited(&self) -> Monitor {
        self.engine.exited()
    }

    /// Stops every service, the last started first, each for at most as long as its configuration says, and all of them for at
    /// most `max`. Returns what became of each; a service that did not stop in time is
    /// [abandoned](StopOutcome::Abandoned).
    ///
    /// Idempotent: later calls return the same, and calls at the same time wait for the first. Called by a task of a service, it
    /// abandons that service, for the task is waiting.
    pub fn shutdown(&self, max: Duration) -> ShutdownReport {
        self.engine.shut_down(max, ExitReason::Shutdown)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.engine.shut_down(Duration::MAX, ExitReason::Shutdown);
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("services", &self.services().len()).finish_non_exhaustive()
    }
}

/// Keeps a monitor on; see [`Supervisor::monitor`]. Dropping the last one stops it.
#[must_use = "dropping the handle stops the monitor"]
#[derive(Clone, Debug)]
pub struct MonitorHandle(#[expect(dead_code, reason = "its drop is what it is for")] Arc<MonitorThread>);
