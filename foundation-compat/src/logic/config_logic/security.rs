//! Paths and values that are refused for what they are.

use foundation_config::{IntoPath, Limit, Limits, MAX_COMPONENT_LEN, MAX_PATH_COMPONENTS, Path, PathError, ValueFault};
use foundation_types::bridge::{self, BridgeErrorKind};
use foundation_types::{Error, Text, Value};
use serde::Serialize;

use crate::validation::record;

/// What no component of a path and no key has in it, in this very spelling.
pub const CASE_SENSITIVE_DENIED: [&str; 8] = [
    "Elixir.System",
    "Elixir.File",
    "Elixir.Code",
    "Elixir.Process",
    "Elixir.Node",
    "Elixir.Kernel",
    "__struct__",
    "__info__",
];

/// What no component of a path and no key has in it, in capitals or not.
pub const CASE_INSENSITIVE_DENIED: [&str; 5] = ["../", "etc/passwd", "DROP TABLE", "<script>", "eval_string"];

/// The longest text and the longest key of a value, in bytes.
pub const MAX_VALUE_TEXT_BYTES: usize = 1_000_000;

/// The deepest nesting of a value, itself at depth 0.
pub const MAX_VALUE_NESTING: usize = 20;

/// Whether a text may be a component of a path, or a key in a value: it has nothing in it of [`CASE_SENSITIVE_DENIED`] or
/// [`CASE_INSENSITIVE_DENIED`]. For a store: its policy for paths and keys. O(length).
pub fn allows_component(text: &str) -> bool {
    let bytes = text.as_bytes();
    let has = |denied: &str| bytes.windows(denied.len()).any(|part| part.eq_ignore_ascii_case(denied.as_bytes()));
    !CASE_SENSITIVE_DENIED.iter().any(|denied| text.contains(denied))
        && !CASE_INSENSITIVE_DENIED.iter().any(|denied| has(denied))
}

/// The path, if it may be used at all.
pub(crate) fn secure_path(path: impl IntoPath) -> Result<Path, Error> {
    // For the context of an error, which holds no more of a path than a path could be.
    let mut seen: Vec<Text> = Vec::new();
    let walked = path.visit(|component| {
        if seen.len() < MAX_PATH_COMPONENTS {
            seen.push(shortened(component).into());
        }
        Ok(())
    });
    let checked = walked.and_then(|()| path.into_path()).and_then(|path| {
        let denied = path.components().position(|component| !allows_component(component));
        denied.map_or(Ok(path), |index| Err(PathError::Forbidden { index }))
    });
    checked.map_err(|error| record::path_refused(&error, seen))
}

fn shortened(component: &str) -> &str {
    &component[..component.floor_char_boundary(MAX_COMPONENT_LEN)]
}

/// The value as trees hold it, if it may be put anywhere at all.
pub(crate) fn check_value(path: &Path, value: impl Serialize) -> Result<Value, Error> {
    let value = bridge::to_value(&value).map_err(|error| {
        let fault = match error.kind() {
            BridgeErrorKind::TooDeep => ValueFault::TooDeep { max: MAX_VALUE_NESTING },
            _ => ValueFault::NotAValue,
        };
        record::value_refused(path, None, fault)
    })?;
    let max = Limits::default().value_nodes;
    let mut left = max;
    match check_node(&value, 0, &mut left) {
        Ok(()) => Ok(value),
        Err(Some(fault)) => Err(record::value_refused(path, Some(&value), fault)),
        Err(None) => Err(record::limit_exceeded(path, Limit::ValueNodes, max)),
    }
}

/// `None` of an error is that there are too many nodes. No deeper than [`MAX_VALUE_NESTING`].
fn check_node(value: &Value, depth: usize, left: &mut usize) -> Result<(), Option<ValueFault>> {
    if depth > MAX_VALUE_NESTING {
        return Err(Some(ValueFault::TooDeep { max: MAX_VALUE_NESTING }));
    }
    *left = left.checked_sub(1).ok_or(None)?;
    match value {
        Value::Text(text) => check_length(text),
        Value::List(items) => items.iter().try_for_each(|item| check_node(item, depth + 1, left)),
        Value::Map(map) => map.iter().try_for_each(|(key, value)| {
            check_length(key)?;
            if !allows_component(key) {
                return Err(Some(ValueFault::Forbidden));
            }
            check_node(value, depth + 1, left)
        }),
        _ => Ok(()),
    }
}

fn check_length(text: &str) -> Result<(), Option<ValueFault>> {
    if text.len() > MAX_VALUE_TEXT_BYTES {
        return Err(Some(ValueFault::TextTooLong { max: MAX_VALUE_TEXT_BYTES }));
    }
    Ok(())
}
