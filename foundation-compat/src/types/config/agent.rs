//! The settings that only the functions for agents show: their defaults, which lie beneath all other settings there, and
//! their rules.

use foundation_config::Violations;
use foundation_types::{FiniteF64, Metadata, Value};

use crate::validation::config_validator::place::Place;
use crate::validation::config_validator::rule::Rule;

/// The settings of agents that hold where nothing else is said, as a tree.
///
/// | path | default | unit |
/// |---|---|---|
/// | `coordination.consensus_timeout` | 5,000 | ms |
/// | `coordination.election_timeout` | 3,000 | ms |
/// | `coordination.barrier_timeout` | 10,000 | ms |
/// | `infrastructure.circuit_breaker.failure_threshold` | 5 | failures |
/// | `infrastructure.circuit_breaker.recovery_timeout` | 60,000 | ms |
/// | `infrastructure.rate_limiter.default_limit` | 100 | requests |
/// | `infrastructure.rate_limiter.default_window` | 60,000 | ms |
/// | `agents.health_check_interval` | 30,000 | ms |
/// | `agents.resource_thresholds.memory` | 0.8 | share |
/// | `agents.resource_thresholds.cpu` | 0.9 | share |
pub fn agent_defaults() -> Metadata {
    let map = Metadata::new;
    let share = |share| FiniteF64::new(share).expect("finite");
    let breaker = map().with("failure_threshold", 5).with("recovery_timeout", 60_000);
    let limiter = map().with("default_limit", 100).with("default_window", 60_000);
    let thresholds = map().with("memory", share(0.8)).with("cpu", share(0.9));
    map()
        .with(
            "coordination",
            map().with("consensus_timeout", 5_000).with("election_timeout", 3_000).with("barrier_timeout", 10_000),
        )
        .with("infrastructure", map().with("circuit_breaker", breaker).with("rate_limiter", limiter))
        .with("agents", map().with("health_check_interval", 30_000).with("resource_thresholds", thresholds))
}

/// Reports what is wrong with the settings of agents in a tree, which may be a part of one: what is not there is not
/// missed. Numbers of [`agent_defaults`] are integers above 0, shares are numbers from 0 to 1, and what has such numbers
/// below it is a map.
pub fn check_agent_settings(tree: &Value, out: &mut Violations) {
    let Some(root) = Place::root(tree, out) else { return };
    if let Some(coordination) = root.map_if_there("coordination", out) {
        for timeout in ["consensus_timeout", "election_timeout", "barrier_timeout"] {
            coordination.leaf_if_there(timeout, Rule::Above0, out);
        }
    }
    if let Some(infrastructure) = root.map_if_there("infrastructure", out) {
        if let Some(breaker) = infrastructure.map_if_there("circuit_breaker", out) {
            breaker.leaf_if_there("failure_threshold", Rule::Above0, out);
            breaker.leaf_if_there("recovery_timeout", Rule::Above0, out);
        }
        if let Some(limiter) = infrastructure.map_if_there("rate_limiter", out) {
            limiter.leaf_if_there("default_limit", Rule::Above0, out);
            limiter.leaf_if_there("default_window", Rule::Above0, out);
        }
    }
    if let Some(agents) = root.map_if_there("agents", out) {
        agents.leaf_if_there("health_check_interval", Rule::Above0, out);
        if let Some(thresholds) = agents.map_if_there("resource_thresholds", out) {
            thresholds.leaf_if_there("memory", Rule::Share, out);
            thresholds.leaf_if_there("cpu", Rule::Share, out);
        }
    }
}
