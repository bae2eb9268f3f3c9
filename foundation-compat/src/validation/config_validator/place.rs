//! Walking a tree of settings.

use foundation_config::{Path, Violation, ViolationKind, Violations};
use foundation_types::{Metadata, Text, Value};

use super::rule::{Rule, type_name};

/// A map in a tree, and where it is.
pub(crate) struct Place<'t> {
    map: &'t Metadata,
    path: Path,
}

impl<'t> Place<'t> {
    /// The root, unless the tree is no map, which is reported.
    pub(crate) fn root(tree: &'t Value, out: &mut Violations) -> Option<Self> {
        Self::new(tree, Path::ROOT, out)
    }

    fn new(value: &'t Value, path: Path, out: &mut Violations) -> Option<Self> {
        let Value::Map(map) = value else {
            let message = format!("expected a map, found {}", type_name(value));
            out.push(Violation::new(path, ViolationKind::Shape, message));
            return None;
        };
        Some(Self { map, path })
    }

    /// The path of a key, or of this place if paths do not reach what has the key.
    fn path_of(&self, key: &str) -> Path {
        self.path.join(key).unwrap_or_else(|_| self.path.clone())
    }

    /// The map at a key. That it is missing or something else is reported.
    pub(crate) fn map(&self, key: &str, out: &mut Violations) -> Option<Self> {
        let Some(value) = self.map.get(key) else {
            self.report_missing(key, "a map", out);
            return None;
        };
        Self::new(value, self.path_of(key), out)
    }

    /// As [`map`](Self::map), if there is anything at the key.
    pub(crate) fn map_if_there(&self, key: &str, out: &mut Violations) -> Option<Self> {
        self.map.contains_key(key).then(|| self.map(key, out)).flatten()
    }

    /// The map at a key, without a report if there is none.
    pub(crate) fn peek(&self, key: &str) -> Option<Self> {
        self.map_if_there(key, &mut Violations::new())
    }

    /// The keys, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'t Text> {
        self.map.iter().map(|(key, _)| key)
    }

    /// Checks the setting at a key.
    pub(crate) fn leaf(&self, key: &str, rule: Rule, out: &mut Violations) {
        match self.map.get(key) {
            Some(_) => self.leaf_if_there(key, rule, out),
            None => self.report_missing(key, &rule.expected(), out),
        }
    }

    /// Checks several settings by one rule.
    pub(crate) fn leaves(&self, keys: &[&str], rule: Rule, out: &mut Violations) {
        for key in keys {
            self.leaf(key, rule, out);
        }
    }

    /// Checks the setting at a key, if there is one.
    pub(crate) fn leaf_if_there(&self, key: &str, rule: Rule, out: &mut Violations) {
        if let Some(value) = self.map.get(key).filter(|value| !rule.holds(value)) {
            let message = format!("expected {}, found {}", rule.expected(), rule.found(value));
            out.push(Violation::new(self.path_of(key), rule.kind(), message));
        }
    }

    /// Whether true stands at a key.
    pub(crate) fn is_on(&self, key: &str) -> bool {
        self.map.get(key).and_then(Value::as_bool) == Some(true)
    }

    fn report_missing(&self, key: &str, expected: &str, out: &mut Violations) {
        out.push(Violation::new(self.path_of(key), ViolationKind::Shape, format!("missing; expected {expected}")));
    }
}
