//! What differs between two trees.

use std::fmt;

use foundation_types::{Text, Value};

use super::Node;
use crate::path::Path;

/// What differs between two versions, by path, in path order. Both sides of an entry are never maps: where both are, the
/// differences below are told instead.
#[derive(Clone, Default)]
pub struct Diff(Vec<Difference>);

/// What was at a path, and what is.
#[derive(Clone)]
pub struct Difference {
    /// Where.
    pub path: Path,
    /// What was there; `None` if nothing was.
    pub old: Option<Value>,
    /// What is there; `None` if nothing is.
    pub new: Option<Value>,
    pub(crate) secret: fn(&Path) -> bool,
}

impl Diff {
    pub(crate) fn between(old: &Node, new: &Node, secret: fn(&Path) -> bool) -> Self {
        let mut entries = Vec::new();
        each_difference(old, new, &mut |path, old, new| {
            let value = |node: Option<&Node>| node.map(Node::to_value);
            entries.push(Difference { path, old: value(old), new: value(new), secret });
        });
        Self(entries)
    }

    /// Whether the versions are equal.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of differences.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The differences in path order.
    pub fn iter(&self) -> impl Iterator<Item = &Difference> {
        self.0.iter()
    }

    /// The newer tree, made from the older one.
    pub fn apply(&self, to: &Value) -> Value {
        let mut tree = Node::from_value(to.clone());
        for Difference { path, new, .. } in &self.0 {
            tree = match new {
                Some(value) => tree.with(path.texts(), Node::from_value(value.clone())),
                None => tree.without_leaving_gaps(path.texts()),
            };
        }
        tree.to_value()
    }
}

impl fmt::Debug for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Difference {
    /// `path: old -> new`, with secrets withheld.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<Value>| match value {
            Some(value) => crate::secret::redacted(&self.path, value, self.secret).to_string(),
            None => "(absent)".to_owned(),
        };
        write!(f, "{}: {} -> {}", self.path, show(&self.old), show(&self.new))
    }
}

/// What is told of each difference: its path, what was there, and what is.
pub(crate) type Each<'e> = &'e mut dyn FnMut(Path, Option<&Node>, Option<&Node>);

/// What counts as a difference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// What reads differently.
    Reading,
    /// That, and maps that let something else of the layers below through.
    Layer,
}

/// Calls `each` for the highest places that read differently and are not maps on both sides. O(what is not shared).
fn each_difference(old: &Node, new: &Node, each: Each<'_>) {
    descend(&mut Vec::new(), Some(old), Some(new), Told::Reading, each);
}

/// As [`each_difference`], for layers: places that let something else through differ, too, and are told as a whole.
pub(crate) fn each_layer_difference(old: &Node, new: &Node, each: Each<'_>) {
    descend(&mut Vec::new(), Some(old), Some(new), Told::Layer, each);
}

fn descend(at: &mut Vec<Text>, old: Option<&Node>, new: Option<&Node>, told: Told, each: Each<'_>) {
    let (before, after) = match (old, new) {
        (Some(before), Some(after)) => {
            if before.is_shared_with(after) {
                return;
            }
            match (before.as_branch(), after.as_branch()) {
                (Some(before), Some(after)) if told == Told::Reading || before.cover == after.cover => (before, after),
                (Some(_), Some(_)) => return each(Path::from_checked(at.iter().cloned()), old, new),
                _ if before == after => return,
                _ => return each(Path::from_checked(at.iter().cloned()), old, new),
            }
        }
        _ => return each(Path::from_checked(at.iter().cloned()), old, new),
    };
    let mut keys: Vec<&Text> = before.entries.keys().chain(after.entries.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        at.push(key.clone());
        descend(at, before.entries.get(key), after.entries.get(key), told, each);
        at.pop();
    }
}

impl Node {
    /// This tree without what is at `path`; maps on the way stay, also if they are empty then.
    fn without_leaving_gaps(&self, path: &[Text]) -> Self {
        let (Some((last, above)), Some(_)) = (path.split_last(), self.at(path)) else { return self.clone() };
        let Some(branch) = self.at(above).and_then(Self::as_branch) else { return self.clone() };
        let mut entries = branch.entries.clone();
        entries.remove(last);
        self.with(above, Self::branch(entries, branch.cover))
    }
}

#[cfg(test)]
mod tests {
    use foundation_types::Metadata;
    use proptest::prelude::*;

    use super::*;

    fn trees() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), (0..3_i64).prop_map(Value::from)];
        let map = |inner| {
            prop::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|map| Value::from(map.into_iter().collect::<Metadata>()))
        };
        map(leaf.prop_recursive(3, 24, 3, map).boxed())
    }

    proptest! {
        #[test]
        fn applying_the_difference_gives_the_newer_tree(old in trees(), new in trees()) {
            let diff = Diff::between(&Node::from_value(old.clone()), &Node::from_value(new.clone()), |_| false);
            prop_assert_eq!(&diff.apply(&old), &new);
            prop_assert_eq!(diff.is_empty(), old == new);
        }
    }

    #[test]
    fn adding_a_null_is_a_difference() {
        let old = Node::empty();
        let new = Node::from_value(Metadata::new().with("a", Value::Null).into());
        assert_eq!(format!("{:?}", Diff::between(&old, &new, |_| false)), "[a: (absent) -> null]");
    }
}
