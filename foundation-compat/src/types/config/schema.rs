//! What is valid, what may change while running, and what is secret.

use foundation_config::{Schema, UnknownKeys, UpdatePolicy, Violations, path};
use foundation_types::Value;

use super::{FoundationConfig, SECTIONS};
use crate::validation::config_validator::rules;

impl Schema for FoundationConfig {
    fn defaults() -> Value {
        Value::from(&Self::default())
    }

    fn check(tree: &Value, out: &mut Violations) {
        rules::check(tree, out);
    }

    fn update_policy() -> UpdatePolicy {
        UpdatePolicy::deny_all()
            .path(path!(ai.planning.sampling_rate: f64))
            .path(path!(ai.planning.performance_target: f64))
            .path(path!(capture.processing.batch_size: u64))
            .path(path!(capture.processing.flush_interval: u64))
            .path(path!(interface.query_timeout: u64))
            .path(path!(interface.max_results: u64))
            .path(path!(dev.debug_mode: bool))
            .path(path!(dev.verbose_logging: bool))
            .path(path!(dev.performance_monitoring: bool))
            .path(path!(infrastructure.rate_limiting.enabled: bool))
            .path(path!(infrastructure.circuit_breaker.enabled: bool))
            .path(path!(infrastructure.connection_pool.enabled: bool))
            .path(path!(infrastructure.rate_limiting.cleanup_interval: u64))
            .subtree(path!(infrastructure.protection: Value))
            .free_outside(SECTIONS)
    }

    fn unknown_keys() -> UnknownKeys {
        UnknownKeys::Keep
    }
}

impl TryFrom<&Value> for FoundationConfig {
    type Error = Violations;

    /// The configuration of a whole tree, or all that is wrong with it.
    fn try_from(tree: &Value) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        Self::check(tree, &mut violations);
        if !violations.is_empty() {
            return Err(violations);
        }
        Ok(foundation_types::bridge::from_value(tree).expect("what the rules accept can be read"))
    }
}
