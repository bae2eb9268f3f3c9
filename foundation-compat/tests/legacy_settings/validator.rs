//! What is valid.

use foundation_compat::foundation_config::{Path, Schema, ViolationKind as Kind, Violations};
use foundation_compat::logic::config_logic::reset_config;
use foundation_compat::types::config::{FoundationConfig, NumBuffers};
use foundation_compat::validation::config_validator as validator;
use foundation_compat::{Error, Metadata, Value};
use proptest::prelude::*;

use crate::model::{Broken, broken};
use crate::trees::{anything, damaged, full, tree, with, without};

fn text_path(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_list).expect("a path is a list");
    list.iter().map(|key| key.as_str().expect("of texts").to_owned()).collect()
}

fn code(tree: &Value) -> u32 {
    validator::validate_tree(tree).expect_err("it is invalid").code()
}

fn violations(tree: &Value) -> Vec<Broken> {
    let mut out = Violations::new();
    FoundationConfig::check(tree, &mut out);
    let path = |path: &Path| path.components().map(str::to_owned).collect();
    let code = |violation| {
        let one = Violations::from(violation);
        code_of(&one)
    };
    out.iter().map(|violation| (code(violation.clone()), path(&violation.path))).collect()
}

fn code_of(violations: &Violations) -> u32 {
    match violations.first().expect("there is one").kind {
        Kind::Shape => 1001,
        Kind::NotInEnum => 1002,
        Kind::Constraint => 1003,
        Kind::Range => 1004,
        other => panic!("{other:?} has no code"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn p07_the_first_violation_is_that_of_the_model(tree in damaged()) {
        let expected = broken(&tree);
        prop_assert_eq!(violations(&tree), expected.clone());
        match (validator::validate_tree(&tree), expected.first()) {
            (Ok(()), None) => {
                let config = FoundationConfig::try_from(&tree);
                prop_assert!(config.is_ok(), "what is valid can be read");
            }
            (Err(error), Some((code, path))) => {
                prop_assert_eq!(error.code(), *code);
                prop_assert_eq!(&text_path(error.context().get("path")), path);
                prop_assert!(FoundationConfig::try_from(&tree).is_err());
            }
            (result, expected) => prop_assert!(false, "{result:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn p06_whatever_a_tree_is_it_is_judged(tree in anything()) {
        let expected = broken(&tree);
        // No more violations are kept than a person reads.
        let kept: Vec<Broken> = expected.iter().take(100).cloned().collect();
        prop_assert_eq!(violations(&tree), kept);
        prop_assert_eq!(FoundationConfig::try_from(&tree).is_ok(), expected.is_empty());
    }
}

#[test]
fn the_defaults_and_a_full_tree_are_valid() {
    assert!(validator::validate_tree(&reset_config()).is_ok());
    assert!(validator::validate_tree(&full()).is_ok());
    assert!(validator::validate(&FoundationConfig::default()).is_ok());
}

#[test]
fn a_bad_target_comes_before_a_bad_rate_and_a_bad_rate_before_a_bad_strategy() {
    let bad = with(reset_config(), &["ai", "planning", "default_strategy"], "wild");
    assert_eq!(code(&bad), 1002);
    let bad = with(bad, &["ai", "planning", "sampling_rate"], 2);
    assert_eq!(code(&bad), 1004);
    let bad = with(bad, &["ai", "planning", "performance_target"], -1);
    assert_eq!(code(&bad), 1003);
}

#[test]
fn a_leaf_of_the_wrong_type_breaks_its_own_rule() {
    let planning = |key, value: Value| code(&with(reset_config(), &["ai", "planning", key], value));
    for value in [Value::from("1"), Value::from(true), Value::Null] {
        assert_eq!(planning("sampling_rate", value.clone()), 1004);
        assert_eq!(planning("performance_target", value), 1003);
    }
    assert_eq!(code(&with(reset_config(), &["ai", "provider"], 5)), 1002);
    assert_eq!(code(&with(reset_config(), &["ai", "analysis", "timeout"], "5")), 1001);
}

#[test]
fn f08_malformed_sections_are_errors() {
    assert_eq!(code(&with(reset_config(), &["ai"], "x")), 1001);
    assert_eq!(code(&without(reset_config(), &["ai", "analysis"])), 1001);
    for root in [Value::Null, Value::from(5), Value::List(Vec::new()), Metadata::new().into()] {
        assert_eq!(code(&root), 1001);
    }
}

#[test]
fn integers_0_and_1_are_rates_and_what_is_beside_them_is_none() {
    let rate = |value: &str| {
        validator::validate_tree(&with(reset_config(), &["ai", "planning", "sampling_rate"], tree(value)))
    };
    for good in ["0", "1", "0.0", "1.0", "0.5"] {
        assert!(rate(good).is_ok(), "{good}");
    }
    for bad in ["-1", "2", "-0.0001", "1.0001"] {
        assert_eq!(rate(bad).map_err(|error| error.code()), Err(1004), "{bad}");
    }
}

#[test]
fn warm_storage_is_checked_when_it_is_on_and_cold_storage_stays_off() {
    let warm = |json: &str| with(reset_config(), &["storage", "warm"], tree(json));
    let off = warm(r#"{"enable":false,"path":5,"max_size_mb":-1,"compression":"lz4"}"#);
    let read = FoundationConfig::try_from(&off).expect("nothing of it matters");
    assert_eq!(read.storage.warm.path, "./foundation_data");
    assert!(FoundationConfig::try_from(&warm(r#"{"enable":false}"#)).is_ok());
    let on = r#"{"enable":true,"path":"p","max_size_mb":1,"compression":"gzip"}"#;
    assert!(FoundationConfig::try_from(&warm(on)).is_ok());
    assert_eq!(code(&warm(&on.replace("\"p\"", "5"))), 1001);
    assert_eq!(code(&warm(&on.replace(":1,", ":0,"))), 1001);
    assert_eq!(code(&warm(&on.replace("gzip", "lz4"))), 1002);
    assert_eq!(code(&with(reset_config(), &["storage", "cold", "enable"], true)), 1001);
}

#[test]
fn f13_protected_calls_are_checked_in_whichever_parts_are_there() {
    let protection = |json: &str| with(reset_config(), &["infrastructure", "protection"], tree(json));
    for good in ["{}", r#"{"k":{}}"#, r#"{"k":{"rate_limiter":{"scale":1,"limit":1,"x":null}}}"#, r#"{"k":{"note":5}}"#]
    {
        assert!(validator::validate_tree(&protection(good)).is_ok(), "{good}");
    }
    for bad in [
        "5",
        r#"{"k":5}"#,
        r#"{"k":{"rate_limiter":5}}"#,
        r#"{"k":{"rate_limiter":{"scale":1}}}"#,
        r#"{"k":{"circuit_breaker":{"failure_threshold":0,"recovery_time":1}}}"#,
        r#"{"k":{"connection_pool":{"size":1,"max_overflow":-1}}}"#,
    ] {
        assert_eq!(code(&protection(bad)), 1001, "{bad}");
    }
    assert!(validator::validate_tree(&without(reset_config(), &["infrastructure", "protection"])).is_ok());
}

#[test]
fn an_error_has_the_path_the_provider_and_all_violations() {
    let bad = with(reset_config(), &["ai", "provider"], "eliza");
    let bad = with(bad, &["dev", "debug_mode"], 5);
    let error = validator::validate_tree(&bad).expect_err("it is invalid");
    assert_eq!(error.message(), r#"ai.provider: expected one of mock, openai, anthropic, gemini, found "eliza""#);
    assert_eq!(text_path(error.context().get("path")), ["ai", "provider"]);
    assert_eq!(error.context().get("provider"), Some(&Value::from("eliza")));
    assert_eq!(text_path(error.context().get("valid_providers")).len(), 4);
    let all = error.context().get("violations").and_then(Value::as_list).expect("there are two");
    assert_eq!(all.len(), 2);
    assert_eq!(all[1].as_map().and_then(|one| one.get("error_type")), Some(&Value::from("validation_failed")));
}

#[test]
fn p23_no_error_quotes_the_key_of_the_provider() {
    let bad = with(reset_config(), &["ai", "api_key"], vec!["hunter2"]);
    let bad = with(bad, &["ai", "provider"], 5);
    let error = validator::validate_tree(&bad).expect_err("it is invalid");
    assert!(error.context().contains_key("violations"));
    assert!(!format!("{error} {error:?} {:?}", error.context()).contains("hunter2"));
}

#[test]
fn severities_and_classes_are_those_of_the_original() {
    let of = |error: &Error| {
        let parts = (error.kind().as_str().to_owned(), error.code(), error.severity().as_str());
        (parts, format!("{}/{}", error.category(), error.subcategory()))
    };
    let planning = |key, value| {
        of(&validator::validate_tree(&with(reset_config(), &["ai", "planning", key], value))
            .expect_err("it is invalid"))
    };
    let class = || "config/validation".to_owned();
    assert_eq!(planning("default_strategy", 0), (("invalid_config_value".to_owned(), 1002, "medium"), class()));
    assert_eq!(planning("performance_target", -1), (("constraint_violation".to_owned(), 1003, "high"), class()));
    assert_eq!(planning("sampling_rate", 2), (("range_error".to_owned(), 1004, "high"), class()));
    let shape = validator::validate_tree(&Value::Null).expect_err("it is invalid");
    assert_eq!(of(&shape), (("validation_failed".to_owned(), 1001, "medium"), class()));
}

#[test]
fn each_section_is_checked_alone() {
    let mut config = FoundationConfig::default();
    config.capture.ring_buffer.num_buffers = NumBuffers::Count(0);
    config.storage.hot.max_events = u64::MAX;
    config.ai.planning.performance_target = f64::NAN;
    config.interface.max_results = 0;
    config.infrastructure.protection.insert("k", 5);
    let sections = [
        validator::validate_ai_config(&config.ai),
        validator::validate_capture_config(&config.capture),
        validator::validate_storage_config(&config.storage),
        validator::validate_interface_config(&config.interface),
        validator::validate_dev_config(&config.dev),
        validator::validate_infrastructure_config(&config.infrastructure),
    ];
    let codes = sections.map(|result| result.map_err(|error| error.code()));
    assert_eq!(codes, [Err(1003), Err(1001), Err(1001), Err(1001), Ok(()), Err(1001)]);
    let first = validator::validate(&config).expect_err("most of it is invalid");
    assert_eq!(first.code(), 1003);
}
