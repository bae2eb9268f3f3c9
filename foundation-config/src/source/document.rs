//! What a source holds.

use std::collections::BTreeMap;
use std::fmt;

use foundation_types::{Metadata, Text, Value};

use super::Origin;
use crate::path::Path;

/// What a [`Source`](super::Source) holds: a tree, and where in the source each of its values stands.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Document {
    tree: Metadata,
    origins: BTreeMap<Path, Origin>,
}

impl Document {
    /// A document of this tree, whose values all come from the source as a whole.
    pub const fn new(tree: Metadata) -> Self {
        Self { tree, origins: BTreeMap::new() }
    }

    /// Says where the value at `path` stands. What is below it and has no place of its own stands there, too.
    pub fn set_origin(&mut self, path: Path, origin: Origin) {
        self.origins.insert(path, origin);
    }

    /// The tree.
    pub const fn tree(&self) -> &Metadata {
        &self.tree
    }

    /// Where the value at `path` stands, or the closest map around it that is known; `None` if nothing is. O(depth x log
    /// size).
    pub fn origin(&self, path: &Path) -> Option<&Origin> {
        let own = self.origins.get(path);
        own.or_else(|| self.origin(&path.parent()?))
    }

    /// The document with its origins, as far as they are for values that it has.
    pub fn origins(&self) -> impl Iterator<Item = (&Path, &Origin)> {
        self.origins.iter()
    }

    /// The tree as a value.
    pub fn to_value(&self) -> Value {
        self.tree.clone().into()
    }

    /// Lays `upper` over this document: map over map key by key, in every other case what lies above, with its origins.
    /// O(size of `upper` and of what it hides, x log size).
    pub fn overlay(&mut self, upper: Self) {
        let Self { tree, origins } = upper;
        let mut at = Vec::new();
        overlay_map(&mut self.tree, tree, &mut at, &mut |hidden| forget_below(&mut self.origins, hidden));
        self.origins.extend(origins);
    }
}

/// Lays `upper` over `lower`, both at the path `at`, and tells `hides` the path of each value that is replaced as a whole.
fn overlay_map(lower: &mut Metadata, upper: Metadata, at: &mut Vec<Text>, hides: &mut impl FnMut(&[Text])) {
    for (key, value) in upper {
        at.push(key.clone());
        match (lower.get_mut(&key), value) {
            (Some(Value::Map(below)), Value::Map(above)) => overlay_map(below, above, at, hides),
            (Some(below), above) => {
                hides(at);
                *below = above;
            }
            (None, above) => {
                lower.insert(key, above);
            }
        }
        at.pop();
    }
}

fn forget_below(origins: &mut BTreeMap<Path, Origin>, hidden: &[Text]) {
    let hidden = Path::from_checked(hidden.iter().cloned());
    // Paths at and below one follow it directly in their order.
    let gone: Vec<_> =
        origins.range(&hidden..).map_while(|(path, _)| path.starts_with(&hidden).then(|| path.clone())).collect();
    for path in gone {
        origins.remove(&path);
    }
}

impl From<Metadata> for Document {
    fn from(tree: Metadata) -> Self {
        Self::new(tree)
    }
}

impl fmt::Debug for Document {
    /// Shows how much there is, not what: it cannot know what is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("keys", &self.tree.len()).field("origins", &self.origins.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tree::{Node, merge};

    fn trees() -> impl Strategy<Value = Metadata> {
        let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), Just(Value::from(vec![1]))];
        let inner = leaf.prop_recursive(3, 16, 3, |inner| {
            prop::collection::btree_map("[a-c]", inner, 0..3)
                .prop_map(|map| Value::from(map.into_iter().collect::<Metadata>()))
        });
        prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(|map| map.into_iter().collect())
    }

    /// A document each of whose values comes from `place`.
    fn document(place: &str, tree: Metadata) -> Document {
        fn visit(document: &mut Document, place: &str, at: &Path, value: &Value) {
            document.set_origin(at.clone(), Origin::new(place));
            for (key, value) in value.as_map().into_iter().flatten() {
                visit(document, place, &at.join(key.clone()).expect("short"), value);
            }
        }
        let mut document = Document::new(tree);
        let value = document.to_value();
        visit(&mut document, place, &Path::ROOT, &value);
        document
    }

    fn at<'v>(value: &'v Value, path: &Path) -> Option<&'v Value> {
        path.components().try_fold(value, |value, key| value.as_map()?.get(key))
    }

    proptest! {
        #[test]
        fn an_overlay_merges_as_layers_do_and_keeps_the_origin_of_what_shows(lower in trees(), upper in trees()) {
            let mut merged = document("lower", lower.clone());
            merged.overlay(document("upper", upper.clone()));
            let [lower, upper] = [lower, upper].map(|tree| Node::from_value(tree.into()));
            prop_assert_eq!(merged.to_value(), merge(&lower, &upper).to_value());
            for (path, origin) in merged.origins() {
                let shown = at(&merged.to_value(), path).cloned();
                prop_assert!(shown.is_some(), "{path} is gone");
                let above = upper.at(path.texts()).map(Node::to_value);
                prop_assert_eq!(origin.place() == "upper", above.is_some());
            }
        }
    }
}
