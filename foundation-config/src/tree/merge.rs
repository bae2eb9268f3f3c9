//! Laying one layer over another.

use super::{Cover, Node};

/// What shows where `upper` lies over `lower`: map over map key by key, in every other case what lies above. O(size of
/// `upper`, and width of the maps of `lower` that it touches).
pub(crate) fn merge(lower: &Node, upper: &Node) -> Node {
    let (Node::Map(below), Node::Map(above)) = (lower, upper) else { return upper.clone() };
    if above.cover == Cover::Replace || below.is_empty() {
        return upper.clone();
    }
    if above.is_empty() {
        return lower.clone();
    }
    let mut entries = below.entries.clone();
    for (key, node) in above.iter() {
        let merged = entries.get(key).map_or_else(|| node.clone(), |old| merge(old, node));
        entries.insert(key.clone(), merged);
    }
    Node::branch(entries, below.cover)
}

#[cfg(test)]
mod tests {
    use foundation_types::{Metadata, Value};
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), (0..3_i64).prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 3, |inner| {
            prop::collection::btree_map("[a-c]", inner, 0..3)
                .prop_map(|map| Value::from(map.into_iter().collect::<Metadata>()))
        })
    }

    /// The definition, over plain values.
    fn model(lower: &Value, upper: &Value) -> Value {
        let (Value::Map(lower), Value::Map(upper)) = (lower, upper) else { return upper.clone() };
        let mut merged = lower.clone();
        for (key, value) in upper {
            let value = lower.get(key).map_or_else(|| value.clone(), |old| model(old, value));
            merged.insert(key.clone(), value);
        }
        Value::Map(merged)
    }

    proptest! {
        #[test]
        fn merging_is_by_key_where_both_are_maps(lower in values(), upper in values()) {
            let merged = merge(&Node::from_value(lower.clone()), &Node::from_value(upper.clone()));
            prop_assert_eq!(&merged.to_value(), &model(&lower, &upper));
            prop_assert_eq!(merged.nodes(), Node::from_value(merged.to_value()).nodes());
        }

        #[test]
        fn a_map_that_replaces_lets_nothing_through(lower in values(), upper in values()) {
            let merged = merge(&Node::from_value(lower), &Node::from_value(upper.clone()).replacing());
            prop_assert_eq!(merged.to_value(), upper);
        }
    }
}
