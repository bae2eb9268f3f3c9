//! The registry as services use it: with events, logs, waiting and health checks.

mod events;
mod health;
mod info;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use foundation_types::{Error, Metadata, Namespace, Pid, ServiceName};

pub use self::events::{LOOKUP_EVENT, REGISTER_EVENT};
pub use self::health::Verdict;
pub use self::info::{ServiceInfo, ServiceStatus};
use crate::classify::{service_not_found, with_key};
use crate::cleanup::{CleanupOptions, CleanupReport};
use crate::error::{LookupError, RegisterError, RegistryError, WaitError};
use crate::registry::{Registered, Registry};
use crate::via::Via;

/// How long a health check may take where nothing else is said.
pub const DEFAULT_HEALTH_CHECK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait for a service where nothing else is said.
pub const DEFAULT_WAIT_TIMEOUT: Duration = Duration::from_secs(5);

const TARGET: &str = "foundation::registry";

/// A [`Registry`] for services: the same entries, and beside them events for the observer, log lines, error records, and
/// health checks.
///
/// Every `register` emits [`REGISTER_EVENT`], every lookup, also the one in a health check and in a wait,
/// [`LOOKUP_EVENT`], with the `namespace`, the `service` and the `result` (`ok` or `error`). Logs go to `tracing` with the
/// target `foundation::registry`. Cheap to clone.
///
/// ```
/// use std::time::Duration;
/// use foundation_registry::{Registry, ServiceRegistry};
/// use foundation_types::{Namespace, Owner, ServiceName};
///
/// let services = ServiceRegistry::new(Registry::new());
/// let (here, name) = (Namespace::test(), ServiceName::from_static("indexer"));
///
/// let owner = Owner::new();
/// services.register(&here, &name, &owner.pid())?;
/// let checked = services.health_check_blocking(&here, &name, Duration::from_secs(1), |pid| pid.is_alive());
/// assert_eq!(checked, Ok(owner.pid()));
/// # Ok::<(), foundation_registry::RegisterError>(())
/// ```
#[derive(Clone)]
pub struct ServiceRegistry {
    registry: Registry,
    logs: ServiceLogs,
}

/// Which of its more talkative lines a [`ServiceRegistry`] logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceLogs {
    /// A debug line when a health check starts. Off by default.
    pub health_check_start: bool,
    /// Info lines when the cleanup of a namespace starts and ends. On by default.
    pub cleanup_bounds: bool,
}

impl Default for ServiceLogs {
    fn default() -> Self {
        Self { health_check_start: false, cleanup_bounds: true }
    }
}

impl ServiceRegistry {
    /// The services of a registry.
    pub fn new(registry: Registry) -> Self {
        Self { registry, logs: ServiceLogs::default() }
    }

    /// With these log lines.
    #[must_use]
    pub fn with_logs(mut self, logs: ServiceLogs) -> Self {
        self.logs = logs;
        self
    }

    /// The registry below.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Claims a name with empty metadata, as [`Registry::register`].
    ///
    /// # Errors
    /// As [`Registry::register`].
    pub fn register(&self, namespace: &Namespace, name: &ServiceName, pid: &Pid) -> Result<Registered, RegisterError> {
        tracing::debug!(target: TARGET, %namespace, service = %name, %pid, "registering service");
        let result = self.registry.register(namespace, name, pid, Metadata::new());
        match &result {
            Ok(_) => tracing::info!(target: TARGET, %namespace, service = %name, %pid, "service registered"),
            Err(RegisterError::AlreadyRegistered { holder }) => {
                tracing::warn!(target: TARGET, %namespace, service = %name, %pid, %holder, "service name is taken");
            }
            Err(error) => {
                tracing::warn!(target: TARGET, %namespace, service = %name, %pid, %error, "service not registered");
            }
        }
        self.emit_register(namespace, name, result.is_ok());
        result
    }

    /// Who holds the name.
    ///
    /// # Errors
    /// The common record: `service_not_found` (5001) with `namespace` and `service` in its context, or `closed`, or
    /// `backend_error`.
    pub fn lookup(&self, namespace: &Namespace, name: &ServiceName) -> Result<Pid, Error> {
        self.look_up(namespace, name).map_err(|error| self.record(error, namespace, name))
    }

