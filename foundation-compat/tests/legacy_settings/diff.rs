//! What differs between two configurations.

use foundation_compat::logic::config_logic::{ConfigDiff, DiffEntry, diff_configs, reset_config};
use foundation_compat::{Metadata, Value};
use proptest::prelude::*;

use crate::trees::{damaged, tree, with, without};

/// The newer map, from the older one and what differs.
fn applied(old: &Metadata, diff: &ConfigDiff) -> Metadata {
    let mut map = old.clone();
    for (key, entry) in diff.iter() {
        match entry {
            DiffEntry::Nested(below) => {
                let inner = old.get(key).and_then(Value::as_map).expect("both sides are maps");
                map.insert(key.clone(), applied(inner, below));
            }
            DiffEntry::Changed(changed) => {
                assert_eq!(old.get(key), changed.old.as_ref());
                assert_eq!(changed.path.last(), Some(key.as_str()));
                match &changed.new {
                    Some(value) => map.insert(key.clone(), value.clone()),
                    None => map.remove(key),
                };
            }
        }
    }
    map
}

fn map(tree: &Value) -> &Metadata {
    tree.as_map().expect("the root is a map")
}

proptest! {
    #[test]
    fn p18_a_difference_leads_from_the_one_to_the_other(old in damaged(), new in damaged()) {
        let diff = diff_configs(&old, &new);
        prop_assert_eq!(&applied(map(&old), &diff), map(&new));
        prop_assert_eq!(diff.is_empty(), old == new);
    }
}

#[test]
fn a_difference_is_nested_as_the_maps_are() {
    let new = with(reset_config(), &["dev", "debug_mode"], true);
    let expected = tree(r#"{"dev":{"debug_mode":{"old":false,"new":true,"path":["dev","debug_mode"]}}}"#);
    assert_eq!(Value::from(diff_configs(&reset_config(), &new).to_metadata()), expected);
    assert!(diff_configs(&new, &new).to_metadata().is_empty());
}

#[test]
fn absent_and_null_differ() {
    let null = with(reset_config(), &["dev", "x"], Value::Null);
    let added = diff_configs(&reset_config(), &null).to_metadata();
    assert_eq!(Value::from(added), tree(r#"{"dev":{"x":{"new":null,"path":["dev","x"]}}}"#));
    let removed = diff_configs(&null, &without(null.clone(), &["dev", "x"])).to_metadata();
    assert_eq!(Value::from(removed), tree(r#"{"dev":{"x":{"old":null,"path":["dev","x"]}}}"#));
}

#[test]
fn a_map_in_place_of_something_else_is_one_difference() {
    let new = with(reset_config(), &["dev"], 5);
    let diff = diff_configs(&reset_config(), &new);
    assert!(matches!(diff.get("dev"), Some(DiffEntry::Changed(changed)) if changed.new == Some(5.into())));
    assert_eq!(diff.iter().len(), 1);
}

#[test]
fn p23_a_difference_does_not_show_secrets() {
    let secret = |key: &str| {
        let config = with(reset_config(), &["ai", "api_key"], key);
        with(config, &["infrastructure", "protection"], tree(&format!(r#"{{"mail":{{"password":{{"is":"{key}"}}}}}}"#)))
    };
    for (old, new) in [(reset_config(), secret("hunter2")), (secret("hunter1"), secret("hunter2"))] {
        let diff = diff_configs(&old, &new);
        let shown = format!("{diff:?}");
        assert!(shown.contains("ai.api_key") && shown.contains("[redacted]"));
        assert!(!shown.contains("hunter"), "{shown}");
        assert!(Value::from(diff.to_metadata()).to_string().contains("hunter2"));
    }
}
