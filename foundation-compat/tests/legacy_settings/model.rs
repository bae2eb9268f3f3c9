//! What is valid, written a second time: one line for each rule, in the order in which violations are reported.

use foundation_compat::Value;

/// What a setting is checked for, and the code of what breaks it.
#[derive(Clone, Copy)]
enum Check {
    Map,
    Positive,
    NotNegative,
    Boolean,
    False,
    Text,
    TextOrNull,
    Buffers,
    Word(&'static str, u32),
    Target,
    Rate,
}

use Check::*;

/// `*` stands for every key.
const ORIGINAL: &[(&str, Check)] = &[
    ("ai", Map),
    ("ai.provider", Word("mock openai anthropic gemini", 1002)),
    ("ai.analysis", Map),
    ("ai.analysis.max_file_size", Positive),
    ("ai.analysis.timeout", Positive),
    ("ai.analysis.cache_ttl", Positive),
    ("ai.planning", Map),
    ("ai.planning.performance_target", Target),
    ("ai.planning.sampling_rate", Rate),
    ("ai.planning.default_strategy", Word("fast balanced thorough", 1002)),
    ("capture", Map),
    ("capture.ring_buffer", Map),
    ("capture.ring_buffer.size", Positive),
    ("capture.ring_buffer.max_events", Positive),
    ("capture.ring_buffer.overflow_strategy", Word("drop_oldest drop_newest block", 1002)),
    ("capture.processing", Map),
    ("capture.processing.batch_size", Positive),
    ("capture.processing.flush_interval", Positive),
    ("capture.processing.max_queue_size", Positive),
    ("capture.vm_tracing", Map),
    ("capture.vm_tracing.enable_spawn_trace", Boolean),
    ("capture.vm_tracing.enable_exit_trace", Boolean),
    ("capture.vm_tracing.enable_message_trace", Boolean),
    ("capture.vm_tracing.trace_children", Boolean),
    ("storage", Map),
    ("storage.hot", Map),
    ("storage.hot.max_events", Positive),
    ("storage.hot.max_age_seconds", Positive),
    ("storage.hot.prune_interval", Positive),
    ("storage.warm", Map),
    ("storage.warm.enable", Boolean),
    ("storage.warm.path", Text),
    ("storage.warm.max_size_mb", Positive),
    ("storage.warm.compression", Word("none gzip zstd", 1002)),
    ("storage.cold", Map),
    ("storage.cold.enable", False),
    ("interface", Map),
    ("interface.query_timeout", Positive),
    ("interface.max_results", Positive),
    ("interface.enable_streaming", Boolean),
    ("dev", Map),
    ("dev.debug_mode", Boolean),
    ("dev.verbose_logging", Boolean),
    ("dev.performance_monitoring", Boolean),
    ("infrastructure", Map),
    ("infrastructure.rate_limiting", Map),
    ("infrastructure.rate_limiting.enabled", Boolean),
    ("infrastructure.rate_limiting.cleanup_interval", Positive),
    ("infrastructure.rate_limiting.default_rules", Map),
    ("infrastructure.rate_limiting.default_rules.*", Map),
    ("infrastructure.circuit_breaker", Map),
    ("infrastructure.circuit_breaker.default_config", Map),
    ("infrastructure.circuit_breaker.default_config.failure_threshold", Positive),
    ("infrastructure.circuit_breaker.default_config.recovery_time", Positive),
    ("infrastructure.circuit_breaker.default_config.call_timeout", Positive),
    ("infrastructure.circuit_breaker.enabled", Boolean),
    ("infrastructure.connection_pool", Map),
    ("infrastructure.connection_pool.default_config", Map),
    ("infrastructure.connection_pool.default_config.size", Positive),
    ("infrastructure.connection_pool.default_config.max_overflow", NotNegative),
    ("infrastructure.connection_pool.default_config.strategy", Word("lifo fifo", 1001)),
    ("infrastructure.connection_pool.enabled", Boolean),
];

/// What every rate limit has.
const RATE: &[(&str, Check)] = &[("scale", Positive), ("limit", Positive)];

/// What the original does not check; none of it has to be there.
const BEYOND: &[(&str, Check)] = &[
    ("ai.api_key", TextOrNull),
    ("ai.model", Text),
    ("capture.ring_buffer.num_buffers", Buffers),
    ("infrastructure.protection", Map),
    ("infrastructure.protection.*", Map),
];

/// The parts of what is configured for a key of protected calls.
const PARTS: &[(&str, &[(&str, Check)])] = &[
    ("circuit_breaker", &[("failure_threshold", Positive), ("recovery_time", Positive)]),
    ("rate_limiter", &[("scale", Positive), ("limit", Positive)]),
    ("connection_pool", &[("size", Positive), ("max_overflow", NotNegative)]),
];

/// A violation: the code of the original, and where.
pub(crate) type Broken = (u32, Vec<String>);

/// All that is wrong with a tree, in order.
pub(crate) fn broken(tree: &Value) -> Vec<Broken> {
    if tree.as_map().is_none() {
        return vec![(1001, Vec::new())];
    }
    let mut out = Vec::new();
    for (path, check) in ORIGINAL {
        let off = at(tree, "storage.warm.enable").and_then(Value::as_bool) != Some(true);
        let of_warm = path.starts_with("storage.warm.") && *path != "storage.warm.enable";
        if !(of_warm && off) {
            each(tree, path, true, &mut |path, value| {
                if judge(*check, path, value, &mut out) && path.len() == 4 && path[2] == "default_rules" {
                    for (field, check) in RATE {
                        judge_below(value, path, field, *check, &mut out);
                    }
                }
            });
        }
    }
    for (path, check) in BEYOND {
        each(tree, path, false, &mut |path, value| {
            if judge(*check, path, value, &mut out) && path.len() == 3 && path[1] == "protection" {
                for (part, fields) in PARTS {
                    let Some(section) = value.and_then(Value::as_map).and_then(|map| map.get(part)) else { continue };
                    let path = [path.clone(), vec![(*part).to_owned()]].concat();
                    if judge(Map, &path, Some(section), &mut out) {
                        for (field, check) in *fields {
                            judge_below(Some(section), &path, field, *check, &mut out);
                        }
                    }
                }
            }
        });
    }
    out
}

fn at<'t>(tree: &'t Value, path: &str) -> Option<&'t Value> {
    path.split('.').try_fold(tree, |place, key| place.as_map()?.get(key))
}

