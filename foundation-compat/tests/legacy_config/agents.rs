//! Settings of agents, by their old functions.

use std::sync::Arc;
use std::time::Duration;

use foundation_compat::agent::config_server::{
    self, AgentConfigOptions, AgentConfigServer, ChangeScope, DEFAULT_HISTORY, Missed, Persistence,
};
use foundation_compat::application::AgentFeatures;
use foundation_compat::config::ConfigNotification;
use foundation_compat::foundation_config::{ChangeKind, Layer, MapSource, Path};
use foundation_compat::{AgentId, Metadata, Namespace, Value};
use proptest::prelude::*;
use proptest::sample::select;

use crate::session::{Session, code, map};

const SCOUT: AgentId = AgentId::from_static("scout");
const READER: AgentId = AgentId::from_static("reader");
const CONSENSUS: &str = "coordination.consensus_timeout";

fn agents(session: &Session) -> AgentConfigServer {
    AgentConfigServer::from(&session.foundation)
}

#[test]
fn defaults_of_agents_lie_beneath_everything() {
    let session = Session::new();
    let server = agents(&session);
    assert_eq!(server.get_config_1(CONSENSUS).ok(), Some(5_000.into()));
    assert_eq!(server.get_effective_config_2(&SCOUT, CONSENSUS).ok(), Some(5_000.into()));
    let coordination = server.get_config_1("coordination").expect("it is there");
    assert_eq!(
        coordination,
        map(r#"{"consensus_timeout":5000,"election_timeout":3000,"barrier_timeout":10000}"#).into()
    );
    let breaker = server.get_config_1("infrastructure.circuit_breaker").expect("it is there");
    let keys: Vec<_> = breaker.as_map().expect("a map").iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["default_config", "enabled", "failure_threshold", "recovery_timeout"]);
    assert_eq!(code(session.config.get(CONSENSUS)), Some(1302), "the old functions do not see them");
    assert_eq!(code(session.config.get("infrastructure.circuit_breaker.failure_threshold")), Some(1302));
}

