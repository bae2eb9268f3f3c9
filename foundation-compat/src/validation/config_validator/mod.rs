//! The original's `Foundation.Validation.ConfigValidator`: whether settings are valid.
//!
//! An error is the first violation in the order of the sections `ai`, `capture`, `storage`, `interface`, `dev`,
//! `infrastructure`, as in the original; its context has all of them. What the original does not check is checked after
//! everything that it does.
//!
//! ```
//! use foundation_compat::types::config::FoundationConfig;
//! use foundation_compat::validation::config_validator::{validate, validate_ai_config};
//!
//! let mut config = FoundationConfig::default();
//! validate(&config)?;
//! config.ai.planning.sampling_rate = 1.5;
//! config.ai.planning.performance_target = -0.1;
//! assert_eq!(validate_ai_config(&config.ai).unwrap_err().code(), 1003);
//! # Ok::<(), foundation_compat::Error>(())
//! ```

pub(crate) mod place;
pub(crate) mod rule;
pub(crate) mod rules;

use foundation_config::Violations;
use foundation_types::{Error, Metadata, Value};

use self::place::Place;
use self::rules::Section;
use super::record;
use crate::types::config::{
    AiConfig, CaptureConfig, DevConfig, FoundationConfig, InfrastructureConfig, InterfaceConfig, Setting, StorageConfig,
};

/// Checks all settings.
///
/// # Errors
/// The first violation, by the kind of the original: `validation_failed` (1001) for a wrong shape or type,
/// `invalid_config_value` (1002) for what is not one of a few words, `constraint_violation` (1003) for a target and
/// `range_error` (1004) for a sampling rate. The context has its `path`, and if there are more `violations`.
pub fn validate(config: &FoundationConfig) -> Result<(), Error> {
    validate_tree(&config.into())
}

/// Checks a whole tree of settings, whatever it is.
///
/// # Errors
/// As [`validate`]. What has the wrong type, null included, breaks the rule of the setting; what is missing, and what is no
/// map where there have to be settings below, is a `validation_failed` (1001).
pub fn validate_tree(tree: &Value) -> Result<(), Error> {
    let mut violations = Violations::new();
    rules::check(tree, &mut violations);
    outcome(&violations, tree)
}

/// Checks the section `ai`.
///
/// # Errors
/// As [`validate`].
pub fn validate_ai_config(config: &AiConfig) -> Result<(), Error> {
    validate_section(&rules::AI, config)
}

/// Checks the section `capture`.
///
/// # Errors
/// As [`validate`].
pub fn validate_capture_config(config: &CaptureConfig) -> Result<(), Error> {
    validate_section(&rules::CAPTURE, config)
}

/// Checks the section `storage`.
///
/// # Errors
/// As [`validate`].
pub fn validate_storage_config(config: &StorageConfig) -> Result<(), Error> {
    validate_section(&rules::STORAGE, config)
}

/// Checks the section `interface`.
///
/// # Errors
/// As [`validate`].
pub fn validate_interface_config(config: &InterfaceConfig) -> Result<(), Error> {
    validate_section(&rules::INTERFACE, config)
}

/// Checks the section `dev`.
///
/// # Errors
/// As [`validate`].
pub fn validate_dev_config(config: &DevConfig) -> Result<(), Error> {
    validate_section(&rules::DEV, config)
}

/// Checks the section `infrastructure`.
///
/// # Errors
/// As [`validate`].
pub fn validate_infrastructure_config(config: &InfrastructureConfig) -> Result<(), Error> {
    validate_section(&rules::INFRASTRUCTURE, config)
}

fn validate_section(section: &Section, config: &impl Setting) -> Result<(), Error> {
    let tree = Metadata::new().with(section.name, config.to_setting()).into();
    let mut violations = Violations::new();
    if let Some(root) = Place::root(&tree, &mut violations) {
        section.check(&root, &mut violations);
        section.check_the_rest(&root, &mut violations);
    }
    outcome(&violations, &tree)
}

fn outcome(violations: &Violations, tree: &Value) -> Result<(), Error> {
    if violations.is_empty() { Ok(()) } else { Err(record::invalid(violations, tree)) }
}
