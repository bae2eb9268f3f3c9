//! Handles on the typed configuration.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};

use crate::layer::Version;
use crate::snapshot::Snapshot;

/// The typed configuration, as it was when [`Store::load`](super::Store::load) was called.
///
/// Meant to be short-lived: holding several for long makes later loads slower, and holding one across an `.await` means to
/// act on old settings. Take a [`snapshot`](super::Store::snapshot) for that.
#[must_use]
pub struct Guard<S>(arc_swap::Guard<Arc<Snapshot<S>>>);

impl<S> Guard<S> {
    pub(super) const fn new(guard: arc_swap::Guard<Arc<Snapshot<S>>>) -> Self {
        Self(guard)
    }

    /// The version that it is of.
    pub fn version(&self) -> Version {
        self.0.content.version
    }
}

impl<S> Deref for Guard<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0.typed
    }
}

impl<S> fmt::Debug for Guard<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").field(&**self.0).finish()
    }
}

/// Reads the typed configuration at the price of one load and one comparison while it does not change. It keeps the version
/// that it read last alive.
pub struct Reader<S>(Cache<Arc<ArcSwap<Snapshot<S>>>, Arc<Snapshot<S>>>);

impl<S> Reader<S> {
    pub(super) fn new(current: Arc<ArcSwap<Snapshot<S>>>) -> Self {
        Self(Cache::new(current))
    }

    /// The current typed configuration. Wait-free, allocates nothing, and writes to no memory that others read.
    #[inline]
    pub fn load(&mut self) -> &S {
        &self.0.load().typed
    }

    /// The current version, pinned for as long as the borrow lasts.
    #[inline]
    pub fn snapshot(&mut self) -> &Arc<Snapshot<S>> {
        self.0.load()
    }
}

impl<S> Clone for Reader<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S> fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
