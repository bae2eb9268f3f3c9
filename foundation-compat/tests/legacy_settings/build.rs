//! From defaults, environment and options to a configuration.

use foundation_compat::logic::config_logic::{
    ConfigOptions, UnknownOptions, build_config, build_config_0, get_config_value, merge_env_config, merge_opts_config,
    reset_config,
};
use foundation_compat::{Metadata, Value};
use proptest::prelude::*;

use crate::trees::{tree, with};

fn map(json: &str) -> Metadata {
    match tree(json) {
        Value::Map(map) => map,
        other => panic!("{other} is no map"),
    }
}

/// Trees of a section, in which any two agree on where maps are.
fn like_shaped() -> impl Strategy<Value = Metadata> {
    let leaf = || {
        prop::option::of(prop_oneof![
            Just(Value::Null),
            (0..3_i64).prop_map(Value::from),
            any::<bool>().prop_map(Value::from)
        ])
    };
    let maps = prop::collection::vec((leaf(), leaf(), prop::option::of(leaf())), 2);
    (leaf(), maps).prop_map(|(top, maps)| {
        let put = |mut map: Metadata, key: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(key, value);
            }
            map
        };
        let sections = ["dev", "ai"].into_iter().zip(maps).map(|(section, (a, b, inner))| {
            let nested = inner.map(|c| Value::from(put(Metadata::new(), "c", c)));
            (section, put(put(put(Metadata::new(), "a", a), "b", b), "nested", nested))
        });
        // At the top there are sections alone.
        let mut all: Metadata = sections.collect();
        if let Some(Value::Map(dev)) = all.get_mut("dev") {
            *dev = put(std::mem::take(dev), "top", top);
        }
        all
    })
}

fn over(lower: &Metadata, upper: &Metadata) -> Metadata {
    match merge_env_config(lower.clone().into(), upper) {
        Value::Map(map) => map,
        other => panic!("{other} is no map"),
    }
}

/// Merging by its definition.
fn model(lower: &Metadata, upper: &Metadata) -> Metadata {
    let mut merged = lower.clone();
    for (key, value) in upper {
        let value = match (lower.get(key), value) {
            (Some(Value::Map(lower)), Value::Map(upper)) => model(lower, upper).into(),
            _ => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    merged
}

fn sections() -> impl Strategy<Value = Metadata> {
    let inner = crate::trees::values().prop_recursive(3, 24, 4, |inner| {
        prop::collection::btree_map("[a-c]", inner, 0..4).prop_map(|map| map.into_iter().collect::<Metadata>().into())
    });
    prop::collection::btree_map(prop::sample::select(&["ai", "dev", "storage"][..]), inner, 0..3)
        .prop_map(|map| map.into_iter().collect())
}

proptest! {
    #[test]
    fn p09_merging_follows_its_definition_and_its_laws(a in sections(), b in sections()) {
        prop_assert_eq!(over(&a, &b), model(&a, &b));
        prop_assert_eq!(over(&a, &Metadata::new()), a.clone());
        prop_assert_eq!(over(&Metadata::new(), &a), a.clone());
        prop_assert_eq!(over(&a, &a), a);
    }

    #[test]
    fn p09_merging_is_associative_where_maps_meet_maps(a in like_shaped(), b in like_shaped(), c in like_shaped()) {
        prop_assert_eq!(over(&over(&a, &b), &c), over(&a, &over(&b, &c)));
    }
}

#[test]
fn the_environment_lies_over_the_defaults_and_its_unknown_keys_are_left_out() {
    let environment = map(
        r#"{"dev":{"debug_mode":true,"custom":{"x":[1,2]}},"mine":{"a":1},"ai":{"planning":{"sampling_rate":0.5}}}"#,
    );
    let config = merge_env_config(reset_config(), &environment);
    let expected = with(reset_config(), &["dev", "debug_mode"], true);
    let expected = with(expected, &["dev", "custom"], tree(r#"{"x":[1,2]}"#));
    assert_eq!(config, with(expected, &["ai", "planning", "sampling_rate"], tree("0.5")));
    let replaced = merge_env_config(config, &map(r#"{"dev":{"custom":{"x":[3]}}}"#));
    assert_eq!(get_config_value(&replaced, "dev.custom.x").ok(), Some(vec![3].into()));
}

#[test]
fn f10_options_are_merged_and_the_examples_of_the_documents_configure_something() {
    let merged =
        merge_opts_config(reset_config(), &map(r#"{"dev":{"debug_mode":true},"debug_mode":true,"cache_size":9}"#));
    assert_eq!(merged.config, with(reset_config(), &["dev", "debug_mode"], true));
    assert_eq!(merged.unknown, ["cache_size", "debug_mode"]);

    let options = ConfigOptions::new().options(map(r#"{"dev":{"debug_mode":true}}"#));
    assert_eq!(build_config(&options).ok(), Some(merged.config));
}

#[test]
fn f10_unknown_options_are_refused_or_left_out_and_never_stored() {
    let options = ConfigOptions::new().options(map(r#"{"debug_mode":true,"interface":{"max_results":5}}"#));
    let error = build_config(&options).expect_err("there is no such setting");
    assert_eq!(error.code(), 1001);
    assert_eq!(error.context().get("unknown_keys"), Some(&vec!["debug_mode"].into()));
    assert!(error.message().contains("debug_mode") && error.message().contains("infrastructure"));
    let config = build_config(&options.unknown(UnknownOptions::Warn)).expect("the rest is valid");
    assert_eq!(config, with(reset_config(), &["interface", "max_results"], 5));
}

#[test]
fn options_lie_over_the_environment_and_the_result_is_validated() {
    let environment = map(r#"{"interface":{"max_results":1,"query_timeout":1}}"#);
    let options = ConfigOptions::new().environment(environment).options(map(r#"{"interface":{"max_results":2}}"#));
    let config = build_config(&options).expect("it is valid");
    assert_eq!(get_config_value(&config, "interface.max_results").ok(), Some(2.into()));
    assert_eq!(get_config_value(&config, "interface.query_timeout").ok(), Some(1.into()));

    let bad = ConfigOptions::new().environment(map(r#"{"storage":{"cold":{"enable":true}}}"#));
    assert_eq!(build_config(&bad).map_err(|error| error.code()), Err(1001));
    assert_eq!(build_config_0().ok(), Some(reset_config()));
}

#[test]
fn p23_options_do_not_show_what_they_hold() {
    let options = ConfigOptions::new().options(map(r#"{"ai":{"api_key":"hunter2"}}"#));
    assert!(!format!("{options:?}").contains("hunter2"));
    let merged = merge_opts_config(reset_config(), &map(r#"{"ai":{"api_key":"hunter2"}}"#));
    assert!(!format!("{merged:?}").contains("hunter2"));
}
