//! Where settings come from.

mod document;
mod env;
mod error;
#[cfg(any(feature = "toml", feature = "yaml", feature = "json"))]
mod file;
mod map;
mod origin;
#[cfg(feature = "remote")]
mod remote;
mod scalar;
mod variables;

pub use self::document::Document;
pub use self::env::EnvSource;
pub use self::error::SourceError;
#[cfg(any(feature = "toml", feature = "yaml", feature = "json"))]
pub use self::file::{
    FileSource, Format, MAX_FILE_BYTES, MAX_FILE_DEPTH, MAX_FILE_VALUES, MAX_INCLUDE_DEPTH, MAX_INCLUDES, MissingFile,
};
pub use self::map::MapSource;
pub use self::origin::Origin;
#[cfg(feature = "remote")]
pub use self::remote::{LostEngine, MAX_REMOTE_BYTES, MAX_REMOTE_KEYS, RemoteSource, remote_key};
pub use self::variables::Variables;
use crate::layer::Layer;

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

impl<S: Source + ?Sized> Source for std::sync::Arc<S> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn layer(&self) -> Layer {
        (**self).layer()
    }

    fn load(&self) -> Result<Document, SourceError> {
        (**self).load()
    }
}
