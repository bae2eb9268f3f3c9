//! What the suite asks of a store of settings.

use std::num::NonZeroUsize;
use std::task::{Context, Poll};
use std::time::Duration;

use foundation_types::{Health, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::schema::Ruled;
use crate::change::{Change, ChangeKind, Scope};
use crate::error::ConfigError;
use crate::layer::{Layer, Version};
use crate::path::{IntoPath, Path, TypedPath};
use crate::store::{SourceOutcome, SourceState};

/// A store under test. Clones are the same store; threads share it.
pub trait Backend: Clone + Send + Sync + 'static {
    /// The schema that it holds settings of.
    type Schema: Ruled;
    /// A version, pinned.
    type Snapshot: Snapshot;
    /// Somebody who listens.
    type Subscription: Subscription;
    /// Writes that wait.
    type Pending: Pending;

    /// The current version, pinned.
    fn snapshot(&self) -> Self::Snapshot;

    /// Typed reads that come often: each call gives the current version and what the typed configuration serialises to.
    fn reader(&self) -> impl FnMut() -> (Version, Value) + Send;

    /// The value at a path.
    ///
    /// # Errors
    /// As [`Store::value`](crate::Store::value).
    fn value(&self, path: impl IntoPath) -> Result<Value, ConfigError>;

    /// The value at a path, as any type.
    ///
    /// # Errors
    /// As [`Store::get_as`](crate::Store::get_as).
    fn get_as<T: DeserializeOwned>(&self, path: impl IntoPath) -> Result<T, ConfigError>;

    /// Sets the value at a path.
    ///
    /// # Errors
    /// As [`Store::update`](crate::Store::update).
    fn update(&self, path: impl IntoPath, value: Value) -> Result<Record, ConfigError>;

    /// The same, if this version is current.
    ///
    /// # Errors
    /// As [`Store::update_if`](crate::Store::update_if).
    fn update_if(&self, expected: Version, path: impl IntoPath, value: Value) -> Result<Record, ConfigError>;

    /// Replaces the value at a path by what `change` makes of it.
    ///
    /// # Errors
    /// As [`Store::modify`](crate::Store::modify).
    fn modify<T: DeserializeOwned + Serialize>(
        &self,
        path: TypedPath<T>,
        change: impl FnMut(T) -> T,
    ) -> Result<Record, ConfigError>;

    /// Makes several writes one change; `None` if there were none.
    ///
    /// # Errors
    /// As [`Store::transaction`](crate::Store::transaction).
    fn transaction(
        &self,
        run: &mut dyn FnMut(&mut dyn Draft) -> Result<(), ConfigError>,
    ) -> Result<Option<Record>, ConfigError>;

    /// Takes back what was written at and below a path.
    ///
    /// # Errors
    /// As [`Store::unset`](crate::Store::unset).
    fn unset(&self, path: impl IntoPath) -> Result<Record, ConfigError>;

    /// Takes back all that was written.
    ///
    /// # Errors
    /// As [`Store::reset`](crate::Store::reset).
    fn reset(&self) -> Result<Record, ConfigError>;

    /// Restores an earlier version as a new one.
    ///
    /// # Errors
    /// As [`Store::rollback_to`](crate::Store::rollback_to).
    fn rollback_to(&self, version: Version) -> Result<Record, ConfigError>;

    /// Asks the sources again.
    ///
    /// # Errors
    /// As [`Store::reload`](crate::Store::reload).
    fn reload(&self) -> Result<Reloaded, ConfigError>;

    /// Listens to changes at and below a path.
    ///
    /// # Errors
    /// As [`Store::subscribe`](crate::Store::subscribe).
    fn subscribe(&self, prefix: Path) -> Result<Self::Subscription, ConfigError>;

    /// The changes that are remembered, the newest first.
    fn history(&self, limit: usize) -> Vec<Record>;

    /// What differs between two versions: path, old and new, in path order.
    ///
    /// # Errors
    /// As [`Store::diff`](crate::Store::diff).
    fn diff(&self, old: Version, new: Version) -> Result<Vec<Differs>, ConfigError>;

    /// What the difference between two versions makes of a tree.
    ///
    /// # Errors
    /// As [`Store::diff`](crate::Store::diff).
    fn patch(&self, old: Version, new: Version, tree: &Value) -> Result<Value, ConfigError>;

    /// What each layer and source says at a path, the highest first.
    ///
    /// # Errors
    /// As [`Store::explain`](crate::Store::explain).
    fn explain(&self, path: impl IntoPath) -> Result<Vec<Says>, ConfigError>;

    /// How it is, and how each source is.
    fn health(&self) -> (Health, Vec<SourceState>);

    /// How many listen.
    fn subscriptions(&self) -> usize;

    /// Everything that it, its handles and its reports show to people, for whoever looks for what must not be there.
    fn texts(&self) -> Vec<String>;

    /// A queue of writes before this store.
    fn pending(&self, ttl: Duration, capacity: NonZeroUsize) -> Self::Pending;
}

