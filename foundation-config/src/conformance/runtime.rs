//! The model of the layer of run time.

use std::collections::BTreeSet;

use foundation_types::{Metadata, Value};

use super::trees::{at, empty, prefixes, put, take};
use crate::path::Path;

/// What was written at run time: a tree, and the places where a map was written, which lets nothing through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    tree: Value,
    maps: BTreeSet<Path>,
}

impl Default for Written {
    fn default() -> Self {
        Self { tree: empty(), maps: BTreeSet::new() }
    }
}

impl Written {
    pub(super) const fn tree(&self) -> &Value {
        &self.tree
    }

    pub(super) fn set(&mut self, path: &Path, value: &Value) {
        self.maps.retain(|map| !map.starts_with(path));
        if value.as_map().is_some() {
            self.maps.insert(path.clone());
        }
        put(&mut self.tree, path, value.clone());
    }

    /// Takes back what is at and below a path, and the maps on the way that nobody wrote and that are empty then; whether
    /// there was something.
    pub(super) fn unset(&mut self, path: &Path) -> bool {
        if at(&self.tree, path).is_none() || *self == Self::default() {
            return false;
        }
        if path.is_root() {
            *self = Self::default();
            return true;
        }
        self.maps.retain(|map| !map.starts_with(path));
        take(&mut self.tree, path);
        let mut above = path.parent();
        while let Some(map) = above.filter(|map| !map.is_root()) {
            if self.maps.contains(&map) || at(&self.tree, &map) != Some(&empty()) {
                break;
            }
            take(&mut self.tree, &map);
            above = map.parent();
        }
        true
    }

    /// What shows where this lies over `below`.
    pub(super) fn over(&self, below: &Value) -> Value {
        self.over_at(&Path::ROOT, below, &self.tree)
    }

    fn over_at(&self, here: &Path, lower: &Value, upper: &Value) -> Value {
        let (Value::Map(lower), Value::Map(upper)) = (lower, upper) else { return upper.clone() };
        if self.maps.contains(here) {
            return upper.clone().into();
        }
        let mut shown: Metadata = lower.clone();
        for (key, value) in upper {
            let below = here.join(key.clone()).expect("paths in the model are short");
            let value = lower.get(key).map_or_else(|| value.clone(), |lower| self.over_at(&below, lower, value));
            shown.insert(key.clone(), value);
        }
        shown.into()
    }

    /// Whether nothing of what lies below shows at a path.
    pub(super) fn hides(&self, path: &Path) -> bool {
        let is_wall = |prefix: &Path| {
            self.maps.contains(prefix) || at(&self.tree, prefix).is_some_and(|value| value.as_map().is_none())
        };
        prefixes(path).any(|prefix| is_wall(&prefix))
    }

    /// The highest places at which this and an earlier state differ, in what they hold or in what they let through.
    pub(super) fn differences(&self, before: &Self) -> Vec<Path> {
        let mut places: BTreeSet<Path> =
            super::trees::differences(&before.tree, &self.tree).into_iter().map(|one| one.path).collect();
        places.extend(self.maps.symmetric_difference(&before.maps).cloned());
        let highest = |path: &Path| !places.iter().any(|above| path != above && path.starts_with(above));
        places.iter().filter(|path| highest(path)).cloned().collect()
    }
}
