//! The original's `Foundation.Infrastructure.ConnectionManager`: pools by name.
//!
//! The functions act on the [global instance](crate::global), [`ConnectionManager`] on any. What makes the workers is a
//! [`Factory`](foundation_resources::pool::Factory), which stands for the original's worker modules.
//!
//! ```
//! use std::convert::Infallible;
//! use foundation_compat::foundation_resources::pool::from_fn;
//! use foundation_compat::infrastructure::connection_manager::{self, ConnectionError, PoolConfig};
//!
//! let buffers = PoolConfig::new(from_fn(|| Ok::<_, Infallible>(Vec::<u8>::new()))).size(2).max_overflow(0);
//! connection_manager::start_pool("buffers", &buffers)?;
//! let len = connection_manager::with_connection_2("buffers", |buffer: &mut Vec<u8>| {
//!     buffer.extend(b"scratch");
//!     Ok::<_, Infallible>(buffer.len())
//! })?;
//! assert_eq!(len, 7);
//! assert_eq!(connection_manager::get_pool_status("buffers")?.idle, 2);
//! connection_manager::stop_pool("buffers")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod error;
mod events;
mod facade;
mod worker;

use std::time::Duration;

use foundation_resources::pool::PoolStatus;
use foundation_types::Name;

pub use self::config::{LegacyPool, PoolConfig};
pub use self::error::{CauseError, ConnectionError, PoolError, PoolNotFound, StartPoolError};
pub use self::events::{
    CHECKIN_EVENT, CHECKOUT_EVENT, OVERFLOW_EVENT, POOL_STARTED_EVENT, POOL_STOPPED_EVENT, TIMEOUT_EVENT,
};
pub use self::facade::{ConnectionManager, DEFAULT_CHECKOUT_TIMEOUT};
pub(crate) use self::facade::{checkout_result, typed};
pub use self::worker::{Worker, WorkerPanicked, Workers};
use crate::global::{self, on_global};

fn here() -> ConnectionManager {
    ConnectionManager::from(&global::get())
}

/// The connection manager of the global instance, which exists from now on. The options are ignored.
pub fn start(options: &foundation_types::Metadata) -> ConnectionManager {
    let _ = options;
    here()
}

/// As [`start`] without options.
pub fn start_0() -> ConnectionManager {
    here()
}

/// As [`ConnectionManager::with_connection`], on the global instance.
///
/// # Errors
/// As there.
pub fn with_connection<W: 'static, T, E>(
    name: &str,
    operation: impl FnOnce(&mut W) -> Result<T, E>,
    timeout: Duration,
) -> Result<T, ConnectionError<E>> {
    here().with_connection(name, operation, timeout)
}

/// As [`ConnectionManager::with_connection_2`], on the global instance.
///
/// # Errors
/// As there.
pub fn with_connection_2<W: 'static, T, E>(
    name: &str,
    operation: impl FnOnce(&mut W) -> Result<T, E>,
) -> Result<T, ConnectionError<E>> {
    here().with_connection_2(name, operation)
}

/// As [`ConnectionManager::with_connection_async`], on the global instance.
///
/// # Errors
/// As there.
///
/// # Cancel safety
/// As there.
pub async fn with_connection_async<W: 'static, T, E>(
    name: &str,
    operation: impl AsyncFnOnce(&mut W) -> Result<T, E>,
    timeout: Duration,
) -> Result<T, ConnectionError<E>> {
    here().with_connection_async(name, operation, timeout).await
}

on_global! {
    ConnectionManager(here()):
    fn start_pool(name: &str, config: &PoolConfig) -> Result<LegacyPool, StartPoolError>;
    fn stop_pool(name: &str) -> Result<(), PoolNotFound>;
    fn get_pool_status(name: &str) -> Result<PoolStatus, PoolNotFound>;
    fn list_pools() -> Vec<Name>;
}
