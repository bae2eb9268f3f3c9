//! Writes that wait until a service takes them again.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{Clock, MonoTime};
use parking_lot::Mutex;
use serde::Serialize;

use crate::change::{Change, Committed};
use crate::content::Content;
use crate::error::ConfigError;
use crate::layer::Version;
use crate::limits::Limit;
use crate::path::{IntoPath, Path};
use crate::schema::Schema;
use crate::store::Store;
use crate::store::commit::{Candidate, build_typed};
use crate::store::write::written;
use crate::tree::Node;

/// For how long a write waits at most, unless the queue says otherwise.
pub const DEFAULT_PENDING_TTL: Duration = Duration::from_mins(5);
/// How many writes wait at most, unless the queue says otherwise.
pub const DEFAULT_PENDING_CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

/// Writes that are accepted while a service is stopped, and made when it is asked to. The store does not know of it.
///
/// Only what the store would take is accepted: a write is checked against the current version with the writes before it made.
/// Of several writes to one path the last counts, and has its place in the order. Nothing happens by itself.
pub struct PendingQueue<S: Schema> {
    store: Store<S>,
    ttl: Duration,
    capacity: NonZeroUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    writes: VecDeque<Pending>,
    /// One more with each change of the list.
    generation: u64,
}

#[derive(Clone)]
struct Pending {
    path: Path,
    node: Node,
    /// The version that it was checked against, and what was at the path then.
    base: Version,
    was: Option<Node>,
    queued: MonoTime,
}

/// What [`PendingQueue::replay`] did with each write; every one is in exactly one of the lists, in their order.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PendingReport {
    /// Those that were made.
    pub applied: Vec<(Path, Committed)>,
    /// Those that the store refused, and that are gone.
    pub failed: Vec<(Path, ConfigError)>,
    /// Those at, above or below which somebody else has written since, and that are gone.
    pub superseded: Vec<Path>,
    /// Those that waited for too long, and are gone.
    pub expired: Vec<Path>,
    /// Those that the store refused for now ([`ConfigError::LimitExceeded`], [`ConfigError::SchemaPanicked`],
    /// [`ConfigError::Reentrant`]), and that still wait.
    pub kept: Vec<(Path, ConfigError)>,
}

impl<S: Schema> PendingQueue<S> {
    /// An empty queue before this store, with the default limits.
    pub fn new(store: Store<S>) -> Self {
        Self { store, ttl: DEFAULT_PENDING_TTL, capacity: DEFAULT_PENDING_CAPACITY, state: Mutex::default() }
    }

    /// For how long a write waits, inclusive.
    #[must_use]
    pub const fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// How many writes wait at most.
    #[must_use]
    pub const fn with_capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Accepts a write. O(writes that wait + size of the configuration).
    ///
    /// # Errors
    /// What [`Store::update`] would return for it after the writes that wait, and [`ConfigError::LimitExceeded`] if
    /// [`capacity`](Self::capacity) writes to other paths wait already.
    pub fn enqueue<T: Serialize>(&self, path: impl IntoPath, value: T) -> Result<(), ConfigError> {
        let (path, node) = self.store.writable(path, &value)?;
        loop {
            let (before, generation) = {
                let state = self.state.lock();
                let others: Vec<_> = state.writes.iter().filter(|write| write.path != path).cloned().collect();
                (others, state.generation)
            };
            if before.len() >= self.capacity.get() {
                return Err(ConfigError::LimitExceeded { what: Limit::Pending, max: self.capacity.get() });
            }
            let content = self.store.content();
            self.check(&content, &before, &path, &node)?;
            let was = content.base.at(path.texts()).cloned();
            let queued = self.clock().mono();
            let write = Pending { path: path.clone(), node: node.clone(), base: content.version, was, queued };
            let mut state = self.state.lock();
            // What it was checked against has to be what it is queued behind.
            if state.generation == generation {
                state.writes.retain(|other| other.path != path);
                state.writes.push_back(write);
                state.generation += 1;
                return Ok(());
            }
        }
    }

