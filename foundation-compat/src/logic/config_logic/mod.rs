//! The original's `Foundation.Logic.ConfigLogic`: what settings come to, as pure functions.
//!
//! They take and give trees, in which everything is as it was written, also what
//! [`FoundationConfig`](crate::types::config::FoundationConfig) has no field for. `Value::from` and
//! `FoundationConfig::try_from` lead from one to the other.
//!
//! ```
//! use foundation_compat::Value;
//! use foundation_compat::logic::config_logic::{get_config_value, reset_config, update_config};
//!
//! let config = update_config(&reset_config(), "dev.debug_mode", true)?;
//! assert_eq!(get_config_value(&config, ["dev", "debug_mode"])?, Value::from(true));
//! assert_eq!(update_config(&config, "ai.provider", "openai").unwrap_err().code(), 1401);
//! # Ok::<(), foundation_compat::Error>(())
//! ```

mod build;
mod diff;
mod security;
mod update;

pub use self::build::{Merged, build_config, build_config_0, merge_env_config, merge_opts_config, reset_config};
pub(crate) use self::build::{known_options, split};
pub(crate) use self::diff::redacted;
pub use self::diff::{Changed, ConfigDiff, DiffEntry, diff_configs};
#[cfg(feature = "agent")]
pub(crate) use self::security::check_value;
pub(crate) use self::security::secure_path;
pub use self::security::{
    CASE_INSENSITIVE_DENIED, CASE_SENSITIVE_DENIED, MAX_VALUE_NESTING, MAX_VALUE_TEXT_BYTES, allows_component,
};
pub(crate) use self::update::settable;
pub use self::update::{get_config_value, updatable_path, updatable_paths, update_config};
pub use crate::config::{ConfigOptions, UnknownOptions};