#[test]
fn f17_what_is_written_above_and_below_is_seen() {
    let session = Session::new();
    let server = agents(&session);
    server.set_config_2("mine.a.b", 1).expect("anything may be there");
    assert_eq!(server.get_config_1("mine").ok(), Some(map(r#"{"a":{"b":1}}"#).into()));
    server.set_config_2("mine", map(r#"{"a":{"c":2}}"#)).expect("anything may be there");
    assert_eq!(server.get_config_1("mine.a.c").ok(), Some(2.into()));
    assert_eq!(code(server.get_config_1("mine.a.b")), Some(9002), "a map replaces what was there");
    server.set_agent_config_3(&SCOUT, "mine.a", map(r#"{"d":3}"#)).expect("anything may be there");
    assert_eq!(server.get_effective_config_2(&SCOUT, "mine.a").ok(), Some(map(r#"{"c":2,"d":3}"#).into()));
    assert_eq!(server.get_effective_config_2(&READER, "mine.a").ok(), Some(map(r#"{"c":2}"#).into()));
    server.set_config_2("mine.none", Value::Null).expect("null is a value");
    assert_eq!(server.get_config_1("mine.none").ok(), Some(Value::Null));
}

#[test]
fn f17_numbers_of_agents_have_their_rules() {
    let session = Session::new();
    let server = agents(&session);
    for (path, value) in [
        (CONSENSUS, Value::from(-5)),
        (CONSENSUS, "soon".into()),
        (CONSENSUS, Value::Null),
        ("coordination", map(r#"{"election_timeout":0}"#).into()),
        ("coordination", 5.into()),
        ("agents.resource_thresholds.memory", 2.into()),
    ] {
        for result in [server.set_config_2(path, value.clone()), server.set_agent_config_3(&SCOUT, path, value.clone())]
        {
            let error = result.expect_err("it breaks a rule");
            assert_eq!((error.kind().as_str(), error.code()), ("config_validation_failed", 9003), "{path}: {value}");
            assert!(error.context().contains_key("error_type"));
        }
    }
    server.set_config_2("agents.resource_thresholds.memory", 0.5).expect("it is a share");
    server.set_config_2("coordination.other", "anything").expect("there is no rule");
}

#[test]
fn settings_of_the_original_follow_their_own_rules() {
    let session = Session::new();
    let server = agents(&session);
    let refused = |path: &str, value: Value| {
        let error = server.set_config_2(path, value.clone()).expect_err("it is refused");
        assert_eq!(code(server.set_agent_config_3(&SCOUT, path, value)), Some(9003));
        assert_eq!(error.code(), 9003);
        error.context().get("code").and_then(Value::as_i64)
    };
    assert_eq!(refused("ai.provider", "openai".into()), Some(1401));
    assert_eq!(refused("infrastructure.rate_limiter.default_limit", 5.into()), Some(1401));
    assert_eq!(refused("interface.max_results", 0.into()), Some(1001));
    assert_eq!(refused("", 5.into()), Some(1401));
    assert_eq!(refused("a..b", 5.into()), Some(1304));
    assert_eq!(refused("mine.__info__", 5.into()), Some(1000));
    assert_eq!(refused("mine", map(r#"{"__info__":1}"#).into()), Some(1005));

    server.set_config_2("interface.max_results", 5).expect("it may change");
    assert_eq!(session.config.get_as("interface.max_results").ok(), Some(5));
    server.set_agent_config_3(&SCOUT, "interface.max_results", 6).expect("it may change");
    assert_eq!(server.get_effective_config_2(&SCOUT, "interface.max_results").ok(), Some(6.into()));
    assert_eq!(session.config.get_as("interface.max_results").ok(), Some(5));
    assert_eq!(session.running().updates_count, 0, "the old functions count their own writes");
}

#[test]
fn reads_that_find_nothing_say_why() {
    let session = Session::new();
    let server = agents(&session);
    let error = server.get_config_1("nothing").expect_err("it is not there");
    assert_eq!((error.kind().as_str(), error.code(), error.severity().as_str()), ("config_not_found", 9002, "low"));
    assert_eq!(error.context().get("code"), Some(&1302.into()));
    assert_eq!(error.context().get("path"), Some(&vec!["nothing"].into()));
    assert_eq!(code(server.get_effective_config_2(&SCOUT, "a..b")), Some(9002));
    assert_eq!(code(server.get_config_1(&vec!["a"; 51])), Some(9002));
}

#[test]
fn overrides_are_taken_back_by_path_or_all_at_once() {
    let session = Session::new();
    let server = agents(&session);
    let set = || {
        server.set_agent_config_3(&SCOUT, "mine.a", 1).expect("anything may be there");
        server.set_agent_config_3(&SCOUT, "dev.debug_mode", true).expect("it may change");
    };
    set();
    server.clear_agent_config_2(&SCOUT, "mine").expect("it is there");
    assert_eq!(code(server.get_effective_config_2(&SCOUT, "mine.a")), Some(9002));
    assert_eq!(server.get_effective_config_2(&SCOUT, "dev.debug_mode").ok(), Some(true.into()));
    assert_eq!(code(server.clear_agent_config_2(&SCOUT, "mine")), Some(9002));
    set();
    server.clear_agent_config_2(&SCOUT, "").expect("there is something");
    assert_eq!(server.get_effective_config_2(&SCOUT, "dev.debug_mode").ok(), Some(false.into()));
    assert_eq!(code(server.clear_agent_config_2(&SCOUT, "")), Some(9002));
    assert!(session.foundation.settings().agents().is_empty());
}

#[test]
fn while_agents_are_off_reads_are_those_of_all_and_writes_are_refused() {
    let session = Session::new();
    let server = agents(&session);
    server.set_agent_config_3(&SCOUT, CONSENSUS, 1).expect("it is valid");
    session.foundation.set_agent_features(AgentFeatures::Disabled);
    assert_eq!(server.get_effective_config_2(&SCOUT, CONSENSUS).ok(), Some(5_000.into()));
    let error = server.set_agent_config_3(&SCOUT, CONSENSUS, 2).expect_err("they are off");
    assert_eq!((error.kind().as_str(), error.code()), ("agent_features_disabled", 3901));
    assert_eq!(code(server.clear_agent_config_2(&SCOUT, CONSENSUS)), Some(3901));
    session.foundation.set_agent_features(AgentFeatures::Enabled);
    assert_eq!(server.get_effective_config_2(&SCOUT, CONSENSUS).ok(), Some(1.into()));
}

#[test]
fn f16_a_stopped_configuration_is_an_error() {
    let session = Session::new();
    let server = agents(&session);
    session.server.stop();
    let error = server.get_config_1(CONSENSUS).expect_err("it is stopped");
    assert_eq!((error.kind().as_str(), error.code()), ("config_server_error", 9001));
    assert_eq!(code(server.set_config_2(CONSENSUS, 1)), Some(9001));
    assert_eq!(code(server.subscribe_to_changes_1("")), Some(9001));
    assert_eq!(code(server.get_change_history_0()), Some(9001));
    server.start_0().expect("it starts");
    assert!(session.config.available());
    assert_eq!(code(server.start(&AgentConfigOptions::new().persistence(Persistence::On))), Some(9001));
}

#[test]
fn namespaces_share_nothing() {
    let session = Session::new();
    let server = agents(&session);
    let other = Namespace::custom("staging").expect("a name");
    assert_eq!(code(server.get_config(CONSENSUS, &other)), Some(9001));
    server.start(&AgentConfigOptions::new().namespace(other.clone())).expect("it starts");
    server.start(&AgentConfigOptions::new().namespace(other.clone())).expect("it runs");
    server.set_config(CONSENSUS, 7, &other).expect("it is valid");
    server.set_agent_config(&SCOUT, CONSENSUS, 8, &other).expect("it is valid");
    assert_eq!(server.get_config(CONSENSUS, &other).ok(), Some(7.into()));
    assert_eq!(server.get_effective_config(&SCOUT, CONSENSUS, &other).ok(), Some(8.into()));
    assert_eq!(server.get_config_1(CONSENSUS).ok(), Some(5_000.into()));
    assert_eq!(server.get_config(CONSENSUS, session.foundation.namespace()).ok(), Some(5_000.into()));
    let started = session.events("foundation.services.config_server.started");
    assert_eq!(started[0].get("namespace"), Some(&"staging".into()));
    session.foundation.shutdown();
    assert_eq!(code(server.get_config(CONSENSUS, &other)), Some(9001));
    assert_eq!(code(server.start(&AgentConfigOptions::new().namespace(Namespace::test()))), Some(5000));
}

#[test]
fn one_change_is_told_once_whoever_makes_it() {
    let session = Session::new();
    let server = agents(&session);
    let mut below = server.subscribe_to_changes_1(CONSENSUS).expect("it runs");
    let mut above = server.subscribe_to_changes_1("coordination").expect("it runs");
    let mut elsewhere = server.subscribe_to_changes_1("agents").expect("it runs");
    server.set_config_2(CONSENSUS, 1_000).expect("it is valid");
    server.set_agent_config_3(&SCOUT, "coordination", map(r#"{"consensus_timeout":2000}"#)).expect("it is valid");

    for changes in [&mut below, &mut above] {
        let first = changes.try_recv().expect("it was told").expect("nothing was missed");
        assert_eq!((first.path.to_string().as_str(), first.scope), (CONSENSUS, ChangeScope::Global));
        assert_eq!(
            (first.old_value, first.new_value),
            (5_000.into(), 1_000.into()),
            "the default was in effect before"
        );
        assert_eq!((first.replaced, first.agent_id), (None, None));
        assert_eq!((first.version.get(), first.kind), (2, ChangeKind::Update));
        let second = changes.try_recv().expect("it was told").expect("nothing was missed");
        assert_eq!((second.path.to_string().as_str(), second.scope), ("coordination", ChangeScope::Agent));
        assert_eq!(second.agent_id, Some(SCOUT));
        let value = |value: &Value| value.as_map().and_then(|map| map.get("consensus_timeout")).cloned();
        assert_eq!((value(&second.old_value), value(&second.new_value)), (Some(1_000.into()), Some(2_000.into())));
        assert!(changes.try_recv().is_none());
    }
    assert!(elsewhere.try_recv().is_none());
}

#[test]
fn an_agent_hears_of_its_own_settings_and_of_what_they_do_not_hide() {
    let session = Session::new();
    let server = agents(&session);
    let mut scout = server.subscribe_to_agent_changes_1(&SCOUT).expect("it runs");
    let mut reader = server.subscribe_to_agent_changes_2(&READER, Some("mine.a")).expect("it runs");
    server.set_agent_config_3(&SCOUT, "mine.a", 1).expect("anything may be there");
    server.set_config_2("mine.a", 2).expect("anything may be there");
    server.set_config_2("mine.b", 3).expect("anything may be there");
    server.set_config_2("mine", map(r#"{"a":4}"#)).expect("anything may be there");

    let told = |changes: &mut config_server::EffectiveSubscription| {
        std::iter::from_fn(|| changes.try_recv())
            .map(|change| change.expect("nothing was missed"))
            .map(|change| (change.path.to_string(), change.old_value, change.new_value))
            .collect::<Vec<_>>()
    };
    let at = |path: &str, old: Value, new: Value| (path.to_owned(), old, new);
    assert_eq!(
        told(&mut scout),
        [
            at("mine.a", Value::Null, 1.into()),
            at("mine.b", Value::Null, 3.into()),
            at("mine", map(r#"{"a":1,"b":3}"#).into(), map(r#"{"a":1}"#).into()),
        ]
    );
    assert_eq!(told(&mut reader), [at("mine.a", Value::Null, 2.into()), at("mine.a", 2.into(), 4.into())]);
}

#[test]
fn overrides_that_no_longer_fit_are_told_to_their_agent() {
    let session = Session::new();
    let server = agents(&session);
    let limiter = "infrastructure.protection.a.rate_limiter";
    server.set_config_2(limiter, map(r#"{"scale":1,"limit":1}"#)).expect("it is valid");
    server.set_agent_config_3(&SCOUT, &*format!("{limiter}.scale"), 9).expect("it is valid");
    let mut changes = server.subscribe_to_agent_changes_2(&SCOUT, Some(&*format!("{limiter}.scale"))).expect("it runs");
    // Without the rest, the override alone is no limiter.
    session.config.update("infrastructure.protection.a", map("{}")).expect("overrides keep nobody from it");
    let change = changes.try_recv().expect("it was told").expect("nothing was missed");
    assert_eq!((change.old_value, change.new_value), (9.into(), Value::Null));
    session.config.update(limiter, map(r#"{"scale":1,"limit":1}"#)).expect("it is valid");
    let change = changes.try_recv().expect("it was told").expect("nothing was missed");
    assert_eq!((change.old_value, change.new_value), (Value::Null, 9.into()));
}

#[test]
fn f18_every_change_is_remembered_the_newest_first() {
    let session = Session::new();
    let server = agents(&session);
    for number in 0..200 {
        server.set_config_2("mine.number", number).expect("anything may be there");
    }
    server.set_agent_config_3(&SCOUT, "mine.own", 1).expect("anything may be there");
    server.set_agent_config_3(&READER, "mine.own", 2).expect("anything may be there");
    let history = server.get_change_history_0().expect("it runs");
    assert_eq!(history.len(), DEFAULT_HISTORY);
    let versions: Vec<_> = history.iter().map(|change| change.version.get()).collect();
    assert_eq!(versions, (104..=203).rev().collect::<Vec<_>>());
    assert_eq!(server.get_change_history(session.foundation.namespace(), 500).expect("it runs").len(), 202);
    assert_eq!(server.get_change_history(session.foundation.namespace(), 0).expect("it runs"), []);
    let own = server.get_agent_config_history_2(&SCOUT, 2).expect("it runs");
    let shown: Vec<_> = own.iter().map(|change| (change.path.to_string(), change.agent_id.clone())).collect();
    assert_eq!(shown, [("mine.own".to_owned(), Some(SCOUT)), ("mine.number".to_owned(), None)]);
    assert_eq!(server.get_agent_config_history_1(&SCOUT).expect("it runs").len(), DEFAULT_HISTORY);
}

#[test]
fn changes_of_agents_have_their_events() {
    let session = Session::new();
    let server = agents(&session);
    let one = server.subscribe_to_changes_1("mine").expect("it runs");
    let _two = server.subscribe_to_agent_changes_1(&SCOUT).expect("it runs");
    let _three = server.subscribe_to_changes_1("agents").expect("it runs");
    let subscribed = session.events("foundation.services.config_server.subscriber_added");
    let path = |path: &[&str]| Value::from(path.to_vec());
    assert_eq!(subscribed[0], Metadata::new().with("path", path(&["mine"])));
    assert_eq!(subscribed[1], Metadata::new().with("path", path(&[])).with("agent", "scout"));

    server.set_config_2("mine.a", 1).expect("anything may be there");
    server.set_agent_config_3(&READER, "mine.a", 1).expect("anything may be there");
    drop(one);
    server.set_agent_config_3(&SCOUT, "mine.a", 1).expect("anything may be there");
    let changed: Vec<_> = session
        .events("foundation.services.config_server.config_changed")
        .into_iter()
        .map(|event| (event.get("scope").cloned(), event.get("subscriber_count").cloned()))
        .collect();
    let expected = |scope: &str, count: i64| (Some(scope.into()), Some(count.into()));
    assert_eq!(changed, [expected("global", 2), expected("agent", 1), expected("agent", 1)]);
    assert!(session.events("foundation.config_updates").is_empty());
}

#[test]
fn who_falls_behind_is_told_how_much_was_missed() {
    let session = Session::new();
    let server = agents(&session);
    let mut changes = server.subscribe_to_changes_1("mine").expect("it runs");
    for number in 0..1_030 {
        server.set_config_2("mine.number", number).expect("anything may be there");
    }
    assert!(matches!(changes.try_recv(), Some(Err(Missed { missed: 6 }))));
    assert_eq!(std::iter::from_fn(|| changes.recv_timeout(Duration::ZERO)).count(), 1_024);
}

#[test]
fn p23_changes_do_not_show_secrets() {
    let session = Session::new();
    let server = agents(&session);
    let mut all = server.subscribe_to_changes_1("").expect("it runs");
    let mut scout = server.subscribe_to_agent_changes_1(&SCOUT).expect("it runs");
    server
        .set_agent_config_3(&SCOUT, "mine", map(r#"{"api_key":"hunter2","deep":[{"token":"hunter2"}]}"#))
        .expect("so");
    let told = format!("{:?}{:?}{:?}", all.try_recv(), scout.try_recv(), session.observer.events());
    assert!(told.contains("[redacted]"));
    assert!(!told.contains("hunter2"), "{told}");
    assert!(!format!("{:?}", server.get_change_history_0()).contains("hunter2"));
    let refused = server.set_config_2("mine.api_key", map(r#"{"__info__":"hunter2"}"#)).expect_err("it is refused");
    assert!(!format!("{refused:?}").contains("hunter2"));
}

#[test]
fn f21_validation_is_real() {
    let validate = |json: &str| code(config_server::validate_config(&serde_json::from_str(json).expect("JSON")));
    for good in
        ["{}", r#"{"mine":{"x":1}}"#, r#"{"dev":{"debug_mode":true}}"#, r#"{"coordination":{"consensus_timeout":1}}"#]
    {
        assert_eq!(validate(good), None, "{good}");
    }
    for bad in [
        "5",
        "null",
        "[]",
        r#"{"dev":{"debug_mode":5}}"#,
        r#"{"dev":5}"#,
        r#"{"coordination":{"consensus_timeout":-5}}"#,
        r#"{"infrastructure":{"rate_limiter":{"default_limit":0}}}"#,
    ] {
        assert_eq!(validate(bad), Some(9003), "{bad}");
    }
}

/// What is in effect, by the definition: the overrides over what holds for all over the defaults.
fn effective(parts: &[Value], path: &str) -> Option<Value> {
    let tree = parts.iter().cloned().reduce(Value::deep_merge)?;
    path.split('.').try_fold(&tree, |value, key| value.as_map()?.get(key)).cloned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn p24_overrides_lie_over_what_holds_for_all(
        calls in prop::collection::vec(
            (0..3_u8, select(vec!["mine", "mine.a", "mine.a.b", "mine.c", "coordination.consensus_timeout"]),
             select(vec!["1", "null", "{}", r#"{"a":{"b":1}}"#, r#"{"b":2}"#, "[1]"])), 0..16),
    ) {
        let session = Session::new();
        let server = agents(&session);
        for (who, path, value) in calls {
            let value: Value = serde_json::from_str(value).expect("JSON");
            let before = session.foundation.settings().load().version();
            let result = match who {
                0 => server.set_config_2(path, value),
                1 => server.set_agent_config_3(&SCOUT, path, value),
                _ => server.set_agent_config_3(&READER, path, value),
            };
            let after = session.foundation.settings().load().version();
            prop_assert_eq!(after.get() - before.get(), u64::from(result.is_ok()));
        }
        let settings = session.foundation.settings();
        let base = settings.value("").expect("it is there");
        let defaults = foundation_compat::types::config::agent::agent_defaults().into();
        for path in ["mine", "mine.a", "mine.a.b", "mine.c", "coordination", "coordination.consensus_timeout", "dev"] {
            let parts = [Value::clone(&defaults), base.clone()];
            prop_assert_eq!(server.get_config_1(path).ok(), effective(&parts, path), "{}", path);
            for id in [SCOUT, READER] {
                let overrides = settings.agent(id.clone()).overrides();
                let parts = [defaults.clone(), base.clone(), overrides];
                prop_assert_eq!(server.get_effective_config_2(&id, path).ok(), effective(&parts, path), "{}", path);
            }
        }
    }
}

#[test]
fn what_is_written_for_all_in_the_sections_is_told_to_the_old_subscribers_too() {
    let session = Session::new();
    let server = agents(&session);
    let mut changes = session.config.subscribe().expect("it runs");
    server.set_agent_config_3(&SCOUT, "dev.debug_mode", true).expect("it may change");
    server.set_config_2("dev.debug_mode", true).expect("it may change");
    let path: Path = "dev.debug_mode".parse().expect("a path");
    assert_eq!(changes.try_recv(), Some(ConfigNotification::Updated { path, value: true.into() }));
    assert_eq!(changes.try_recv(), None);
}

#[test]
fn a_default_below_what_is_no_map_is_not_in_effect() {
    let file = Arc::new(MapSource::new("file", Layer::File, map(r#"{"coordination":{"consensus_timeout":1}}"#)));
    let session = Session::built(|builder| builder.config_source(Arc::clone(&file)));
    let server = agents(&session);
    let mut changes = server.subscribe_to_agent_changes_2(&SCOUT, Some(CONSENSUS)).expect("it runs");
    file.set(map(r#"{"coordination":5}"#));
    assert!(session.foundation.settings().reload().expect("nobody writes").is_clean());
    assert_eq!(code(server.get_effective_config_2(&SCOUT, CONSENSUS)), Some(9002));
    let change = changes.try_recv().expect("it was told").expect("nothing was missed");
    assert_eq!((change.old_value, change.new_value), (1.into(), Value::Null));
}
