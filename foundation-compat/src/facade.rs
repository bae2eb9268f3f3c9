//! The original's module `Foundation` itself: the global instance as a whole.

use foundation_types::Error;

use crate::config::{self, ConfigOptions};
use crate::foundation::{Foundation, FoundationHealth, FoundationStatus, StartError};
use crate::lifecycle::{LifecycleError, ShutdownReport};
use crate::{application, global};

/// What [`initialize`] starts with.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct InitOptions {
    /// The settings.
    pub config: ConfigOptions,
}

impl InitOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// With these settings.
    #[must_use]
    pub fn config(mut self, config: ConfigOptions) -> Self {
        self.config = config;
        self
    }
}

/// Sees to it that there is a global instance and that its services run. One that was shut down makes place for another.
///
/// Options have an effect on an instance that this makes, and on a configuration service that was stopped by itself; what
/// runs stays as it is.
///
/// # Errors
/// What is wrong with the options, or the error of the service that did not start.
pub fn initialize(options: &InitOptions) -> Result<(), Error> {
    let current = global::current().filter(|global| !global.is_shut_down());
    let Some(foundation) = current else {
        return match application::start(Foundation::builder().config(options.config.clone())) {
            // Somebody else was faster.
            Err(StartError::Lifecycle(LifecycleError::AlreadyStarted)) => Ok(()),
            started => started.map(drop).map_err(StartError::into_record),
        };
    };
    config::Config::from(&foundation).initialize(&options.config)?;
    match foundation.start() {
        Ok(()) | Err(LifecycleError::AlreadyStarted) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// As [`initialize`] without options.
///
/// # Errors
/// As there.
pub fn initialize_0() -> Result<(), Error> {
    initialize(&InitOptions::new())
}

/// As [`initialize`]; returns the instance.
///
/// # Errors
/// As there.
pub fn start_link(options: &InitOptions) -> Result<Foundation, Error> {
    initialize(options)?;
    Ok(global::get())
}

/// As [`start_link`] without options.
///
/// # Errors
/// As there.
pub fn start_link_0() -> Result<Foundation, Error> {
    start_link(&InitOptions::new())
}

/// What the global instance is and how its subsystems are.
pub fn status() -> FoundationStatus {
    global::get().status()
}

/// Whether there is a global instance and everything in it runs. Never fails, and makes none.
pub fn available() -> bool {
    global::current().is_some_and(|global| global.available())
}

/// The version of this crate.
pub const fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Shuts the global instance down, if there is one: its services in order, then its subsystems. Idempotent; `None` if there
/// is none.
pub fn shutdown() -> Option<ShutdownReport> {
    global::current().map(|global| global.shutdown())
}

/// Whether the global instance is well.
pub fn health() -> FoundationHealth {
    global::get().health()
}
