//! Reading, writing and resetting.

use std::sync::Arc;

use foundation_compat::config::{self, Config, ConfigOptions, TestMode};
use foundation_compat::contracts::Configurable;
use foundation_compat::foundation_config::path;
use foundation_compat::foundation_types::MonoTime;
use foundation_compat::infrastructure::Infrastructure;
use foundation_compat::logic::config_logic::{reset_config, updatable_paths, update_config};
use foundation_compat::types::config::FoundationConfig;
use foundation_compat::{BuildError, Foundation, Metadata, Value};

use crate::session::{Session, code, map};

#[test]
fn reads_give_values_and_null_is_one() {
    let Session { config, .. } = Session::new();
    assert_eq!(config.get("").ok(), Some(reset_config()));
    assert_eq!(config.get("ai.api_key").ok(), Some(Value::Null));
    assert_eq!(config.get(["interface", "max_results"]).ok(), Some(1000.into()));
    assert_eq!(config.get_as::<f64>("ai.planning.sampling_rate").ok(), Some(1.0));
    assert_eq!(config.get(path!(dev.debug_mode: bool)).ok(), Some(false.into()));
    assert_eq!(code(config.get("ai.api_key.x")), Some(1302));
    assert_eq!(code(config.get("nothing")), Some(1302));
    assert_eq!(code(config.get("a..b")), Some(1304));
    assert_eq!(code(config.get(["ai", "../x"])), Some(1000));
    assert_eq!(code(config.get(&vec!["a"; 51])), Some(1000));
    let mismatch = config.get_as::<bool>("ai.model").expect_err("it is a text");
    assert_eq!((mismatch.code(), mismatch.context().get("path")), (1205, Some(&vec!["ai", "model"].into())));
}

#[test]
fn any_error_gives_the_default_and_null_does_not() {
    let Session { config, .. } = Session::new();
    assert_eq!(config.get_with_default("nothing", 7), 7.into());
    assert_eq!(config.get_with_default("a..b", 7), 7.into());
    assert_eq!(config.get_with_default("ai.api_key", 7), Value::Null);
    assert_eq!(config.get_with_default("dev.debug_mode", 7), false.into());
}

#[test]
fn writes_are_seen_at_once_and_counted_also_when_they_change_nothing() {
    let session = Session::new();
    let Session { config, .. } = &session;
    assert_eq!((session.running().updates_count, session.running().last_update), (0, None));
    session.advance_secs(5);
    config.update("dev.debug_mode", true).expect("it may change");
    assert!(config.get_0().expect("it runs").dev.debug_mode);
    assert!(session.foundation.settings().load().dev.debug_mode);
    config.update("dev.debug_mode", true).expect("it may change");
    config.update("ai.planning.sampling_rate", 0.5).expect("it may change");
    let status = session.running();
    assert_eq!((status.updates_count, status.uptime.as_secs()), (3, 5));
    assert_eq!(status.last_update.map(MonoTime::as_nanos), Some(5_000_000_000));
}

#[test]
fn p03_a_refused_write_changes_and_counts_nothing() {
    let session = Session::new();
    let before = (session.config.get("").expect("it is there"), session.foundation.settings().load().version());
    let mut changes = session.config.subscribe().expect("it runs");
    for (path, value, expected) in [
        ("ai.planning.sampling_rate", Value::from(2), 1004),
        ("ai.planning.performance_target", (-1).into(), 1003),
        ("interface.max_results", 0.into(), 1001),
        ("dev.debug_mode", Value::Null, 1001),
        ("ai.provider", "openai".into(), 1401),
        ("mine", 5.into(), 1401),
        ("", 5.into(), 1401),
        ("infrastructure.protection", 5.into(), 1001),
    ] {
        assert_eq!(code(session.config.update(path, value.clone())), Some(expected), "{path}");
        assert_eq!(update_config(&before.0, path, value).map_err(|error| error.code()), Err(expected), "{path}");
    }
    assert_eq!((session.config.get("").expect("there"), session.foundation.settings().load().version()), before);
    assert_eq!((session.running().updates_count, session.running().last_update), (0, None));
    assert_eq!(changes.try_recv(), None);
    assert!(session.observer.events().is_empty(), "{:?}", session.observer.names());
}

