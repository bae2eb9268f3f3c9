//! The original's `Foundation.Infrastructure`: circuit breakers, rate limits, pools, and calls behind all three.
//!
//! The functions here and in the modules act on the [global instance](crate::global); each module has a type with the same
//! functions as methods, for any instance. The bare name is the function with the most arguments; a shorter one carries its
//! arity.
//!
//! ```
//! use foundation_compat::infrastructure::{self, ExecuteError, ProtectedOptions};
//!
//! infrastructure::initialize_circuit_breaker_1("ledger")?;
//! let options = ProtectedOptions::new().rate_limiter("post", "account-7").circuit_breaker("ledger");
//!
//! let posted = infrastructure::execute_protected("ledger_calls", &options, || "12".parse::<u32>());
//! assert_eq!(posted, Ok(12));
//! let refused = infrastructure::execute_protected("ledger_calls", &options, || "twelve".parse::<u32>());
//! assert!(matches!(refused, Err(ExecuteError::Operation(_))));
//! # Ok::<(), foundation_compat::Error>(())
//! ```
//!
//! Programs that have no old names to keep compose the same with [`protected::Protected`], or use the crates below directly.

#[cfg(feature = "agent")]
pub mod agent_circuit_breaker;
#[cfg(feature = "agent")]
mod agent_parts;
#[cfg(feature = "agent")]
pub mod agent_rate_limiter;
pub mod circuit_breaker;
pub mod connection_manager;
mod contained;
mod events;
mod execute;
mod facade;
mod options;
mod parts;
pub mod pool_workers;
pub mod protected;
pub mod protection;
pub mod rate_limiter;
mod record;
mod stopwatch;

use std::fmt;
use std::future::Future;

use foundation_types::error::Error;
use foundation_types::{Metadata, Name, Value};

#[cfg(feature = "agent")]
pub(crate) use self::agent_parts::{AgentParts, AgentSettings};
pub use self::events::{
    EXECUTE_EXCEPTION_EVENT, EXECUTE_START_EVENT, EXECUTE_STOP_EVENT, INFRASTRUCTURE_INITIALIZED_EVENT,
    PROTECTION_TRIGGERED_EVENT,
};
pub use self::execute::ExecuteError;
pub use self::facade::{BreakerConfig, FuseServer, HammerServer, Infrastructure, InfrastructureStatus};
pub use self::options::ProtectedOptions;
pub(crate) use self::parts::{Parts, Settings};
use self::protection::ProtectionStatus;
use crate::global::{self, on_global};

/// The target of the log lines.
const TARGET: &str = "foundation::infrastructure";

fn here() -> Infrastructure {
    Infrastructure::from(&global::get())
}

/// As [`Infrastructure::execute_protected`], on the global instance.
///
/// # Errors
/// As there.
pub fn execute_protected<T, E: fmt::Display>(
    key: &str,
    options: &ProtectedOptions,
    operation: impl FnOnce() -> Result<T, E>,
) -> Result<T, ExecuteError<E>> {
    here().execute_protected(key, options, operation)
}

/// As [`Infrastructure::execute_protected_with_connection`], on the global instance.
///
/// # Errors
/// As there.
pub fn execute_protected_with_connection<W: 'static, T, E: fmt::Display>(
    key: &str,
    options: &ProtectedOptions,
    operation: impl FnOnce(&mut W) -> Result<T, E>,
) -> Result<T, ExecuteError<E>> {
    here().execute_protected_with_connection(key, options, operation)
}

/// As [`Infrastructure::execute_protected_async`], on the global instance.
///
/// # Errors
/// As there.
///
/// # Cancel safety
/// As there.
pub async fn execute_protected_async<T, E, F>(
    key: &str,
    options: &ProtectedOptions,
    operation: impl FnOnce() -> F,
) -> Result<T, ExecuteError<E>>
where
    E: fmt::Display,
    F: Future<Output = Result<T, E>>,
{
    here().execute_protected_async(key, options, operation).await
}

/// As [`Infrastructure::execute_protected_with_connection_async`], on the global instance.
///
/// # Errors
/// As there.
///
/// # Cancel safety
/// As there.
pub async fn execute_protected_with_connection_async<W: 'static, T, E: fmt::Display>(
    key: &str,
    options: &ProtectedOptions,
    operation: impl AsyncFnOnce(&mut W) -> Result<T, E>,
) -> Result<T, ExecuteError<E>> {
    here().execute_protected_with_connection_async(key, options, operation).await
}

/// As [`Infrastructure::configure_protection`], on the global instance.
///
/// # Errors
/// As there.
pub fn configure_protection(key: &str, config: impl Into<Value>) -> Result<(), Error> {
    here().configure_protection(key, config)
}

on_global! {
    Infrastructure(here()):
    fn initialize_all_infra_components() -> Result<(), Error>;
    fn get_infrastructure_status() -> InfrastructureStatus;
    fn initialize_circuit_breaker(name: &str, config: BreakerConfig) -> Result<(), Error>;
    fn initialize_circuit_breaker_1(name: &str) -> Result<(), Error>;
    fn get_protection_config(key: &str) -> Result<Metadata, Error>;
    fn get_protection_status(key: &str) -> Result<ProtectionStatus, Error>;
    fn list_protection_keys() -> Vec<Name>;
}
