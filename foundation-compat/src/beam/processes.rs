//! The original's `Foundation.BEAM.Processes`: work that runs elsewhere, and groups of workers.
//!
//! The bare name is the function with the most arguments; a shorter one carries its arity.
//!
//! ```
//! use std::sync::mpsc;
//! use foundation_compat::beam::processes;
//!
//! let (caller, outcomes) = mpsc::channel();
//! let worker = processes::isolate_memory_intensive_work(|| (1..=1_000_u64).sum::<u64>(), caller)?;
//! assert_eq!(outcomes.recv()?, Ok(500_500));
//!
//! let monitor = worker.monitor();
//! monitor.wait(); // the worker ends after that
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::mpsc;

use foundation_types::Pid;

use super::ecosystem_supervisor::{self, Group, GroupBuilder, GroupError, GroupInfo};
use crate::isolated;
pub use crate::isolated::{Isolated, WorkError};
use crate::lifecycle::ShutdownReport;

/// Runs `work` on a thread of its own, and sends the one outcome to `caller`: `Ok` is the message `:work_complete`,
/// [`WorkError::Panicked`] is `:work_error`. The pid dies after that.
///
/// Whoever has several works at once can give them one caller, or one each to tell them apart.
///
/// # Errors
/// [`WorkError::NotStarted`]; nothing is sent then.
pub fn isolate_memory_intensive_work<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    caller: mpsc::Sender<Result<T, WorkError>>,
) -> Result<Pid, WorkError> {
    let (pid, thread) = isolated::start(work, move |outcome| drop(caller.send(outcome)));
    // The thread is not waited for: it delivers by itself.
    thread.map(|_thread| pid)
}

/// Runs `work` on a thread of its own. In place of messages to the calling process there is the handle, which gives the
/// outcome to whoever joins it.
pub fn isolate_memory_intensive_work_1<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Isolated<T> {
    isolated::isolate(work)
}

/// Starts a group of a coordinator and its workers; the same as
/// [`ecosystem_supervisor::start_link`].
///
/// # Errors
/// As [`GroupBuilder::start`].
pub fn spawn_ecosystem(config: GroupBuilder) -> Result<Group, GroupError> {
    ecosystem_supervisor::start_link(config)
}

/// Ends a group, within [`SHUTDOWN_TIMEOUT`](super::ecosystem_supervisor::SHUTDOWN_TIMEOUT). Idempotent.
pub fn shutdown_ecosystem(group: &Group) -> ShutdownReport {
    ecosystem_supervisor::shutdown(group)
}

/// The members of a group that are alive, and what they use.
pub fn ecosystem_info(group: &Group) -> GroupInfo {
    ecosystem_supervisor::get_ecosystem_info(group)
}
