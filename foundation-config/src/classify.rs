//! What the errors of this crate are in the common vocabulary.

use foundation_types::error::{Classify, Domain, ErrorKind};
use foundation_types::{Metadata, Value};

use crate::error::{BuildError, ConfigError};
use crate::path::PathError;
use crate::schema::{ViolationKind, Violations};
use crate::source::SourceError;

impl Classify for ConfigError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidPath(error) => error.kind(),
            Self::InvalidValue { .. } => ErrorKind::SecurityViolation,
            Self::NotFound { .. } => ErrorKind::ConfigPathNotFound,
            Self::UpdateForbidden { .. } => ErrorKind::ConfigUpdateForbidden,
            Self::Invalid(violations) => kind_of(violations),
            Self::TypeMismatch { .. } => ErrorKind::TypeMismatch,
            Self::Unavailable { .. } => ErrorKind::ConfigUnavailable,
            Self::VersionConflict { .. } => ErrorKind::VersionConflict,
            Self::VersionEvicted(_) => ErrorKind::VersionEvicted,
            Self::LimitExceeded { .. } => ErrorKind::LimitExceeded,
            Self::SchemaPanicked | Self::Reentrant => ErrorKind::ConfigServerError,
            #[cfg(feature = "agent")]
            Self::AgentFeaturesDisabled => ErrorKind::AgentFeaturesDisabled,
        }
    }

    fn domain(&self) -> Domain {
        Domain::Config
    }

    fn context(&self) -> Metadata {
        let path = |path: &crate::Path| Metadata::new().with("path", path.to_string());
        match self {
            Self::InvalidPath(error) => error.context(),
            Self::InvalidValue { path: at, fault } => {
                path(at).with("reason", "dangerous_value").with("fault", fault.to_string())
            }
            Self::NotFound { path: at } | Self::TypeMismatch { path: at, .. } => path(at),
            Self::UpdateForbidden { path: at, allowed } => {
                let allowed = allowed.iter().map(|path| Value::from(path.to_string())).collect();
                path(at).with("allowed_paths", Value::List(allowed))
            }
            Self::Invalid(violations) => violations.first().map(|first| path(&first.path)).unwrap_or_default(),
            Self::Unavailable { path: at, age } => path(at).with("age_ms", number(age.as_millis())),
            Self::VersionConflict { expected, actual } => {
                Metadata::new().with("expected", number(expected.get())).with("actual", number(actual.get()))
            }
            Self::VersionEvicted(version) => Metadata::new().with("version", number(version.get())),
            Self::LimitExceeded { what, max } => {
                Metadata::new().with("what", what.to_string()).with("max", number(*max))
            }
            Self::SchemaPanicked | Self::Reentrant => Metadata::new(),
            #[cfg(feature = "agent")]
            Self::AgentFeaturesDisabled => Metadata::new(),
        }
    }
}

impl Classify for PathError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooManyComponents | Self::ComponentTooLong { .. } | Self::Forbidden { .. } => {
                ErrorKind::SecurityViolation
            }
            Self::Syntax { .. } => ErrorKind::InvalidPath,
        }
    }

    fn domain(&self) -> Domain {
        Domain::Config
    }

    fn context(&self) -> Metadata {
        match self {
            Self::TooManyComponents | Self::ComponentTooLong { .. } | Self::Forbidden { .. } => {
                Metadata::new().with("reason", "malicious_path")
            }
            Self::Syntax { at, expected } => Metadata::new().with("at", number(*at)).with("expected", *expected),
        }
    }
}

impl Classify for SourceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable { .. } | Self::Unavailable { .. } => ErrorKind::ConfigUnavailable,
            Self::Panicked(_) | Self::Other(_) => ErrorKind::ConfigServerError,
            _ => ErrorKind::ConfigValidationFailed,
        }
    }

    fn domain(&self) -> Domain {
        Domain::Config
    }
}

impl Classify for BuildError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::DefaultsNotAMap | Self::ZeroLimit(_) | Self::Layer { .. } => ErrorKind::InvalidConfigValue,
            Self::Source { error, .. } => error.kind(),
            Self::Config(error) => error.kind(),
        }
    }

    fn domain(&self) -> Domain {
        Domain::Config
    }
}

/// The kind of the first violation.
fn kind_of(violations: &Violations) -> ErrorKind {
    match violations.first().map(|violation| violation.kind) {
        Some(ViolationKind::NotInEnum) => ErrorKind::InvalidConfigValue,
        Some(ViolationKind::Constraint) => ErrorKind::ConstraintViolation,
        Some(ViolationKind::Range) => ErrorKind::RangeError,
        Some(ViolationKind::Shape) | None => ErrorKind::ValidationFailed,
    }
}

fn number(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
