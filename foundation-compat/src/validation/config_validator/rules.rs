//! The rules, in the order in which they are checked.

use foundation_config::Violations;
use foundation_types::Value;

use super::place::Place;
use super::rule::Rule;
use crate::types::config::{Compression, OverflowStrategy, PoolStrategy, Provider, Strategy};

/// How one section is checked.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    /// What the original checks.
    check: fn(&Place<'_>, &mut Violations),
    /// What it does not: the types of settings without a rule, and protected calls.
    rest: fn(&Place<'_>, &mut Violations),
}

pub(crate) const AI: Section = Section { name: "ai", check: ai, rest: rest_of_ai };
pub(crate) const CAPTURE: Section = Section { name: "capture", check: capture, rest: rest_of_capture };
pub(crate) const STORAGE: Section = Section { name: "storage", check: storage, rest: nothing };
pub(crate) const INTERFACE: Section = Section { name: "interface", check: interface, rest: nothing };
pub(crate) const DEV: Section = Section { name: "dev", check: dev, rest: nothing };
pub(crate) const INFRASTRUCTURE: Section =
    Section { name: "infrastructure", check: infrastructure, rest: rest_of_infrastructure };

const ALL: [Section; 6] = [AI, CAPTURE, STORAGE, INTERFACE, DEV, INFRASTRUCTURE];

impl Section {
    /// Checks what the original checks.
    pub(crate) fn check(&self, root: &Place<'_>, out: &mut Violations) {
        if let Some(section) = root.map(self.name, out) {
            (self.check)(&section, out);
        }
    }

    /// Checks what the original does not.
    pub(crate) fn check_the_rest(&self, root: &Place<'_>, out: &mut Violations) {
        if let Some(section) = root.peek(self.name) {
            (self.rest)(&section, out);
        }
    }
}

/// Reports what is wrong with a whole tree: first all that the original finds, in its order.
pub(crate) fn check(tree: &Value, out: &mut Violations) {
    let Some(root) = Place::root(tree, out) else { return };
    for section in &ALL {
        section.check(&root, out);
    }
    for section in &ALL {
        section.check_the_rest(&root, out);
    }
}

fn nothing(_: &Place<'_>, _: &mut Violations) {}

fn ai(ai: &Place<'_>, out: &mut Violations) {
    ai.leaf("provider", Rule::OneOf(Provider::WORDS), out);
    if let Some(analysis) = ai.map("analysis", out) {
        analysis.leaves(&["max_file_size", "timeout", "cache_ttl"], Rule::Above0, out);
    }
    if let Some(planning) = ai.map("planning", out) {
        planning.leaf("performance_target", Rule::Target, out);
        planning.leaf("sampling_rate", Rule::Share, out);
        planning.leaf("default_strategy", Rule::OneOf(Strategy::WORDS), out);
    }
}

fn rest_of_ai(ai: &Place<'_>, out: &mut Violations) {
    ai.leaf_if_there("api_key", Rule::SecretOrNull, out);
    ai.leaf_if_there("model", Rule::Text, out);
}

fn capture(capture: &Place<'_>, out: &mut Violations) {
    if let Some(buffer) = capture.map("ring_buffer", out) {
        buffer.leaves(&["size", "max_events"], Rule::Above0, out);
        buffer.leaf("overflow_strategy", Rule::OneOf(OverflowStrategy::WORDS), out);
    }
    if let Some(processing) = capture.map("processing", out) {
        processing.leaves(&["batch_size", "flush_interval", "max_queue_size"], Rule::Above0, out);
    }
    if let Some(tracing) = capture.map("vm_tracing", out) {
        let switches = ["enable_spawn_trace", "enable_exit_trace", "enable_message_trace", "trace_children"];
        tracing.leaves(&switches, Rule::Boolean, out);
    }
}

fn rest_of_capture(capture: &Place<'_>, out: &mut Violations) {
    if let Some(buffer) = capture.peek("ring_buffer") {
        buffer.leaf_if_there("num_buffers", Rule::Buffers, out);
    }
}

fn storage(storage: &Place<'_>, out: &mut Violations) {
    if let Some(hot) = storage.map("hot", out) {
        hot.leaves(&["max_events", "max_age_seconds", "prune_interval"], Rule::Above0, out);
    }
    if let Some(warm) = storage.map("warm", out) {
        warm.leaf("enable", Rule::Boolean, out);
        if warm.is_on("enable") {
            warm.leaf("path", Rule::Text, out);
            warm.leaf("max_size_mb", Rule::Above0, out);
            warm.leaf("compression", Rule::OneOf(Compression::WORDS), out);
        }
    }
    if let Some(cold) = storage.map("cold", out) {
        cold.leaf("enable", Rule::Off, out);
    }
}

fn interface(interface: &Place<'_>, out: &mut Violations) {
    interface.leaves(&["query_timeout", "max_results"], Rule::Above0, out);
    interface.leaf("enable_streaming", Rule::Boolean, out);
}

fn dev(dev: &Place<'_>, out: &mut Violations) {
    dev.leaves(&["debug_mode", "verbose_logging", "performance_monitoring"], Rule::Boolean, out);
}

fn infrastructure(infrastructure: &Place<'_>, out: &mut Violations) {
    if let Some(limits) = infrastructure.map("rate_limiting", out) {
        limits.leaf("enabled", Rule::Boolean, out);
        limits.leaf("cleanup_interval", Rule::Above0, out);
        if let Some(rules) = limits.map("default_rules", out) {
            for name in rules.keys() {
                if let Some(rule) = rules.map(name, out) {
                    rule.leaves(&["scale", "limit"], Rule::Above0, out);
                }
            }
        }
    }
    if let Some(breakers) = infrastructure.map("circuit_breaker", out) {
        if let Some(defaults) = breakers.map("default_config", out) {
            defaults.leaves(&["failure_threshold", "recovery_time", "call_timeout"], Rule::Above0, out);
        }
        breakers.leaf("enabled", Rule::Boolean, out);
    }
    if let Some(pools) = infrastructure.map("connection_pool", out) {
        if let Some(defaults) = pools.map("default_config", out) {
            defaults.leaf("size", Rule::Above0, out);
            defaults.leaf("max_overflow", Rule::From0, out);
            defaults.leaf("strategy", Rule::ShapedAs(PoolStrategy::WORDS), out);
        }
        pools.leaf("enabled", Rule::Boolean, out);
    }
}

/// What is configured for keys of protected calls: each part may be missing, and is whole if it is there.
fn rest_of_infrastructure(infrastructure: &Place<'_>, out: &mut Violations) {
    let Some(protection) = infrastructure.map_if_there("protection", out) else { return };
    for key in protection.keys() {
        let Some(key) = protection.map(key, out) else { continue };
        if let Some(breaker) = key.map_if_there("circuit_breaker", out) {
            breaker.leaves(&["failure_threshold", "recovery_time"], Rule::Above0, out);
        }
        if let Some(limiter) = key.map_if_there("rate_limiter", out) {
            limiter.leaves(&["scale", "limit"], Rule::Above0, out);
        }
        if let Some(pool) = key.map_if_there("connection_pool", out) {
            pool.leaf("size", Rule::Above0, out);
            pool.leaf("max_overflow", Rule::From0, out);
        }
    }
}