#[test]
fn the_whole_is_copied_once_for_each_version() {
    let Session { config, .. } = Session::new();
    let (one, two) = (config.get_0().expect("it runs"), config.get_0().expect("it runs"));
    assert!(Arc::ptr_eq(&one, &two));
    config.update("dev.debug_mode", true).expect("it may change");
    let three = config.get_0().expect("it runs");
    assert!(!one.dev.debug_mode && three.dev.debug_mode);
}

#[test]
fn safe_updates_say_of_four_paths_that_they_are_protected() {
    let Session { config, .. } = Session::new();
    for path in ["ai.api_key", "storage.encryption_key", "security", "system.node_name"] {
        let error = config.safe_update(path, "x").expect_err("it is protected");
        assert_eq!((error.kind().as_str(), error.code()), ("config_update_forbidden", 1401));
    }
    assert_eq!(code(config.safe_update("a..b", 1)), Some(1304));
    assert_eq!(code(config.safe_update("security.x", 1)), Some(1401));
    assert_eq!(code(config.safe_update("interface.max_results", 0)), Some(1001));
    assert_eq!(code(config.safe_update("interface.max_results", 1)), None);
}

#[test]
fn f09_a_reset_leaves_what_was_not_written_while_running() {
    let options = ConfigOptions::new()
        .environment(map(r#"{"interface":{"max_results":1,"query_timeout":1},"mine":5}"#))
        .options(map(r#"{"interface":{"query_timeout":2}}"#));
    let session = Session::with(options);
    let Session { config, .. } = &session;
    assert_eq!(config.get_as("interface.max_results").ok(), Some(1));
    assert_eq!(config.get_as("interface.query_timeout").ok(), Some(2));
    let before = config.get("").expect("it is there");
    config.update("interface.max_results", 9).expect("it may change");
    config.reset().expect("the rest is valid");
    assert_eq!(config.get("").ok(), Some(before));
    assert_eq!(session.running().updates_count, 1, "a reset keeps the count");
}

#[test]
fn p10_without_other_layers_a_reset_gives_the_defaults() {
    let Session { config, .. } = Session::new();
    config.update("infrastructure.protection.a.b", 1).expect("it may change");
    config.update("dev.debug_mode", true).expect("it may change");
    config.reset().expect("the defaults are valid");
    assert_eq!(config.get("").ok(), Some(reset_config()));
}

#[test]
fn bad_settings_keep_an_instance_from_being_built() {
    let bad = ConfigOptions::new().environment(map(r#"{"storage":{"cold":{"enable":true}}}"#));
    match Foundation::builder().config(bad).build().map(drop) {
        Err(BuildError::Config(error)) => {
            assert_eq!(error.code(), 1001);
            assert!(error.message().contains("storage.cold.enable"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    let unknown = ConfigOptions::new().options(map(r#"{"debug_mode":true}"#));
    assert!(matches!(Foundation::builder().config(unknown).build().map(drop), Err(BuildError::Config(error))
        if error.context().contains_key("unknown_keys")));
}

#[test]
fn options_do_nothing_to_a_service_that_runs() {
    let Session { config, .. } = Session::new();
    let options = ConfigOptions::new().options(map(r#"{"dev":{"debug_mode":true}}"#));
    config.initialize(&options).expect("it runs");
    assert_eq!(config.get_as("dev.debug_mode").ok(), Some(false));
}

#[test]
fn the_state_is_reset_in_test_mode_alone() {
    let session = Session::new();
    let error = session.config.reset_state().expect_err("this is no test");
    assert_eq!((error.kind().as_str(), error.code(), error.severity().as_str()), ("operation_forbidden", 5002, "high"));
    assert_eq!(format!("{}/{}", error.category(), error.subcategory()), "security/authorization");

    let options = ConfigOptions::new().environment(map(r#"{"dev":{"debug_mode":true}}"#)).test_mode(TestMode::On);
    let session = Session::with(options);
    let mut changes = session.config.subscribe().expect("it runs");
    session.config.update("interface.max_results", 5).expect("it may change");
    session.advance_secs(7);
    session.config.reset_state().expect("this is a test");
    assert_eq!(session.config.get_as("interface.max_results").ok(), Some(1000));
    assert_eq!(session.config.get_as("dev.debug_mode").ok(), Some(true));
    let status = session.running();
    assert_eq!((status.updates_count, status.last_update, status.subscribers_count), (0, None, 0));
    assert!(status.uptime.is_zero());
    session.config.update("interface.max_results", 6).expect("it may change");
    assert_eq!(changes.try_recv(), None, "subscribers are dropped without a word");
    let _fresh = session.config.subscribe().expect("it runs");
    drop(changes);
    assert_eq!(session.running().subscribers_count, 1, "who was dropped is not counted off");
}

#[test]
fn the_contract_is_the_same_for_any_back_end() {
    let foundation = Foundation::isolated();
    let backends: [&dyn Configurable; 2] = [&foundation, &Config::from(&foundation)];
    for backend in backends {
        let debug = path!(dev.debug_mode: bool).into();
        backend.update(&debug, true.into()).expect("it may change");
        assert_eq!(backend.get(&debug).ok(), Some(true.into()));
        assert!(backend.get_0().expect("it runs").dev.debug_mode);
        assert_eq!(backend.updatable_paths(), updatable_paths());
        assert_eq!(code(backend.validate(&FoundationConfig::default())), None);
        assert!(backend.available());
        backend.reset().expect("the defaults are valid");
        assert_eq!(backend.get(&debug).ok(), Some(false.into()));
    }
}

#[test]
fn instances_share_nothing() {
    let (one, other) = (Session::new(), Session::new());
    one.config.update("dev.debug_mode", true).expect("it may change");
    one.server.stop();
    assert_eq!(other.config.get_as("dev.debug_mode").ok(), Some(false));
    assert!(other.config.available() && !one.config.available());
}

#[test]
fn the_functions_act_on_the_global_instance_which_the_first_options_make() {
    let options = ConfigOptions::new().options(Metadata::new().with("dev", map(r#"{"debug_mode":true}"#)));
    config::initialize(&options).expect("it is valid");
    // In a process of its own this test made the instance; else it was made before.
    let made = config::get_as::<bool>("dev.debug_mode").expect("it is there");
    config::initialize_0().expect("it runs");
    assert_eq!(config::get_0().expect("it runs").dev.debug_mode, made);
    assert!(config::available());
}

#[test]
fn f20_protected_calls_are_configured_by_the_settings() {
    let session = Session::new();
    let infrastructure = Infrastructure::from(&session.foundation);
    let protection =
        map(r#"{"circuit_breaker":{"failure_threshold":3,"recovery_time":10},"rate_limiter":{"scale":60000,"limit":1},
        "connection_pool":{"size":2,"max_overflow":0}}"#);
    infrastructure.configure_protection("mail", protection.clone()).expect("it is whole");
    assert_eq!(session.config.get("infrastructure.protection.mail").ok(), Some(protection.clone().into()));
    assert_eq!(session.running().updates_count, 1);

    session.config.update("infrastructure.protection.post", protection.clone()).expect("it may change");
    assert_eq!(infrastructure.get_protection_config("post"), Ok(protection.clone()));
    let keys: Vec<_> = infrastructure.list_protection_keys().iter().map(ToString::to_string).collect();
    assert_eq!(keys, ["mail", "post"]);
    let half = map(r#"{"rate_limiter":{"scale":1,"limit":1}}"#);
    session.config.update("infrastructure.protection.half", half).expect("a part is a setting");
    assert!(infrastructure.get_protection_config("half").is_err(), "and protects nothing");

    session.server.stop();
    assert_eq!(infrastructure.get_protection_config("mail"), Ok(protection.clone()), "calls stay protected");
    assert_eq!(code(infrastructure.configure_protection("more", protection)), Some(5000));
    session.config.initialize_0().expect("it starts");
    session.config.reset().expect("the defaults are valid");
    assert!(infrastructure.list_protection_keys().is_empty());
}
