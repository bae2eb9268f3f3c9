//! Trees of settings: valid ones, broken ones, and ones that are nothing of the kind.

use foundation_compat::logic::config_logic::reset_config;
use foundation_compat::{Metadata, Value};
use proptest::prelude::*;
use proptest::sample::select;

/// The tree of a JSON text.
pub(crate) fn tree(json: &str) -> Value {
    serde_json::from_str(json).expect("the test's own JSON")
}

/// The tree with a value at a path of maps that are there.
pub(crate) fn with(mut tree: Value, path: &[&str], value: impl Into<Value>) -> Value {
    edit(&mut tree, path, Some(value.into()));
    tree
}

/// The tree without what is at a path.
pub(crate) fn without(mut tree: Value, path: &[&str]) -> Value {
    edit(&mut tree, path, None);
    tree
}

/// Sets or removes what is at a path, if the way there is one of maps.
fn edit(tree: &mut Value, path: &[&str], value: Option<Value>) {
    let Some((last, above)) = path.split_last() else {
        *tree = value.unwrap_or_default();
        return;
    };
    let mut place = tree;
    for key in above {
        let Value::Map(map) = place else { return };
        let Some(next) = map.get_mut(key) else { return };
        place = next;
    }
    if let Value::Map(map) = place {
        match value {
            Some(value) => map.insert(*last, value),
            None => map.remove(last),
        };
    }
}

/// Every path of a tree, the root and the maps included.
pub(crate) fn paths(tree: &Value) -> Vec<Vec<String>> {
    fn collect(tree: &Value, at: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
        out.push(at.clone());
        if let Value::Map(map) = tree {
            for (key, value) in map {
                at.push(key.to_string());
                collect(value, at, out);
                at.pop();
            }
        }
    }
    let mut out = Vec::new();
    collect(tree, &mut Vec::new(), &mut out);
    out
}

/// Values that fit in one place or another, and values that fit nowhere.
pub(crate) fn values() -> impl Strategy<Value = Value> {
    let words = ["mock", "gemini", "fast", "thorough", "block", "error", "none", "zstd", "lifo", "schedulers", "x", ""];
    let maps = [
        "{}",
        r#"{"enable":true}"#,
        r#"{"scale":1,"limit":2,"burst":3}"#,
        r#"{"scale":0,"limit":-1}"#,
        r#"{"a":{"circuit_breaker":{"failure_threshold":1,"recovery_time":1}}}"#,
        r#"{"a":{"connection_pool":{"size":0,"max_overflow":-1}},"b":3}"#,
    ];
    let numbers = [-1, 0, 1, 2, 86_400_000, i64::MIN, i64::MAX];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        select(numbers.to_vec()).prop_map(Value::from),
        select(&["-0.5", "0.0", "0.5", "1.0", "1.0000001", "1e300"][..]).prop_map(tree),
        select(words.to_vec()).prop_map(Value::from),
        select(maps.to_vec()).prop_map(tree),
        Just(Value::from(vec![1])),
    ]
}

/// A complete tree, in which warm storage is on and one key of protected calls is configured.
pub(crate) fn full() -> Value {
    let protected = tree(
        r#"{"mail":{"circuit_breaker":{"failure_threshold":3,"recovery_time":10},
        "rate_limiter":{"scale":1000,"limit":5},"connection_pool":{"size":2,"max_overflow":0},"note":"kept"}}"#,
    );
    let config = with(reset_config(), &["storage", "warm", "enable"], true);
    with(config, &["infrastructure", "protection"], protected)
}

/// Settings as they are by default, or [`full`] ones, of which some are replaced or missing.
pub(crate) fn damaged() -> impl Strategy<Value = Value> {
    let start = prop_oneof![Just(reset_config()), Just(full())];
    let places = paths(&full());
    let edits = prop::collection::vec((select(places), prop::option::weighted(0.8, values())), 0..8);
    (start, edits).prop_map(|(mut tree, edits)| {
        for (path, value) in edits {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            // The root is nothing to be replaced by what fits elsewhere, most of the time.
            if !path.is_empty() {
                edit(&mut tree, &path, value);
            }
        }
        tree
    })
}

/// Anything, with the keys of settings as often as others.
pub(crate) fn anything() -> impl Strategy<Value = Value> {
    let mut keys: Vec<String> = paths(&full()).into_iter().flatten().collect();
    keys.sort_unstable();
    keys.dedup();
    keys.extend(["", "\u{1}", "a.b", "é"].map(str::to_owned));
    values().prop_recursive(6, 64, 6, move |inner| {
        let key = prop_oneof![3 => select(keys.clone()), 1 => "\\PC{0,6}", 1 => Just("k".repeat(300))];
        prop_oneof![
            4 => prop::collection::btree_map(key, inner.clone(), 0..6)
                .prop_map(|map| Value::from(map.into_iter().collect::<Metadata>())),
            1 => prop::collection::vec(inner, 0..3).prop_map(Value::List),
        ]
    })
}
