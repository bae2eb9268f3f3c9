//! The settings as a type.

use foundation_compat::foundation_config::{Schema, Secret};
use foundation_compat::foundation_types::{Timestamp, bridge};
use foundation_compat::types::config::{self, FoundationConfig, NumBuffers, Provider};
use foundation_compat::{Metadata, Value};
use proptest::prelude::*;

use crate::trees::{anything, damaged, full, tree, with};

/// The table of the original, by hand.
const DEFAULTS: &str = r#"{
    "ai": {
        "provider": "mock", "api_key": null, "model": "gpt-4",
        "analysis": {"max_file_size": 1000000, "timeout": 30000, "cache_ttl": 3600},
        "planning": {"default_strategy": "balanced", "performance_target": 0.01, "sampling_rate": 1.0}
    },
    "capture": {
        "ring_buffer": {"size": 1024, "max_events": 1000, "overflow_strategy": "drop_oldest", "num_buffers": "schedulers"},
        "processing": {"batch_size": 100, "flush_interval": 50, "max_queue_size": 1000},
        "vm_tracing": {"enable_spawn_trace": true, "enable_exit_trace": true, "enable_message_trace": false,
            "trace_children": true}
    },
    "storage": {
        "hot": {"max_events": 100000, "max_age_seconds": 3600, "prune_interval": 60000},
        "warm": {"enable": false, "path": "./foundation_data", "max_size_mb": 100, "compression": "zstd"},
        "cold": {"enable": false}
    },
    "interface": {"query_timeout": 10000, "max_results": 1000, "enable_streaming": true},
    "dev": {"debug_mode": false, "verbose_logging": false, "performance_monitoring": true},
    "infrastructure": {
        "rate_limiting": {
            "default_rules": {"api_calls": {"scale": 60000, "limit": 100}, "db_queries": {"scale": 60000, "limit": 500},
                "file_operations": {"scale": 1000, "limit": 10}},
            "enabled": true, "cleanup_interval": 300000
        },
        "circuit_breaker": {
            "default_config": {"failure_threshold": 5, "recovery_time": 30000, "call_timeout": 5000}, "enabled": true
        },
        "connection_pool": {"default_config": {"size": 10, "max_overflow": 5, "strategy": "lifo"}, "enabled": true},
        "protection": {}
    }
}"#;

#[test]
fn the_defaults_are_those_of_the_original() {
    let defaults = tree(DEFAULTS);
    assert_eq!(FoundationConfig::defaults(), defaults);
    assert_eq!(Value::from(&FoundationConfig::default()), defaults);
    assert_eq!(bridge::to_value(&FoundationConfig::default()), Ok(defaults.clone()));
    assert_eq!(FoundationConfig::try_from(&defaults), Ok(FoundationConfig::default()));
    assert_eq!(serde_json::from_str::<FoundationConfig>("{}").expect("all has a default"), FoundationConfig::default());
}

