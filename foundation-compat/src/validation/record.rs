//! Why settings were refused, as records in the shape of the original.

use foundation_config::{ConfigError, Limit, Path, PathError, ValueFault, Violation, ViolationKind, Violations};
use foundation_types::error::{Domain, Entry, Error, ErrorKind};
use foundation_types::{Metadata, Text, Value};

use super::config_validator::rule::type_name;
use crate::types::config::Provider;

/// The code of a refused path.
const MALICIOUS_PATH: u32 = 1000;
/// The code of a refused value.
const DANGEROUS_VALUE: u32 = 1005;

fn of(kind: ErrorKind) -> Error {
    Error::new(kind).with_domain(Domain::Config)
}

fn security(code: u32, reason: &'static str) -> Error {
    let entry = Entry::find(&Domain::Config, &ErrorKind::SecurityViolation, code).expect("a row of the table");
    Error::from_entry(entry).with_context("reason", reason)
}

/// The components of a path, as the context of an error has them.
pub(crate) fn path_value(path: &Path) -> Value {
    Value::List(path.components().map(Value::from).collect())
}

/// What the violations of a tree are: the first of them, with all in the context if there are several.
pub(crate) fn invalid(violations: &Violations, tree: &Value) -> Error {
    let Some(first) = violations.first() else { return of(ErrorKind::ValidationFailed) };
    let mut error =
        of(kind_of(first.kind)).with_message(first.to_string()).with_context("path", path_value(&first.path));
    let provider = Path::from(foundation_config::path!(ai.provider: Provider));
    if first.path == provider && first.kind == ViolationKind::NotInEnum {
        let value = tree.as_map().and_then(|tree| tree.get_path(provider.components())).cloned();
        error = error.with_context("provider", value).with_context("valid_providers", Provider::WORDS.to_vec());
    }
    if violations.iter().len() > 1 {
        let all: Vec<Value> = violations.iter().map(violation_value).collect();
        error = error.with_context("violations", all);
    }
    if violations.omitted() > 0 {
        error = error.with_context("violations_omitted", i64::try_from(violations.omitted()).unwrap_or(i64::MAX));
    }
    error
}

fn violation_value(violation: &Violation) -> Value {
    Metadata::new()
        .with("path", path_value(&violation.path))
        .with("error_type", kind_of(violation.kind).as_str())
        .with("message", violation.message.as_ref())
        .into()
}

fn kind_of(kind: ViolationKind) -> ErrorKind {
    match kind {
        ViolationKind::NotInEnum => ErrorKind::InvalidConfigValue,
        ViolationKind::Constraint => ErrorKind::ConstraintViolation,
        ViolationKind::Range => ErrorKind::RangeError,
        _ => ErrorKind::ValidationFailed,
    }
}

/// That something is no path, or one that is refused. `path` is as much of it as is known.
pub(crate) fn path_refused(error: &PathError, path: Vec<Text>) -> Error {
    let record = match error {
        PathError::Syntax { .. } => of(ErrorKind::InvalidPath),
        _ => security(MALICIOUS_PATH, "malicious_path"),
    };
    record.with_message(error.to_string()).with_context("path", path)
}

/// That a value is refused for what it is, wherever it is put.
pub(crate) fn value_refused(path: &Path, value: Option<&Value>, fault: ValueFault) -> Error {
    let error = security(DANGEROUS_VALUE, "dangerous_value")
        .with_message(format!("{path}: {fault}"))
        .with_context("path", path_value(path));
    match value {
        Some(value) => error.with_context("value_type", type_name(value)),
        None => error,
    }
}

/// That a path may not be written while running.
pub(crate) fn forbidden(path: &Path, allowed: impl IntoIterator<Item = Path>) -> Error {
    let allowed: Vec<Value> = allowed.into_iter().map(|path| path_value(&path)).collect();
    of(ErrorKind::ConfigUpdateForbidden)
        .with_message(format!("{path}: may not be changed while running"))
        .with_context("path", path_value(path))
        .with_context("allowed_paths", allowed)
}

/// That there is nothing at a path.
pub(crate) fn not_found(path: &Path) -> Error {
    of(ErrorKind::ConfigPathNotFound).with_message(format!("{path}: not set")).with_context("path", path_value(path))
}

/// That there would be too much of something.
pub(crate) fn limit_exceeded(path: &Path, what: Limit, max: usize) -> Error {
    of(ErrorKind::LimitExceeded)
        .with_message(format!("{path}: more {what} than {max}"))
        .with_context("path", path_value(path))
        .with_context("max", i64::try_from(max).unwrap_or(i64::MAX))
}

/// That options name top-level keys which are no sections.
pub(crate) fn unknown_keys(keys: &[Text], known: &[&str]) -> Error {
    of(ErrorKind::ValidationFailed)
        .with_message(format!("unknown settings {}; there are {}", keys.join(", "), known.join(", ")))
        .with_context("path", Vec::<Value>::new())
        .with_context("unknown_keys", keys.to_vec())
}

/// Why a store refused something.
pub(crate) fn refused(error: ConfigError) -> Error {
    let record = match &error {
        ConfigError::InvalidPath(fault) => path_refused(fault, Vec::new()),
        ConfigError::InvalidValue { path, fault } => value_refused(path, None, *fault),
        ConfigError::NotFound { path } => not_found(path),
        ConfigError::UpdateForbidden { path, allowed } => forbidden(path, allowed.iter().cloned()),
        ConfigError::Invalid(violations) => invalid(violations, &Value::Null),
        ConfigError::TypeMismatch { path, .. } | ConfigError::Unavailable { path, .. } => {
            let context = path_value(path);
            return Error::from(error).with_context("path", context);
        }
        _ => return Error::from(error),
    };
    record.caused_by(error)
}

/// That the service is stopped; whether what was asked for is done later.
pub(crate) fn service_unavailable(later: Later) -> Error {
    let error = of(ErrorKind::ServiceUnavailable);
    match later {
        Later::Queued => error.with_context("queued", true),
        Later::Never => error,
    }
}

/// Whether something that cannot be done now is done later.
#[derive(Clone, Copy)]
pub(crate) enum Later {
    Queued,
    Never,
}

/// That there is no value for a path while the service is stopped.
pub(crate) fn unavailable(path: &Path, reason: &'static str) -> Error {
    of(ErrorKind::ConfigUnavailable)
        .with_message(format!("{path}: {reason}"))
        .with_context("path", path_value(path))
        .with_context("reason", reason)
}

/// That an operation is for tests alone.
pub(crate) fn operation_forbidden(operation: &'static str) -> Error {
    of(ErrorKind::OperationForbidden)
        .with_message(format!("{operation} is allowed in test mode only"))
        .with_context("operation", operation)
}

/// That a path may not be written because it is too much to be lost.
pub(crate) fn protected(path: &Path) -> Error {
    of(ErrorKind::ConfigUpdateForbidden)
        .with_message(format!("{path}: may not be changed"))
        .with_context("path", path_value(path))
}

/// That there are too many configurations in namespaces of their own.
#[cfg(feature = "agent")]
pub(crate) fn too_many_namespaces(max: usize) -> Error {
    of(ErrorKind::LimitExceeded)
        .with_message(format!("more namespaces with settings than {max}"))
        .with_context("max", i64::try_from(max).unwrap_or(i64::MAX))
}
