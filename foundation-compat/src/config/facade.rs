//! The settings of an instance, by their old functions.

use std::fmt;
use std::sync::Arc;

use foundation_config::IntoPath;
use foundation_types::Value;
use foundation_types::error::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ConfigOptions, ConfigStatus, ConfigSubscription, Instance};
use crate::foundation::Foundation;
use crate::types::config::FoundationConfig;

/// The original's configuration on a given [`Foundation`]. Cheap to clone.
///
/// A path is a list of components or their text form: `["dev", "debug_mode"]`, `"dev.debug_mode"`. Errors are records with
/// the codes of the original.
#[derive(Clone)]
pub struct Config {
    pub(super) instance: Arc<Instance>,
}

impl From<&Foundation> for Config {
    fn from(foundation: &Foundation) -> Self {
        Self { instance: Arc::clone(foundation.configuration()) }
    }
}

impl Config {
    /// Starts the service, if it is stopped, and asks the sources again; `options` that have settings replace the settings
    /// given before. What was written while it ran is there, what waits to be written waits. If the service runs this does
    /// nothing.
    ///
    /// # Errors
    /// What [`validate_tree`](super::validate_tree) says of the configuration with the options, and `validation_failed` (1001)
    /// for unknown ones: then the service stays stopped, and nothing has changed. `service_unavailable` (5000) after a shutdown.
    pub fn initialize(&self, options: &ConfigOptions) -> Result<(), Error> {
        self.instance.start(options)
    }

    /// As [`initialize`](Self::initialize) without options.
    ///
    /// # Errors
    /// `service_unavailable` (5000) after a shutdown.
    pub fn initialize_0(&self) -> Result<(), Error> {
        self.initialize(&ConfigOptions::new())
    }

    /// How the service is.
    ///
    /// # Errors
    /// None: a service that is stopped is a degraded one.
    pub fn status(&self) -> Result<ConfigStatus, Error> {
        Ok(self.instance.status())
    }

    /// The value at a path; the root leads to the whole tree. Null is a value.
    ///
    /// While the service is stopped, it is the value that the path had when it stopped, for
    /// [`FALLBACK_TTL`](super::FALLBACK_TTL).
    ///
    /// # Errors
    /// `invalid_path` (1304), `security_violation` (1000), `config_path_not_found` (1302). While the service is stopped
    /// `config_unavailable` (1303) if there was nothing, or it is too long ago.
    pub fn get(&self, path: impl IntoPath) -> Result<Value, Error> {
        self.instance.get(path)
    }

    /// As [`get`](Self::get), as any type.
    ///
    /// # Errors
    /// As there, and `type_mismatch` (1205).
    pub fn get_as<T: DeserializeOwned>(&self, path: impl IntoPath) -> Result<T, Error> {
        self.instance.get_as(path)
    }

    /// The whole configuration. O(1) but for the first call after a change.
    ///
    /// # Errors
    /// `service_unavailable` (5000) while the service is stopped.
    pub fn get_0(&self) -> Result<Arc<FoundationConfig>, Error> {
        self.instance.typed()
    }

    /// As [`get`](Self::get), with a default in place of any error.
    pub fn get_with_default(&self, path: impl IntoPath, default: impl Into<Value>) -> Value {
        self.get(path).unwrap_or_else(|_| default.into())
    }

    /// Writes a setting. Subscribers have been told when it returns. Writing the value that is there already is a change like
    /// any other.
    ///
    /// While the service is stopped the write is checked, and waits.
    ///
    /// # Errors
    /// As [`update_config`](crate::logic::config_logic::update_config), in its order; while the service is stopped, of what is
    /// acceptable, `service_unavailable` (5000) with `queued` in its context.
    pub fn update(&self, path: impl IntoPath, value: impl Serialize) -> Result<(), Error> {
        self.instance.update(path, value)
    }

    /// As [`update`](Self::update); of `ai.api_key`, `storage.encryption_key`, `security` and `system.node_name` it says
    /// `config_update_forbidden` (1401), whatever the value.
    ///
    /// # Errors
    /// As there.
    pub fn safe_update(&self, path: impl IntoPath, value: impl Serialize) -> Result<(), Error> {
        self.instance.safe_update(path, value)
    }

    /// Takes back all that was written while running: the defaults are left, with files, environment and options over them.
    ///
    /// # Errors
    /// `service_unavailable` (5000) while the service is stopped; what is wrong with the configuration without what was
    /// written, if it is invalid then.
    pub fn reset(&self) -> Result<(), Error> {
        self.instance.reset()
    }

    /// Whether the service runs.
    pub fn available(&self) -> bool {
        self.instance.is_running()
    }

    /// Changes from now on. It stays while the service is stopped.
    ///
    /// # Errors
    /// `service_unavailable` (5000) while the service is stopped; `limit_exceeded` (1404) if there are too many.
    pub fn subscribe(&self) -> Result<ConfigSubscription, Error> {
        self.instance.subscribe()
    }

    /// For tests: puts the configuration back to what its sources say, ends all subscriptions without a word, and counts
    /// from zero. Of a service that is stopped it drops what it had and the writes that wait.
    ///
    /// # Errors
    /// `operation_forbidden` (5002) unless the [test mode](super::TestMode) is on; what is wrong with the configuration
    /// without what was written, if it is invalid then.
    pub fn reset_state(&self) -> Result<(), Error> {
        self.instance.reset_state()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Config").field(&self.instance).finish()
    }
}
