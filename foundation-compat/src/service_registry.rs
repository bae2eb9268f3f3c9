//! The original's `Foundation.ServiceRegistry`: the same entries as the process registry, with events, logs, health checks
//! and waiting.
//!
//! The functions act on the [global instance](crate::global), [`ServiceRegistry`] on any. The bare name is the function with
//! the most arguments; a shorter one carries its arity.

use std::fmt;
use std::time::Duration;

use foundation_registry::{
    CleanupOptions, DEFAULT_HEALTH_CHECK_TIMEOUT, DEFAULT_WAIT_TIMEOUT, RegistryError, ServiceLogs,
    ServiceRegistry as NativeServices, Via, WaitError,
};
pub use foundation_registry::{HealthCheckError, ServiceInfo, Verdict};
use foundation_types::{Error, Namespace, Pid, ServiceName, TestRef};

use crate::foundation::Foundation;
use crate::global::{self, on_global};
use crate::process_registry::RegisterError;

/// The original's service registry on a given registry. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServiceRegistry {
    services: NativeServices,
}

impl ServiceRegistry {
    /// The service registry on `services`.
    pub const fn new(services: NativeServices) -> Self {
        Self { services }
    }

    /// The service registry below.
    pub const fn services(&self) -> &NativeServices {
        &self.services
    }

    /// Claims a name with empty metadata, as [`ProcessRegistry::register`](crate::process_registry::ProcessRegistry::register).
    ///
    /// # Errors
    /// As there.
    pub fn register(&self, namespace: &Namespace, service: &ServiceName, pid: &Pid) -> Result<(), RegisterError> {
        RegisterError::legacy(self.services.register(namespace, service, pid))
    }

    /// Who holds a name.
    ///
    /// # Errors
    /// The record `service_not_found` (5001), with `namespace` and `service` in its context; `closed` after the shutdown of
    /// the registry, `backend_error` if its back-end fails.
    pub fn lookup(&self, namespace: &Namespace, service: &ServiceName) -> Result<Pid, Error> {
        self.services.lookup(namespace, service)
    }

    /// Gives a name up, whoever holds it and whether anyone does.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn unregister(&self, namespace: &Namespace, service: &ServiceName) -> Result<(), RegistryError> {
        self.services.unregister(namespace, service).map(drop)
    }

    /// The names of the services of a namespace, in no order. O(services in it).
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn list_services(&self, namespace: &Namespace) -> Result<Vec<ServiceName>, RegistryError> {
        self.services.list(namespace)
    }

    /// Whether a service is registered, alive, and well in the eyes of the check, if one is given. The check runs on a
    /// thread of its own while the caller blocks; at the timeout it is given up, and what it answers later is lost.
    ///
    /// # Errors
    /// [`HealthCheckError`].
    pub fn health_check(
        &self,
        namespace: &Namespace,
        service: &ServiceName,
        options: HealthCheckOptions,
    ) -> Result<Pid, HealthCheckError> {
        let HealthCheckOptions { check, timeout, logs } = options;
        let with_logs = logs.map(|logs| self.services.clone().with_logs(logs));
        let services = with_logs.as_ref().unwrap_or(&self.services);
        match check {
            Some(check) => services.health_check_blocking(namespace, service, timeout, check),
            None => services.health_check(namespace, service),
        }
    }

    /// Whether a service is registered and alive.
    ///
    /// # Errors
    /// [`HealthCheckError::NotFound`], [`HealthCheckError::ProcessDead`], [`HealthCheckError::Closed`],
    /// [`HealthCheckError::Backend`].
    pub fn health_check_2(&self, namespace: &Namespace, service: &ServiceName) -> Result<Pid, HealthCheckError> {
        self.services.health_check(namespace, service)
    }

    /// Blocks until a live owner holds a name, at most for `timeout`; a timeout of zero is one look.
    ///
    /// # Errors
    /// [`WaitError::Timeout`], never before the time; [`WaitError::Closed`], [`WaitError::Backend`].
    pub fn wait_for_service(
        &self,
        namespace: &Namespace,
        service: &ServiceName,
        timeout: Duration,
    ) -> Result<Pid, WaitError> {
        self.services.wait_for_blocking(namespace, service, timeout)
    }

    /// As [`wait_for_service`](Self::wait_for_service) for at most 5 s.
    ///
    /// # Errors
    /// As there.
    pub fn wait_for_service_2(&self, namespace: &Namespace, service: &ServiceName) -> Result<Pid, WaitError> {
        self.wait_for_service(namespace, service, DEFAULT_WAIT_TIMEOUT)
    }

    /// The services of a namespace with their ages. O(services in it).
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn get_service_info(&self, namespace: &Namespace) -> Result<ServiceInfo, RegistryError> {
        self.services.service_info(namespace)
    }

    /// Ends every owner of a name in a test namespace and empties it, as
    /// [`ProcessRegistry::cleanup_test_namespace`](crate::process_registry::ProcessRegistry::cleanup_test_namespace).
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn cleanup_test_namespace(&self, test: TestRef) -> Result<(), RegistryError> {
        self.services.cleanup_namespace(&Namespace::Test(test), CleanupOptions::new()).map(drop)
    }

    /// A name as a value, equal to that of the process registry.
    pub fn via_tuple(&self, namespace: &Namespace, service: &ServiceName) -> Via {
        self.services.via(namespace, service)
    }
}

