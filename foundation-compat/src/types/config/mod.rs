//! The original's `Foundation.Types.Config`: the settings of Foundation as a type, and functions over it.
//!
//! Times are milliseconds, and sizes bytes, where a field says nothing else.
//!
//! ```
//! use foundation_compat::types::config::{self, FoundationConfig};
//! use foundation_compat::{Metadata, Value};
//!
//! let config = config::new(&Metadata::new().with("dev", Metadata::new().with("debug_mode", true)))?;
//! assert!(config.dev.debug_mode && config.dev.performance_monitoring);
//!
//! let (dev, reset) = config::pop(&config, "dev")?;
//! assert_eq!(dev, Value::from(&config).as_map().and_then(|all| all.get("dev")).cloned().unwrap_or_default());
//! assert_eq!(reset, FoundationConfig::default());
//! # Ok::<(), foundation_compat::Error>(())
//! ```

#[cfg(feature = "agent")]
pub mod agent;
mod ai;
mod capture;

mod infrastructure;
mod profile;
mod schema;
mod setting;
mod storage;
mod surface;
mod whole;

use foundation_types::{Error, Metadata, Text, Value};

pub use self::ai::{AiConfig, AnalysisConfig, PlanningConfig, Provider, Strategy};
pub use self::capture::{
    CaptureConfig, NumBuffers, OverflowStrategy, ProcessingConfig, RingBufferConfig, VmTracingConfig,
};
pub use self::infrastructure::{
    BreakerDefaults, CircuitBreakerConfig, ConnectionPoolConfig, InfrastructureConfig, PoolDefaults, PoolStrategy,
    RateLimitingConfig, RateRule,
};
pub use self::profile::{Profile, UnknownProfile};
pub(crate) use self::setting::Setting;
pub use self::storage::{ColdStorageConfig, Compression, HotStorageConfig, StorageConfig, WarmStorageConfig};
pub use self::surface::{DevConfig, InterfaceConfig};
pub use self::whole::{FoundationConfig, SECTIONS};
use crate::validation::record;

/// The defaults with `overrides` laid over them: maps are merged key by key, everything else replaces. Keys that no field
/// reads are kept in [`FoundationConfig::other`].
///
/// # Errors
/// What [`validate_tree`](crate::validation::config_validator::validate_tree) says of the result.
pub fn new(overrides: &Metadata) -> Result<FoundationConfig, Error> {
    built(Value::from(&new_0()).deep_merge(overrides.clone().into()))
}

/// The defaults.
pub fn new_0() -> FoundationConfig {
    FoundationConfig::default()
}

/// The value of a top-level key: a section, or what else there is.
///
/// # Errors
/// [`KeyNotFound`] if there is none.
pub fn fetch(config: &FoundationConfig, key: &str) -> Result<Value, KeyNotFound> {
    top_level(config).remove(key).ok_or_else(|| KeyNotFound { key: key.into() })
}

/// Gives `update` the value of a top-level key, null if there is none, and replaces it by the second of what that returns;
/// the first is given back. If it returns `None`, this is [`pop`].
///
/// # Errors
/// What [`validate_tree`](crate::validation::config_validator::validate_tree) says of the result.
pub fn get_and_update(
    config: &FoundationConfig,
    key: &str,
    update: impl FnOnce(Value) -> Option<(Value, Value)>,
) -> Result<(Value, FoundationConfig), Error> {
    let mut all = top_level(config);
    let current = all.get(key).cloned().unwrap_or_default();
    let Some((answer, new)) = update(current) else { return pop(config, key) };
    all.insert(key, new);
    Ok((answer, built(all.into())?))
}

/// The value of a top-level key, null if there is none, and the configuration without it: with the default in place of a
/// section.
///
/// # Errors
/// What [`validate_tree`](crate::validation::config_validator::validate_tree) says of the result, if something else in the
/// configuration is invalid.
pub fn pop(config: &FoundationConfig, key: &str) -> Result<(Value, FoundationConfig), Error> {
    let mut all = top_level(config);
    let popped = all.remove(key).unwrap_or_default();
    if let Some(default) = top_level(&new_0()).remove(key) {
        all.insert(key, default);
    }
    Ok((popped, built(all.into())?))
}

fn top_level(config: &FoundationConfig) -> Metadata {
    match Value::from(config) {
        Value::Map(all) => all,
        _ => Metadata::new(),
    }
}

/// The configuration of a whole tree, whose further top-level keys are kept.
fn built(tree: Value) -> Result<FoundationConfig, Error> {
    let config = FoundationConfig::try_from(&tree).map_err(|violations| record::invalid(&violations, &tree))?;
    let Value::Map(all) = tree else { return Ok(config) };
    Ok(config.with_other(all.into_iter().filter(|(key, _)| !SECTIONS.contains(&key.as_str()))))
}

/// There is nothing under a top-level key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {key} in the configuration")]
pub struct KeyNotFound {
    /// The key.
    pub key: Text,
}
