//! Following changes.

use super::{Key, KeyValue, Revision};

/// Everything that one revision changed under the watched prefix.
///
/// A revision is never split over two events.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatchEvent {
    /// The revision.
    pub revision: Revision,
    /// What it changed, in the order of the operations. Empty in a mere sign of progress: everything up to this revision has
    /// been delivered.
    pub changes: Vec<Change>,
}

/// A change of one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// It was written. It is new if its creation and modification revisions are equal.
    Put(KeyValue),
    /// It was deleted, or its lease ended.
    Delete(Key),
}

impl Change {
    /// The key.
    pub const fn key(&self) -> &Key {
        match self {
            Self::Put(kv) => &kv.key,
            Self::Delete(key) => key,
        }
    }
}
