//! From defaults, environment and options to a configuration.

use foundation_config::Schema;
use foundation_types::{Error, Metadata, Text, Value};

use crate::types::config::{FoundationConfig, SECTIONS};
use crate::validation::{config_validator, record};

/// What lies over the defaults.
#[derive(Clone, Default, PartialEq)]
pub struct ConfigOptions {
    environment: Metadata,
    options: Metadata,
    unknown: UnknownOptions,
}

/// What happens with options whose top-level key is no section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UnknownOptions {
    /// They are refused.
    #[default]
    Refuse,
    /// They are left out, with a warning in the log.
    Warn,
}

impl ConfigOptions {
    /// The defaults alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// The settings of the environment, which lie over the defaults; see [`merge_env_config`].
    #[must_use]
    pub fn environment(mut self, environment: Metadata) -> Self {
        self.environment = environment;
        self
    }

    /// The settings of the caller, which lie over those of the environment; see [`merge_opts_config`].
    #[must_use]
    pub fn options(mut self, options: Metadata) -> Self {
        self.options = options;
        self
    }

    /// What happens with options whose top-level key is no section; they are refused by default.
    #[must_use]
    pub fn unknown(mut self, unknown: UnknownOptions) -> Self {
        self.unknown = unknown;
        self
    }
}

impl std::fmt::Debug for ConfigOptions {
    /// Shows keys alone: there may be secrets behind them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = |map: &Metadata| map.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        f.debug_struct("ConfigOptions")
            .field("environment", &keys(&self.environment))
            .field("options", &keys(&self.options))
            .field("unknown", &self.unknown)
            .finish()
    }
}

/// A configuration with options laid over it, and which of them were left out.
#[derive(Clone, PartialEq)]
pub struct Merged {
    /// The configuration, which has not been validated.
    pub config: Value,
    /// The top-level keys of options that are no sections, in order.
    pub unknown: Vec<Text>,
}

impl std::fmt::Debug for Merged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Merged").field("unknown", &self.unknown).finish_non_exhaustive()
    }
}

/// The configuration with the settings of the environment laid over it: maps are merged key by key, everything else
/// replaces. Top-level keys that are no sections are left out. The result has not been validated.
pub fn merge_env_config(config: Value, environment: &Metadata) -> Value {
    lay_over(config, environment).config
}

/// The configuration with the settings of a caller laid over it, as [`merge_env_config`]; tells which top-level keys are no
/// sections.
pub fn merge_opts_config(config: Value, options: &Metadata) -> Merged {
    lay_over(config, options)
}

fn lay_over(config: Value, over: &Metadata) -> Merged {
    let (known, unknown): (Vec<_>, Vec<_>) = over.iter().partition(|(key, _)| SECTIONS.contains(&key.as_str()));
    let known: Metadata = known.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    Merged {
        config: config.deep_merge(known.into()),
        unknown: unknown.into_iter().map(|(key, _)| key.clone()).collect(),
    }
}

/// The defaults with environment and options laid over them.
///
/// # Errors
/// `validation_failed` (1001) with `unknown_keys` in its context if options are unknown and have to be known; else what
/// [`validate_tree`](config_validator::validate_tree) says of the result.
pub fn build_config(options: &ConfigOptions) -> Result<Value, Error> {
    let config = merge_env_config(reset_config(), &options.environment);
    let Merged { config, unknown } = merge_opts_config(config, &options.options);
    if !unknown.is_empty() {
        match options.unknown {
            UnknownOptions::Refuse => return Err(record::unknown_keys(&unknown, &SECTIONS)),
            UnknownOptions::Warn => {
                tracing::warn!(keys = %unknown.join(", "), "unknown settings are left out");
            }
        }
    }
    config_validator::validate_tree(&config)?;
    Ok(config)
}

/// As [`build_config`] with the defaults alone.
///
/// # Errors
/// None: the defaults are valid.
pub fn build_config_0() -> Result<Value, Error> {
    build_config(&ConfigOptions::default())
}

/// The defaults.
pub fn reset_config() -> Value {
    FoundationConfig::defaults()
}
