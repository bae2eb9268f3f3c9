//! Reading and writing single settings.

use foundation_compat::logic::config_logic::{get_config_value, reset_config, updatable_paths, update_config};
use foundation_compat::{Metadata, Value};
use proptest::prelude::*;
use proptest::sample::select;

use crate::trees::{damaged, paths, tree, values, with, without};

fn protection(config: &Value, path: &[&str]) -> Value {
    get_config_value(config, &[&["infrastructure", "protection"], path].concat()).expect("it is there")
}

#[test]
fn the_root_leads_to_everything_and_null_is_found() {
    let config = reset_config();
    assert_eq!(get_config_value(&config, ""), Ok(config.clone()).map_err(|error: foundation_compat::Error| error));
    assert_eq!(get_config_value(&config, "ai.api_key").ok(), Some(Value::Null));
}

#[test]
fn walking_through_null_and_scalars_finds_nothing() {
    let config = reset_config();
    for path in ["ai.api_key.x", "ai.model.x", "ai.nothing", "nothing", "\"\""] {
        let error = get_config_value(&config, path).expect_err("nothing is there");
        assert_eq!((error.kind().as_str(), error.code()), ("config_path_not_found", 1302), "{path}");
        assert!(error.context().get("path").is_some());
    }
    assert_eq!(get_config_value(&config, "a..b").map_err(|error| error.code()), Err(1304));
    assert_eq!(get_config_value(&config, ["ai", "__info__"]).map_err(|error| error.code()), Err(1000));
}

proptest! {
    #[test]
    fn p04_an_update_changes_its_path_and_no_other(
        path in select(updatable_paths()),
        value in values(),
        config in prop_oneof![1 => damaged(), 3 => Just(reset_config())],
    ) {
        if let Ok(updated) = update_config(&config, &path, value.clone()) {
            prop_assert_eq!(get_config_value(&updated, &path).ok(), Some(value));
            let own: Vec<String> = path.components().map(str::to_owned).collect();
            for other in paths(&updated).iter().chain(&paths(&config)) {
                if !other.starts_with(&own) && !own.starts_with(other) {
                    prop_assert_eq!(get_config_value(&updated, other).ok(), get_config_value(&config, other).ok());
                }
            }
        }
    }
}

#[test]
fn f01_missing_maps_are_made_below_protection() {
    let config = update_config(&reset_config(), "infrastructure.protection.mail.note", "x").expect("nothing is wrong");
    assert_eq!(protection(&config, &["mail"]), tree(r#"{"note":"x"}"#));
    let breaker = tree(r#"{"failure_threshold":1,"recovery_time":1}"#);
    let config = update_config(&config, "infrastructure.protection.mail.circuit_breaker", breaker).expect("so here");
    assert_eq!(protection(&config, &["mail", "note"]), "x".into());

    let missing = without(reset_config(), &["infrastructure", "protection"]);
    let config = update_config(&missing, "infrastructure.protection.a.b.c", 1).expect("nothing is wrong");
    assert_eq!(protection(&config, &["a", "b", "c"]), 1.into());
}

#[test]
fn f01_nothing_gives_way_to_a_map() {
    let config = update_config(&reset_config(), "infrastructure.protection.a.b", 1).expect("nothing is wrong");
    let error = update_config(&config, "infrastructure.protection.a.b.c", 1).expect_err("1 is no map");
    assert_eq!((error.code(), error.message()), (1001, "infrastructure.protection.a.b: expected a map, found integer"));
    let null = with(reset_config(), &["infrastructure", "protection"], Metadata::new().with("a", Value::Null));
    assert_eq!(update_config(&null, "infrastructure.protection.a.b", 1).map_err(|error| error.code()), Err(1001));
}

#[test]
fn f13_what_is_put_below_protection_is_checked() {
    let update = |path, value: Value| update_config(&reset_config(), path, value).map_err(|error| error.code());
    assert_eq!(update("infrastructure.protection", 5.into()), Err(1001));
    assert_eq!(update("infrastructure.protection.a", 5.into()), Err(1001));
    assert_eq!(update("infrastructure.protection.a.rate_limiter.scale", 5.into()), Err(1001));
    assert!(update("infrastructure.protection.a.rate_limiter", tree(r#"{"scale":5,"limit":5}"#)).is_ok());
}

#[test]
fn an_update_that_is_refused_for_another_setting_says_which() {
    let broken = with(reset_config(), &["ai", "provider"], "eliza");
    let error = update_config(&broken, "dev.debug_mode", true).expect_err("the whole is validated");
    assert_eq!((error.code(), error.context().get("path")), (1002, Some(&vec!["ai", "provider"].into())));
}