impl From<&Foundation> for ServiceRegistry {
    /// The service registry of an instance.
    fn from(foundation: &Foundation) -> Self {
        Self::new(foundation.services().clone())
    }
}

type Check = Box<dyn FnOnce(Pid) -> Verdict + Send>;

/// How [`health_check`] goes about it.
#[must_use]
pub struct HealthCheckOptions {
    check: Option<Check>,
    timeout: Duration,
    logs: Option<ServiceLogs>,
}

impl HealthCheckOptions {
    /// No check but that the owner is alive; the time for one, if given, is 5 s.
    pub const fn new() -> Self {
        Self { check: None, timeout: DEFAULT_HEALTH_CHECK_TIMEOUT, logs: None }
    }

    /// The option `health_check`: a function that gives `()`, a `bool` or a `Result`, or a [`Verdict`].
    pub fn check<V: Into<Verdict>>(mut self, check: impl FnOnce(Pid) -> V + Send + 'static) -> Self {
        self.check = Some(Box::new(|pid| check(pid).into()));
        self
    }

    /// The option `timeout`: how long the check may take.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The option `debug_health_check`: a debug line when the check starts.
    pub const fn debug_health_check(mut self) -> Self {
        self.logs = Some(ServiceLogs { health_check_start: true, cleanup_bounds: true });
        self
    }
}

impl Default for HealthCheckOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HealthCheckOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthCheckOptions")
            .field("check", &self.check.is_some())
            .field("timeout", &self.timeout)
            .field("debug_health_check", &self.logs.is_some())
            .finish()
    }
}

fn here() -> ServiceRegistry {
    ServiceRegistry::from(&global::get())
}

on_global! {
    ServiceRegistry(here()):
    fn register(namespace: &Namespace, service: &ServiceName, pid: &Pid) -> Result<(), RegisterError>;
    fn lookup(namespace: &Namespace, service: &ServiceName) -> Result<Pid, Error>;
    fn unregister(namespace: &Namespace, service: &ServiceName) -> Result<(), RegistryError>;
    fn list_services(namespace: &Namespace) -> Result<Vec<ServiceName>, RegistryError>;
    fn health_check(namespace: &Namespace, service: &ServiceName, options: HealthCheckOptions)
        -> Result<Pid, HealthCheckError>;
    fn health_check_2(namespace: &Namespace, service: &ServiceName) -> Result<Pid, HealthCheckError>;
    fn wait_for_service(namespace: &Namespace, service: &ServiceName, timeout: Duration) -> Result<Pid, WaitError>;
    fn wait_for_service_2(namespace: &Namespace, service: &ServiceName) -> Result<Pid, WaitError>;
    fn get_service_info(namespace: &Namespace) -> Result<ServiceInfo, RegistryError>;
    fn cleanup_test_namespace(test: TestRef) -> Result<(), RegistryError>;
    fn via_tuple(namespace: &Namespace, service: &ServiceName) -> Via;
}
