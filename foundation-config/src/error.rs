//! Why something was refused.

use std::sync::Arc;
use std::time::Duration;

use crate::layer::Version;
use crate::limits::{Limit, ValueFault};
use crate::path::{Path, PathError};
use crate::schema::Violations;
use crate::source::SourceError;

/// Why a read or a write of settings was refused. Nothing has changed then. No secret is in the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is no path, or not one that this store has.
    #[error(transparent)]
    InvalidPath(#[from] PathError),
    /// The value is too large, too deep, or of a kind that no setting can be.
    #[error("{path}: {fault}")]
    InvalidValue {
        /// Where it was to be written.
        path: Path,
        /// What is wrong with it.
        fault: ValueFault,
    },
    /// Nothing is set at the path.
    #[error("{path}: not set")]
    NotFound {
        /// The path.
        path: Path,
    },
    /// The path may not be written at run time.
    #[error("{path}: may not be changed while running")]
    UpdateForbidden {
        /// The path.
        path: Path,
        /// The paths and subtrees that may.
        allowed: Arc<[Path]>,
    },
    /// The configuration would be invalid.
    #[error("{0}")]
    Invalid(Violations),
    /// What is at the path cannot be read as the type that was asked for.
    #[error("{path}: {message}")]
    TypeMismatch {
        /// The path, as far down as the value fits.
        path: Path,
        /// What was expected, and what is there.
        message: String,
    },
    /// The source of the value has been failing for too long.
    #[error("{path}: its source has been failing for {age:?}")]
    Unavailable {
        /// The path.
        path: Path,
        /// For how long.
        age: Duration,
    },
    /// Somebody else has changed the configuration.
    #[error("version {expected} was expected, {actual} is current")]
    VersionConflict {
        /// The version that the write was made for.
        expected: Version,
        /// The current one.
        actual: Version,
    },
    /// The version is not among those that are kept.
    #[error("version {0} is not kept")]
    VersionEvicted(Version),
    /// The store would hold too much.
    #[error("more {what} than {max}")]
    LimitExceeded {
        /// Of what.
        what: Limit,
        /// The limit.
        max: usize,
    },
    /// The schema panicked on this change.
    #[error("the schema panicked")]
    SchemaPanicked,
    /// The schema tried to change the store that was asking it.
    #[error("a schema cannot change the store that asks it")]
    Reentrant,
    /// The agent features are switched off.
    #[cfg(feature = "agent")]
    #[error("agent features are disabled")]
    AgentFeaturesDisabled,
}

/// Why a [`Store::modify`](crate::Store::modify) did not take place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModifyError<E> {
    /// The store refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The function refused.
    #[error("{0}")]
    Refused(E),
}

/// Why a store could not be built.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The defaults are no map.
    #[error("the defaults of the schema are no map")]
    DefaultsNotAMap,
    /// A limit that has to be at least 1 is 0.
    #[error("limit {0} is 0")]
    ZeroLimit(&'static str),
    /// A source names the layer of defaults or of run time, which no source can be in.
    #[error("source {source_name} cannot be in the layer {layer}")]
    Layer {
        /// The name of the source.
        source_name: String,
        /// The layer.
        layer: crate::Layer,
    },
    /// A source could not be loaded.
    #[error("source {source_name}: {error}")]
    Source {
        /// The name of the source.
        source_name: String,
        /// Why.
        error: SourceError,
    },
    /// The first configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
