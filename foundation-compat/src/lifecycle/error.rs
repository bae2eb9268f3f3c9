//! What can go wrong.

use std::time::Duration;

use foundation_types::error::{Classify, Domain};
use foundation_types::{ErrorKind, Metadata, Pid, ServiceName, Text, Value};

use super::config::InvalidServiceConfig;
use super::service::BoxError;
use super::supervisor::MAX_SERVICES;

/// Why an operation of a [`Supervisor`](super::Supervisor) failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LifecycleError {
    /// There is no service of this name.
    #[error("there is no service {0}")]
    UnknownService(ServiceName),
    /// Two services have this name.
    #[error("there are two services of the name {0}")]
    DuplicateService(ServiceName),
    /// A service depends on one that does not exist.
    #[error("service {service} depends on {dependency}, which does not exist")]
    UnknownDependency {
        /// The service.
        service: ServiceName,
        /// What it depends on.
        dependency: ServiceName,
    },
    /// Services depend on each other: each on the next, the last on the first.
    #[error("services depend on each other: {}", names(.0))]
    DependencyCycle(Vec<ServiceName>),
    /// A service depends on one of a later phase.
    #[error("service {service} depends on {dependency}, which starts in a later phase")]
    PhaseOrder {
        /// The service.
        service: ServiceName,
        /// What it depends on.
        dependency: ServiceName,
    },
    /// The service needs these, in the order in which they were declared, and they do not run.
    #[error("dependencies do not run: {}", names(.0))]
    MissingDependencies(Vec<ServiceName>),
    /// The service failed, panicked or ended while it started.
    #[error("service {service} failed to start: {source}")]
    StartFailed {
        /// The service.
        service: ServiceName,
        /// What it said.
        source: BoxError,
    },
    /// The service did not become ready in time.
    #[error("service {service} was not ready after {after:?}")]
    StartTimeout {
        /// The service.
        service: ServiceName,
        /// How long it had.
        after: Duration,
    },
    /// Another component has the name of the service in the directory.
    #[error("the name of service {service} is held by {existing}")]
    RegistrationFailed {
        /// The service.
        service: ServiceName,
        /// Who has its name.
        existing: Pid,
    },
    /// The service cannot be switched off.
    #[error("service {0} is not optional")]
    NotOptional(ServiceName),
    /// The service is needed by another one.
    #[error("service {service} is required by {by}")]
    RequiredBy {
        /// The service.
        service: ServiceName,
        /// Who needs it.
        by: ServiceName,
    },
    /// The service is switched off; see [`Supervisor::enable_services`](super::Supervisor::enable_services).
    #[error("service {0} is disabled")]
    Disabled(ServiceName),
    /// The service does not run.
    #[error("service {0} does not run")]
    NotRunning(ServiceName),
    /// The configuration of the service, or the one it is to become, is out of range.
    #[error("configuration of service {service}: {source}")]
    InvalidConfig {
        /// The service.
        service: ServiceName,
        /// What is out of range.
        source: InvalidServiceConfig,
    },
    /// The service refused its new configuration, or panicked over it.
    #[error("service {service} refused its configuration: {source}")]
    ConfigRefused {
        /// The service.
        service: ServiceName,
        /// What it said.
        source: BoxError,
    },
    /// The service did not answer to its new configuration in time. The old one stays in force.
    #[error("service {service} did not answer to its new configuration within {after:?}")]
    ConfigTimeout {
        /// The service.
        service: ServiceName,
        /// How long it had.
        after: Duration,
    },
    /// The application ended because services ended too often; this one was the last.
    #[error("the application ended: service {service} ended once too often")]
    IntensityExceeded {
        /// The service.
        service: ServiceName,
    },
    /// There are [`MAX_SERVICES`] services.
    #[error("there are {MAX_SERVICES} services, the limit")]
    TooManyServices,
    /// A service called an operation that would wait for this very service.
    #[error("service {0} called an operation that would wait for it")]
    WouldWaitForItself(ServiceName),
    /// No thread could be started.
    #[error("no thread could be started: {0}")]
    NoThread(Text),
    /// The application runs, or is being started.
    #[error("the application has been started already")]
    AlreadyStarted,
    /// The application has not been started.
    #[error("the application has not been started")]
    NotStarted,
    /// The application has been shut down.
    #[error("the application has been shut down")]
    Stopped,
}

