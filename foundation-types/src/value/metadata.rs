//! Ordered maps of values.

use std::collections::btree_map::{self, BTreeMap};
use std::fmt;

use super::{Text, Value};

/// An ordered map from text keys to [`Value`]s.
///
/// ```
/// use foundation_types::{Metadata, Value};
///
/// let meta = Metadata::new().with("type", "worker").with("priority", 3);
/// assert_eq!(meta.get("priority"), Some(&Value::Int(3)));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metadata(BTreeMap<Text, Value>);

impl Metadata {
    /// An empty map; allocates nothing.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// This map with `key` set to `value`.
    #[must_use]
    pub fn with(mut self, key: impl Into<Text>, value: impl Into<Value>) -> Self {
        self.insert(key, value);
        self
    }

    /// Sets `key` to `value` and returns what it was.
    pub fn insert(&mut self, key: impl Into<Text>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(key.into(), value.into())
    }

    /// Removes `key` and returns what it was.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The value of `key`, to be changed in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.get_mut(key)
    }

    /// The value at a path of nested maps.
    pub fn get_path<'k>(&self, path: impl IntoIterator<Item = &'k str>) -> Option<&Value> {
        let mut path = path.into_iter();
        let first = self.get(path.next()?)?;
        path.try_fold(first, |value, key| value.as_map()?.get(key))
    }

    /// Whether `key` is set.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values in key order.
    pub fn iter(&self) -> btree_map::Iter<'_, Text, Value> {
        self.0.iter()
    }

    /// Lays `other` over this map: its values win where both have a key. Nested maps are replaced, not merged.
    pub fn overlay(&mut self, other: &Self) {
        self.0.extend(other.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
}

impl<K: Into<Text>, V: Into<Value>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl<K: Into<Text>, V: Into<Value>> Extend<(K, V)> for Metadata {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        self.0.extend(entries.into_iter().map(|(key, value)| (key.into(), value.into())));
    }
}

impl<K: Into<Text>, V: Into<Value>, const N: usize> From<[(K, V); N]> for Metadata {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl IntoIterator for Metadata {
    type Item = (Text, Value);
    type IntoIter = btree_map::IntoIter<Text, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'m> IntoIterator for &'m Metadata {
    type Item = (&'m Text, &'m Value);
    type IntoIter = btree_map::Iter<'m, Text, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.0).finish()
    }
}
