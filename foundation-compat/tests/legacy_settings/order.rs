//! Which of several mistakes an update is told.

use foundation_compat::foundation_config::Path;
use foundation_compat::logic::config_logic::{reset_config, updatable_path, updatable_paths, update_config};
use foundation_compat::{Metadata, Value};
use proptest::prelude::*;
use proptest::sample::select;

use crate::model::broken;
use crate::trees::{damaged, values};

/// Paths, the most of which may not be written, and what is wrong with them by themselves.
fn paths() -> impl Strategy<Value = (Vec<String>, bool)> {
    let owned = |path: &[&str]| path.iter().map(|&key| key.to_owned()).collect::<Vec<_>>();
    let listed: Vec<Vec<String>> =
        updatable_paths().iter().map(|path| path.components().map(str::to_owned).collect()).collect();
    let protection = ["infrastructure", "protection"];
    prop_oneof![
        select(listed).prop_map(|path| (path, false)),
        prop::collection::vec(select(&["a", "circuit_breaker", "size", ""][..]), 0..4)
            .prop_map(move |below| (owned(&[&protection[..], &below].concat()), false)),
        select(vec!["", "ai", "ai provider", "dev debug_mode x", "mine"])
            .prop_map(|path| (path.split_whitespace().map(str::to_owned).collect(), false)),
        select(&["__struct__", "a../b", "<SCRIPT>"][..]).prop_map(move |bad| (owned(&["dev", bad]), true)),
        Just((vec!["a".to_owned(); 51], true)),
        Just((vec!["a".repeat(256)], true)),
    ]
}

fn new_values() -> impl Strategy<Value = (Value, bool)> {
    let nested = |depth: usize| (0..depth).fold(Value::from(1), |inner, _| Value::List(vec![inner]));
    prop_oneof![
        6 => values().prop_map(|value| (value, false)),
        1 => Just((nested(21), true)),
        1 => Just((Metadata::new().with("drop table", 1).into(), true)),
        1 => Just((Value::from("x".repeat(1_000_001)), true)),
    ]
}

/// The tree with the value put in, unless something on the way is no map.
fn put(tree: &Value, path: &[String], value: Value) -> Option<Value> {
    let Some((first, rest)) = path.split_first() else { return Some(value) };
    let mut map = tree.as_map()?.clone();
    let below = map.get(first).cloned().unwrap_or_else(|| Metadata::new().into());
    map.insert(first.as_str(), put(&below, rest, value)?);
    Some(map.into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn p07_the_first_mistake_is_told(tree in damaged(), (path, bad_path) in paths(), (value, bad_value) in new_values()) {
        let result = update_config(&tree, &path, value.clone());
        let may = updatable_paths().iter().any(|listed| listed.components().eq(path.iter()))
            || path.len() > 1 && path[..2] == ["infrastructure", "protection"];
        let expected = if bad_path {
            Err(1000)
        } else if bad_value {
            Err(1005)
        } else if !may {
            Err(1401)
        } else {
            match put(&tree, &path, value) {
                None => Err(1001),
                Some(new) => broken(&new).first().map_or(Ok(new), |(code, _)| Err(*code)),
            }
        };
        prop_assert_eq!(result.map_err(|error| error.code()), expected);
    }
}

#[test]
fn there_are_14_updatable_paths_in_the_order_of_the_original() {
    let paths: Vec<String> = updatable_paths().iter().map(ToString::to_string).collect();
    let expected = [
        "ai.planning.sampling_rate",
        "ai.planning.performance_target",
        "capture.processing.batch_size",
        "capture.processing.flush_interval",
        "interface.query_timeout",
        "interface.max_results",
        "dev.debug_mode",
        "dev.verbose_logging",
        "dev.performance_monitoring",
        "infrastructure.rate_limiting.enabled",
        "infrastructure.circuit_breaker.enabled",
        "infrastructure.connection_pool.enabled",
        "infrastructure.rate_limiting.cleanup_interval",
        "infrastructure.protection",
    ];
    assert_eq!(paths, expected);
    assert!(expected.iter().all(|path| updatable_path(*path)));
}

#[test]
fn only_below_protection_is_everything_updatable() {
    assert!(updatable_path("infrastructure.protection.a.b.c"));
    for path in ["", "infrastructure", "infrastructure.protections", "dev.debug_mode.x", "dev", "coordination", "a..b"]
    {
        assert!(!updatable_path(path), "{path}");
    }
    assert!(!updatable_path(["infrastructure.protection"]));
}

#[test]
fn a_refused_path_tells_the_ones_that_are_not() {
    let error = update_config(&reset_config(), "ai.provider", "openai").expect_err("it may not change");
    assert_eq!((error.kind().as_str(), error.code()), ("config_update_forbidden", 1401));
    assert_eq!(format!("{}/{}", error.category(), error.subcategory()), "config/runtime");
    assert_eq!(error.context().get("path"), Some(&vec!["ai", "provider"].into()));
    let allowed = error.context().get("allowed_paths").and_then(Value::as_list).expect("all are told");
    assert_eq!(allowed.len(), 14);
    assert_eq!(allowed[6], vec!["dev", "debug_mode"].into());
}

#[test]
fn what_is_no_path_is_an_invalid_path() {
    let error = update_config(&reset_config(), "dev..x", true).expect_err("it is no path");
    assert_eq!((error.kind().as_str(), error.code()), ("invalid_path", 1304));
    assert!(Path::parse_dotted("dev..x").is_err());
}
