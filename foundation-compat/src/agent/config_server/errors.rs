//! Why settings of agents were refused, as the original says it.

use foundation_config::{ConfigError, Path};
use foundation_types::error::{Domain, Error, ErrorKind};
use foundation_types::{Metadata, Namespace};

use crate::validation::record::path_value;

fn of(kind: ErrorKind) -> Error {
    Error::new(kind).with_domain(Domain::Config)
}

/// What there is to know of the cause, in the context of an error that stands for several.
fn caused(error: Error, cause: Error) -> Error {
    let context = cause.context().iter().map(|(key, value)| (key.clone(), value.clone())).collect::<Metadata>();
    error
        .with_message(cause.message())
        .with_context_map(context)
        .with_context("error_type", cause.kind().as_str())
        .with_context("code", cause.code())
        .caused_by(cause)
}

/// That there is nothing to be read.
pub(super) fn not_found(cause: Error) -> Error {
    match cause.kind() {
        // There is something, and it is too old to be given.
        ErrorKind::ConfigUnavailable => cause,
        _ => caused(of(ErrorKind::ConfigNotFound), cause),
    }
}

/// That something cannot be set.
pub(super) fn invalid(cause: Error) -> Error {
    match cause.kind() {
        ErrorKind::AgentFeaturesDisabled => cause,
        _ => caused(of(ErrorKind::ConfigValidationFailed), cause),
    }
}

pub(super) fn refused(error: ConfigError) -> Error {
    crate::validation::record::refused(error)
}

/// That there is no override to be taken back.
pub(super) fn no_override(path: &Path) -> Error {
    of(ErrorKind::ConfigNotFound).with_message(format!("{path}: not overridden")).with_context("path", path_value(path))
}

/// That the configuration of a namespace does not run.
pub(super) fn not_running(namespace: &Namespace) -> Error {
    of(ErrorKind::ConfigServerError)
        .with_message(format!("the configuration of {namespace} does not run"))
        .with_context("namespace", namespace.to_string())
}

/// That nothing keeps what is set.
pub(super) fn no_persistence() -> Error {
    of(ErrorKind::ConfigServerError)
        .with_message("persistence needs a source that keeps what is set, and there is none")
        .with_context("option", "persistence_enabled")
}
