//! Trees of settings that share what did not change.

mod diff;
mod merge;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_types::{Metadata, Text, Value};

pub(crate) use self::diff::each_layer_difference;
pub use self::diff::{Diff, Difference};
pub(crate) use self::merge::merge;
pub use self::view::Tree;

/// One place of a tree. A copy shares everything below it. No `Debug`: it may hold secrets.
#[derive(Clone)]
pub(crate) enum Node {
    /// What has nothing below it that a path leads to.
    Leaf(Value),
    /// A [`Value::List`], which is one value: no path leads into it.
    List(Arc<Value>),
    /// Places by key.
    Map(Arc<Branch>),
}

/// The places below one place.
#[derive(Clone, Default)]
pub(crate) struct Branch {
    entries: BTreeMap<Text, Node>,
    /// How it lies over a map of a lower layer.
    cover: Cover,
    /// How many nodes there are at and below this place.
    nodes: usize,
}

/// How a map lies over a map of a lower layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cover {
    /// Keys that it does not have show through.
    #[default]
    Merge,
    /// Nothing shows through.
    Replace,
}

impl Branch {
    fn new(entries: BTreeMap<Text, Node>, cover: Cover) -> Self {
        let nodes = entries.values().map(Node::nodes).sum::<usize>() + 1;
        Self { entries, cover, nodes }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Text, &Node)> {
        self.entries.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Node {
    /// A map without keys.
    pub(crate) fn empty() -> Self {
        Self::branch(BTreeMap::new(), Cover::Merge)
    }

    fn branch(entries: BTreeMap<Text, Node>, cover: Cover) -> Self {
        Self::Map(Arc::new(Branch::new(entries, cover)))
    }

    /// The tree of a value.
    pub(crate) fn from_value(value: Value) -> Self {
        match value {
            list @ Value::List(_) => Self::List(Arc::new(list)),
            Value::Map(map) => {
                let entries = map.into_iter().map(|(key, value)| (key, Self::from_value(value)));
                Self::branch(entries.collect(), Cover::Merge)
            }
            leaf => Self::Leaf(leaf),
        }
    }

    /// The value of the tree. O(size) for maps and lists.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Leaf(leaf) => leaf.clone(),
            Self::List(list) => Value::clone(list),
            Self::Map(branch) => {
                Value::Map(branch.iter().map(|(key, node)| (key.clone(), node.to_value())).collect::<Metadata>())
            }
        }
    }

    /// This map such that nothing of a lower layer shows through it; other places hide what is below them anyway.
    pub(crate) fn replacing(self) -> Self {
        match self {
            Self::Map(mut branch) => {
                Arc::make_mut(&mut branch).cover = Cover::Replace;
                Self::Map(branch)
            }
            other => other,
        }
    }

    pub(crate) fn as_branch(&self) -> Option<&Branch> {
        if let Self::Map(branch) = self { Some(branch) } else { None }
    }

    pub(crate) const fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }

    /// Whether this is a map without keys that hides nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.as_branch().is_some_and(|branch| branch.is_empty() && branch.cover == Cover::Merge)
    }

    /// The place one step below.
    pub(crate) fn child(&self, key: &str) -> Option<&Self> {
        self.as_branch()?.entries.get(key)
    }

    /// The place at the end of a path.
    pub(crate) fn at(&self, path: &[Text]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.child(key))
    }

    /// How many nodes there are, this one and the items of lists included. O(1) for maps.
    pub(crate) fn nodes(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::List(list) => value_nodes(list),
            Self::Map(branch) => branch.nodes,
        }
    }

    /// How many leaves paths lead to; an empty map is one.
    pub(crate) fn leaves(&self) -> usize {
        match self.as_branch() {
            Some(branch) if !branch.is_empty() => branch.iter().map(|(_, node)| node.leaves()).sum(),
            _ => 1,
        }
    }

    /// This tree with `node` at `path`; what is no map on the way becomes one. O(width of the maps on the way).
    pub(crate) fn with(&self, path: &[Text], node: Self) -> Self {
        let Some((key, rest)) = path.split_first() else { return node };
        let (mut entries, cover) = match self.as_branch() {
            Some(branch) => (branch.entries.clone(), branch.cover),
            None => (BTreeMap::new(), Cover::Replace),
        };
        let below =
            entries.get(key).map_or_else(|| Self::empty().with(rest, node.clone()), |old| old.with(rest, node.clone()));
        entries.insert(key.clone(), below);
        Self::branch(entries, cover)
    }

    /// This tree without what is at `path`, and without the maps on the way that are empty then; `None` if there was
    /// nothing.
    pub(crate) fn without(&self, path: &[Text]) -> Option<Self> {
        let Some((key, rest)) = path.split_first() else { return Some(Self::empty()) };
        let branch = self.as_branch()?;
        let child = branch.entries.get(key)?;
        let mut entries = branch.entries.clone();
        if rest.is_empty() {
            entries.remove(key);
        } else {
            let left = child.without(rest)?;
            if left.is_empty() {
                entries.remove(key);
            } else {
                entries.insert(key.clone(), left);
            }
        }
        Some(Self::branch(entries, branch.cover))
    }

    /// Whether nothing of a lower layer shows at `path` where this one lies over it.
    pub(crate) fn hides(&self, path: &[Text]) -> bool {
        let mut at = self;
        for key in path {
            if at.lets_nothing_through() {
                return true;
            }
            match at.child(key) {
                Some(below) => at = below,
                None => return false,
            }
        }
        at.lets_nothing_through()
    }

    /// Whether this place, which is at `path` of its own tree, shows where the trees `above` lie over that one: maps are
    /// merged, everything else gives way.
    pub(crate) fn shows_below<'n>(&self, above: impl IntoIterator<Item = &'n Self>, path: &[Text]) -> bool {
        let gives_way = |over: &Self| over.hides(path) || (!self.is_map() && over.at(path).is_some());
        !above.into_iter().any(gives_way)
    }

    pub(crate) fn lets_nothing_through(&self) -> bool {
        self.as_branch().is_none_or(|branch| branch.cover == Cover::Replace)
    }

    /// Whether two places are one and the same, which says nothing if they are not.
    fn is_shared_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Map(a), Self::Map(b)) => Arc::ptr_eq(a, b),
            (Self::List(a), Self::List(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl PartialEq for Node {
    /// Whether both read the same: how a map covers others does not count. O(what is not shared).
    fn eq(&self, other: &Self) -> bool {
        self.is_shared_with(other)
            || match (self, other) {
                (Self::Leaf(a), Self::Leaf(b)) => a == b,
                (Self::List(a), Self::List(b)) => a == b,
                (Self::Map(a), Self::Map(b)) => a.nodes == b.nodes && a.entries == b.entries,
                _ => false,
            }
    }
}

impl Eq for Node {}

fn value_nodes(value: &Value) -> usize {
    match value {
        Value::List(items) => items.iter().map(value_nodes).sum::<usize>() + 1,
        Value::Map(map) => map.iter().map(|(_, value)| value_nodes(value)).sum::<usize>() + 1,
        _ => 1,
    }
}
