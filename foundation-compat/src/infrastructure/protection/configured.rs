//! Protection configurations among the settings.

use std::sync::Arc;

use foundation_config::ConfigError;
use foundation_types::error::Error;
use foundation_types::{Metadata, Name, Value};

use super::store::{MAX_PROTECTION_KEYS, PROTECTION_PATH, ProtectionStore, full};
use crate::config::Instance;
use crate::validation::record;

/// Protection configurations in the settings of an instance, at most [`MAX_PROTECTION_KEYS`].
///
/// They are written as the legacy functions write settings, and count and are told as such. They are read also while the
/// configuration service is stopped: calls stay protected.
pub(crate) struct ConfiguredProtections(Arc<Instance>);

impl ConfiguredProtections {
    pub(crate) const fn new(instance: Arc<Instance>) -> Self {
        Self(instance)
    }

    fn read(&self, path: &[&str]) -> Result<Option<Metadata>, Error> {
        match self.0.store().value(path) {
            Ok(Value::Map(map)) => Ok(Some(map)),
            Ok(_) | Err(ConfigError::NotFound { .. }) => Ok(None),
            Err(error) => Err(record::refused(error)),
        }
    }
}

fn path_of(key: &Name) -> [&str; 3] {
    let [section, part] = PROTECTION_PATH;
    [section, part, key.as_str()]
}

impl ProtectionStore for ConfiguredProtections {
    fn put(&self, key: &Name, config: Metadata) -> Result<(), Error> {
        let all = self.read(&PROTECTION_PATH)?.unwrap_or_default();
        if all.len() >= MAX_PROTECTION_KEYS && !all.contains_key(key.as_str()) {
            return Err(full());
        }
        self.0.update(path_of(key), config)
    }

    fn get(&self, key: &Name) -> Result<Option<Metadata>, Error> {
        self.read(&path_of(key))
    }

    fn keys(&self) -> Result<Vec<Name>, Error> {
        let all = self.read(&PROTECTION_PATH)?.unwrap_or_default();
        // Whoever writes settings can use keys that are no names; no call has such a key.
        Ok(all.iter().filter_map(|(key, _)| Name::new(key.as_str()).ok()).collect())
    }
}
