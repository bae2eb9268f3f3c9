//! Liveness: what it means that a component is alive, and who learns when it is not.
//!
//! A component that runs holds an [`Owner`], the strong side, which cannot be cloned. Everyone else holds a [`Pid`], the
//! weak side: an identity that is never reused, a liveness test, something to monitor with an exit reason, and something
//! to ask, or force, to stop.
//!
//! Death is one atomic instant: after it every thread reads dead, for ever, with the same [`ExitReason`]. It then runs in
//! two phases on the thread that caused it. First the **exit hooks** run, each exactly once; a panic in one is caught and
//! the rest still run. Then the **monitors** resolve. Whoever is woken by a monitor therefore finds every registry clean.
//! Dropping the owner returns after both phases.
//!
//! ```
//! use foundation_types::{ExitReason, Owner};
//!
//! let owner = Owner::new();
//! let pid = owner.pid();
//! let monitor = pid.monitor();
//! assert!(pid.is_alive());
//!
//! owner.exit(ExitReason::Shutdown);
//! assert!(!pid.is_alive());
//! assert_eq!(monitor.wait(), ExitReason::Shutdown);
//! ```
//!
//! Leaking an owner (`std::mem::forget`) keeps its identity alive; that is what it means, not an accident.

mod exit;
mod life;
mod monitor;
mod owner;
mod owner_id;
mod pid;
mod slots;
mod sync;
#[cfg(feature = "tokio")]
mod task;

pub use exit::ExitReason;
pub use life::{OnExit, no_death_in_progress};
pub use monitor::{Monitor, ShutdownSignal};
pub use owner::Owner;
pub use owner_id::{OwnerId, OwnerIdError};
pub use pid::{ExitHook, HookGuard, HookId, Locality, Pid};