/// Why background work of a service was not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The service has ended or is about to.
    #[error("the service has ended")]
    Ended,
    /// The service has as many tasks as it may: [`MAX_TASKS`](super::MAX_TASKS).
    #[error("the service has {} tasks, the limit", super::MAX_TASKS)]
    TooMany,
    /// The operating system refused the thread.
    #[error("no thread could be started: {0}")]
    NoThread(Text),
    /// The supervisor was not started in a tokio runtime.
    #[cfg(feature = "tokio")]
    #[error("the supervisor was not started in a tokio runtime")]
    NoRuntime,
}

pub(super) fn names(services: &[ServiceName]) -> String {
    services.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Classify for LifecycleError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownService(_) => ErrorKind::ServiceNotFound,
            Self::DuplicateService(_) | Self::RegistrationFailed { .. } | Self::AlreadyStarted => {
                ErrorKind::AlreadyRegistered
            }
            Self::UnknownDependency { .. }
            | Self::DependencyCycle(_)
            | Self::PhaseOrder { .. }
            | Self::InvalidConfig { .. } => ErrorKind::InvalidConfigValue,
            Self::MissingDependencies(_) => ErrorKind::DependencyFailed,
            Self::StartFailed { .. } => ErrorKind::InitializationFailed,
            Self::StartTimeout { .. } | Self::ConfigTimeout { .. } => ErrorKind::Timeout,
            Self::NotOptional(_) | Self::RequiredBy { .. } => ErrorKind::ConfigUpdateForbidden,
            Self::ConfigRefused { .. } => ErrorKind::ValidationFailed,
            Self::TooManyServices => ErrorKind::LimitExceeded,
            Self::NoThread(_) => ErrorKind::ResourceExhausted,
            Self::WouldWaitForItself(_) => ErrorKind::InternalError,
            Self::IntensityExceeded { .. } | Self::Stopped => ErrorKind::Closed,
            Self::Disabled(_) | Self::NotRunning(_) | Self::NotStarted => ErrorKind::ServiceUnavailable,
        }
    }

    fn domain(&self) -> Domain {
        match self {
            Self::UnknownService(_)
            | Self::DuplicateService(_)
            | Self::RegistrationFailed { .. }
            | Self::TooManyServices
            | Self::AlreadyStarted
            | Self::IntensityExceeded { .. }
            | Self::Stopped => Domain::Registry,
            Self::NotOptional(_) | Self::RequiredBy { .. } | Self::ConfigRefused { .. } => Domain::Config,
            _ => Domain::Core,
        }
    }

    fn context(&self) -> Metadata {
        let context = Metadata::new();
        match self {
            Self::UnknownService(service)
            | Self::DuplicateService(service)
            | Self::NotOptional(service)
            | Self::Disabled(service)
            | Self::NotRunning(service)
            | Self::WouldWaitForItself(service)
            | Self::StartFailed { service, .. }
            | Self::StartTimeout { service, .. }
            | Self::InvalidConfig { service, .. }
            | Self::ConfigRefused { service, .. }
            | Self::ConfigTimeout { service, .. }
            | Self::IntensityExceeded { service } => context.with("service", service.to_string()),
            Self::UnknownDependency { service, dependency } | Self::PhaseOrder { service, dependency } => {
                context.with("service", service.to_string()).with("dependency", dependency.to_string())
            }
            Self::RegistrationFailed { service, existing } => {
                context.with("service", service.to_string()).with("holder", existing.to_string())
            }
            Self::RequiredBy { service, by } => context.with("service", service.to_string()).with("by", by.to_string()),
            Self::DependencyCycle(services) => context.with("services", list(services)),
            Self::MissingDependencies(services) => context.with("dependencies", list(services)),
            Self::TooManyServices | Self::NoThread(_) | Self::AlreadyStarted | Self::NotStarted | Self::Stopped => {
                context
            }
        }
    }
}

