//! A breaker for each key of the requests: per host, per tenant, per shard.

mod error;
mod layer;
mod service;

use foundation_types::{Name, NameError};

pub use self::error::KeyedCallError;
pub use self::layer::KeyedBreakerLayer;
pub use self::service::KeyedBreakerService;

/// Says which breaker a request goes through. Any function from the request to a name does.
///
/// It runs in `call`, before anything is asked or counted, and outside every lock.
pub trait BreakerKey<R: ?Sized> {
    /// The name of the breaker for `request`.
    ///
    /// # Errors
    /// A [`NameError`] if the request has no key, or one that is no name; the call is then not made.
    fn key(&self, request: &R) -> Result<Name, NameError>;
}

impl<R: ?Sized, F: Fn(&R) -> Result<Name, NameError>> BreakerKey<R> for F {
    fn key(&self, request: &R) -> Result<Name, NameError> {
        self(request)
    }
}
