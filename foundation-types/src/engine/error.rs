//! What can go wrong with an engine.

use super::Revision;

/// The error of a back-end, whatever its type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why an operation of an [`Engine`](super::Engine) did not succeed. What each variant says of the outcome is binding (E7).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine could not be reached. The operation was certainly not applied, and will not be.
    #[error("the engine is unavailable")]
    Unavailable,
    /// No answer came. The operation may or may not have been applied, or may yet be.
    #[error("the outcome is not known")]
    Indeterminate,
    /// The lease expired, was revoked, or never existed. Nothing was applied.
    #[error("no such lease")]
    LeaseNotFound,
    /// The revision asked for is gone; this is the oldest one still there.
    #[error("revisions before {0} are gone")]
    Compacted(Revision),
    /// The engine is closed. Nothing was, or ever will be, applied.
    #[error("the engine is closed")]
    Closed,
    /// The back-end refused. Nothing was applied.
    #[error("the back-end refused: {0}")]
    Backend(#[source] BoxError),
}

impl EngineError {
    /// Whether the operation certainly had no effect and never will.
    pub const fn is_definite(&self) -> bool {
        !matches!(self, Self::Indeterminate)
    }
}
