use crate::bulkhead::AcquireError;

/// Why a call through a [`BulkheadService`](super::BulkheadService) failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError<E> {
    /// The bulkhead did not let it in; the service was not called.
    #[error(transparent)]
    Rejected(#[from] AcquireError),
    /// The service failed.
    #[error("the service failed")]
    Service(#[source] E),
}