/// Calls `see` with every place of a path below maps, also if there is nothing and something has to be.
fn each(tree: &Value, path: &str, has_to_be: bool, see: &mut dyn FnMut(&Vec<String>, Option<&Value>)) {
    let (above, last) = path.rsplit_once('.').unwrap_or(("", path));
    let place = if above.is_empty() { Some(tree) } else { at(tree, above) };
    let Some(map) = place.and_then(Value::as_map) else { return };
    let below = |key: &str| above.split('.').filter(|key| !key.is_empty()).chain([key]).map(str::to_owned).collect();
    if last == "*" {
        for (key, value) in map {
            see(&below(key), Some(value));
        }
    } else if has_to_be || map.contains_key(last) {
        see(&below(last), map.get(last));
    }
}

fn judge_below(map: Option<&Value>, path: &[String], field: &str, check: Check, out: &mut Vec<Broken>) {
    let value = map.and_then(Value::as_map).and_then(|map| map.get(field));
    judge(check, &[path, &[field.to_owned()]].concat(), value, out);
}

/// Whether the value is right; notes what is wrong with it.
fn judge(check: Check, path: &[String], value: Option<&Value>, out: &mut Vec<Broken>) -> bool {
    let verdict = match value {
        None => Err(1001),
        Some(value) => fits(check, value),
    };
    if let Err(code) = verdict {
        // No path is longer than the longest key of a path allows, and such a place is named by the one above.
        let path = path.iter().take_while(|key| key.len() <= 255).cloned().collect();
        out.push((code, path));
    }
    verdict.is_ok()
}

fn fits(check: Check, value: &Value) -> Result<(), u32> {
    let (fits, code) = match check {
        Map => (matches!(value, Value::Map(_)), 1001),
        Positive => (matches!(value, Value::Int(1..)), 1001),
        NotNegative => (matches!(value, Value::Int(0..)), 1001),
        Boolean => (matches!(value, Value::Bool(_)), 1001),
        False => (matches!(value, Value::Bool(false)), 1001),
        Text => (matches!(value, Value::Text(_)), 1001),
        TextOrNull => (matches!(value, Value::Text(_) | Value::Null), 1001),
        Buffers => (matches!(value, Value::Int(1..)) || value.as_str() == Some("schedulers"), 1001),
        Word(words, code) => (value.as_str().is_some_and(|word| words.split(' ').any(|known| known == word)), code),
        Target => (in_range(value, f64::INFINITY), 1003),
        Rate => (in_range(value, 1.0), 1004),
    };
    if fits { Ok(()) } else { Err(code) }
}

fn in_range(value: &Value, max: f64) -> bool {
    let number = match value {
        Value::Int(number) => *number as f64,
        Value::Float(number) => number.get(),
        _ => return false,
    };
    number >= 0.0 && number <= max
}
