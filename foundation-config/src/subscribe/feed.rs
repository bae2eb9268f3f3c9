//! What readers and subscribers share with the store.

use std::sync::Arc;
use std::task::Waker;

use arc_swap::ArcSwap;
use foundation_types::{Clock, Emitter, MonoTime};

use super::log::{Log, Read};
use super::waiters::{Ticket, Waiters};
use crate::change::Change;
use crate::layer::Version;
use crate::limits::Limits;
use crate::path::Path;
use crate::snapshot::Snapshot;
use crate::sync::{AtomicBool, AtomicUsize, Ordering, RwLock};

/// The current version, the changes that led to it, and who waits for the next. It outlives the store as long as somebody
/// reads.
pub(crate) struct Feed<S> {
    pub(crate) current: Arc<ArcSwap<Snapshot<S>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) emitter: Emitter,
    log: RwLock<Log>,
    waiters: Waiters,
    is_closed: AtomicBool,
    subscriptions: AtomicUsize,
}

impl<S> Feed<S> {
    pub(crate) fn new(first: Snapshot<S>, limits: &Limits, clock: Arc<dyn Clock>, emitter: Emitter) -> Self {
        Self {
            current: Arc::new(ArcSwap::from_pointee(first)),
            clock,
            emitter,
            log: RwLock::new(Log::new(limits.history, limits.history_age)),
            waiters: Waiters::default(),
            is_closed: AtomicBool::new(false),
            subscriptions: AtomicUsize::new(0),
        }
    }

    /// Makes a version current. Returns what is to be dropped when no lock is held any more.
    pub(crate) fn publish(&self, snapshot: Snapshot<S>, change: Arc<Change>, now: MonoTime) -> Outgoing<S> {
        let old = self.current.swap(Arc::new(snapshot));
        let forgotten = self.log.write().push(change, now);
        Outgoing { _old: old, _forgotten: forgotten }
    }

    /// Wakes those whom the change may concern.
    pub(crate) fn wake(&self, change: &Change) {
        #[cfg(feature = "agent")]
        if change.agents.has_toggled() || change.restores_overrides() {
            // What is in effect for these agents changed far from where was written.
            return self.waiters.wake([&Path::ROOT]);
        }
        self.waiters.wake(change.entries().iter().map(crate::change::Entry::path));
    }

    /// Ends the waiting of all subscribers, for good.
    pub(crate) fn close(&self) {
        // Release and acquire: whoever sees it sees all changes before it. Whoever does not has entered before the lists are
        // taken, whose lock orders the two.
        self.is_closed.store(true, Ordering::Release);
        self.waiters.wake_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// The changes that are remembered, the newest first, as far as they are wanted.
    pub(crate) fn history(&self, limit: usize, wants: impl Fn(&Change) -> bool) -> Vec<Arc<Change>> {
        // Copied out first: what is wanted may take long to tell.
        let changes: Vec<_> = self.log.read().newest_first().cloned().collect();
        changes.into_iter().filter(|change| wants(change)).take(limit).collect()
    }

    pub(super) fn read(&self, version: Version) -> Read {
        self.log.read().read(version)
    }

    pub(crate) fn next_version(&self) -> Version {
        self.log.read().next()
    }

    pub(super) fn wait(&self, path: &Path, ticket: Ticket, waker: Waker) -> Ticket {
        self.waiters.enter(path, ticket, waker)
    }

    pub(super) fn stop_waiting(&self, path: &Path, ticket: Ticket) {
        self.waiters.leave(path, ticket);
    }

    pub(crate) fn subscriptions(&self) -> usize {
        self.subscriptions.load(Ordering::Relaxed)
    }

    /// Takes one of `most` places for a subscription; whether there was one left.
    pub(super) fn enter(&self, most: usize) -> bool {
        let room = |taken: usize| (taken < most).then_some(taken + 1);
        // Relaxed: a count, which orders nothing.
        self.subscriptions.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    pub(super) fn leave(&self) {
        self.subscriptions.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a publication displaced. Dropping it may run destructors of the user's types.
pub(crate) struct Outgoing<S> {
    _old: Arc<Snapshot<S>>,
    _forgotten: Vec<Arc<Change>>,
}
