//! Following what happens in a registry.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::sync::Mutex;
use foundation_types::{ExitReason, Namespace};
use futures_core::Stream;

use crate::entry::{EntrySnapshot, StoredEntry};
use crate::registry::{Core, Registry};

/// Changes that a watch holds unread before it counts the rest as missed.
pub const WATCH_CAPACITY: usize = 1024;

/// One change of a registry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RegistryChange {
    /// A name was claimed.
    Added(EntrySnapshot),
    /// The metadata of a name changed.
    Updated(EntrySnapshot),
    /// A name was given up.
    Removed {
        /// The entry as it was last.
        entry: EntrySnapshot,
        /// Why.
        reason: RemovalReason,
    },
    /// The reader was too slow: so many changes were dropped here. The present state is to be read anew.
    Lagged {
        /// How many.
        missed: u64,
    },
}

/// What became of an entry.
#[derive(Clone, Copy)]
pub(crate) enum Turn<'r> {
    Added,
    Updated,
    Removed(&'r RemovalReason),
}

impl RegistryChange {
    pub(crate) fn of(entry: &StoredEntry, turn: Turn<'_>) -> Self {
        let entry = entry.snapshot();
        match turn {
            Turn::Added => Self::Added(entry),
            Turn::Updated => Self::Updated(entry),
            Turn::Removed(reason) => Self::Removed { entry, reason: reason.clone() },
        }
    }
}

/// Why an entry left the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemovalReason {
    /// It was unregistered.
    Unregistered,
    /// Its owner died.
    OwnerExit(ExitReason),
    /// Another owner claimed the name of the dead one before its exit hook came to it.
    Replaced,
    /// Its namespace was cleaned up.
    NamespaceCleanup,
}

impl RemovalReason {
    /// The name of the reason, in snake case, as events carry it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unregistered => "unregister",
            Self::OwnerExit(_) => "owner_exit",
            Self::Replaced => "replaced",
            Self::NamespaceCleanup => "namespace_cleanup",
        }
    }
}

/// A bounded stream of the changes of one namespace, from the moment it was made; see [`Registry::watch`].
///
/// The changes of one name come in the order in which they took effect. A reader that falls more than
/// [`WATCH_CAPACITY`] changes behind gets [`RegistryChange::Lagged`] in their place. The stream ends when the registry is
/// shut down.
///
/// # Cancel safety
/// [`next`](Self::next) and the stream lose nothing when dropped while pending.
#[must_use = "a watch collects changes until it is dropped"]
pub struct Watch {
    registry: Registry,
    queue: Arc<WatchQueue>,
}

impl Watch {
    /// The next change; `None` when the registry is shut down and everything was read.
    pub async fn next(&mut self) -> Option<RegistryChange> {
        poll_fn(|context| self.queue.poll(context)).await
    }

    /// The next change if there is one now.
    pub fn try_next(&mut self) -> Option<RegistryChange> {
        self.queue.state.lock().pop()
    }
}

impl Stream for Watch {
    type Item = RegistryChange;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<RegistryChange>> {
        self.queue.poll(context)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let core = &self.registry.core;
        for number in 0..core.stripe_count() {
            core.stripe(number).lock().watchers.retain(|watcher| !Arc::ptr_eq(watcher, &self.queue));
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("namespace", &self.queue.namespace).finish_non_exhaustive()
    }
}

impl Registry {
    /// Follows the changes of services in a namespace from now on.
    ///
    /// Each registration and change in the registry pays for the watches there are; making and dropping one locks every
    /// part of the registry in turn.
    pub fn watch(&self, namespace: &Namespace) -> Watch {
        let state = QueueState { changes: VecDeque::new(), missed: 0, reader: None, closed: false };
        let queue = Arc::new(WatchQueue { namespace: namespace.clone(), state: Mutex::new(state) });
        let core: &Core = &self.core;
        for number in 0..core.stripe_count() {
            core.stripe(number).lock().watchers.push(Arc::clone(&queue));
        }
        if core.check_open().is_err() {
            // The shutdown may have taken the watchers of a stripe before this one was in.
            drop(queue.close());
        }
        Watch { registry: self.clone(), queue }
    }
}

/// The changes that one watch has not read yet.
pub(crate) struct WatchQueue {
    namespace: Namespace,
    state: Mutex<QueueState>,
}

struct QueueState {
    changes: VecDeque<RegistryChange>,
    /// Changes dropped since the last one in the queue.
    missed: u64,
    reader: Option<Waker>,
    closed: bool,
}

impl WatchQueue {
    pub(crate) fn watches(&self, namespace: &Namespace) -> bool {
        self.namespace == *namespace
    }

    /// Queues a change. The waker is to be called outside every lock.
    #[must_use]
    pub(crate) fn push(&self, change: RegistryChange) -> Option<Waker> {
        let mut state = self.state.lock();
        if state.changes.len() >= WATCH_CAPACITY {
            state.missed += 1;
            return None;
        }
        if state.missed > 0 {
            let missed = std::mem::take(&mut state.missed);
            state.changes.push_back(RegistryChange::Lagged { missed });
        }
        state.changes.push_back(change);
        state.reader.take()
    }

    /// Ends the stream. The waker is to be called outside every lock.
    #[must_use]
    pub(crate) fn close(&self) -> Option<Waker> {
        let mut state = self.state.lock();
        state.closed = true;
        state.reader.take()
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<RegistryChange>> {
        let mut state = self.state.lock();
        if let Some(change) = state.pop() {
            return Poll::Ready(Some(change));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        let old = state.reader.replace(context.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl QueueState {
    fn pop(&mut self) -> Option<RegistryChange> {
        let change = self.changes.pop_front();
        if change.is_none() && self.missed > 0 {
            return Some(RegistryChange::Lagged { missed: std::mem::take(&mut self.missed) });
        }
        change
    }
}
