//! The original's `Foundation.Contracts`.

use std::sync::Arc;

use foundation_config::Path;
use foundation_types::Value;
use foundation_types::error::Error;

use crate::config::{self, Config};
use crate::foundation::Foundation;
use crate::types::config::FoundationConfig;

/// Whatever has the settings of Foundation: an instance, or a program's own back-end.
///
/// ```
/// use foundation_compat::contracts::Configurable;
/// use foundation_compat::{Error, Foundation};
///
/// fn quieten(settings: &dyn Configurable) -> Result<(), Error> {
///     settings.update(&"dev.verbose_logging".parse().map_err(Error::from)?, false.into())
/// }
/// quieten(&Foundation::isolated())?;
/// # Ok::<(), Error>(())
/// ```
pub trait Configurable: Send + Sync {
    /// The whole configuration.
    ///
    /// # Errors
    /// `service_unavailable` while it cannot be read.
    fn get_0(&self) -> Result<Arc<FoundationConfig>, Error>;

    /// The value at a path.
    ///
    /// # Errors
    /// As [`Config::get`].
    fn get(&self, path: &Path) -> Result<Value, Error>;

    /// Writes a setting.
    ///
    /// # Errors
    /// As [`Config::update`].
    fn update(&self, path: &Path, value: Value) -> Result<(), Error>;

    /// Checks all settings.
    ///
    /// # Errors
    /// As [`validate`](crate::config::validate).
    fn validate(&self, config: &FoundationConfig) -> Result<(), Error>;

    /// The paths that may be written while running.
    fn updatable_paths(&self) -> Vec<Path>;

    /// Takes back all that was written while running.
    ///
    /// # Errors
    /// As [`Config::reset`].
    fn reset(&self) -> Result<(), Error>;

    /// Whether the settings can be read and written at the moment.
    fn available(&self) -> bool;
}

impl Configurable for Config {
    fn get_0(&self) -> Result<Arc<FoundationConfig>, Error> {
        self.get_0()
    }

    fn get(&self, path: &Path) -> Result<Value, Error> {
        self.get(path)
    }

    fn update(&self, path: &Path, value: Value) -> Result<(), Error> {
        self.update(path, value)
    }

    fn validate(&self, config: &FoundationConfig) -> Result<(), Error> {
        config::validate(config)
    }

    fn updatable_paths(&self) -> Vec<Path> {
        config::updatable_paths()
    }

    fn reset(&self) -> Result<(), Error> {
        self.reset()
    }

    fn available(&self) -> bool {
        self.available()
    }
}

impl Configurable for Foundation {
    fn get_0(&self) -> Result<Arc<FoundationConfig>, Error> {
        self.config().get_0()
    }

    fn get(&self, path: &Path) -> Result<Value, Error> {
        self.config().get(path)
    }

    fn update(&self, path: &Path, value: Value) -> Result<(), Error> {
        self.config().update(path, value)
    }

    fn validate(&self, config: &FoundationConfig) -> Result<(), Error> {
        config::validate(config)
    }

    fn updatable_paths(&self) -> Vec<Path> {
        config::updatable_paths()
    }

    fn reset(&self) -> Result<(), Error> {
        self.config().reset()
    }

    fn available(&self) -> bool {
        self.config().available()
    }
}
