//! Streams of changes among agents: bounded, with a marker in place of what did not fit.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use serde::Serialize;

use crate::{AgentId, ExitReason, Health};

/// How many changes a subscriber can be behind by default.
pub const DEFAULT_CHANGE_CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

/// Something that happened to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AgentChange {
    /// It was registered.
    Registered {
        /// The agent.
        agent: AgentId,
        /// Its overall health.
        health: Health,
    },
    /// Its record was written.
    Updated {
        /// The agent.
        agent: AgentId,
        /// Its overall health before.
        from: Health,
        /// Its overall health now; may be the same.
        to: Health,
    },
    /// It is gone.
    Removed {
        /// The agent.
        agent: AgentId,
        /// Why.
        reason: Removal,
    },
    /// The subscriber was too slow: this many changes, all older than the next one, were dropped. Take a fresh snapshot.
    Lagged {
        /// How many.
        missed: u64,
    },
}

/// Why an agent is gone from a directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Removal {
    /// It was unregistered.
    Unregistered,
    /// Its owner died.
    Died(ExitReason),
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unregistered => f.write_str("unregistered"),
            Self::Died(reason) => write!(f, "died: {reason}"),
        }
    }
}

/// Where an implementor of [`AgentDirectory`](super::AgentDirectory) publishes changes.
///
/// Publishing never waits for a subscriber and never grows: a subscriber whose queue is full loses its oldest change, and
/// finds [`AgentChange::Lagged`] with the number of lost ones before the next. All subscribers get changes in the same
/// order. Dropping the feed ends the streams, once they are drained.
///
/// ```
/// use foundation_types::AgentId;
/// use foundation_types::agent::{AgentChange, AgentChangeFeed, Removal};
///
/// let feed = AgentChangeFeed::new();
/// let mut changes = feed.subscribe();
/// let gone = AgentChange::Removed { agent: AgentId::from_static("scout-1"), reason: Removal::Unregistered };
/// feed.publish(&gone);
/// assert_eq!(changes.try_next(), Some(gone));
/// assert_eq!(changes.try_next(), None);
/// ```
#[derive(Default)]
pub struct AgentChangeFeed(Arc<Subscribers>);

#[derive(Default)]
struct Subscribers {
    /// The length of `queues`, so that publishing to nobody takes no lock.
    count: AtomicUsize,
    queues: Mutex<Vec<Arc<Queue>>>,
}

struct Queue {
    capacity: NonZeroUsize,
    state: Mutex<QueueState>,
}

#[derive(Default)]
struct QueueState {
    changes: VecDeque<AgentChange>,
    /// How many changes were dropped since the subscriber was last told.
    missed: u64,
    ended: bool,
    waker: Option<Waker>,
}

impl AgentChangeFeed {
    /// A feed without subscribers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The changes published from now on, at most [`DEFAULT_CHANGE_CAPACITY`] of them waiting.
    pub fn subscribe(&self) -> AgentChanges {
        self.subscribe_with_capacity(DEFAULT_CHANGE_CAPACITY)
    }

    /// The changes published from now on, at most `capacity` of them waiting.
    pub fn subscribe_with_capacity(&self, capacity: NonZeroUsize) -> AgentChanges {
        let queue = Arc::new(Queue { capacity, state: Mutex::default() });
        let mut queues = lock(&self.0.queues);
        queues.push(Arc::clone(&queue));
        self.0.count.store(queues.len(), Ordering::Relaxed);
        AgentChanges { queue, feed: Arc::downgrade(&self.0) }
    }

