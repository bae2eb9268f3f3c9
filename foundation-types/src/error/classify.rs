//! From a crate's own error type to the common record.

use std::fmt::Write;

use super::definition::Definition;
use super::kind::ErrorKind;
use super::record::Error;
use super::vocabulary::Domain;
use crate::Metadata;

/// Implemented by a crate's own error type to say what it is in the common vocabulary.
///
/// Together with `std::error::Error` it gives `From<E> for Error`: the record has this kind, domain and context and the
/// text of the error as its message; the error itself stays reachable as its `source`.
///
/// ```
/// use foundation_types::error::{Classify, Domain, Error, ErrorKind};
/// use foundation_types::Metadata;
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("{service} did not answer")]
/// struct NoAnswer {
///     service: String,
/// }
///
/// impl Classify for NoAnswer {
///     fn kind(&self) -> ErrorKind {
///         ErrorKind::Timeout
///     }
///     fn domain(&self) -> Domain {
///         Domain::Registry
///     }
///     fn context(&self) -> Metadata {
///         Metadata::new().with("service", self.service.as_str())
///     }
/// }
///
/// let error = Error::from(NoAnswer { service: "search".to_owned() });
/// assert_eq!((error.code(), error.message()), (4301, "search did not answer"));
/// ```
pub trait Classify {
    /// What went wrong.
    fn kind(&self) -> ErrorKind;

    /// Where it went wrong.
    fn domain(&self) -> Domain;

    /// The circumstances.
    fn context(&self) -> Metadata {
        Metadata::new()
    }
}

impl<E: Classify + std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::new(error.kind())
            .with_domain(error.domain())
            .with_message(error.to_string())
            .with_context_map(error.context())
            .caused_by(error)
    }
}

/// One line per error: its label and how it classifies. For snapshot tests that keep a crate's classification stable.
///
/// A pair of domain and kind without a definition shows as `undefined`, so that such a test catches it.
///
/// ```
/// use foundation_types::error::{Classify, Domain, ErrorKind, classification};
///
/// struct Late;
/// impl Classify for Late {
///     fn kind(&self) -> ErrorKind {
///         ErrorKind::Timeout
///     }
///     fn domain(&self) -> Domain {
///         Domain::Registry
///     }
/// }
///
/// assert_eq!(
///     classification([("Late", &Late as &dyn Classify)]),
///     "Late: registry/timeout 4301 medium external/timeout exponential_backoff\n",
/// );
/// ```
pub fn classification<'e>(errors: impl IntoIterator<Item = (&'e str, &'e dyn Classify)>) -> String {
    let mut lines = String::new();
    for (label, error) in errors {
        let (domain, kind) = (error.domain(), error.kind());
        // Writing to a `String` cannot fail.
        let _ = match Definition::find(&domain, &kind) {
            Some(Definition { code, severity, category, subcategory, retry, .. }) => {
                writeln!(lines, "{label}: {domain}/{kind} {code} {severity} {category}/{subcategory} {retry}")
            }
            None => writeln!(lines, "{label}: {domain}/{kind} undefined"),
        };
    }
    lines
}
