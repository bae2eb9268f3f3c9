//! The weak side of a life.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::life::{Home, Hook, Life, OnExit};
use super::slots::SlotId;
use super::{ExitReason, Monitor, OwnerId};
use crate::{MonoTime, Name, NodeId};

/// Something to do when an owner dies. It runs outside every lock, on the thread that caused the death.
pub type ExitHook = Box<dyn FnOnce(&ExitReason) + Send>;

/// Names an owner without keeping it alive: cheap to clone, compared and hashed by [`OwnerId`].
#[derive(Clone)]
pub struct Pid(pub(super) Arc<Life>);

impl Pid {
    /// The identity.
    pub fn id(&self) -> OwnerId {
        self.0.id
    }

    /// The label its owner was made with, for logs.
    pub fn label(&self) -> Option<&Name> {
        self.0.label.as_ref()
    }

    /// Whether the owner is alive: one acquire load. Once false, false for ever.
    pub fn is_alive(&self) -> bool {
        self.0.is_alive()
    }

    /// Why the owner died; `None` while it is alive.
    pub fn exit_reason(&self) -> Option<ExitReason> {
        self.0.exit_reason()
    }

    /// Where the owner lives, and for a remote one how old the knowledge about it is.
    pub fn locality(&self) -> Locality<'_> {
        match &self.0.home {
            Home::Local => Locality::Local,
            Home::Remote { node, as_of } => Locality::Remote { node, as_of: Life::as_of(as_of) },
        }
    }

    /// Waits for the death; resolves at once, with the stored reason, if it has happened.
    pub fn monitor(&self) -> Monitor {
        Monitor::new(Arc::clone(&self.0))
    }

    /// Runs `hook` when the owner dies, before any monitor resolves. Dropping the guard removes it.
    ///
    /// # Errors
    /// The hook itself, not run, if the owner is dead.
    pub fn on_exit(&self, hook: ExitHook) -> Result<HookGuard, ExitHook> {
        match self.0.add_hook(Hook::Once(hook)) {
            Ok(slot) => Ok(HookGuard { pid: self.clone(), hook: Some(HookId(slot)) }),
            Err(Hook::Once(hook)) => Err(hook),
            Err(Hook::Shared(_)) => unreachable!("a refused hook is given back as it was offered"),
        }
    }

    /// As [`on_exit`](Self::on_exit) for a hook that exists already as an `Arc`; allocates nothing. The hook stays until
    /// the death or until [`detach`](Self::detach).
    ///
    /// # Errors
    /// The hook itself, not run, if the owner is dead.
    pub fn attach(&self, hook: Arc<dyn OnExit>) -> Result<HookId, Arc<dyn OnExit>> {
        match self.0.add_hook(Hook::Shared(hook)) {
            Ok(slot) => Ok(HookId(slot)),
            Err(Hook::Shared(hook)) => Err(hook),
            Err(Hook::Once(_)) => unreachable!("a refused hook is given back as it was offered"),
        }
    }

    /// Removes a hook. Returns whether it was there: `false` if it was removed before, or the death has taken it, in which
    /// case it may be running on another thread right now.
    ///
    /// The id must come from [`attach`](Self::attach) on this very owner; that of another one may name an unrelated hook.
    pub fn detach(&self, hook: HookId) -> bool {
        self.0.remove_hook(hook.0)
    }

    /// Asks the owner to stop, without forcing it. The first reason stays. Returns `false` if it is dead.
    pub fn request_shutdown(&self, reason: ExitReason) -> bool {
        self.0.request_shutdown(reason)
    }

    /// Ends the identity now. Returns whether this call was what ended it: if so, the shutdown signal is raised, the hooks
    /// have run and the monitors have been woken; if not, another thread may still be at that.
    ///
    /// The code of the owner may run on until it looks; whatever it tries to register is refused. A remote pid cannot be
    /// killed from here: the call asks for shutdown with [`ExitReason::Killed`], for the holder of its lease to forward,
    /// and returns `false`.
    pub fn kill(&self) -> bool {
        match self.0.home {
            Home::Local => self.0.end(ExitReason::Killed),
            Home::Remote { .. } => {
                self.0.request_shutdown(ExitReason::Killed);
                false
            }
        }
    }

    /// How many exit hooks, monitors and shutdown signals the owner's state holds, for leak tests.
    #[cfg(any(test, feature = "test-util"))]
    pub fn held(&self) -> (usize, usize, usize) {
        self.0.held()
    }
}

impl PartialEq for Pid {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Pid {}

impl Hash for Pid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl Ord for Pid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.id.cmp(&other.0.id)
    }
}

impl PartialOrd for Pid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.label {
            Some(label) => write!(f, "Pid({}, {label})", self.0.id),
            None => write!(f, "Pid({})", self.0.id),
        }
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.id, f)
    }
}

/// Where an owner lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locality<'p> {
    /// In this process: its liveness is exact.
    Local,
    /// On another node: its liveness is what was known at `as_of`, stale by at most the time to live of its lease.
    Remote {
        /// The node.
        node: &'p NodeId,
        /// When the owner was last known to be alive, on the clock of the mirror that holds it.
        as_of: MonoTime,
    },
}

/// An attached exit hook; see [`Pid::attach`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookId(SlotId);

/// Removes an exit hook when dropped; see [`Pid::on_exit`].
#[must_use = "dropping the guard removes the hook"]
#[derive(Debug)]
pub struct HookGuard {
    pid: Pid,
    hook: Option<HookId>,
}

impl HookGuard {
    /// Leaves the hook in place until the death.
    pub fn keep(mut self) {
        self.hook = None;
    }

    /// Removes the hook. Returns whether it was still there; if not, the death has taken it, see [`Pid::detach`].
    pub fn remove(mut self) -> bool {
        self.hook.take().is_some_and(|hook| self.pid.detach(hook))
    }
}

impl Drop for HookGuard {
    fn drop(&mut self) {
        if let Some(hook) = self.hook.take() {
            self.pid.detach(hook);
        }
    }
}