    /// How many subscribers there are.
    pub fn subscribers(&self) -> usize {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Hands a change to every subscriber. O(subscribers); with none, one relaxed load.
    pub fn publish(&self, change: &AgentChange) {
        self.enqueue(change).into_iter().for_each(Waker::wake);
    }

    /// As [`publish`](Self::publish), but leaves it to the caller to wake the subscribers: for callers who put changes in
    /// order with a lock, which they must not hold while wakers, which are foreign code, run.
    #[must_use = "subscribers sleep until they are woken"]
    pub fn enqueue(&self, change: &AgentChange) -> Vec<Waker> {
        // A subscription that happened before this call is seen: the count is a single location, and coherent.
        if self.subscribers() == 0 {
            return Vec::new();
        }
        lock(&self.0.queues).iter().filter_map(|queue| queue.push(change.clone())).collect()
    }
}

impl Drop for AgentChangeFeed {
    fn drop(&mut self) {
        let queues = std::mem::take(&mut *lock(&self.0.queues));
        for queue in queues {
            let waker = {
                let mut state = lock(&queue.state);
                state.ended = true;
                state.waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl fmt::Debug for AgentChangeFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentChangeFeed").field("subscribers", &self.subscribers()).finish()
    }
}

impl Queue {
    /// Adds a change, in place of the oldest if there is no room, and gives the waker to call once no lock is held.
    fn push(&self, change: AgentChange) -> Option<Waker> {
        let mut state = lock(&self.state);
        if state.changes.len() >= self.capacity.get() {
            state.changes.pop_front();
            state.missed += 1;
        }
        state.changes.push_back(change);
        state.waker.take()
    }
}

impl QueueState {
    fn next(&mut self) -> Option<AgentChange> {
        match std::mem::take(&mut self.missed) {
            0 => self.changes.pop_front(),
            missed => Some(AgentChange::Lagged { missed }),
        }
    }
}

/// The changes among the agents of a directory, in order.
///
/// It can be polled ([`try_next`](Self::try_next)), waited for on a thread ([`next_blocking`](Self::next_blocking)), awaited
/// ([`next`](Self::next)), or used as a [`Stream`]. It ends when the directory is gone. Dropping it ends the subscription.
#[must_use = "dropping it ends the subscription"]
pub struct AgentChanges {
    queue: Arc<Queue>,
    feed: Weak<Subscribers>,
}

impl AgentChanges {
    /// The next change, if one is waiting.
    pub fn try_next(&mut self) -> Option<AgentChange> {
        lock(&self.queue.state).next()
    }

    /// The next change; `None` at the end of the stream.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<AgentChange> {
        poll_fn(|context| self.poll_change(context)).await
    }

    /// Blocks the thread until the next change; `None` at the end of the stream.
    pub fn next_blocking(&mut self) -> Option<AgentChange> {
        pollster::block_on(self.next())
    }

    /// Whether the directory is gone and everything was delivered.
    pub fn is_ended(&self) -> bool {
        let state = lock(&self.queue.state);
        state.ended && state.changes.is_empty() && state.missed == 0
    }

    fn poll_change(&mut self, context: &Context<'_>) -> Poll<Option<AgentChange>> {
        // Cloned before, and the old one dropped after the lock: wakers are foreign code.
        let waker = context.waker().clone();
        let mut state = lock(&self.queue.state);
        if let Some(change) = state.next() {
            return Poll::Ready(Some(change));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        let old = state.waker.replace(waker);
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl Stream for AgentChanges {
    type Item = AgentChange;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<AgentChange>> {
        self.get_mut().poll_change(context)
    }
}

impl Drop for AgentChanges {
    fn drop(&mut self) {
        if let Some(feed) = self.feed.upgrade() {
            let mut queues = lock(&feed.queues);
            queues.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
            feed.count.store(queues.len(), Ordering::Relaxed);
        }
        let waker = lock(&self.queue.state).waker.take();
        drop(waker);
    }
}

impl fmt::Debug for AgentChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.queue.state);
        f.debug_struct("AgentChanges")
            .field("waiting", &state.changes.len())
            .field("missed", &state.missed)
            .field("ended", &state.ended)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No foreign code runs under these locks, so a poisoned state is a consistent one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