    /// Gives a name up, whoever holds it. Returns whether a live owner held it.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn unregister(&self, namespace: &Namespace, name: &ServiceName) -> Result<bool, RegistryError> {
        tracing::debug!(target: TARGET, %namespace, service = %name, "unregistering service");
        let held = self.registry.unregister(namespace, name)?;
        tracing::info!(target: TARGET, %namespace, service = %name, held, "service unregistered");
        Ok(held)
    }

    /// The names of the services of a namespace, in no order. O(services in it).
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn list(&self, namespace: &Namespace) -> Result<Vec<ServiceName>, RegistryError> {
        let services = self.registry.services(namespace)?;
        tracing::debug!(target: TARGET, %namespace, count = services.len(), "services listed");
        Ok(services.into_iter().map(|service| service.key.name).collect())
    }

    /// The name as a value, equal to that of [`Registry::via`].
    pub fn via(&self, namespace: &Namespace, name: &ServiceName) -> Via {
        self.registry.via(namespace, name)
    }

    /// Waits for a service as [`Registry::wait_for`]. One lookup event tells the final result, and the whole wait as its
    /// duration.
    ///
    /// # Errors
    /// As [`Registry::wait_for`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind, and emits nothing.
    pub fn wait_for(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        timeout: Duration,
    ) -> impl Future<Output = Result<Pid, WaitError>> + Send + use<> {
        let (services, namespace, name) = (self.clone(), namespace.clone(), name.clone());
        let start = self.start_of_lookup();
        let waiting = self.registry.wait_for(&namespace, &name, timeout);
        async move {
            let result = waiting.await;
            services.emit_lookup(start, &namespace, &name, result.is_ok());
            result
        }
    }

    /// As [`wait_for`](Self::wait_for), blocking the thread.
    ///
    /// # Errors
    /// As [`Registry::wait_for`].
    pub fn wait_for_blocking(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        timeout: Duration,
    ) -> Result<Pid, WaitError> {
        pollster::block_on(self.wait_for(namespace, name, timeout))
    }

    /// Ends everything in a namespace, as [`Registry::cleanup_namespace`].
    ///
    /// # Errors
    /// As [`Registry::cleanup_namespace`].
    pub fn cleanup_namespace(
        &self,
        namespace: &Namespace,
        options: CleanupOptions,
    ) -> Result<CleanupReport, RegistryError> {
        pollster::block_on(self.cleanup_namespace_async(namespace, options))
    }

    /// As [`cleanup_namespace`](Self::cleanup_namespace), as a future for any executor.
    ///
    /// # Errors
    /// As [`Registry::cleanup_namespace`].
    ///
    /// # Cancel safety
    /// As [`Registry::cleanup_namespace_async`].
    pub fn cleanup_namespace_async(
        &self,
        namespace: &Namespace,
        options: CleanupOptions,
    ) -> impl Future<Output = Result<CleanupReport, RegistryError>> + Send + use<> {
        let cleanup = self.registry.cleanup_namespace_async(namespace, options);
        let (logs, namespace) = (self.logs, namespace.clone());
        async move {
            if logs.cleanup_bounds {
                tracing::info!(target: TARGET, %namespace, "namespace cleanup starts");
            }
            let report = cleanup.await?;
            if report.killed > 0 {
                tracing::info!(target: TARGET, %namespace, killed = report.killed, "owners did not stop when asked");
            }
            if logs.cleanup_bounds {
                tracing::info!(target: TARGET, %namespace, entries = report.entries, "namespace cleaned up");
            }
            Ok(report)
        }
    }

    /// A lookup with its event.
    fn look_up(&self, namespace: &Namespace, name: &ServiceName) -> Result<Pid, LookupError> {
        let start = self.start_of_lookup();
        let result = self.registry.lookup(namespace, name);
        self.emit_lookup(start, namespace, name, result.is_ok());
        result
    }

    fn record(&self, error: LookupError, namespace: &Namespace, name: &ServiceName) -> Error {
        let record = match error {
            LookupError::NotFound => service_not_found(namespace, name),
            other => with_key(other.into(), namespace, name),
        };
        record.with_clock(&*self.registry.core.clock)
    }
}

impl fmt::Debug for ServiceRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServiceRegistry").field(&self.registry).finish()
    }
}
