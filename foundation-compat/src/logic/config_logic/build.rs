//! From defaults, environment and options to a configuration.

use foundation_config::Schema;
use foundation_types::{Error, Metadata, Text, Value};

use crate::config::{ConfigOptions, TARGET, UnknownOptions};
use crate::types::config::{FoundationConfig, SECTIONS};
use crate::validation::{config_validator, record};

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
    let (known, unknown) = split(over);
    Merged { config: config.deep_merge(known.into()), unknown }
}

/// The defaults with environment and options laid over them.
///
/// # Errors
/// `validation_failed` (1001) with `unknown_keys` in its context if options are unknown and have to be known; else what
/// [`validate_tree`](config_validator::validate_tree) says of the result.
pub fn build_config(options: &ConfigOptions) -> Result<Value, Error> {
    let config = merge_env_config(reset_config(), &options.environment);
    let config = config.deep_merge(known_options(options)?.into());
    config_validator::validate_tree(&config)?;
    Ok(config)
}

/// The options of a caller without top-level keys that are no sections.
///
/// # Errors
/// `validation_failed` (1001) if there are such keys, and they are to be refused.
pub(crate) fn known_options(options: &ConfigOptions) -> Result<Metadata, Error> {
    let (known, unknown) = split(&options.options);
    if !unknown.is_empty() {
        match options.unknown {
            UnknownOptions::Refuse => return Err(record::unknown_keys(&unknown, &SECTIONS)),
            UnknownOptions::Warn => {
                tracing::warn!(target: TARGET, keys = %unknown.join(", "), "unknown settings are left out");
            }
        }
    }
    Ok(known)
}

/// The sections of a tree, and its other keys.
pub(crate) fn split(tree: &Metadata) -> (Metadata, Vec<Text>) {
    let (known, unknown): (Vec<_>, Vec<_>) = tree.iter().partition(|(key, _)| SECTIONS.contains(&key.as_str()));
    let known = known.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    (known, unknown.into_iter().map(|(key, _)| key.clone()).collect())
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
