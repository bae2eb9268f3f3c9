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
            Self::UnknownDependency { .. } | Self::DependencyCycle(_) | Self::PhaseOrder { .. } => {
                ErrorKind::InvalidConfigStructure
            }
            Self::MissingDependencies(_) => ErrorKind::DependencyFailed,
            Self::StartFailed { .. } => ErrorKind::InitializationFailed,
            Self::StartTimeout { .. } | Self::ConfigTimeout { .. } => ErrorKind::Timeout,
            Self::NotOptional(_) | Self::RequiredBy { .. } => ErrorKind::ConfigUpdateForbidden,
            Self::InvalidConfig { .. } => ErrorKind::InvalidConfigValue,
            Self::ConfigRefused { .. } => ErrorKind::ValidationFailed,
            Self::TooManyServices | Self::NoThread(_) => ErrorKind::ResourceExhausted,
            Self::WouldWaitForItself(_) => ErrorKind::InternalError,
            Self::Disabled(_)
            | Self::NotRunning(_)
            | Self::IntensityExceeded { .. }
            | Self::NotStarted
            | Self::Stopped => ErrorKind::ServiceUnavailable,
        }
    }

    fn domain(&self) -> Domain {
        match self {
            Self::UnknownService(_)
            | Self::DuplicateService(_)
            | Self::RegistrationFailed { .. }
            | Self::AlreadyStarted => Domain::Registry,
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
