//! Reading, whether the service runs or not.

use std::sync::{Arc, PoisonError};

use foundation_config::{ConfigError, Filter, IntoPath, Path, Snapshot, Subscription};
use foundation_types::Value;
use foundation_types::error::Error;
use serde::de::DeserializeOwned;

use super::run::{FALLBACK_TTL, Stopped};
use super::{Instance, SettingsStore};
use crate::config::notification::sections_of;
use crate::config::{ConfigNotification, ConfigSubscription, SubscriberId, TARGET};
use crate::logic::config_logic::secure_path;
use crate::types::config::{FoundationConfig, SECTIONS};
use crate::validation::record;

impl Instance {
    /// The value at a path of the sections.
    pub(crate) fn get(&self, path: impl IntoPath) -> Result<Value, Error> {
        self.read(path, |from, path| {
            let value = from.value(path)?;
            Ok(if path.is_root() { sections_of(value) } else { value })
        })
    }

    /// The value at a path of the sections, as a type.
    pub(crate) fn get_as<T: DeserializeOwned>(&self, path: impl IntoPath) -> Result<T, Error> {
        self.read(path, Place::decoded)
    }

    /// The whole configuration. The first read of a version copies it.
    pub(crate) fn typed(&self) -> Result<Arc<FoundationConfig>, Error> {
        self.check_running()?;
        let snapshot = self.store.snapshot();
        let cached = self.typed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((version, typed)) = cached
            && version == snapshot.version()
        {
            return Ok(typed);
        }
        let typed = Arc::new(snapshot.typed().clone());
        let made = Some((snapshot.version(), Arc::clone(&typed)));
        let former = std::mem::replace(&mut *self.typed.lock().unwrap_or_else(PoisonError::into_inner), made);
        drop(former);
        Ok(typed)
    }

    fn read<T>(
        &self,
        path: impl IntoPath,
        read: impl FnOnce(&Place, &Path) -> Result<T, ConfigError>,
    ) -> Result<T, Error> {
        let value = secure_path(path).and_then(|path| {
            if !path.is_root() && !path.components().next().is_some_and(|first| SECTIONS.contains(&first)) {
                // What lies beside the sections is not the legacy functions' business.
                return match self.stopped() {
                    None => Err(record::not_found(&path)),
                    Some(_) => Err(record::unavailable(&path, "not available")),
                };
            }
            match self.stopped() {
                None => read(&Place::Store(self.store.clone()), &path).map_err(record::refused),
                Some(stopped) => self.read_stopped(&stopped, &path, read),
            }
        });
        value.map_err(|error| self.at_now(error))
    }

    fn read_stopped<T>(
        &self,
        stopped: &Stopped,
        path: &Path,
        read: impl FnOnce(&Place, &Path) -> Result<T, ConfigError>,
    ) -> Result<T, Error> {
        tracing::warn!(target: TARGET, %path, "the configuration service is stopped, reading what it had");
        if self.clock.mono().saturating_since(stopped.since) > FALLBACK_TTL {
            return Err(record::unavailable(path, "expired"));
        }
        let Some(kept) = &stopped.kept else { return Err(record::unavailable(path, "not available")) };
        read(&Place::Kept(Arc::clone(kept)), path).map_err(|error| match error {
            ConfigError::NotFound { .. } => record::unavailable(path, "not available"),
            error => record::refused(error),
        })
    }

    /// A subscription that the caller asks.
    pub(crate) fn subscribe(&self) -> Result<ConfigSubscription, Error> {
        Ok(ConfigSubscription::new(self.deliveries()?, &self.handles, &self.clock))
    }

    /// Tells a subscriber through a channel; does nothing if it is told already.
    pub(crate) fn subscribe_channel(
        &self,
        id: &SubscriberId,
        sender: std::sync::mpsc::Sender<ConfigNotification>,
    ) -> Result<(), Error> {
        self.subscribers.add(id, sender, self.deliveries()?);
        Ok(())
    }

    pub(crate) fn unsubscribe_channel(&self, id: &SubscriberId) {
        self.subscribers.remove(id);
    }

    fn deliveries(&self) -> Result<Subscription<FoundationConfig>, Error> {
        self.check_running()?;
        let all = Filter::all();
        self.store.subscribe(all).map_err(|error| self.at_now(record::refused(error)))
    }
}

/// Where a value is read from.
enum Place {
    Store(SettingsStore),
    Kept(Arc<Snapshot<FoundationConfig>>),
}

impl Place {
    fn value(&self, path: &Path) -> Result<Value, ConfigError> {
        match self {
            Self::Store(store) => store.value(path),
            Self::Kept(snapshot) => snapshot.value(path),
        }
    }

    fn decoded<T: DeserializeOwned>(&self, path: &Path) -> Result<T, ConfigError> {
        match self {
            Self::Store(store) => store.get_as(path),
            Self::Kept(snapshot) => snapshot.get_as(path),
        }
    }
}
