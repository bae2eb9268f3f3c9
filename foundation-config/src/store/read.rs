//! Reading the configuration.

use std::sync::Arc;

use foundation_types::Value;
use serde::de::DeserializeOwned;

use super::{Guard, Reader, Store};
use crate::change::Change;
use crate::error::ConfigError;
use crate::path::{IntoPath, TypedPath};
use crate::schema::Schema;
use crate::snapshot::{Snapshot, find, get_from};
use crate::subscribe::{Filter, Subscription};

impl<S: Schema> Store<S> {
    /// The typed configuration, current at this moment. Wait-free, allocates nothing. For reads that come often keep a
    /// [`reader`](Self::reader).
    pub fn load(&self) -> Guard<S> {
        Guard::new(self.0.feed.current.load())
    }

    /// Reads of the typed configuration at the price of one comparison; one for each thread or task.
    pub fn reader(&self) -> Reader<S> {
        Reader::new(Arc::clone(&self.0.feed.current))
    }

    /// The current version, pinned.
    pub fn snapshot(&self) -> Arc<Snapshot<S>> {
        self.0.feed.current.load_full()
    }

    /// The value at a path. O(depth and size of the value); takes no lock unless a source fails that must not for long.
    ///
    /// # Errors
    /// [`ConfigError::InvalidPath`], [`ConfigError::NotFound`], [`ConfigError::Unavailable`].
    pub fn value(&self, path: impl IntoPath) -> Result<Value, ConfigError> {
        let current = self.0.feed.current.load();
        self.0.check_fresh(&current.content, &path)?;
        Ok(find(&current.content.base, path, self.0.allows_key)?.to_value())
    }

    /// The value at a path, as the type that the path has.
    ///
    /// # Errors
    /// As [`value`](Self::value), and [`ConfigError::TypeMismatch`].
    pub fn get<T: DeserializeOwned>(&self, path: TypedPath<T>) -> Result<T, ConfigError> {
        self.get_as(path)
    }

    /// The value at a path, as any type.
    ///
    /// # Errors
    /// As [`value`](Self::value), and [`ConfigError::TypeMismatch`].
    pub fn get_as<T: DeserializeOwned>(&self, path: impl IntoPath) -> Result<T, ConfigError> {
        let current = self.0.feed.current.load();
        self.0.check_fresh(&current.content, &path)?;
        get_from(&current.content.base, path, self.0.allows_key, S::secret)
    }

    /// Changes from now on, as far as the filter wants them.
    ///
    /// # Errors
    /// [`ConfigError::LimitExceeded`] if there are [`Limits::subscriptions`](crate::Limits::subscriptions) already.
    pub fn subscribe(&self, filter: Filter) -> Result<Subscription<S>, ConfigError> {
        Subscription::new(&self.0.feed, filter, self.0.limits.subscriptions)
    }

    /// The changes that are remembered, the newest first, at most `limit`.
    pub fn history(&self, limit: usize) -> Vec<Arc<Change>> {
        self.0.feed.history(limit, |_| true)
    }
}
