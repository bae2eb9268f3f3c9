//! Where the changes among the agents of each namespace go.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Waker;

use foldhash::fast::RandomState;
use foundation_types::Namespace;
use foundation_types::agent::{AgentChange, AgentChangeFeed, AgentChanges};
use hashbrown::HashMap;

use crate::sync::RwLock;

/// One feed for each namespace that somebody follows.
pub(super) struct Feeds {
    /// How many feeds there are, so that a change that nobody follows takes no lock.
    count: AtomicUsize,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    feeds: HashMap<Namespace, Feed, RandomState>,
    closed: bool,
}

#[derive(Default)]
struct Feed {
    feed: AgentChangeFeed,
    /// Changes that were kept from the subscribers while the agent features were off.
    hidden: AtomicU64,
}

impl Feed {
    /// Tells the subscribers that they have missed what was hidden.
    fn reveal(&self) -> Vec<Waker> {
        // Relaxed: each hidden change is reported once, whoever takes the count; the feed's lock orders the rest.
        match self.hidden.swap(0, Ordering::Relaxed) {
            0 => Vec::new(),
            missed => self.feed.enqueue(&AgentChange::Lagged { missed }),
        }
    }
}

impl Feeds {
    pub(super) fn new() -> Self {
        Self { count: AtomicUsize::new(0), state: RwLock::new(State::default()) }
    }

    /// The changes in a namespace from now on. They end at once if the feeds are closed.
    pub(super) fn subscribe(&self, namespace: &Namespace, is_on: bool) -> AgentChanges {
        let mut state = self.state.write();
        if state.closed {
            drop(state);
            return AgentChangeFeed::new().subscribe();
        }
        state.feeds.retain(|_, feed| feed.feed.subscribers() > 0);
        let feed = state.feeds.entry_ref(namespace).or_default();
        let wakers = if is_on { feed.reveal() } else { Vec::new() };
        let changes = feed.feed.subscribe();
        // Relaxed: who learns of the subscription from its maker finds the count, a single location, at least as new.
        self.count.store(state.feeds.len(), Ordering::Relaxed);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        changes
    }

    /// Queues a change for whoever follows the namespace, or only counts it while the agent features are off. The wakers
    /// are to be called outside every lock.
    #[must_use]
    pub(super) fn publish(
        &self,
        namespace: &Namespace,
        is_on: bool,
        change: impl FnOnce() -> AgentChange,
    ) -> Vec<Waker> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let state = self.state.read();
        let Some(feed) = state.feeds.get(namespace) else { return Vec::new() };
        if !is_on {
            feed.hidden.fetch_add(1, Ordering::Relaxed);
            return Vec::new();
        }
        let mut wakers = feed.reveal();
        wakers.extend(feed.feed.enqueue(&change()));
        wakers
    }

    /// Ends every stream, now and from now on.
    pub(super) fn close(&self) {
        let mut state = self.state.write();
        state.closed = true;
        let feeds = std::mem::take(&mut state.feeds);
        drop(state);
        // Outside the lock, as it calls wakers.
        drop(feeds);
    }

    #[cfg(feature = "test-util")]
    pub(super) fn subscribers(&self) -> usize {
        self.state.read().feeds.values().map(|feed| feed.feed.subscribers()).sum()
    }
}
