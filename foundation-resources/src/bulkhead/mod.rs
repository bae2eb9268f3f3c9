//! Bulkheads: a bound on how many calls to one thing are under way at once, so that one slow dependency cannot take every
//! thread and task of the program with it.
//!
//! ```
//! use std::time::Duration;
//! use foundation_resources::bulkhead::{AcquireError, Bulkhead};
//!
//! let search = Bulkhead::builder(1).build()?;
//! let permit = search.try_acquire()?;
//! assert_eq!(search.try_acquire().map(drop), Err(AcquireError::Full { max_concurrent: 1 }));
//! drop(permit); // also by `?`, by a panic, and when a future is cancelled
//! search.acquire_timeout(Duration::from_millis(100))?; // or `acquire_within(..).await`, on any runtime
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - Who waits is served in order of arrival, whether it blocks a thread or awaits. A newcomer never overtakes.
//! - A permit that comes back while somebody waits is handed over under the lock of the line, so no wake-up can be lost;
//!   a waiter that leaves with a permit in its hand, cancelled or too late, passes it on.
//! - While nobody waits, taking and returning a permit is one atomic exchange each, without a lock.
//! - How many may wait is bounded, and how long can be.
//!
//! # Why not a semaphore of a runtime
//!
//! `tokio::sync::Semaphore` has the same order of service. It has no blocking wait that shares the line with the
//! asynchronous ones, no bound on the length of the line and no time-out on a clock that a test can hold, all of which
//! the rules above ask for; what would be left of it is the counter.

mod builder;
mod core;
mod error;
pub mod events;
mod handle;
mod permit;
#[cfg(feature = "tower")]
mod service;
mod status;

pub use builder::Builder;
pub use error::{AcquireError, OptionsError};
pub use handle::Bulkhead;
pub use permit::{BulkheadPermit, OwnedBulkheadPermit};
#[cfg(feature = "tower")]
pub use service::{BulkheadFuture, BulkheadLayer, BulkheadService, ServiceError, WhenFull};
pub use status::{BulkheadState, BulkheadStatus};

/// The most calls that a bulkhead can be told to let be under way.
pub const MAX_CONCURRENT_LIMIT: usize = 1 << 20;
/// The most callers that a bulkhead can be told to let wait.
pub const MAX_WAITING_LIMIT: usize = 1 << 20;
/// How many callers may wait unless told otherwise.
pub const DEFAULT_MAX_WAITING: usize = 10_000;
