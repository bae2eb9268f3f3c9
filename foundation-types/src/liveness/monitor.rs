//! Waiting for a death, or for the request to stop.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::ExitReason;
use super::life::{Life, WaitFor};
use super::slots::SlotId;
use super::sync::block_on;
use crate::{Clock, MonoTime, timeout_at};

/// Resolves with the exit reason when the owner is dead and its exit hooks have run.
///
/// A future for any executor, and [`wait`](Self::wait) for threads. Dropping it takes it off the owner's list.
///
/// # Cancel safety
/// Dropping a monitor that is not ready loses nothing: another one on the same pid resolves with the same reason.
#[must_use = "a monitor does nothing unless awaited or waited for"]
pub struct Monitor(Waiting);

impl Monitor {
    pub(super) fn new(life: Arc<Life>) -> Self {
        Self(Waiting { life, what: WaitFor::Death, slot: None })
    }

    /// Blocks the thread until the owner is dead and its exit hooks have run.
    ///
    /// In an exit hook of the very owner this would wait for itself, for ever.
    pub fn wait(self) -> ExitReason {
        block_on(self)
    }

    /// As [`wait`](Self::wait), or `None` when `deadline` passes on `clock` first.
    pub fn wait_until<C: Clock + ?Sized>(self, clock: &C, deadline: MonoTime) -> Option<ExitReason> {
        block_on(timeout_at(clock, deadline, self))
    }
}

impl Future for Monitor {
    type Output = ExitReason;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ExitReason> {
        self.0.poll(context)
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Monitor").field(&self.0.life.id).finish()
    }
}

/// Resolves when an owner is asked to stop, with the reason given; also when it dies.
///
/// The signal is level-triggered: taken after the request, it resolves at once. Clones are independent.
///
/// # Cancel safety
/// Dropping it loses nothing; the request stays readable.
#[must_use = "a shutdown signal does nothing unless awaited or waited for"]
pub struct ShutdownSignal(Waiting);

impl ShutdownSignal {
    pub(super) fn new(life: Arc<Life>) -> Self {
        Self(Waiting { life, what: WaitFor::ShutdownRequest, slot: None })
    }

    /// The reason, if the owner has been asked to stop.
    pub fn requested(&self) -> Option<ExitReason> {
        self.0.life.shutdown_requested()
    }

    /// Blocks the thread until the owner is asked to stop.
    pub fn wait(self) -> ExitReason {
        block_on(self)
    }

    /// As [`wait`](Self::wait), or `None` when `deadline` passes on `clock` first.
    pub fn wait_until<C: Clock + ?Sized>(self, clock: &C, deadline: MonoTime) -> Option<ExitReason> {
        block_on(timeout_at(clock, deadline, self))
    }
}

impl Clone for ShutdownSignal {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.0.life))
    }
}

impl Future for ShutdownSignal {
    type Output = ExitReason;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ExitReason> {
        self.0.poll(context)
    }
}

impl fmt::Debug for ShutdownSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ShutdownSignal").field(&self.0.life.id).finish()
    }
}

struct Waiting {
    life: Arc<Life>,
    what: WaitFor,
    slot: Option<SlotId>,
}

impl Waiting {
    fn poll(&mut self, context: &Context<'_>) -> Poll<ExitReason> {
        self.life.poll(self.what, &mut self.slot, context)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.life.cancel_wait(self.what, slot);
        }
    }
}
