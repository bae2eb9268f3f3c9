//! What a person can do about an error.

use super::kind::ErrorKind;
use crate::{Metadata, Text, Value};

const CONFIG_NOT_FOUND: &[&str] = &["Check configuration file", "Verify configuration path"];
const INVALID_CONFIG_VALUE: &[&str] =
    &["Check configuration format", "Validate against schema", "Review documentation"];
const SERVICE_UNAVAILABLE: &[&str] = &["Check service health", "Verify network connectivity", "Review service logs"];
const RESOURCE_EXHAUSTED: &[&str] = &["Check memory usage", "Review resource limits", "Scale resources if needed"];
const NETWORK_ERROR: &[&str] = &["Check network connectivity", "Retry with exponential backoff"];
const TIMEOUT: &[&str] = &["Increase timeout value", "Check network latency", "Review service performance"];
const DATA_CORRUPTION: &[&str] = &["Restore from backup", "Contact system administrator"];
const OTHERS: &[&str] = &["Check logs for details", "Review error context", "Contact support if needed"];

/// The actions for an error of this kind with this context; at least one. An `operation` in the context adds one that
/// names it.
pub(super) fn actions(kind: &ErrorKind, context: &Metadata) -> Vec<Text> {
    let fixed = match kind {
        ErrorKind::ConfigNotFound => CONFIG_NOT_FOUND,
        ErrorKind::InvalidConfigValue => INVALID_CONFIG_VALUE,
        ErrorKind::ServiceUnavailable => SERVICE_UNAVAILABLE,
        ErrorKind::ResourceExhausted => RESOURCE_EXHAUSTED,
        ErrorKind::NetworkError => NETWORK_ERROR,
        ErrorKind::Timeout => TIMEOUT,
        ErrorKind::DataCorruption => DATA_CORRUPTION,
        _ => OTHERS,
    };
    let mut actions: Vec<Text> = fixed.iter().map(|action| Text::from_static(action)).collect();
    match context.get("operation") {
        None | Some(Value::Null) => {}
        Some(Value::Text(operation)) => actions.push(review(operation)),
        Some(operation) => actions.push(review(&super::redact::compact(operation))),
    }
    actions
}

fn review(operation: &str) -> Text {
    format!("Review {operation} implementation").into()
}