    /// Makes the writes that wait, in order, each as a change of its own.
    pub fn replay(&self) -> PendingReport {
        let writes = {
            let mut state = self.state.lock();
            state.generation += 1;
            std::mem::take(&mut state.writes)
        };
        let mut report = PendingReport::default();
        let mut own = HashSet::new();
        let mut kept = Vec::new();
        for mut write in writes {
            let now = self.clock().mono();
            if now.saturating_since(write.queued) > self.ttl {
                report.expired.push(write.path);
                continue;
            }
            let mut judged = None;
            let made = self.store.try_commit(|content| {
                if self.is_superseded(content, &write, &own) {
                    return Ok(None);
                }
                judged = Some((content.version, content.base.at(write.path.texts()).cloned()));
                let (layers, entry) = written::<S>(&content.layers, &content.base, &write.path, &write.node)?;
                Ok(Some(Candidate::of_layers(crate::ChangeKind::Update, vec![entry], content, layers)))
            });
            match made {
                Ok(Some(committed)) => {
                    own.insert(committed.version());
                    report.applied.push((write.path, committed));
                }
                Ok(None) => report.superseded.push(write.path),
                Err(
                    error @ (ConfigError::LimitExceeded { .. } | ConfigError::SchemaPanicked | ConfigError::Reentrant),
                ) => {
                    report.kept.push((write.path.clone(), error));
                    // The writes of this queue that were made before it do not supersede it later.
                    if let Some((base, was)) = judged {
                        (write.base, write.was) = (base, was);
                    }
                    kept.push(write);
                }
                Err(error) => report.failed.push((write.path, error)),
            }
        }
        self.put_back(kept);
        report
    }

    /// Drops the writes that have waited for too long, and returns their paths.
    pub fn expire(&self) -> Vec<Path> {
        let now = self.clock().mono();
        let mut expired = Vec::new();
        let mut state = self.state.lock();
        state.generation += 1;
        state.writes.retain(|write| {
            let stays = now.saturating_since(write.queued) <= self.ttl;
            if !stays {
                expired.push(write.path.clone());
            }
            stays
        });
        expired
    }

    /// Drops the write to this path; whether there was one.
    pub fn discard(&self, path: &Path) -> bool {
        let mut state = self.state.lock();
        let before = state.writes.len();
        state.writes.retain(|write| write.path != *path);
        state.generation += 1;
        state.writes.len() < before
    }

    /// The paths of the writes that wait, in order.
    pub fn paths(&self) -> Vec<Path> {
        self.state.lock().writes.iter().map(|write| write.path.clone()).collect()
    }

    /// How many writes wait.
    pub fn len(&self) -> usize {
        self.state.lock().writes.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many writes may wait.
    pub const fn capacity(&self) -> NonZeroUsize {
        self.capacity
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        self.store.0.clock()
    }

    /// Whether the store would take the write after those before it.
    fn check(&self, content: &Content, before: &[Pending], path: &Path, node: &Node) -> Result<(), ConfigError> {
        let (mut layers, mut base) = (content.layers.clone(), content.base.clone());
        for write in before {
            // One that is refused by now does not keep later ones from being accepted.
            if let Ok((next, _)) = written::<S>(&layers, &base, &write.path, &write.node) {
                base = next.merged();
                layers = next;
            }
        }
        let (layers, _) = written::<S>(&layers, &base, path, node)?;
        build_typed::<S>(&layers.merged(), &layers, &self.store.0.limits).map(drop)
    }

    /// Whether somebody else has written where the write goes since it was accepted.
    fn is_superseded(&self, content: &Content, write: &Pending, own: &HashSet<Version>) -> bool {
        let since = |change: &Change| change.version() > write.base;
        let changes = self.store.0.feed.history(usize::MAX, since);
        let known = u64::try_from(changes.len()).unwrap_or(u64::MAX);
        if known < content.version.get() - write.base.get() {
            // Some are forgotten, so what is there has to tell.
            return content.base.at(write.path.texts()) != write.was.as_ref();
        }
        let overlaps = |change: &Arc<Change>| {
            change.is_of_base() && change.entries().iter().any(|entry| entry.path().overlaps(&write.path))
        };
        changes.iter().filter(|change| !own.contains(&change.version())).any(overlaps)
    }

    /// Puts writes back before all others, but for those whose path has a later one.
    fn put_back(&self, writes: Vec<Pending>) {
        if writes.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        state.generation += 1;
        for write in writes.into_iter().rev() {
            if !state.writes.iter().any(|later| later.path == write.path) {
                state.writes.push_front(write);
            }
        }
    }
}

impl<S: Schema> fmt::Debug for PendingQueue<S> {
    /// Shows where, not what: the values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingQueue").field("paths", &self.paths()).finish_non_exhaustive()
    }
}
