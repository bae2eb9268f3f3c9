//! Why a source could not be loaded.

use std::error::Error;
use std::io;
use std::sync::Arc;

use foundation_types::Text;

use super::Origin;
use crate::path::Path;

/// Why a source could not be loaded. None of them quotes a value.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A file could not be read.
    #[error("{origin}: {error}")]
    Unreadable {
        /// The file, or the place that includes it.
        origin: Origin,
        /// What the operating system said.
        #[source]
        error: Arc<io::Error>,
    },
    /// A text is not UTF-8.
    #[error("{origin}: not UTF-8")]
    NotUtf8 {
        /// Where the first byte stands that is not.
        origin: Origin,
    },
    /// A text is longer than is read.
    #[error("{origin}: longer than {max} bytes")]
    TooLarge {
        /// The file.
        origin: Origin,
        /// The limit.
        max: usize,
    },
    /// Maps and lists nest deeper than is read.
    #[error("{origin}: nested deeper than {max}")]
    TooDeep {
        /// Where.
        origin: Origin,
        /// The limit.
        max: usize,
    },
    /// There is more of something than is read.
    #[error("{origin}: more than {max} {what}")]
    TooMany {
        /// Where the first one stands that is too many.
        origin: Origin,
        /// Of what, in the plural.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A text does not follow its format, or holds what no setting can be.
    #[error("{origin}: {message}")]
    Syntax {
        /// Where.
        origin: Origin,
        /// What is wrong, and what must stand there.
        message: Text,
    },
    /// A value at a path is one that no setting can be.
    #[error("{origin}: {path}: {message}")]
    Invalid {
        /// Where.
        origin: Origin,
        /// The path of the value.
        path: Path,
        /// What is wrong, and what must stand there.
        message: Text,
    },
    /// A value, or one above or below it, is set twice in one source.
    #[error("{origin}: {path}: already set at {other}")]
    SetTwice {
        /// Where it is set again.
        origin: Origin,
        /// The path of the value, or of the one above it.
        path: Path,
        /// Where it is set first.
        other: Origin,
    },
    /// The format of a file is not known.
    #[error("{origin}: its extension is none of {known}")]
    UnknownFormat {
        /// The file.
        origin: Origin,
        /// The extensions that are known.
        known: Text,
    },
    /// A file includes itself, in one step or more.
    #[error("{origin}: includes itself: {}", chain.join(" -> "))]
    IncludeCycle {
        /// The include that closes the circle.
        origin: Origin,
        /// The files from the outermost to the one that comes again.
        chain: Vec<String>,
    },
    /// A value refers to an environment variable that is not set, and has no default.
    #[error("{origin}: {path}: environment variable {variable} is not set")]
    MissingVariable {
        /// Where.
        origin: Origin,
        /// The path of the value.
        path: Path,
        /// The name of the variable.
        variable: Text,
    },
    /// Whoever has the settings cannot be reached.
    #[error("{place}: {reason}")]
    Unavailable {
        /// Who.
        place: Text,
        /// Why.
        reason: Text,
    },
    /// The source panicked.
    #[error("source panicked: {0}")]
    Panicked(Text),
    /// An error of a source of the user's own.
    #[error(transparent)]
    Other(Arc<dyn Error + Send + Sync>),
}

impl SourceError {
    /// An error of a source of one's own.
    pub fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other(Arc::from(error.into()))
    }
}
