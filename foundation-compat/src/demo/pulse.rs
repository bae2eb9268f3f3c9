//! Signs of life, and the bell that calls the coordinator.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};

use crossbeam_channel::{Receiver, Sender, bounded};
use foundation_types::MonoTime;

/// By when an agent will have shown progress, or be overdue. Agent and coordinator share it.
#[derive(Debug)]
pub(super) struct Pulse(AtomicU64);

impl Pulse {
    /// That of an agent of which nothing is expected.
    pub(super) const fn at_rest() -> Self {
        Self(AtomicU64::new(MonoTime::NEVER.as_nanos()))
    }

    /// Expects progress by `due`.
    pub(super) fn expect_by(&self, due: MonoTime) {
        // Relaxed: a hint about one agent that orders nothing else.
        self.0.store(due.as_nanos(), Ordering::Relaxed);
    }

    /// Expects nothing: the agent waits for the coordinator, or has nothing to do.
    pub(super) fn rest(&self) {
        self.expect_by(MonoTime::NEVER);
    }

    /// By when progress is expected.
    pub(super) fn due(&self) -> MonoTime {
        MonoTime::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// Wakes a thread that waits on a channel, as a [`Waker`] that deaths and timers can call. Any number of rings between two
/// looks are one.
pub(super) struct Bell {
    ring: Sender<()>,
}

impl Bell {
    /// A waker, and the channel on which it is heard.
    pub(super) fn hang() -> (Waker, Receiver<()>) {
        let (ring, heard) = bounded(1);
        (Waker::from(Arc::new(Self { ring })), heard)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Full: it rings already. Disconnected: nobody listens any more.
        let _ = self.ring.try_send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rings_are_one() {
        let (waker, heard) = Bell::hang();
        waker.wake_by_ref();
        waker.wake_by_ref();
        assert_eq!(heard.try_recv(), Ok(()));
        assert!(heard.try_recv().is_err());
        waker.wake();
        assert_eq!(heard.try_recv(), Ok(()));
    }

    #[test]
    fn an_agent_at_rest_is_never_overdue() {
        let pulse = Pulse::at_rest();
        assert_eq!(pulse.due(), MonoTime::NEVER);
        pulse.expect_by(MonoTime::from_nanos(5));
        assert_eq!(pulse.due(), MonoTime::from_nanos(5));
        pulse.rest();
        assert_eq!(pulse.due(), MonoTime::NEVER);
    }
}
