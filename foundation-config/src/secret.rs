//! Values that never show.

use std::fmt;

use foundation_types::{Metadata, Text, Value};
use serde::{Deserialize, Deserializer};

use crate::path::Path;
use crate::tree::Node;

/// What stands for a secret wherever a person could read it.
pub const REDACTED: &str = "[redacted]";

/// The keys under which a secret is expected: the last component of a path that [`default_secret`] knows.
pub const SECRET_KEYS: [&str; 5] = ["api_key", "encryption_key", "password", "secret", "token"];

/// Whether the last component of the path is one of [`SECRET_KEYS`], whatever its case.
pub fn default_secret(path: &Path) -> bool {
    path.last().is_some_and(|last| SECRET_KEYS.iter().any(|key| last.eq_ignore_ascii_case(key)))
}

/// A value that shows in neither `Debug` nor `Display`, and that does not serialise: whoever wants it out has to say
/// [`expose`](Self::expose).
///
/// ```
/// use foundation_config::Secret;
///
/// let token = Secret::new("hunter2".to_owned());
/// assert_eq!(format!("{token:?} {token}"), "[redacted] [redacted]");
/// assert_eq!(token.expose(), "hunter2");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value, by value.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    /// Reads a `T`. The text of an error may quote what was found, so settings report it for secret paths without.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

/// Whether what is at `path` is a secret, or a part of one.
pub(crate) fn is_secret(path: &Path, secret: fn(&Path) -> bool) -> bool {
    secret(path) || path.parent().is_some_and(|parent| is_secret(&parent, secret))
}

/// The value at `path` with every secret at and below it replaced by [`REDACTED`]. A secret that is null stays: that there
/// is none is no secret. What lies in a list is judged by the path of the list and by the keys of its maps.
pub(crate) fn redacted(path: &Path, value: &Value, secret: fn(&Path) -> bool) -> Value {
    if !value.is_null() && is_secret(path, secret) {
        return Value::from(REDACTED);
    }
    redacted_below(path, value, secret)
}

fn redacted_below(path: &Path, value: &Value, secret: fn(&Path) -> bool) -> Value {
    if value.is_null() {
        return Value::Null;
    }
    if secret(path) {
        return Value::from(REDACTED);
    }
    match value {
        Value::Map(map) => map
            .iter()
            .map(|(key, value)| {
                // A path too long for a setting is judged by its last key alone.
                let below = path.join(key.clone()).or_else(|_| Path::ROOT.join(key.clone()));
                let value = below.map_or_else(|_| Value::from(REDACTED), |below| redacted_below(&below, value, secret));
                (key.clone(), value)
            })
            .collect::<Metadata>()
            .into(),
        Value::List(items) => Value::List(items.iter().map(|item| redacted_below(path, item, secret)).collect()),
        other => other.clone(),
    }
}

/// Whether a message quotes a secret of the tree at `path`.
pub(crate) fn quotes_secret(message: &str, path: &Path, tree: &Node, secret: fn(&Path) -> bool) -> bool {
    fn quotes(message: &str, value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::List(items) => items.iter().any(|item| quotes(message, item)),
            Value::Map(map) => map.iter().any(|(_, value)| quotes(message, value)),
            Value::Text(text) if text.is_empty() => false,
            // As it is, and as JSON and Rust write it in quotes.
            Value::Text(text) => [text.to_string(), unquoted(&value.to_string()), unquoted(&format!("{text:?}"))]
                .iter()
                .any(|form| message.contains(form.as_str())),
            other => message.contains(&other.to_string()),
        }
    }
    fn unquoted(text: &str) -> String {
        text.trim_matches('"').to_owned()
    }
    fn search(message: &str, path: &Path, node: &Node, secret: fn(&Path) -> bool) -> bool {
        if secret(path) {
            return quotes(message, &node.to_value());
        }
        match node {
            Node::Leaf(_) => false,
            // What lies in a list is judged by the path of the list and by the keys of its maps.
            Node::List(list) => search_list(message, path, list, secret),
            Node::Map(branch) => branch.iter().any(|(key, below)| search(message, &joined(path, key), below, secret)),
        }
    }
    fn search_list(message: &str, path: &Path, value: &Value, secret: fn(&Path) -> bool) -> bool {
        if secret(path) {
            return quotes(message, value);
        }
        match value {
            Value::List(items) => items.iter().any(|item| search_list(message, path, item, secret)),
            Value::Map(map) => map.iter().any(|(key, value)| search_list(message, &joined(path, key), value, secret)),
            _ => false,
        }
    }
    fn joined(path: &Path, key: &Text) -> Path {
        // A path too long for a setting is judged by its last key alone.
        path.join(key.clone()).or_else(|_| Path::ROOT.join(key.clone())).unwrap_or_default()
    }
    if is_secret(path, secret) { quotes(message, &tree.to_value()) } else { search(message, path, tree, secret) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_withheld_at_every_depth_and_in_lists() {
        let inner = Metadata::new().with("token", 7).with("port", 1);
        let value = Value::from(
            Metadata::new()
                .with("Password", "hunter2")
                .with("secret", Value::Null)
                .with("hosts", vec![Value::from(inner.clone())])
                .with("host", inner),
        );
        let shown = redacted(&Path::ROOT, &value, default_secret).to_string();
        assert_eq!(
            shown,
            r#"{"Password":"[redacted]","host":{"port":1,"token":"[redacted]"},"hosts":[{"port":1,"token":"[redacted]"}],"secret":null}"#
        );
    }
}
