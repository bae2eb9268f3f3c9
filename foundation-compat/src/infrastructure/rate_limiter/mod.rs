//! The original's `Foundation.Infrastructure.RateLimiter`.
//!
//! The functions act on the [global instance](crate::global), [`RateLimiter`] on any.
//!
//! ```
//! use std::time::Duration;
//! use foundation_compat::infrastructure::rate_limiter;
//!
//! let hour = Duration::from_secs(3600);
//! rate_limiter::check_rate_4("user-7", "export", 1, hour)?;
//! let denied = rate_limiter::check_rate_4("user-7", "export", 1, hour).expect_err("once an hour");
//! assert_eq!(denied.code(), 6001);
//! assert!(denied.next_attempt().and_then(|next| next.duration()).is_some_and(|wait| wait <= hour));
//! # Ok::<(), foundation_compat::Error>(())
//! ```

pub mod backend;
mod events;
mod facade;
mod limits;
mod recent;

use std::fmt;
use std::time::Duration;

use foundation_types::Metadata;
use foundation_types::error::{Cause, Error};

pub use self::events::{BUCKET_RESET_EVENT, REQUEST_ALLOWED_EVENT, REQUEST_DENIED_EVENT};
pub use self::facade::{RateLimiter, RateState, RateStatus};
pub(crate) use self::limits::Limits;
pub use self::limits::PairLimiter;
pub use self::recent::REMEMBERED_QUOTAS;
use crate::global;

fn here() -> RateLimiter {
    RateLimiter::from(&global::get())
}

/// As [`RateLimiter::check_rate`], on the global instance.
///
/// # Errors
/// As there.
pub fn check_rate(
    entity: impl fmt::Display,
    operation: impl fmt::Display,
    limit: u32,
    time_window: Duration,
    metadata: Metadata,
) -> Result<(), Error> {
    here().check_rate(entity, operation, limit, time_window, metadata)
}

/// As [`RateLimiter::check_rate_4`], on the global instance.
///
/// # Errors
/// As there.
pub fn check_rate_4(
    entity: impl fmt::Display,
    operation: impl fmt::Display,
    limit: u32,
    time_window: Duration,
) -> Result<(), Error> {
    here().check_rate_4(entity, operation, limit, time_window)
}

/// As [`RateLimiter::get_status`], on the global instance.
///
/// # Errors
/// As there.
pub fn get_status(entity: impl fmt::Display, operation: impl fmt::Display) -> Result<RateStatus, Error> {
    here().get_status(entity, operation)
}

/// As [`RateLimiter::reset`], on the global instance.
///
/// # Errors
/// As there.
pub fn reset(entity: impl fmt::Display, operation: impl fmt::Display) -> Result<(), Error> {
    here().reset(entity, operation)
}

/// As [`RateLimiter::execute_with_limit`], on the global instance.
///
/// # Errors
/// As there.
///
/// # Panics
/// As there.
pub fn execute_with_limit<T, E: Into<Cause>>(
    entity: impl fmt::Display,
    operation: impl fmt::Display,
    limit: u32,
    time_window: Duration,
    run: impl FnOnce() -> Result<T, E>,
    metadata: Metadata,
) -> Result<T, Error> {
    here().execute_with_limit(entity, operation, limit, time_window, run, metadata)
}

/// As [`RateLimiter::execute_with_limit_5`], on the global instance.
///
/// # Errors
/// As there.
///
/// # Panics
/// As there.
pub fn execute_with_limit_5<T, E: Into<Cause>>(
    entity: impl fmt::Display,
    operation: impl fmt::Display,
    limit: u32,
    time_window: Duration,
    run: impl FnOnce() -> Result<T, E>,
) -> Result<T, Error> {
    here().execute_with_limit_5(entity, operation, limit, time_window, run)
}
