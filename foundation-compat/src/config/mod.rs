//! The original's `Foundation.Config`: reading, changing and watching the settings.
//!
//! The functions act on the [global instance](crate::global), [`Config`] on any. They show the settings of the original; the
//! [store](crate::Foundation::settings) below has typed reads that wait for nobody, layers and versions.
//!
//! ```
//! use foundation_compat::config;
//! use foundation_compat::config::ConfigNotification;
//!
//! let mut changes = config::subscribe()?;
//! config::update("dev.debug_mode", true)?;
//! assert!(config::get_as::<bool>("dev.debug_mode")?);
//! assert!(matches!(changes.try_recv(), Some(ConfigNotification::Updated { path, .. }) if path.last() == Some("debug_mode")));
//!
//! let refused = config::update("ai.planning.sampling_rate", 2).unwrap_err();
//! assert_eq!((refused.code(), refused.message()), (1004, "ai.planning.sampling_rate: expected a number from 0 to 1, found 2"));
//! config::reset()?;
//! assert!(!config::get_0()?.dev.debug_mode);
//! # Ok::<(), foundation_compat::Error>(())
//! ```
//!
//! # While the service is stopped
//!
//! [`config_server::stop`](crate::config_server::stop) stops the service, not the configuration. Until it is started again,
//! reads are answered for [`FALLBACK_TTL`] from what it had, and updates are checked and wait, until
//! [`retry_pending_updates`](crate::config_server::retry_pending_updates) makes them.
//!
//! # Who reads what
//!
//! | setting | what it does |
//! |---|---|
//! | `infrastructure.protection` | what [`configure_protection`](crate::infrastructure::configure_protection) keeps |
//! | `infrastructure.rate_limiting.default_rules`, `.enabled` | for protected calls, if the instance [follows](crate::FoundationBuilder::follow_settings) its settings |
//! | `infrastructure.circuit_breaker.default_config`, `.enabled` | the same |
//! | `features.NAME`, beside the sections | switches an agent feature, `features.agent_features` all of them; with the feature `agent` |
//!
//! Nothing here reads the others: they are kept, validated and watched for the program, and reserved.

mod events;
mod facade;
mod instance;
mod instances;
mod notification;
mod options;
mod status;
mod subscribers;
mod subscription;

use std::sync::Arc;

use foundation_config::IntoPath;
use foundation_types::Value;
use foundation_types::error::{Error, ErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::events::{CONFIG_RESET_EVENT, CONFIG_RESETS_EVENT, CONFIG_UPDATED_EVENT, CONFIG_UPDATES_EVENT};
pub use self::facade::Config;
pub use self::instance::{FALLBACK_TTL, SettingsStore};
pub(crate) use self::instance::{Instance, StoppedBy, Surroundings};
pub(crate) use self::instances::Instances;
pub use self::notification::ConfigNotification;
pub use self::options::{ConfigOptions, Replay, TestMode, UnknownOptions};
pub use self::status::{CacheStats, ConfigStatus, RunningStatus};
pub use self::subscribers::SubscriberId;
pub use self::subscription::ConfigSubscription;
use crate::foundation::{BuildError, Foundation};
use crate::global;
pub use crate::logic::config_logic::updatable_paths;
use crate::types::config::FoundationConfig;
pub use crate::validation::config_validator::{validate, validate_tree};

/// The target of the log lines.
pub(crate) const TARGET: &str = "foundation::config";

fn here() -> Config {
    Config::from(&global::get())
}

/// Makes the global instance with these options, if there is none; else as [`Config::initialize`] on it.
///
/// # Errors
/// What is wrong with the options; else as there.
pub fn initialize(options: &ConfigOptions) -> Result<(), Error> {
    if global::current().is_none() {
        let made = Foundation::builder().config(options.clone()).build().map_err(|error| match error {
            BuildError::Config(error) => error,
            other => Error::new(ErrorKind::InitializationFailed).with_message(other.to_string()),
        })?;
        if global::install(made).is_ok() {
            return Ok(());
        }
    }
    here().initialize(options)
}

/// As [`initialize`] without options.
///
/// # Errors
/// As there.
pub fn initialize_0() -> Result<(), Error> {
    initialize(&ConfigOptions::new())
}

/// As [`Config::get`], on the global instance.
///
/// # Errors
/// As there.
pub fn get(path: impl IntoPath) -> Result<Value, Error> {
    here().get(path)
}

/// As [`Config::get_as`], on the global instance.
///
/// # Errors
/// As there.
pub fn get_as<T: DeserializeOwned>(path: impl IntoPath) -> Result<T, Error> {
    here().get_as(path)
}

/// As [`Config::get_with_default`], on the global instance.
pub fn get_with_default(path: impl IntoPath, default: impl Into<Value>) -> Value {
    here().get_with_default(path, default)
}

/// As [`Config::update`], on the global instance.
///
/// # Errors
/// As there.
pub fn update(path: impl IntoPath, value: impl Serialize) -> Result<(), Error> {
    here().update(path, value)
}

/// As [`Config::safe_update`], on the global instance.
///
/// # Errors
/// As there.
pub fn safe_update(path: impl IntoPath, value: impl Serialize) -> Result<(), Error> {
    here().safe_update(path, value)
}

/// Ends a subscription, as dropping it does.
pub fn unsubscribe(subscription: ConfigSubscription) {
    drop(subscription);
}

global::on_global! {
    Config(here()):
    fn status() -> Result<ConfigStatus, Error>;
    fn get_0() -> Result<Arc<FoundationConfig>, Error>;
    fn reset() -> Result<(), Error>;
    fn available() -> bool;
    fn subscribe() -> Result<ConfigSubscription, Error>;
}

/// Why there is no configuration to begin with, as the original would say it.
pub(crate) fn build_refused(error: foundation_config::BuildError) -> Error {
    match error {
        foundation_config::BuildError::Config(error) => crate::validation::record::refused(error),
        error => error.into(),
    }
}