#[test]
fn p23_the_key_of_the_provider_is_in_the_tree_and_in_no_debug_output() {
    let mut config = FoundationConfig::default();
    config.ai.api_key = Some(Secret::new("hunter2".to_owned()));
    config.infrastructure.protection.insert("mail", Metadata::new().with("password", "hunter2"));
    config.other = Metadata::new().with("ai", Metadata::new().with("token", "hunter2"));
    let read = FoundationConfig::try_from(&Value::from(&config)).expect("it is valid");
    assert_eq!(read, config);
    assert_eq!(read.ai.api_key.as_ref().map(|key| key.expose().as_str()), Some("hunter2"));
    let json = serde_json::to_string(&config).expect("plain data");
    assert_eq!(json.matches("hunter2").count(), 3);
    assert!(!format!("{config:?}{config:#?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn a_valid_tree_reads_back_as_the_same_settings(tree in damaged()) {
        if let Ok(config) = FoundationConfig::try_from(&tree) {
            let written = Value::from(&config);
            prop_assert_eq!(FoundationConfig::try_from(&written), Ok(config.clone()));
            let json = serde_json::to_string(&config).expect("plain data");
            prop_assert_eq!(serde_json::from_str::<FoundationConfig>(&json).expect("its own JSON"), config);
        }
    }

    #[test]
    fn whatever_is_read_as_settings_gives_settings_or_an_error(tree in anything()) {
        if let Ok(config) = bridge::from_value::<FoundationConfig>(&tree) {
            prop_assert_eq!(bridge::from_value(&Value::from(&config)), Ok(config));
        }
    }
}

#[test]
fn keys_that_no_field_reads_are_kept_in_the_sections() {
    let tree = with(full(), &["dev", "custom"], vec![1]);
    let tree = with(tree, &["ai", "planning", "x"], Metadata::new().with("$y", Timestamp::UNIX_EPOCH));
    let tree = with(tree, &["infrastructure", "rate_limiting", "default_rules", "api_calls", "burst"], 7);
    let config = FoundationConfig::try_from(&tree).expect("unknown keys are no mistake");
    assert_eq!(Value::from(&config), tree);
    assert_eq!(config.other.len(), 2);

    let beside = with(tree.clone(), &["coordination"], 5);
    let read = FoundationConfig::try_from(&beside).expect("what lies beside the sections is not looked at");
    assert_eq!(Value::from(&read), tree);
}

#[test]
fn fields_win_over_other_keys_of_the_same_name() {
    let config = FoundationConfig {
        other: Metadata::new().with("dev", Metadata::new().with("debug_mode", true)).with("ai", 5),
        ..FoundationConfig::default()
    };
    assert_eq!(Value::from(&config), FoundationConfig::defaults());
}

#[test]
fn new_merges_maps_and_replaces_everything_else() {
    let dev = Metadata::new().with("debug_mode", true).with("custom", 5);
    let config = config::new(&Metadata::new().with("dev", dev).with("mine", vec![1])).expect("it is valid");
    assert!(config.dev.debug_mode && config.dev.performance_monitoring);
    assert_eq!(config::fetch(&config, "mine"), Ok(vec![1].into()));
    let tree = Value::from(&config);
    assert_eq!(tree.as_map().and_then(|tree| tree.get_path(["dev", "custom"])), Some(&Value::from(5)));

    let refused = config::new(&Metadata::new().with("ai", Metadata::new().with("provider", "eliza")));
    assert_eq!(refused.map_err(|error| error.code()), Err(1002));
    assert_eq!(config::new(&Metadata::new()), Ok(config::new_0()).map_err(|error: foundation_compat::Error| error));
}

#[test]
fn fetch_gives_sections_by_name() {
    let config = config::new_0();
    let dev = config::fetch(&config, "dev").expect("there is one");
    assert_eq!(dev, tree(r#"{"debug_mode":false,"verbose_logging":false,"performance_monitoring":true}"#));
    assert_eq!(config::fetch(&config, "nothing").map_err(|error| error.key), Err("nothing".into()));
}

#[test]
fn get_and_update_replaces_a_section_and_gives_what_the_function_says() {
    let config = config::new_0();
    let raised = |dev: Value| {
        let new = dev.clone().deep_merge(Metadata::new().with("debug_mode", true).into());
        Some((dev, new))
    };
    let (old, new) = config::get_and_update(&config, "dev", raised).expect("it is valid");
    assert_eq!(Ok(old), config::fetch(&config, "dev"));
    assert!(new.dev.debug_mode && !config.dev.debug_mode);

    let popped = config::get_and_update(&new, "dev", |_| None).expect("it is valid");
    assert_eq!(Ok(&popped.0), config::fetch(&new, "dev").as_ref());
    assert_eq!(popped.1, config);

    let (nothing, added) = config::get_and_update(&config, "mine", |now| Some((now, 5.into()))).expect("it is valid");
    assert_eq!((nothing, config::fetch(&added, "mine")), (Value::Null, Ok(5.into())));

    let refused = config::get_and_update(&config, "dev", |_| Some((Value::Null, 5.into())));
    assert_eq!(refused.map_err(|error| error.code()), Err(1001));
}

#[test]
fn a_popped_section_is_back_at_its_default() {
    let changed = config::new(&Metadata::new().with("interface", Metadata::new().with("max_results", 5)));
    let changed = changed.expect("it is valid");
    let (popped, rest) = config::pop(&changed, "interface").expect("the rest is valid");
    assert_eq!(popped.as_map().and_then(|section| section.get("max_results")), Some(&5.into()));
    assert_eq!(rest, config::new_0());
    assert_eq!(
        config::pop(&rest, "nothing"),
        Ok((Value::Null, config::new_0())).map_err(|error: foundation_compat::Error| error)
    );
}

#[test]
fn buffers_are_schedulers_or_a_count() {
    let buffers = |json: &str| {
        let tree = with(FoundationConfig::defaults(), &["capture", "ring_buffer", "num_buffers"], tree(json));
        FoundationConfig::try_from(&tree).map(|config| config.capture.ring_buffer.num_buffers).ok()
    };
    assert_eq!(buffers("\"schedulers\""), Some(NumBuffers::Schedulers));
    assert_eq!(buffers("4"), Some(NumBuffers::Count(4)));
    assert_eq!([buffers("0"), buffers("-1"), buffers("\"many\""), buffers("1.0")], [None; 4]);
    assert_eq!(Provider::WORDS, ["mock", "openai", "anthropic", "gemini"]);
}
