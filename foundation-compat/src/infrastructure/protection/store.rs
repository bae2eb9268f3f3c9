//! Where protection configurations are kept.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foundation_types::error::Error;
use foundation_types::{ErrorKind, Metadata, Name};

/// Where a protection configuration stands among the settings: `infrastructure`, `protection`, and its key.
pub const PROTECTION_PATH: [&str; 2] = ["infrastructure", "protection"];

/// The most keys of a [`MemoryStore`], and of the settings of an instance.
pub const MAX_PROTECTION_KEYS: usize = 10_000;

/// Keeps protection configurations by key, under [`PROTECTION_PATH`].
///
/// A seam for whoever keeps settings elsewhere. What is put has been checked; what comes back is checked again, and is not
/// there if it is not valid. Calls come from any thread, outside every lock; none should block for long, as
/// [`execute_protected`](crate::infrastructure::execute_protected) asks for the quota of its key. A panic is contained and
/// counts as an error.
pub trait ProtectionStore: Send + Sync {
    /// Keeps a configuration, in place of one of the same key.
    ///
    /// # Errors
    /// What keeps the store from it; it is the caller's answer.
    fn put(&self, key: &Name, config: Metadata) -> Result<(), Error>;

    /// The configuration of a key.
    ///
    /// # Errors
    /// What keeps the store from telling.
    fn get(&self, key: &Name) -> Result<Option<Metadata>, Error>;

    /// All keys, in any order.
    ///
    /// # Errors
    /// What keeps the store from telling.
    fn keys(&self) -> Result<Vec<Name>, Error>;
}

/// That there are as many keys as there can be.
pub(super) fn full() -> Error {
    let message = format!("{MAX_PROTECTION_KEYS} protection keys are configured, the limit");
    Error::new(ErrorKind::ResourceExhausted).with_message(message)
}

/// Protection configurations in memory of their own, apart from the settings, at most [`MAX_PROTECTION_KEYS`].
#[derive(Default)]
pub struct MemoryStore {
    configs: Mutex<BTreeMap<Name, Metadata>>,
}

impl MemoryStore {
    /// An empty store.
    pub const fn new() -> Self {
        Self { configs: Mutex::new(BTreeMap::new()) }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Metadata>> {
        // Nothing that can panic happens under the lock.
        self.configs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProtectionStore for MemoryStore {
    /// # Errors
    /// `resource_exhausted` if the key is new and the store is full.
    fn put(&self, key: &Name, config: Metadata) -> Result<(), Error> {
        let mut configs = self.lock();
        if configs.len() >= MAX_PROTECTION_KEYS && !configs.contains_key(key) {
            return Err(full());
        }
        let before = configs.insert(key.clone(), config);
        drop(configs);
        drop(before);
        Ok(())
    }

    fn get(&self, key: &Name) -> Result<Option<Metadata>, Error> {
        Ok(self.lock().get(key).cloned())
    }

    fn keys(&self) -> Result<Vec<Name>, Error> {
        Ok(self.lock().keys().cloned().collect())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("keys", &self.lock().len()).finish_non_exhaustive()
    }
}
