//! Printing values without their secrets.

use std::fmt::{self, Write};

use crate::{Metadata, Value};

/// What stands in for a secret.
const REDACTED: &str = "[redacted]";
/// The parts of key names that mark a secret, letters only.
const SECRET: [&str; 5] = ["password", "token", "secret", "apikey", "authorization"];

/// Whether a value under this key must not be printed: its name, in any case and with or without separators, has
/// `password`, `token`, `secret`, `api_key` or `authorization` in it.
pub(super) fn is_secret(key: &str) -> bool {
    let letters: String = key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    SECRET.iter().any(|word| letters.contains(word))
}

/// Compact JSON of a value, secrets replaced at any depth.
pub(super) fn compact(value: &Value) -> String {
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = write_value(&mut text, value);
    text
}

fn write_value(out: &mut impl Write, value: &Value) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(bool) => write!(out, "{bool}"),
        Value::Int(int) => write!(out, "{int}"),
        Value::Float(float) => write!(out, "{:?}", float.get()),
        Value::Text(text) => write_text(out, text),
        Value::Time(time) => write!(out, "\"{time}\""),
        Value::List(items) => {
            out.write_char('[')?;
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.write_char(',')?;
                }
                write_value(out, item)?;
            }
            out.write_char(']')
        }
        Value::Map(map) => write_map(out, map, usize::MAX),
    }
}

/// Writes at most `limit` entries; `, …` stands for the rest.
fn write_map(out: &mut impl Write, map: &Metadata, limit: usize) -> fmt::Result {
    out.write_char('{')?;
    for (index, (key, value)) in map.iter().take(limit).enumerate() {
        if index > 0 {
            out.write_char(',')?;
        }
        write_text(out, key)?;
        out.write_char(':')?;
        if is_secret(key) {
            write_text(out, REDACTED)?;
        } else {
            write_value(out, value)?;
        }
    }
    if map.len() > limit {
        out.write_str(", …")?;
    }
    out.write_char('}')
}

fn write_text(out: &mut impl Write, text: &str) -> fmt::Result {
    let quoted = serde_json::to_string(text).map_err(|_| fmt::Error)?;
    out.write_str(&quoted)
}

/// Replaces the secrets in JSON, at any depth.
pub(super) fn redact_json(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Array(items) => items.iter_mut().for_each(redact_json),
        serde_json::Value::Object(object) => {
            for (key, value) in object {
                if is_secret(key) {
                    *value = REDACTED.into();
                } else {
                    redact_json(value);
                }
            }
        }
        _ => {}
    }
}

/// Shows a map as compact JSON without its secrets.
pub(super) struct Redacted<'m> {
    map: &'m Metadata,
    limit: usize,
}

impl<'m> Redacted<'m> {
    /// Every entry.
    pub(super) const fn whole(map: &'m Metadata) -> Self {
        Self { map, limit: usize::MAX }
    }

    /// The first `limit` entries in key order.
    pub(super) const fn first(map: &'m Metadata, limit: usize) -> Self {
        Self { map, limit }
    }
}

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_map(f, self.map, self.limit)
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_at_any_depth_and_in_any_spelling() {
        let inner = Metadata::new().with("API-Key", "k1").with("user", "ann");
        let map = Metadata::new().with("dbPassword", 7).with("list", vec![Value::Map(inner)]);
        assert_eq!(
            Redacted::whole(&map).to_string(),
            r#"{"dbPassword":"[redacted]","list":[{"API-Key":"[redacted]","user":"ann"}]}"#
        );
        assert_eq!(compact(map.get("list").expect("set")), r#"[{"API-Key":"[redacted]","user":"ann"}]"#);
    }

    #[test]
    fn entries_past_the_limit_become_an_ellipsis() {
        let map: Metadata = [("a", 1), ("b", 2), ("c", 3), ("d", 4)].into();
        assert_eq!(Redacted::first(&map, 3).to_string(), r#"{"a":1,"b":2,"c":3, …}"#);
        assert_eq!(Redacted::first(&map, 4).to_string(), r#"{"a":1,"b":2,"c":3,"d":4}"#);
    }
}
