//! What the errors of this crate are in the common vocabulary.

use foundation_types::error::{Classify, Domain, ErrorKind};
use foundation_types::{Error, Metadata, Namespace, ServiceName};

use crate::backend::ClaimError;
use crate::error::{
    BackendError, GetError, HealthCheckError, LimitExceeded, LookupError, OptionsError, RegisterError, RegistryError,
    UpdateError, WaitError,
};

macro_rules! classify {
    ($($error:ty: |$this:ident| $kind:expr $(, $context:expr)?;)*) => {
        $(impl Classify for $error {
            fn kind(&self) -> ErrorKind {
                let $this = self;
                // Not every error needs to be looked at.
                let _ = $this;
                $kind
            }

            fn domain(&self) -> Domain {
                Domain::Registry
            }

            $(fn context(&self) -> Metadata {
                let $this = self;
                $context
            })?
        })*
    };
}

classify! {
    RegisterError: |error| match error {
        RegisterError::AlreadyRegistered { .. } => ErrorKind::AlreadyRegistered,
        RegisterError::DeadProcess { .. } => ErrorKind::DeadProcess,
        RegisterError::Limit(_) => ErrorKind::LimitExceeded,
        RegisterError::Closed => ErrorKind::Closed,
        RegisterError::Backend(_) => ErrorKind::BackendError,
    }, match error {
        RegisterError::AlreadyRegistered { holder } => Metadata::new().with("holder", holder.to_string()),
        RegisterError::DeadProcess { pid } => Metadata::new().with("pid", pid.to_string()),
        RegisterError::Limit(limit) => limit.context(),
        RegisterError::Closed | RegisterError::Backend(_) => Metadata::new(),
    };
    LookupError: |error| match error {
        LookupError::NotFound => ErrorKind::ServiceNotFound,
        LookupError::Closed => ErrorKind::Closed,
        LookupError::Backend(_) => ErrorKind::BackendError,
    };
    UpdateError: |error| match error {
        UpdateError::NotFound => ErrorKind::ServiceNotFound,
        UpdateError::Superseded => ErrorKind::Superseded,
        UpdateError::AgentManaged => ErrorKind::AgentManaged,
        UpdateError::Limit(_) => ErrorKind::LimitExceeded,
        UpdateError::Closed => ErrorKind::Closed,
        UpdateError::Backend(_) => ErrorKind::BackendError,
    }, if let UpdateError::Limit(limit) = error { limit.context() } else { Metadata::new() };
    WaitError: |error| match error {
        WaitError::Timeout => ErrorKind::Timeout,
        WaitError::Closed => ErrorKind::Closed,
        WaitError::Backend(_) => ErrorKind::BackendError,
    };
    GetError: |error| match error {
        GetError::NotFound => ErrorKind::ServiceNotFound,
        GetError::NoPayload => ErrorKind::DataNotFound,
        GetError::WrongType { .. } => ErrorKind::TypeMismatch,
        GetError::Remote { .. } => ErrorKind::RemoteNode,
        GetError::Closed => ErrorKind::Closed,
        GetError::Backend(_) => ErrorKind::BackendError,
    }, match error {
        GetError::WrongType { stored } => Metadata::new().with("stored", *stored),
        GetError::Remote { node } => Metadata::new().with("node", node.as_str()),
        _ => Metadata::new(),
    };
    HealthCheckError: |error| match error {
        HealthCheckError::NotFound(error) => error.kind().clone(),
        HealthCheckError::ProcessDead | HealthCheckError::Crashed(_) => ErrorKind::DeadProcess,
        HealthCheckError::Timeout => ErrorKind::Timeout,
        HealthCheckError::Failed(_) | HealthCheckError::Errored(_) => ErrorKind::ExternalServiceError,
        HealthCheckError::Closed => ErrorKind::Closed,
        HealthCheckError::Backend(_) => ErrorKind::BackendError,
    }, match error {
        HealthCheckError::NotFound(error) => error.context().clone(),
        HealthCheckError::Failed(value) => Metadata::new().with("answer", value.clone()),
        HealthCheckError::Crashed(reason) => Metadata::new().with("reason", reason.to_string()),
        _ => Metadata::new(),
    };
    RegistryError: |error| match error {
        RegistryError::Closed => ErrorKind::Closed,
        RegistryError::Backend(_) => ErrorKind::BackendError,
    };
    BackendError: |error| ErrorKind::BackendError;
    ClaimError: |error| match error {
        ClaimError::Held(_) => ErrorKind::AlreadyRegistered,
        ClaimError::DeadOwner => ErrorKind::DeadProcess,
        ClaimError::Backend(_) => ErrorKind::BackendError,
    }, if let ClaimError::Held(holder) = error {
        Metadata::new().with("holder", holder.to_string())
    } else {
        Metadata::new()
    };
    LimitExceeded: |error| ErrorKind::LimitExceeded, match *error {
        LimitExceeded::Entries { limit } => Metadata::new().with("limit", number(limit)),
        LimitExceeded::MetadataBytes { bytes, limit } => {
            Metadata::new().with("limit", number(limit)).with("bytes", number(bytes))
        }
    };
    OptionsError: |error| ErrorKind::InvalidConfigValue;
}

