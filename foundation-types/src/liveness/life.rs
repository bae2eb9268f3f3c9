//! The state that an owner and its pids share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use super::slots::{SlotId, Slots};
use super::sync::{
    AtomicBool, AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, ThreadId, current_thread,
};
use super::{ExitHook, ExitReason, OwnerId};
use crate::{MonoTime, Name, NodeId};

#[cfg(not(loom))]
static DEATHS_IN_PROGRESS: AtomicUsize = AtomicUsize::new(0);
#[cfg(loom)]
loom::lazy_static! {
    static ref DEATHS_IN_PROGRESS: AtomicUsize = AtomicUsize::new(0);
}

/// Whether there was an instant during the call at which every owner that was dead had run all its exit hooks.
///
/// One acquire load. It lets a store that removes entries in exit hooks skip the liveness test of the entry it reads:
/// `true` *before* the read means that an entry still present then belonged to an owner that was alive at some instant
/// between the two, or rather that no thread can have seen that owner dead before the call. `false` says nothing about
/// any one owner; test it with [`Pid::is_alive`](super::Pid::is_alive).
///
/// Why it holds: a death with hooks adds to the counter before it is visible, and subtracts after its hooks ran. A thread
/// that saw the owner dead sees the addition; if it then reads zero, it reads a value later in the modification order than
/// the subtraction, which heads a release sequence of read-modify-writes, so it also sees what the hooks did.
pub fn no_death_in_progress() -> bool {
    DEATHS_IN_PROGRESS.load(Ordering::Acquire) == 0
}

/// Something to do when an owner dies; the allocation-free form of [`ExitHook`] for callers that have an `Arc` at hand.
pub trait OnExit: Send + Sync {
    /// Runs once, on the thread that caused the death, outside every lock. A panic is caught.
    fn on_exit(self: Arc<Self>, reason: &ExitReason);
}

pub(super) enum Hook {
    Once(ExitHook),
    Shared(Arc<dyn OnExit>),
}

impl Hook {
    fn run(self, reason: &ExitReason) {
        match self {
            Self::Once(hook) => hook(reason),
            Self::Shared(hook) => hook.on_exit(reason),
        }
    }
}

pub(super) enum Home {
    Local,
    Remote { node: NodeId, as_of: AtomicU64 },
}

pub(super) struct Life {
    pub(super) id: OwnerId,
    pub(super) label: Option<Name>,
    pub(super) home: Home,
    /// True from the instant of death on. Written under the lock of `state`, after `State::reason`.
    dead: AtomicBool,
    state: Mutex<State>,
    settled: Condvar,
}

struct State {
    /// Set at the instant of death.
    reason: Option<ExitReason>,
    /// The thread that runs the hooks, between the instant of death and the end of phase 1.
    mourner: Option<ThreadId>,
    /// Set when phase 1 is over: from here on monitors resolve.
    settled: bool,
    shutdown: Option<ExitReason>,
    hooks: Slots<Hook>,
    monitors: Slots<Waker>,
    signals: Slots<Waker>,
}

/// Which of the two wake lists a waiter is in.
#[derive(Clone, Copy, Debug)]
pub(super) enum WaitFor {
    Death,
    ShutdownRequest,
}

