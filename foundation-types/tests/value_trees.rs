//! Trees of values: their length, and laying one over another.
#![cfg(feature = "test-util")]

use foundation_types::testing::strategies;
use foundation_types::{Metadata, Text, Value};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

/// Deeper than any decoder makes one, and than a thread's stack could follow.
const DEEP: usize = 50_000;

/// A chain of maps and lists around null.
fn deep() -> Value {
    (0..DEEP).fold(Value::Null, |inner, level| match level % 2 {
        0 => Value::List(vec![inner]),
        _ => Value::from(Metadata::new().with("k", inner)),
    })
}

/// Takes a chain apart from the outside, as its own drop would need a stack as deep as it is.
fn take_apart(mut chain: Value) -> usize {
    let mut depth = 0;
    loop {
        chain = match chain {
            Value::List(mut items) => items.pop().expect("a link holds the next"),
            Value::Map(map) => map.into_iter().next().expect("a link holds the next").1,
            _ => return depth,
        };
        depth += 1;
    }
}

/// Trees in which keys meet.
fn tree() -> impl Strategy<Value = Value> {
    let key = || (0..3_u8).prop_map(|key| Text::from(["a", "b", "$c"][usize::from(key)]));
    let leaf =
        prop_oneof![Just(Value::Null), (0..3_i64).prop_map(Value::Int), vec(0..2_u8, 0..2).prop_map(Value::from)];
    leaf.prop_recursive(4, 40, 3, move |inner| {
        btree_map(key(), inner, 0..3).prop_map(|map| Value::Map(map.into_iter().collect()))
    })
}

/// The rule as it is said: both maps, key by key; else what lies above.
fn merged(base: &Value, over: &Value) -> Value {
    match (base, over) {
        (Value::Map(base), Value::Map(over)) => {
            let mut all = base.clone();
            for (key, above) in over {
                let value = base.get(key).map_or_else(|| above.clone(), |below| merged(below, above));
                all.insert(key.clone(), value);
            }
            Value::Map(all)
        }
        _ => over.clone(),
    }
}

/// Whether some path is a map in one and something else in another.
fn clash(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Map(one), Value::Map(other)) => {
            one.iter().any(|(key, value)| other.get(key).is_some_and(|other| clash(value, other)))
        }
        (one, other) => one.as_map().is_some() != other.as_map().is_some(),
    }
}

proptest! {
    #[test]
    fn the_length_is_that_of_the_json_form(value in strategies::value(), map in strategies::metadata()) {
        prop_assert_eq!(value.json_len(), value.to_json_string().len());
        prop_assert_eq!(map.json_len(), map.to_json_string().len());
    }

    #[test]
    fn merging_follows_its_rule(base in tree(), over in tree()) {
        prop_assert_eq!(base.clone().deep_merge(over.clone()), merged(&base, &over));
    }

    #[test]
    fn an_empty_map_changes_nothing_and_neither_does_the_same_tree(tree in tree().prop_filter("a map", |tree| tree.as_map().is_some())) {
        let empty = || Value::from(Metadata::new());
        prop_assert_eq!(tree.clone().deep_merge(empty()), tree.clone());
        prop_assert_eq!(empty().deep_merge(tree.clone()), tree.clone());
        prop_assert_eq!(tree.clone().deep_merge(tree.clone()), tree);
    }

    #[test]
    fn merging_is_associative_unless_a_map_meets_something_else([a, b, c] in [tree(), tree(), tree()]) {
        if !clash(&a, &b) && !clash(&b, &c) && !clash(&a, &c) {
            let left = a.clone().deep_merge(b.clone()).deep_merge(c.clone());
            prop_assert_eq!(left, a.deep_merge(b.deep_merge(c)));
        }
    }
}

#[test]
fn merging_is_not_associative_where_a_map_meets_something_else() {
    let map = |key: &str| Value::from(Metadata::new().with(key, 1));
    let [a, b, c] = [map("x"), Value::Int(0), map("y")];
    assert_eq!(a.clone().deep_merge(b.clone()).deep_merge(c.clone()), map("y"));
    assert_eq!(b.deep_merge(c.clone()), c.clone());
    assert_eq!(a.deep_merge(c).as_map().map(Metadata::len), Some(2));
}

#[test]
fn no_depth_is_too_much() {
    let chain = deep();
    // Brackets; braces, key and colon; null.
    assert_eq!(chain.json_len(), DEEP / 2 * 2 + DEEP / 2 * 6 + 4);
    take_apart(chain);

    let maps = |leaf: i64| (0..DEEP).fold(Value::Int(leaf), |inner, _| Value::from(Metadata::new().with("k", inner)));
    let merged = maps(1).deep_merge(maps(2));
    assert_eq!(take_apart(merged), DEEP);

    assert_eq!(deep().deep_merge(Value::Int(1)), Value::Int(1));
    let replaced = Value::from(Metadata::new().with("k", deep()));
    assert_eq!(take_apart(replaced.deep_merge(Value::from(Metadata::new().with("k", 1)))), 1);
    deep().dismantle();
}
