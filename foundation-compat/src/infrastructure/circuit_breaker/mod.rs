//! The original's `Foundation.Infrastructure.CircuitBreaker`, with the functions of the library that it wraps.
//!
//! A breaker opens at the failure that makes more than `tolerance` failures younger than `refresh`, and closes by itself
//! `refresh` later, as Erlang's [fuse](https://hex.pm/packages/fuse) does. The functions act on the
//! [global instance](crate::global), [`CircuitBreakers`] on any.
//!
//! ```
//! use foundation_compat::infrastructure::circuit_breaker::{self, FuseOptions, FuseStatus};
//!
//! circuit_breaker::start_fuse_instance("payments", FuseOptions { tolerance: 1, ..FuseOptions::default() })?;
//! for _ in 0..2 {
//!     let failed = circuit_breaker::execute_2("payments", || "no".parse::<u32>()).expect_err("not a number");
//!     assert_eq!(failed.code(), 5003);
//! }
//! assert_eq!(circuit_breaker::get_status("payments")?, FuseStatus::Blown);
//! let refused = circuit_breaker::execute_2("payments", || "1".parse::<u32>()).expect_err("the circuit is open");
//! assert_eq!(refused.code(), 5004);
//! circuit_breaker::reset("payments")?;
//! assert_eq!(circuit_breaker::execute_2("payments", || "1".parse::<u32>())?, 1);
//! # Ok::<(), foundation_compat::Error>(())
//! ```

pub(crate) mod events;
mod facade;
mod options;

use std::future::Future;

use foundation_types::Metadata;
use foundation_types::error::{Cause, Error};

pub use self::events::{
    CALL_EXECUTED_EVENT, CALL_REJECTED_EVENT, FUSE_INSTALL_EXCEPTION_EVENT, FUSE_INSTALL_FAILED_EVENT,
    FUSE_INSTALLED_EVENT, STATE_CHANGE_EVENT,
};
pub use self::facade::CircuitBreakers;
pub(crate) use self::facade::status_of;
pub use self::options::{DEFAULT_REFRESH, DEFAULT_TOLERANCE, FuseOptions, FuseRun, FuseStatus, FuseStrategy};
use crate::global::{self, on_global};
#[cfg(feature = "agent")]
pub use crate::infrastructure::agent_circuit_breaker::{execute_with_agent, execute_with_agent_3, get_agent_status};

fn here() -> CircuitBreakers {
    CircuitBreakers::from(&global::get())
}

/// As [`CircuitBreakers::execute`], on the global instance.
///
/// # Errors
/// As there.
pub fn execute<T, E: Into<Cause>>(
    name: &str,
    operation: impl FnOnce() -> Result<T, E>,
    metadata: Metadata,
) -> Result<T, Error> {
    here().execute(name, operation, metadata)
}

/// As [`CircuitBreakers::execute_2`], on the global instance.
///
/// # Errors
/// As there.
pub fn execute_2<T, E: Into<Cause>>(name: &str, operation: impl FnOnce() -> Result<T, E>) -> Result<T, Error> {
    here().execute_2(name, operation)
}

/// As [`CircuitBreakers::execute_async`], on the global instance.
///
/// # Errors
/// As there.
///
/// # Cancel safety
/// As there.
pub async fn execute_async<T, E, F>(name: &str, operation: impl FnOnce() -> F, metadata: Metadata) -> Result<T, Error>
where
    E: Into<Cause>,
    F: Future<Output = Result<T, E>>,
{
    here().execute_async(name, operation, metadata).await
}

/// As [`CircuitBreakers::run`], on the global instance.
///
/// # Errors
/// As there.
pub fn run<T>(name: &str, operation: impl FnOnce() -> FuseRun<T>) -> Result<T, Error> {
    here().run(name, operation)
}

on_global! {
    CircuitBreakers(here()):
    fn start_fuse_instance(name: &str, options: FuseOptions) -> Result<(), Error>;
    fn start_fuse_instance_1(name: &str) -> Result<(), Error>;
    fn get_status(name: &str) -> Result<FuseStatus, Error>;
    fn reset(name: &str) -> Result<(), Error>;
    fn melt(name: &str);
    fn remove(name: &str) -> Result<(), Error>;
    fn circuit_disable(name: &str) -> Result<(), Error>;
    fn circuit_enable(name: &str) -> Result<(), Error>;
}
