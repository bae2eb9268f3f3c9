//! Where settings come from.

mod error;
mod map;
mod origin;

use std::collections::BTreeMap;
use std::fmt;

use foundation_types::{Metadata, Value};

pub use self::error::SourceError;
pub use self::map::MapSource;
pub use self::origin::Origin;
use crate::layer::Layer;
use crate::path::Path;

/// One place that settings come from, in one layer.
///
/// [`load`](Self::load) runs when [`StoreBuilder::load`](crate::StoreBuilder::load) or
/// [`Store::reload`](crate::Store::reload) is called, on the calling thread and outside every lock. Several calls may run at
/// once; the store takes the result of the one that began last. A panic in it counts as a failure.
pub trait Source: Send + Sync + 'static {
    /// What it is called in reports, such as the path of a file.
    fn name(&self) -> &str;

    /// The layer its settings are in. Of several sources in one layer the one that was added last lies on top.
    fn layer(&self) -> Layer;

    /// Reads all its settings.
    ///
    /// # Errors
    /// [`SourceError`]; the store keeps what it loaded last.
    fn load(&self) -> Result<Document, SourceError>;
}

/// What a [`Source`] holds: a tree, and where in the source each of its values stands.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Document {
    tree: Metadata,
    origins: BTreeMap<Path, Origin>,
}

impl Document {
    /// A document of this tree, whose values all come from the source as a whole.
    pub const fn new(tree: Metadata) -> Self {
        Self { tree, origins: BTreeMap::new() }
    }

    /// Says where the value at `path` stands. What is below it and has no place of its own stands there, too.
    pub fn set_origin(&mut self, path: Path, origin: Origin) {
        self.origins.insert(path, origin);
    }

    /// The tree.
    pub const fn tree(&self) -> &Metadata {
        &self.tree
    }

    /// Where the value at `path` stands, or the closest map around it that is known; `None` if nothing is. O(depth x log
    /// size).
    pub fn origin(&self, path: &Path) -> Option<&Origin> {
        let own = self.origins.get(path);
        own.or_else(|| self.origin(&path.parent()?))
    }

    /// The document with its origins, as far as they are for values that it has.
    pub fn origins(&self) -> impl Iterator<Item = (&Path, &Origin)> {
        self.origins.iter()
    }

    /// The tree as a value.
    pub fn to_value(&self) -> Value {
        self.tree.clone().into()
    }
}

impl From<Metadata> for Document {
    fn from(tree: Metadata) -> Self {
        Self::new(tree)
    }
}

impl fmt::Debug for Document {
    /// Shows how much there is, not what: it cannot know what is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("keys", &self.tree.len()).field("origins", &self.origins.len()).finish()
    }
}
