//! What differs between two configurations.

use std::collections::BTreeMap;
use std::fmt;

use foundation_config::{Path, REDACTED, Schema};
use foundation_types::{Metadata, Text, Value};

use crate::types::config::FoundationConfig;
use crate::validation::record::path_value;

/// What differs between two configurations, by key, and only that. Secrets do not show in its `Debug`; they are in what
/// [`to_metadata`](Self::to_metadata) gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigDiff(BTreeMap<Text, DiffEntry>);

/// What differs under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiffEntry {
    /// Both sides are maps, which differ in this.
    Nested(ConfigDiff),
    /// The sides differ as they are.
    Changed(Changed),
}

/// One difference.
#[derive(Clone, PartialEq, Eq)]
pub struct Changed {
    /// Where; of a key that is longer than those of paths the place above.
    pub path: Path,
    /// What was there; `None` if nothing was.
    pub old: Option<Value>,
    /// What is there; `None` if nothing is.
    pub new: Option<Value>,
}

impl ConfigDiff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What differs under a key.
    pub fn get(&self, key: &str) -> Option<&DiffEntry> {
        self.0.get(key)
    }

    /// The keys under which something differs, in order, and what.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &DiffEntry)> {
        self.0.iter()
    }

    /// The differences as the original gives them: nested maps, and at their ends maps of `path`, `old` and `new`. A side
    /// that is absent has no key.
    pub fn to_metadata(&self) -> Metadata {
        let entry = |entry: &DiffEntry| match entry {
            DiffEntry::Nested(diff) => diff.to_metadata(),
            DiffEntry::Changed(changed) => changed.to_metadata(),
        };
        self.0.iter().map(|(key, value)| (key.clone(), entry(value))).collect()
    }
}

impl Changed {
    fn to_metadata(&self) -> Metadata {
        let mut map = Metadata::new().with("path", path_value(&self.path));
        for (side, value) in [("old", &self.old), ("new", &self.new)] {
            if let Some(value) = value {
                map.insert(side, value.clone());
            }
        }
        map
    }
}

impl fmt::Debug for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |side: &Option<Value>| match side {
            None => "(absent)".to_owned(),
            Some(value) => redacted(&self.path, value).to_string(),
        };
        write!(f, "{}: {} -> {}", self.path, show(&self.old), show(&self.new))
    }
}

/// The value at `path` without the secrets that it is, or has in it.
pub(crate) fn redacted(path: &Path, value: &Value) -> Value {
    if !value.is_null() && is_secret(path) {
        return REDACTED.into();
    }
    match value {
        Value::Map(map) => {
            let below = |key: &Text| path.join(key.clone()).unwrap_or_else(|_| path.clone());
            map.iter().map(|(key, value)| (key.clone(), redacted(&below(key), value))).collect::<Metadata>().into()
        }
        Value::List(items) => Value::List(items.iter().map(|item| redacted(path, item)).collect()),
        other => other.clone(),
    }
}

/// Whether what is at the path is a secret or a part of one.
fn is_secret(path: &Path) -> bool {
    FoundationConfig::secret(path) || path.parent().is_some_and(|above| is_secret(&above))
}

/// What differs between two trees: nested where both sides are maps. That a key is absent is something else than that it is
/// null. What is no map has no keys.
pub fn diff_configs(old: &Value, new: &Value) -> ConfigDiff {
    let none = Metadata::new();
    between(old.as_map().unwrap_or(&none), new.as_map().unwrap_or(&none), &Path::ROOT)
}

fn between(old: &Metadata, new: &Metadata, at: &Path) -> ConfigDiff {
    let mut keys: Vec<&Text> = old.iter().chain(new).map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut entries = BTreeMap::new();
    for key in keys {
        let path = at.join(key.clone()).unwrap_or_else(|_| at.clone());
        let entry = match (old.get(key), new.get(key)) {
            (old, new) if old == new => continue,
            (Some(Value::Map(old)), Some(Value::Map(new))) => DiffEntry::Nested(between(old, new, &path)),
            (old, new) => DiffEntry::Changed(Changed { path, old: old.cloned(), new: new.cloned() }),
        };
        entries.insert(key.clone(), entry);
    }
    ConfigDiff(entries)
}
