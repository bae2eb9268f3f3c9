//! Trees as plain values, by brute force: what the models of the suite are made of.

use std::collections::BTreeSet;

use foundation_types::{Metadata, Value};

use super::backend::Differs;
use crate::path::Path;

/// A map without keys.
pub(super) fn empty() -> Value {
    Metadata::new().into()
}

/// A path that the suite itself writes down.
pub(super) fn path(text: &str) -> Path {
    text.parse().expect("a path of the suite")
}

/// What is at a path.
pub(super) fn at<'v>(tree: &'v Value, path: &Path) -> Option<&'v Value> {
    path.components().try_fold(tree, |value, key| value.as_map()?.get(key))
}

/// Puts a value at a path; what is no map on the way becomes one.
pub(super) fn put(tree: &mut Value, path: &Path, value: Value) {
    let mut place = tree;
    for key in path.components() {
        if place.as_map().is_none() {
            *place = empty();
        }
        let Value::Map(map) = place else { unreachable!("made a map above") };
        if !map.contains_key(key) {
            map.insert(key, empty());
        }
        place = map.get_mut(key).expect("inserted above");
    }
    *place = value;
}

/// Takes what is at a path, which is not the root; maps on the way stay.
pub(super) fn take(tree: &mut Value, path: &Path) -> Option<Value> {
    let parent = path.parent()?;
    let mut place = tree;
    for key in parent.components() {
        let Value::Map(map) = place else { return None };
        place = map.get_mut(key)?;
    }
    let Value::Map(map) = place else { return None };
    map.remove(path.last()?)
}

/// Map over map by key, in every other case what lies above.
pub(super) fn merge(lower: &Value, upper: &Value) -> Value {
    let (Value::Map(lower), Value::Map(upper)) = (lower, upper) else { return upper.clone() };
    let keys: BTreeSet<_> = lower.iter().chain(upper.iter()).map(|(key, _)| key.clone()).collect();
    let shown = keys.into_iter().map(|key| {
        let value = match (lower.get(&key), upper.get(&key)) {
            (Some(lower), Some(upper)) => merge(lower, upper),
            (Some(only), None) | (None, Some(only)) => only.clone(),
            (None, None) => unreachable!("the key is of one of the two"),
        };
        (key, value)
    });
    shown.collect::<Metadata>().into()
}

/// All paths that lead to something, the root first.
pub(super) fn paths(tree: &Value) -> Vec<Path> {
    fn collect(here: &Path, value: &Value, paths: &mut Vec<Path>) {
        paths.push(here.clone());
        for (key, value) in value.as_map().into_iter().flatten() {
            if let Ok(below) = here.join(key.clone()) {
                collect(&below, value, paths);
            }
        }
    }
    let mut found = Vec::new();
    collect(&Path::ROOT, tree, &mut found);
    found
}

/// The paths of these trees, and a path below each of them that leads nowhere.
pub(super) fn paths_around<'v>(trees: impl IntoIterator<Item = &'v Value>) -> BTreeSet<Path> {
    let known: BTreeSet<Path> = trees.into_iter().flat_map(paths).collect();
    let beyond = known.iter().filter_map(|path| path.join("nowhere").ok());
    beyond.chain(known.iter().cloned()).collect()
}

/// The highest places at which two trees differ and are not both maps, in path order.
pub(super) fn differences(old: &Value, new: &Value) -> Vec<Differs> {
    let known: BTreeSet<Path> = paths(old).into_iter().chain(paths(new)).collect();
    let mut found: Vec<Differs> = Vec::new();
    for path in known {
        let (old, new) = (at(old, &path), at(new, &path));
        let are_maps = old.is_some_and(|old| old.as_map().is_some()) && new.is_some_and(|new| new.as_map().is_some());
        if old != new && !are_maps && !found.iter().any(|above| path.starts_with(&above.path)) {
            found.push(Differs { path, old: old.cloned(), new: new.cloned() });
        }
    }
    found
}

/// Whether nothing of what lies below shows at a path through this tree.
pub(super) fn hides(tree: &Value, path: &Path) -> bool {
    prefixes(path).any(|prefix| at(tree, &prefix).is_some_and(|value| value.as_map().is_none()))
}

/// The path and all above it, the root first.
pub(super) fn prefixes(path: &Path) -> impl Iterator<Item = Path> {
    let components: Vec<String> = path.components().map(ToOwned::to_owned).collect();
    (0..=components.len()).map(move |len| Path::new(components[..len].iter().cloned()).expect("shorter than a path"))
}
