//! Bulkheads as `tower` middleware.

mod error;
mod future;
mod layer;
#[expect(clippy::module_inception, reason = "the folder is the middleware, the file its service")]
mod service;

pub use error::ServiceError;
pub use future::BulkheadFuture;
pub use layer::{BulkheadLayer, WhenFull};
pub use service::BulkheadService;
