//! The strong side of a life.

use std::fmt;
use std::sync::Arc;
use std::thread;

use super::life::{Home, Life};
use super::monitor::ShutdownSignal;
use super::sync::{AtomicU64, Ordering};
use super::{ExitReason, OwnerId, Pid};
use crate::{MonoTime, Name, NodeId, Text};

/// Keeps an identity alive. Dropping it, also by unwinding or by cancelling the future that holds it, is death.
///
/// Not `Clone`: exactly one holder decides when the component ends. One owner may hold any number of names in any number
/// of registries.
///
/// [`exit`](Self::exit) and the drop return when the exit hooks have run and the monitors have been woken, also when a kill
/// on another thread is what does so. Only inside a hook or a waker of this owner they return before that.
#[must_use = "an owner that is dropped is dead"]
pub struct Owner {
    /// `None` only while `exit` moves it out.
    life: Option<Arc<Life>>,
}

impl Owner {
    /// An owner with a fresh identity.
    #[expect(clippy::new_without_default, reason = "a default that is a new identity each time would surprise")]
    pub fn new() -> Self {
        Self::with(OwnerId::next(), None, Home::Local)
    }

    /// An owner with a fresh identity and a label for logs.
    pub fn named(label: Name) -> Self {
        Self::with(OwnerId::next(), Some(label), Home::Local)
    }

    /// The local stand-in of an owner on another node, for the mirror of a networked registry: it lives until the mirror
    /// learns of the death, and says so with [`exit`](Self::exit).
    pub fn remote(id: OwnerId, node: NodeId, as_of: MonoTime) -> Self {
        Self::with(id, None, Home::Remote { node, as_of: AtomicU64::new(as_of.as_nanos()) })
    }

    fn with(id: OwnerId, label: Option<Name>, home: Home) -> Self {
        Self { life: Some(Arc::new(Life::new(id, label, home))) }
    }

    fn life(&self) -> &Arc<Life> {
        self.life.as_ref().expect("only `exit`, which consumes the owner, takes the life out")
    }

    /// The weak side.
    pub fn pid(&self) -> Pid {
        Pid(Arc::clone(self.life()))
    }

    /// Dies with this reason, unless it has been killed.
    pub fn exit(mut self, reason: ExitReason) {
        if let Some(life) = self.life.take() {
            end(&life, reason);
        }
    }

    /// The reason, if someone asked this owner to stop; also after it was killed.
    pub fn shutdown_requested(&self) -> Option<ExitReason> {
        self.life().shutdown_requested()
    }

    /// Resolves when someone asks this owner to stop, or kills it.
    pub fn on_shutdown(&self) -> ShutdownSignal {
        ShutdownSignal::new(Arc::clone(self.life()))
    }

    /// For a [remote](Self::remote) owner: it was known to be alive at `as_of`. Does nothing for a local one.
    pub fn refresh(&self, as_of: MonoTime) {
        if let Home::Remote { as_of: cell, .. } = &self.life().home {
            // Relaxed: a hint about age that orders nothing. The latest news stays, in whatever order they arrive.
            cell.fetch_max(as_of.as_nanos(), Ordering::Relaxed);
        }
    }
}

fn end(life: &Life, reason: ExitReason) {
    if !life.end(reason) {
        // A kill on another thread may still be running the hooks; whoever drops an owner must find every registry clean.
        life.wait_until_over();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(life) = self.life.take() {
            let reason = if thread::panicking() {
                ExitReason::Panic(Text::from_static("owner dropped while unwinding"))
            } else {
                ExitReason::Normal
            };
            end(&life, reason);
        }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Owner").field(&self.life().id).finish()
    }
}