fn number(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// The record of a service that is not there.
pub(crate) fn service_not_found(namespace: &Namespace, name: &ServiceName) -> Error {
    let record = Error::new(ErrorKind::ServiceNotFound)
        .with_domain(Domain::Registry)
        .with_message(format!("Service {name} not found in namespace {namespace}"));
    with_key(record, namespace, name)
}

/// The record with the name that it is about.
pub(crate) fn with_key(error: Error, namespace: &Namespace, name: &ServiceName) -> Error {
    error.with_context("namespace", namespace.to_string()).with_context("service", name.to_string())
}

#[cfg(test)]
mod tests {
    use foundation_types::error::classification;
    use foundation_types::{ExitReason, NodeId, Owner, Value};

    use super::*;

    #[test]
    fn every_error_has_a_number_that_stays() {
        let owner = Owner::new();
        let backend = BackendError::Unavailable;
        let limit = LimitExceeded::Entries { limit: 1 };
        let register = [
            RegisterError::AlreadyRegistered { holder: owner.pid() },
            RegisterError::DeadProcess { pid: owner.pid().id() },
            RegisterError::Limit(limit),
            RegisterError::Closed,
            RegisterError::Backend(backend.clone()),
        ];
        let update = [UpdateError::NotFound, UpdateError::Superseded, UpdateError::AgentManaged];
        let get = [
            GetError::NoPayload,
            GetError::WrongType { stored: "u8" },
            GetError::Remote { node: NodeId::from_static("n") },
        ];
        let not_found = service_not_found(&Namespace::Production, &ServiceName::from_static("s"));
        let health = [
            HealthCheckError::NotFound(not_found),
            HealthCheckError::ProcessDead,
            HealthCheckError::Timeout,
            HealthCheckError::Failed(Value::Bool(false)),
            HealthCheckError::Errored("boom".into()),
            HealthCheckError::Crashed(ExitReason::Killed),
        ];
        let label = |error: &dyn std::error::Error| error.to_string();
        let mut errors: Vec<(String, &dyn Classify)> = Vec::new();
        errors.extend(register.iter().map(|error| (label(error), error as &dyn Classify)));
        errors.extend(update.iter().map(|error| (label(error), error as &dyn Classify)));
        errors.extend(get.iter().map(|error| (label(error), error as &dyn Classify)));
        errors.extend(health.iter().map(|error| (label(error), error as &dyn Classify)));
        errors.push(("options".to_owned(), &OptionsError::Zero { option: "x" }));
        for error in [&LookupError::NotFound as &dyn Classify, &WaitError::Timeout, &RegistryError::Closed, &backend] {
            errors.push((error.kind().to_string(), error));
        }
        let table = classification(errors.iter().map(|(label, error)| (label.as_str(), *error)));
        let holder = owner.pid().to_string();
        let expected = "\
name is held by HOLDER: registry/already_registered 7101 medium service/registration no_retry
owner HOLDER is dead: registry/dead_process 7102 medium service/lifecycle no_retry
registry holds 1 entries, its limit: registry/limit_exceeded 7105 medium system/resources no_retry
registry is shut down: registry/closed 7106 high system/lifecycle no_retry
back-end is unavailable: registry/backend_error 7107 high service/availability exponential_backoff
no such service: registry/service_not_found 5001 medium system/discovery no_retry
the registration has been superseded: registry/superseded 7103 medium service/registration no_retry
the entry is managed by the agent registry: registry/agent_managed 7104 medium agent/registration no_retry
the service provides no client handle: registry/data_not_found 3401 low data/not_found fixed_delay
the service provides a handle of type u8: registry/type_mismatch 3201 low data/validation fixed_delay
the service lives on node n: registry/remote_node 7108 medium distributed/network no_retry
Service s not found in namespace production: registry/service_not_found 5001 medium system/discovery no_retry
the process is dead: registry/dead_process 7102 medium service/lifecycle no_retry
health check timed out: registry/timeout 4301 medium external/timeout exponential_backoff
health check failed: false: registry/external_service_error 4201 medium external/service fixed_delay
health check raised an error: boom: registry/external_service_error 4201 medium external/service fixed_delay
health check crashed: killed: registry/dead_process 7102 medium service/lifecycle no_retry
options: registry/invalid_config_value 1201 medium config/validation no_retry
service_not_found: registry/service_not_found 5001 medium system/discovery no_retry
timeout: registry/timeout 4301 medium external/timeout exponential_backoff
closed: registry/closed 7106 high system/lifecycle no_retry
backend_error: registry/backend_error 7107 high service/availability exponential_backoff
";
        assert_eq!(table.replace(&holder, "HOLDER"), expected);
    }

    #[test]
    fn a_missing_service_is_a_record_that_names_it() {
        let record = service_not_found(&Namespace::Production, &ServiceName::from_static("config"));
        assert_eq!((record.code(), record.message()), (5001, "Service config not found in namespace production"));
        let named = Metadata::new().with("namespace", "production").with("service", "config");
        assert_eq!(record.context(), &named);
        assert!(!record.is_retryable() && record.correlation_id().is_none());
    }
}
