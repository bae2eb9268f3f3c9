//! What an instance knows of its protection keys.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foundation_resources::rate_limit::Quota;
use foundation_types::error::{Error, ErrorKind};
use foundation_types::{Metadata, Name, Text, contain};

use super::config::ProtectionConfig;
use super::rules::{FALLBACK_QUOTA, RateRules};
use super::store::{MAX_PROTECTION_KEYS, ProtectionStore};

pub(crate) struct Protections {
    store: Arc<dyn ProtectionStore>,
    rules: RateRules,
    /// By key; only of keys that are configured.
    last_used: Mutex<BTreeMap<Name, LastUsed>>,
}

/// What a key was last used with.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastUsed {
    pub(crate) breaker: Option<Text>,
    /// Entity and operation.
    pub(crate) rate: Option<(Text, Text)>,
    pub(crate) pool: Option<Text>,
}

impl Protections {
    pub(crate) fn new(store: Arc<dyn ProtectionStore>, rules: RateRules) -> Self {
        Self { store, rules, last_used: Mutex::default() }
    }

    pub(crate) fn put(&self, key: &Name, config: Metadata) -> Result<(), Error> {
        asked(|| self.store.put(key, config))
    }

    pub(crate) fn get(&self, key: &Name) -> Result<Option<ProtectionConfig>, Error> {
        Ok(asked(|| self.store.get(key))?.and_then(ProtectionConfig::stored))
    }

    pub(crate) fn keys(&self) -> Result<Vec<Name>, Error> {
        asked(|| self.store.keys())
    }

    /// What a call with this key uses from now on, if the key is configured.
    pub(crate) fn used(&self, key: &Name, note: impl FnOnce(&mut LastUsed)) {
        let mut last_used = self.lock();
        if last_used.len() < MAX_PROTECTION_KEYS || last_used.contains_key(key) {
            note(last_used.entry(key.clone()).or_default());
        }
    }

    pub(crate) fn last_used(&self, key: &Name) -> LastUsed {
        self.lock().get(key).cloned().unwrap_or_default()
    }

    /// The quota of a call: that of its key, else that of its rule, which the settings may have `set`, else the common one.
    pub(crate) fn quota(&self, config: Option<&ProtectionConfig>, rule: &str, set: Option<Quota>) -> Quota {
        config.map(ProtectionConfig::quota).or(set).or_else(|| self.rules.get(rule)).unwrap_or(FALLBACK_QUOTA)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, LastUsed>> {
        // Nothing that can panic happens under the lock.
        self.last_used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the store answers; its panics are errors of it.
fn asked<T>(ask: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    contain(ask).unwrap_or_else(|message| Err(Error::new(ErrorKind::InternalError).with_message(message.as_str())))
}
