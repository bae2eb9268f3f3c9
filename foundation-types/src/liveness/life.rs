//! The state that an owner and its pids share.

use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use super::slots::{SlotId, Slots};
use super::sync::{AtomicBool, AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, ThreadId, current_thread};
use super::{ExitHook, ExitReason, OwnerId};
use crate::{MonoTime, Name, NodeId, contain};

#[cfg(not(loom))]
static DEATHS_IN_PROGRESS: AtomicUsize = AtomicUsize::new(0);
#[cfg(loom)]
loom::lazy_static! {
    static ref DEATHS_IN_PROGRESS: AtomicUsize = AtomicUsize::new(0);
}

/// Whether no owner is between the instant of its death and the end of its exit hooks.
///
/// One acquire load, for stores that remove entries in exit hooks. After `true`, a thread sees what the hooks did of every
/// owner that it has seen dead, or that a thread it synchronised with has. An entry that it finds by a later read therefore
/// belongs to an owner that it could not know to be dead at the call, and the liveness test of the entry can be skipped.
/// `false` says nothing about any one owner; test it with [`Pid::is_alive`](super::Pid::is_alive).
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
    ///
    /// It may drop or kill any owner, also this one, and may use every method of [`Pid`](super::Pid). It must not wait for
    /// something that waits for this very death: a monitor of it, a thread that is dropping this owner, or an owner that is
    /// dying on another thread, in a hook of which this owner is dropped.
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
    /// Notified when `State::stage` becomes [`Stage::Over`].
    over: Condvar,
}

struct State {
    /// Set at the instant of death.
    reason: Option<ExitReason>,
    stage: Stage,
    shutdown: Option<ExitReason>,
    hooks: Slots<Hook>,
    monitors: Slots<Waker>,
    signals: Slots<Waker>,
}

/// How far a life has come. The thread is the one that caused the death and runs the foreign code of both phases.
#[derive(Clone, Copy)]
enum Stage {
    Alive,
    /// Phase 1: exit hooks run.
    Hooks(ThreadId),
    /// Phase 2: monitors resolve, and those that wait are being woken.
    Wakers(ThreadId),
    Over,
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
            stage: Stage::Alive,
            shutdown: None,
            hooks: Slots::new(),
            monitors: Slots::new(),
            signals: Slots::new(),
        };
        Self { id, label, home, dead: AtomicBool::new(false), state: Mutex::new(state), over: Condvar::new() }
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
    /// Makes this life end for `reason`, unless it has. Returns whether this call ended it, after both phases.
    pub(super) fn end(&self, reason: ExitReason) -> bool {
        let mut state = self.lock();
        if state.reason.is_some() {
            return false;
        }
        let thread = current_thread().id();
        let hooks = if state.hooks.is_empty() { None } else { Some((state.hooks.take(), reason.clone())) };
        if hooks.is_some() {
            // Relaxed: ordered before the release store of `dead`, which is how others learn of this death.
            DEATHS_IN_PROGRESS.fetch_add(1, Ordering::Relaxed);
            state.stage = Stage::Hooks(thread);
        }
        state.shutdown.get_or_insert_with(|| reason.clone());
        state.reason = Some(reason);
        // Release: pairs with the acquire load in `is_alive`.
        self.dead.store(true, Ordering::Release);
        let signals = state.signals.take();
        if let Some((hooks, reason)) = hooks {
            drop(state);
            for hook in hooks {
                let _ = contain(|| hook.run(&reason));
            }
            // Release: pairs with the acquire load in `no_death_in_progress`.
            DEATHS_IN_PROGRESS.fetch_sub(1, Ordering::Release);
            state = self.lock();
        }
        let mut wakers = signals.chain(state.monitors.take()).peekable();
        if wakers.peek().is_some() {
            state.stage = Stage::Wakers(thread);
            drop(state);
            wake_all(wakers);
            state = self.lock();
        }
        state.stage = Stage::Over;
        self.over.notify_all();
        true
    }

    /// Returns when both phases of the death are over. Called by a hook or a waker of this life it returns at once, for
    /// it would wait for itself.
    pub(super) fn wait_until_over(&self) {
        let mut state = self.lock();
        while let Stage::Hooks(thread) | Stage::Wakers(thread) = state.stage {
            if thread == current_thread().id() {
                return;
            }
            state = self.over.wait(state).unwrap_or_else(PoisonError::into_inner);
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
    pub(super) fn poll(&self, what: WaitFor, slot: &mut Option<SlotId>, context: &Context<'_>) -> Poll<ExitReason> {
        let mut fresh: Option<Waker> = None;
        loop {
            let mut state = self.lock();
            if let Some(reason) = state.happened(what) {
                *slot = None;
                return Poll::Ready(reason);
            }
            let wakers = state.wakers(what);
            let known = slot.and_then(|slot| wakers.get_mut(slot));
            if known.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                return Poll::Pending;
            }
            let Some(waker) = fresh.take() else {
                // Cloning a waker runs code of its executor: not under the lock.
                drop(state);
                fresh = Some(context.waker().clone());
                continue;
            };
            let replaced = if let Some(known) = known {
                Some(std::mem::replace(known, waker))
            } else {
                *slot = Some(wakers.insert(waker));
                None
            };
            drop(state);
            drop(replaced);
            return Poll::Pending;
        }
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
    fn happened(&self, what: WaitFor) -> Option<ExitReason> {
        match (what, self.stage) {
            (WaitFor::Death, Stage::Alive | Stage::Hooks(_)) => None,
            (WaitFor::Death, Stage::Wakers(_) | Stage::Over) => self.reason.clone(),
            (WaitFor::ShutdownRequest, _) => self.shutdown.clone(),
        }
    }

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
        let _ = contain(|| waker.wake());
    }
}
