//! Values and what is in them.

use foundation_types::error::{Classify, Domain, ErrorKind};
use foundation_types::{MAX_VALUE_DEPTH, Metadata, Text, Value};

/// `left` with `right` laid over it: maps are merged key by key at every depth; in every other case `right` wins, also null
/// and lists. See [`Value::deep_merge`].
pub fn deep_merge(left: Value, right: Value) -> Value {
    left.deep_merge(right)
}

/// The value at a path of nested maps, or `default` if a step is missing or null, or leads into something that is no map.
/// The empty path leads to `value` itself, whatever it is.
pub fn get_nested<'v>(value: &'v Value, path: &[impl AsRef<str>], default: &'v Value) -> &'v Value {
    let step = |value: &'v Value, key: &str| value.as_map()?.get(key).filter(|value| !value.is_null());
    path.iter().try_fold(value, |value, key| step(value, key.as_ref())).unwrap_or(default)
}

/// As [`get_nested`], with null as the default.
pub fn get_nested_2<'v>(value: &'v Value, path: &[impl AsRef<str>]) -> &'v Value {
    get_nested(value, path, &Value::Null)
}

/// Sets what is at a path of nested maps, and makes those that are missing. The empty path leads to `value` itself.
///
/// # Errors
/// [`PutNestedError`], and then nothing has changed.
pub fn put_nested(value: &mut Value, path: &[impl AsRef<str>], new: impl Into<Value>) -> Result<(), PutNestedError> {
    if path.len() > MAX_VALUE_DEPTH {
        return Err(PutNestedError::TooDeep { steps: path.len() });
    }
    check(value, path)?;
    let mut place = value;
    let mut left = path.iter();
    let mut made = new.into();
    for key in left.by_ref() {
        let Value::Map(map) = place else { unreachable!("the path was checked") };
        if !map.contains_key(key.as_ref()) {
            // Built from the inside, so that the map is touched once.
            made = left.rev().fold(made, |inner, key| Metadata::new().with(key.as_ref(), inner).into());
            map.insert(key.as_ref(), made);
            return Ok(());
        }
        place = map.get_mut(key.as_ref()).expect("the map has the key");
    }
    std::mem::replace(place, made).dismantle();
    Ok(())
}

/// Whether every step of the path that is there, but for the last, is a map.
fn check(value: &Value, path: &[impl AsRef<str>]) -> Result<(), PutNestedError> {
    let mut place = value;
    for (step, key) in path.iter().enumerate() {
        let Some(map) = place.as_map() else {
            let path = path[..step].iter().map(|key| Text::from(key.as_ref())).collect();
            return Err(PutNestedError::NotAMap { path, found: type_of(place) });
        };
        match map.get(key.as_ref()) {
            Some(next) => place = next,
            None => return Ok(()),
        }
    }
    Ok(())
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) => "integer",
        Value::Float(_) => "float",
        Value::Text(_) => "text",
        Value::Time(_) => "time",
        Value::List(_) => "list",
        Value::Map(_) => "map",
    }
}

/// Why nothing can be put at a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PutNestedError {
    /// The path leads into something that is no map.
    #[error("{found} at /{}, where the path needs a map", .path.join("/"))]
    NotAMap {
        /// Where it is.
        path: Vec<Text>,
        /// What it is.
        found: &'static str,
    },
    /// The path is longer than values can be deep, and nothing could read back what it would make.
    #[error("a path of {steps} steps, and values are at most {MAX_VALUE_DEPTH} deep")]
    TooDeep {
        /// The steps of the path.
        steps: usize,
    },
}

impl Classify for PutNestedError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotAMap { .. } => ErrorKind::TypeMismatch,
            Self::TooDeep { .. } => ErrorKind::InvalidInput,
        }
    }

    fn domain(&self) -> Domain {
        Domain::Core
    }
}

/// Whether the value is null, a text of nothing but white space, an empty list or an empty map.
pub fn blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Time(_) => false,
    }
}

/// Whether the value is not [`blank`].
pub fn present(value: &Value) -> bool {
    !blank(value)
}

/// The value itself: keys are text already.
pub const fn stringify_keys(value: Value) -> Value {
    value
}

/// The value itself: there are no atoms that keys could become.
pub const fn atomize_keys(value: Value) -> Value {
    value
}

/// Whether the value is a whole number above 0. `1.0`, `true` and `"1"` are none.
pub fn valid_positive_integer(value: &Value) -> bool {
    value.as_i64().is_some_and(|number| number > 0)
}
