//! Which layer refused, or that none did.

use std::convert::Infallible;

use foundation_breaker::Rejected;
use foundation_resources::pool::CheckoutError;
use foundation_resources::rate_limit::Denial;

/// Why a protected call gave no result. But for [`Operation`](Self::Operation), the operation did not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtectError<E, P = Infallible> {
    /// The limiter refused. No other layer was touched.
    #[error(transparent)]
    RateLimited(Denial),
    /// The breaker refused. The limiter has counted the call, the pool was not touched.
    #[error(transparent)]
    Rejected(Rejected),
    /// The pool had no worker. For the breaker the call counts as nothing, or as failed if a worker could not be made.
    #[error("no worker for the call: {0}")]
    Checkout(CheckoutError<P>),
    /// The operation ran and gave this error.
    #[error("{0}")]
    Operation(#[source] E),
}

impl<E, P> ProtectError<E, P> {
    /// The error of the operation, if it ran.
    pub fn into_operation(self) -> Option<E> {
        match self {
            Self::Operation(error) => Some(error),
            _ => None,
        }
    }
}
