//! The store.

mod builder;
pub(crate) mod commit;
mod explain;
mod inspect;
mod read;
mod reader;
mod reload;
mod staleness;
mod status;
mod transaction;
pub(crate) mod write;
mod writer;

use std::fmt;
use std::sync::Arc;

use foundation_types::{Clock, MonoTime};

pub use self::builder::StoreBuilder;
pub use self::explain::Explained;
pub use self::reader::{Guard, Reader};
use self::reload::Slot;
pub use self::reload::{ReloadReport, SourceOutcome, SourceReport};
use self::staleness::Staleness;
pub use self::staleness::{SourceState, StalePolicy};
pub use self::status::{SourceStatus, Status};
pub use self::transaction::Transaction;
use self::writer::Writer;
use crate::limits::Limits;
use crate::path::Path;
use crate::schema::{Dynamic, Schema, UpdatePolicy};
use crate::subscribe::Feed;
use crate::tree::Node;

/// A configuration that changes while it is read. Clones are the same store.
///
/// Reads are wait-free: they load the current version, which no writer ever changes. Writes are checked, as a whole and
/// before anybody sees them, and made one after the other; a write that is refused changes nothing. When a write returns,
/// every thread that synchronises with it reads that version or a later one, and its event has been offered to the observer.
/// Nothing runs in the background.
///
/// ```
/// use foundation_config::{Dynamic, Filter, Layer, MapSource, Store};
/// use foundation_types::Metadata;
///
/// let file = MapSource::new("settings", Layer::File, Metadata::new().with("limit", 10));
/// let store = Store::<Dynamic>::builder().source(file).load()?;
/// let mut changes = store.subscribe(Filter::all())?;
///
/// assert_eq!(store.get_as::<u32>("limit")?, 10);
/// store.update("limit", 20)?;
/// assert_eq!(store.get_as::<u32>("limit")?, 20);
/// assert!(changes.try_recv().is_some());
/// store.reset()?;
/// assert_eq!(store.get_as::<u32>("limit")?, 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Store<S: Schema = Dynamic>(pub(crate) Arc<Inner<S>>);

pub(crate) struct Inner<S: Schema> {
    pub(crate) feed: Arc<Feed<S>>,
    pub(crate) writer: Writer,
    pub(crate) sources: Box<[Slot]>,
    pub(crate) staleness: Staleness,
    pub(crate) limits: Limits,
    pub(crate) policy: UpdatePolicy,
    /// What the policy allows, for errors.
    pub(crate) allowed: Arc<[Path]>,
    /// Which keys there may be.
    pub(crate) allows_key: fn(&str) -> bool,
    /// What lies under the sources of the layer [`Layer::Namespace`](crate::Layer::Namespace).
    pub(crate) namespace: Node,
    pub(crate) started: MonoTime,
    #[cfg(feature = "agent")]
    pub(crate) agents: crate::agent::Settings,
}

impl<S: Schema> Inner<S> {
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.feed.clock
    }
}

impl<S: Schema> Drop for Inner<S> {
    fn drop(&mut self) {
        self.feed.close();
    }
}

impl<S: Schema> Store<S> {
    /// Options of a store.
    pub fn builder() -> StoreBuilder<S> {
        StoreBuilder::default()
    }
}

impl<S: Schema> Clone for Store<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Schema> fmt::Debug for Store<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("current", &*self.0.feed.current.load()).finish_non_exhaustive()
    }
}