fn list(services: &[ServiceName]) -> Value {
    Value::List(services.iter().map(|service| Value::from(service.to_string())).collect())
}

#[cfg(test)]
mod tests {
    use foundation_types::error::classification;

    use super::*;

    #[test]
    fn every_error_has_a_number_that_stays() {
        let service = || ServiceName::from_static("s");
        let source = || -> BoxError { "boom".into() };
        let after = Duration::from_secs(5);
        let existing = foundation_types::Owner::new().pid();
        let holder = existing.to_string();
        let errors = [
            LifecycleError::UnknownService(service()),
            LifecycleError::DuplicateService(service()),
            LifecycleError::UnknownDependency { service: service(), dependency: service() },
            LifecycleError::DependencyCycle(vec![service(), service()]),
            LifecycleError::PhaseOrder { service: service(), dependency: service() },
            LifecycleError::MissingDependencies(vec![service()]),
            LifecycleError::StartFailed { service: service(), source: source() },
            LifecycleError::StartTimeout { service: service(), after },
            LifecycleError::RegistrationFailed { service: service(), existing },
            LifecycleError::NotOptional(service()),
            LifecycleError::RequiredBy { service: service(), by: service() },
            LifecycleError::Disabled(service()),
            LifecycleError::NotRunning(service()),
            LifecycleError::InvalidConfig {
                service: service(),
                source: InvalidServiceConfig::Zero { field: "start_timeout" },
            },
            LifecycleError::ConfigRefused { service: service(), source: source() },
            LifecycleError::ConfigTimeout { service: service(), after },
            LifecycleError::IntensityExceeded { service: service() },
            LifecycleError::TooManyServices,
            LifecycleError::WouldWaitForItself(service()),
            LifecycleError::NoThread("no".into()),
            LifecycleError::AlreadyStarted,
            LifecycleError::NotStarted,
            LifecycleError::Stopped,
        ];
        let labels: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let lines = labels.iter().zip(&errors).map(|(label, error)| (label.as_str(), error as &dyn Classify));
        let expected = "\
there is no service s: registry/service_not_found 5001 medium system/discovery no_retry
there are two services of the name s: registry/already_registered 7101 medium service/registration no_retry
service s depends on s, which does not exist: core/invalid_config_value 1201 medium config/validation no_retry
services depend on each other: s, s: core/invalid_config_value 1201 medium config/validation no_retry
service s depends on s, which starts in a later phase: core/invalid_config_value 1201 medium config/validation no_retry
dependencies do not run: s: core/dependency_failed 2301 high system/dependencies immediate
service s failed to start: boom: core/initialization_failed 2101 critical system/initialization no_retry
service s was not ready after 5s: core/timeout 4301 medium external/timeout exponential_backoff
the name of service s is held by HOLDER: registry/already_registered 7101 medium service/registration no_retry
service s is not optional: config/config_update_forbidden 1401 medium config/runtime no_retry
service s is required by s: config/config_update_forbidden 1401 medium config/runtime no_retry
service s is disabled: core/service_unavailable 2102 high system/initialization immediate
service s does not run: core/service_unavailable 2102 high system/initialization immediate
configuration of service s: start_timeout must be above zero: core/invalid_config_value 1201 medium config/validation no_retry
service s refused its configuration: boom: config/validation_failed 1001 medium config/validation no_retry
service s did not answer to its new configuration within 5s: core/timeout 4301 medium external/timeout exponential_backoff
the application ended: service s ended once too often: registry/closed 7106 high system/lifecycle no_retry
there are 100000 services, the limit: registry/limit_exceeded 7105 medium system/resources no_retry
service s called an operation that would wait for it: core/internal_error 2401 critical system/runtime no_retry
no thread could be started: no: core/resource_exhausted 2201 high system/resources immediate
the application has been started already: registry/already_registered 7101 medium service/registration no_retry
the application has not been started: core/service_unavailable 2102 high system/initialization immediate
the application has been shut down: registry/closed 7106 high system/lifecycle no_retry
";
        assert_eq!(classification(lines).replace(&holder, "HOLDER"), expected);
    }
}