impl Life {
    pub(super) fn new(id: OwnerId, label: Option<Name>, home: Home) -> Self {
        let state = State {
            reason: None,
            mourner: None,
            settled: false,
            shutdown: None,
            hooks: Slots::new(),
            monitors: Slots::new(),
            signals: Slots::new(),
        };
        Self { id, label, home, dead: AtomicBool::new(false), state: Mutex::new(state), settled: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No foreign code runs under the lock, so a poisoned state is a consistent one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_alive(&self) -> bool {
        // Acquire: whoever reads dead also sees what the owner did before it died.
        !self.dead.load(Ordering::Acquire)
    }

    pub(super) fn exit_reason(&self) -> Option<ExitReason> {
        if self.is_alive() { None } else { self.lock().reason.clone() }
    }

    /// Makes this life end for `reason`, unless it has. Returns whether this call ended it, after both phases.
    pub(super) fn end(&self, reason: ExitReason) -> bool {
        let mut state = self.lock();
        if state.reason.is_some() {
            return false;
        }
        let hooks = if state.hooks.is_empty() { None } else { Some(state.hooks.take()) };
        if hooks.is_some() {
            // Relaxed: ordered before the release store of `dead`, which is how others learn of this death.
            DEATHS_IN_PROGRESS.fetch_add(1, Ordering::Relaxed);
            state.mourner = Some(current_thread().id());
        }
        state.reason = Some(reason.clone());
        state.shutdown.get_or_insert_with(|| reason.clone());
        self.dead.store(true, Ordering::Release);
        let signals = state.signals.take();
        if let Some(hooks) = hooks {
            drop(state);
            for hook in hooks {
                // The panic hook has reported it; the other hooks must run all the same.
                let _ = catch_unwind(AssertUnwindSafe(|| hook.run(&reason)));
            }
            // Release: pairs with the acquire load in `no_death_in_progress`.
            DEATHS_IN_PROGRESS.fetch_sub(1, Ordering::Release);
            state = self.lock();
        }
        state.settled = true;
        state.mourner = None;
        let monitors = state.monitors.take();
        self.settled.notify_all();
        drop(state);
        wake_all(signals.chain(monitors));
        true
    }

    /// Returns when phase 1 of the death is over. Called in a hook of this life, it returns at once.
    pub(super) fn wait_until_settled(&self) {
        let mut state = self.lock();
        while !state.settled && state.reason.is_some() && state.mourner != Some(current_thread().id()) {
            state = self.settled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn add_hook(&self, hook: Hook) -> Result<SlotId, Hook> {
        let mut state = self.lock();
        if state.reason.is_some() { Err(hook) } else { Ok(state.hooks.insert(hook)) }
    }

    pub(super) fn remove_hook(&self, slot: SlotId) -> bool {
        let hook = self.lock().hooks.remove(slot);
        hook.is_some()
    }

    pub(super) fn request_shutdown(&self, reason: ExitReason) -> bool {
        let mut state = self.lock();
        if state.reason.is_some() {
            return false;
        }
        if state.shutdown.is_none() {
            state.shutdown = Some(reason);
            let signals = state.signals.take();
            drop(state);
            wake_all(signals);
        }
        true
    }

    pub(super) fn shutdown_requested(&self) -> Option<ExitReason> {
        self.lock().shutdown.clone()
    }

    /// What `what` waits for, if it has happened; otherwise the waker in `slot` is set, and called once when it has.
    pub(super) fn poll(
        &self,
        what: WaitFor,
        slot: &mut Option<SlotId>,
        context: &Context<'_>,
    ) -> Poll<ExitReason> {
        let mut state = self.lock();
        let happened = match what {
            WaitFor::Death => state.reason.clone().filter(|_| state.settled),
            WaitFor::ShutdownRequest => state.shutdown.clone(),
        };
        if let Some(reason) = happened {
            *slot = None;
            return Poll::Ready(reason);
        }
        let wakers = state.wakers(what);
        let mut replaced = None;
        match slot.and_then(|slot| wakers.get_mut(slot)) {
            Some(waker) if waker.will_wake(context.waker()) => {}
            Some(waker) => replaced = Some(std::mem::replace(waker, context.waker().clone())),
            None => *slot = Some(wakers.insert(context.waker().clone())),
        }
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    pub(super) fn cancel_wait(&self, what: WaitFor, slot: SlotId) {
        let waker = self.lock().wakers(what).remove(slot);
        drop(waker);
    }

    /// Hooks, monitors and signals held.
    #[cfg(any(test, feature = "test-util"))]
    pub(super) fn held(&self) -> (usize, usize, usize) {
        let state = self.lock();
        (state.hooks.len(), state.monitors.len(), state.signals.len())
    }

    /// For a remote life: when its liveness was last known.
    pub(super) fn as_of(cell: &AtomicU64) -> MonoTime {
        // Relaxed: a hint about age that orders nothing.
        MonoTime::from_nanos(cell.load(Ordering::Relaxed))
    }
}

impl State {
    fn wakers(&mut self, what: WaitFor) -> &mut Slots<Waker> {
        match what {
            WaitFor::Death => &mut self.monitors,
            WaitFor::ShutdownRequest => &mut self.signals,
        }
    }
}

fn wake_all(wakers: impl Iterator<Item = Waker>) {
    for waker in wakers {
        // An executor whose waker panics must not keep the others asleep.
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}