/// A version, pinned.
pub trait Snapshot: Clone + Send + Sync {
    /// Its number.
    fn version(&self) -> Version;

    /// What its typed configuration serialises to.
    fn typed(&self) -> Value;

    /// The value at a path.
    ///
    /// # Errors
    /// As [`Snapshot::value`](crate::Snapshot::value).
    fn value(&self, path: impl IntoPath) -> Result<Value, ConfigError>;
}

/// Somebody who listens to changes. Dropping it ends that.
pub trait Subscription: Send {
    /// The next delivery, if it is there.
    fn try_recv(&mut self) -> Option<Heard>;

    /// The next delivery; `None` when the store is gone and nothing is left. While there is none, the waker is woken when
    /// there may be one.
    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Heard>>;

    /// The current version, if a change was published that it wants, or may have wanted, since this was called last.
    fn latest(&mut self) -> Option<Version>;
}

/// The reads and writes of a transaction.
pub trait Draft {
    /// The value at a path, with the writes so far.
    ///
    /// # Errors
    /// As [`Transaction::value`](crate::Transaction::value).
    fn value(&mut self, path: &Path) -> Result<Value, ConfigError>;

    /// Sets the value at a path.
    ///
    /// # Errors
    /// As [`Transaction::set`](crate::Transaction::set).
    fn set(&mut self, path: &Path, value: Value) -> Result<(), ConfigError>;

    /// Takes back what was written at and below a path.
    ///
    /// # Errors
    /// As [`Transaction::unset`](crate::Transaction::unset).
    fn unset(&mut self, path: &Path) -> Result<(), ConfigError>;
}

/// Writes that wait until they are asked for.
pub trait Pending: Send + Sync {
    /// Accepts a write.
    ///
    /// # Errors
    /// As [`PendingQueue::enqueue`](crate::PendingQueue::enqueue).
    fn enqueue(&self, path: &Path, value: Value) -> Result<(), ConfigError>;

    /// Makes the writes that wait.
    fn replay(&self) -> Replayed;

    /// Drops those that have waited for too long.
    fn expire(&self) -> Vec<Path>;

    /// Drops one.
    fn discard(&self, path: &Path) -> bool;

    /// The paths of those that wait, in order.
    fn paths(&self) -> Vec<Path>;

    /// What its `Debug` shows.
    fn text(&self) -> String;
}

/// What a [`Subscription`] delivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A change.
    Change(Record),
    /// The changes from `first` to `last` were missed, as far as they were wanted.
    Lagged {
        /// The first.
        first: Version,
        /// The last.
        last: Version,
        /// The version that was current when this was found.
        snapshot: Version,
    },
}

/// A change: a [`Change`] that anybody can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The version that it published.
    pub version: Version,
    /// What was done.
    pub kind: ChangeKind,
    /// What was written, place by place.
    pub entries: Vec<Written>,
}

/// One place that a change wrote to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub path: Path,
    /// In which layer, or for which agent.
    pub scope: Scope,
    /// What the layer or the overrides had there before.
    pub before: Option<Value>,
    /// What they have there now.
    pub after: Option<Value>,
}

impl From<&Change> for Record {
    fn from(change: &Change) -> Self {
        let entries = change.entries().iter().map(|entry| Written {
            path: entry.path().clone(),
            scope: entry.scope().clone(),
            before: entry.before(),
            after: entry.after(),
        });
        Self { version: change.version(), kind: change.kind(), entries: entries.collect() }
    }
}

/// A difference between two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differs {
    /// Where.
    pub path: Path,
    /// What was there.
    pub old: Option<Value>,
    /// What is there.
    pub new: Option<Value>,
}

/// What a layer or a source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Says {
    /// The layer, or the agent.
    pub scope: Scope,
    /// The place it comes from, if from a source.
    pub place: Option<String>,
    /// What it says, with secrets withheld.
    pub value: Value,
    /// Whether what shows comes from here, at least in part.
    pub decides: bool,
}

impl Says {
    pub(super) fn of(layer: Layer, place: Option<&str>, value: Value, decides: bool) -> Self {
        Self { scope: Scope::Layer(layer), place: place.map(ToOwned::to_owned), value, decides }
    }
}

/// What a reload did.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// The change, if there was one.
    pub change: Option<Record>,
    /// What became of each source, in the order in which they were given.
    pub sources: Vec<SourceOutcome>,
}

/// What became of each write that waited.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// Those that were made.
    pub applied: Vec<(Path, Record)>,
    /// Those that were refused.
    pub failed: Vec<(Path, ConfigError)>,
    /// Those that somebody else's write has overtaken.
    pub superseded: Vec<Path>,
    /// Those that waited for too long.
    pub expired: Vec<Path>,
    /// Those that still wait.
    pub kept: Vec<(Path, ConfigError)>,
}
