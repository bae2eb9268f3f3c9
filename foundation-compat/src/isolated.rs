//! Work that runs once, elsewhere.
//!
//! ```
//! use foundation_compat::isolated::{WorkError, isolate};
//!
//! let largest = isolate(|| vec![3, 1, 2].into_iter().max());
//! let failing = isolate(|| -> u32 { panic!("out of luck") });
//! assert_eq!(largest.join(), Ok(Some(3)));
//! assert_eq!(failing.join(), Err(WorkError::Panicked("out of luck".into())));
//! ```

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use foundation_types::error::{Classify, Domain, ErrorKind};
use foundation_types::{ExitReason, Name, Owner, Pid, Text, contain};

/// The name of the threads, and the label of the owners.
const NAME: Name = Name::from_static("isolated-work");

/// Runs `work` on a thread of its own, which ends with it and whose stack is freed then.
///
/// A panic in the work ends nothing but the work. A thread cannot be stopped from outside: killing the [`Pid`] of the work
/// ends its identity, and the work goes on to its end.
pub fn isolate<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Isolated<T> {
    let place = Arc::new(Mutex::new(None));
    let outcome = Arc::clone(&place);
    let (pid, thread) = start(work, move |outcome| {
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        // If nobody waits any more the outcome goes with its place, here, where a panic of its drop is contained.
        drop(place);
    });
    let state = thread.map(|thread| Running { outcome, thread });
    Isolated { pid, state }
}

/// Runs `work` on a thread of its own, and gives `deliver` the outcome there. The pid dies after that.
pub(crate) fn start<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    deliver: impl FnOnce(Result<T, WorkError>) + Send + 'static,
) -> (Pid, Result<JoinHandle<()>, WorkError>) {
    let owner = Owner::named(NAME);
    let pid = owner.pid();
    let run = move || {
        let outcome = contain(work);
        let exit = outcome.as_ref().err().map_or(ExitReason::Normal, |message| ExitReason::Panic(message.clone()));
        let delivered = contain(|| deliver(outcome.map_err(WorkError::Panicked)));
        // The panic hook has reported what became of an outcome that nobody took.
        drop(delivered);
        owner.exit(exit);
    };
    // Without a thread the work is dropped here, and what it holds is foreign.
    let thread = contain(|| thread::Builder::new().name(NAME.to_string()).spawn(run))
        .and_then(|spawned| spawned.map_err(|error| error.to_string().into()))
        .map_err(|reason| WorkError::NotStarted { reason });
    (pid, thread)
}

/// A piece of work that was started by [`isolate`]. Dropping it lets the work go on, and drops its result.
#[must_use = "the result of the work is only to be had by joining it"]
pub struct Isolated<T> {
    pid: Pid,
    state: Result<Running<T>, WorkError>,
}

struct Running<T> {
    /// Filled before the thread ends.
    outcome: Arc<Mutex<Option<Result<T, WorkError>>>>,
    thread: JoinHandle<()>,
}

impl<T> Isolated<T> {
    /// The identity of the work: it dies when the work ends, normally or of its panic. Whoever cannot block waits for that
    /// by its monitor, and joins then.
    pub const fn pid(&self) -> &Pid {
        &self.pid
    }

    /// Whether [`join`](Self::join) would return at once.
    pub fn is_finished(&self) -> bool {
        self.state.as_ref().map_or(true, |running| running.thread.is_finished())
    }

    /// What the work came to. Blocks until it and its thread have ended.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn join(self) -> Result<T, WorkError> {
        let Running { outcome, thread } = self.state?;
        // Nothing of what runs on it panics past `start`, and the outcome stands in any case.
        drop(thread.join());
        let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        outcome.expect("the thread delivers before it ends, whatever becomes of the work")
    }
}

impl<T> fmt::Debug for Isolated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Isolated")
            .field("pid", &self.pid)
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

/// Why isolated work has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// It panicked, with this message where the panic has a text.
    #[error("the work panicked: {0}")]
    Panicked(Text),
    /// It was not run: the operating system gave no thread.
    #[error("no thread for the work: {reason}")]
    NotStarted {
        /// What the operating system says.
        reason: Text,
    },
}

impl Classify for WorkError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Panicked(_) => ErrorKind::InternalError,
            Self::NotStarted { .. } => ErrorKind::ProcessStartFailed,
        }
    }

    fn domain(&self) -> Domain {
        Domain::Processes
    }
}
