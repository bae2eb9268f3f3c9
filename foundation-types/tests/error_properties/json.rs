//! The JSON form.

use std::error::Error as _;

use foundation_types::error::{DecodeError, Error, ErrorKind, MAX_CHAIN};
use foundation_types::{Timestamp, Value};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

use crate::strategies::{Foreign, error};

/// Any JSON, keys of error records among its keys.
fn any_json() -> impl Strategy<Value = Json> {
    const KEYS: &[&str] = &[
        "code",
        "error_type",
        "message",
        "severity",
        "context",
        "timestamp",
        "caused_by",
        "wraps",
        "stacktrace",
        "agent_context",
        "max_retries",
        "retry_strategy",
        "foreign",
        "$time",
        "other",
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
        select(vec!["high", "timeout", "none", "2024-05-01T12:00:00Z"]).prop_map(Json::from),
        (1..9999_u32).prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Json::from),
            btree_map(select(KEYS), inner.clone(), 0..8).prop_map(|map| {
                Json::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
            // Records with the required fields, so that the others are read too.
            btree_map(select(KEYS), inner, 0..8).prop_map(|map| {
                let mut object = minimal();
                for (key, value) in map {
                    object[key] = value;
                }
                object
            }),
        ]
    })
}

fn minimal() -> Json {
    json!({"code": 4301, "error_type": "timeout", "message": "late", "severity": "medium"})
}

/// An error with this in the place of the agent context.
fn with_agent(error: &Error, agent: Json) -> Json {
    let mut json = error.to_json();
    json["agent_context"] = agent;
    json
}

fn agent_contexts() -> impl Strategy<Value = Json> + Clone {
    select(vec![
        json!({"agent_id": "scout-1"}),
        json!({"agent_id": "scout-1", "capabilities": ["scan", "walk"], "health": "degraded"}),
        json!({"agent_id": "scout-1", "favourite": {"colour": [1, "blue", null]}}),
        json!({"no": "agent"}),
        json!("scout-1"),
        json!([1, 2.5, {"$time": false}]),
    ])
}

proptest! {
    #[test]
    fn e11_an_error_reads_back_equal(error in error()) {
        let json = error.to_json();
        let read = Error::from_json(&json);
        prop_assert_eq!(read.as_ref(), Ok(&error));
        prop_assert_eq!(read.map(|read| read.to_json()), Ok(json));
        let through_serde = serde_json::from_value::<Error>(serde_json::to_value(&error).expect("it has text keys"));
        prop_assert_eq!(through_serde.expect("it is an error record"), error);
    }

    #[test]
    fn e11_agent_contexts_survive_with_and_without_agents(error in error(), agent in agent_contexts()) {
        let json = with_agent(&error, agent);
        let read = Error::from_json(&json).expect("an agent context is never refused");
        prop_assert_eq!(Error::from_json(&read.to_json()), Ok(read));
    }

    #[test]
    fn e20_a_decoded_agent_context_survives_encoding(error in error(), agent in agent_contexts()) {
        let json = with_agent(&error, agent.clone());
        let again = Error::from_json(&json).expect("an agent context is never refused").to_json();
        prop_assert_eq!(&again["agent_context"], &agent);
    }

    #[test]
    fn e20_agent_data_changes_no_other_result(error in error(), agent in agent_contexts()) {
        let read = Error::from_json(&with_agent(&error, agent)).expect("an agent context is never refused");
        prop_assert_eq!(read.to_string(), error.to_string());
        prop_assert_eq!((read.code(), read.kind(), read.severity()), (error.code(), error.kind(), error.severity()));
        prop_assert_eq!(read.retry_advice(), error.retry_advice());
        prop_assert_eq!(read.recovery_actions(), error.recovery_actions());
        prop_assert_eq!(read.context(), error.context());
    }

    #[test]
    fn e11_no_json_panics_the_decoder(json in any_json()) {
        if let Ok(error) = Error::from_json(&json) {
            prop_assert_eq!(Error::from_json(&error.to_json()), Ok(error));
        }
    }

    #[test]
    fn agent_maps_have_ten_keys_and_read_back(error in error()) {
        let map = error.to_agent_map();
        let keys: Vec<&str> = map.as_object().expect("a map").keys().map(String::as_str).collect();
        prop_assert_eq!(keys, [
            "agent_context", "category", "code", "context", "correlation_id", "error_type", "message", "retry_strategy",
            "severity", "timestamp",
        ]);
        let read = Error::from_agent_map(&map).expect("its own map");
        prop_assert_eq!((read.kind(), read.code(), read.message()), (error.kind(), error.code(), error.message()));
        prop_assert_eq!((read.severity(), read.context()), (error.severity(), error.context()));
        prop_assert_eq!((read.retry_strategy(), read.timestamp()), (error.retry_strategy(), error.timestamp()));
        prop_assert_eq!(read.correlation_id(), error.correlation_id());
    }
}

#[test]
fn the_agent_map_writes_none_and_the_category_of_the_range() {
    let map = Error::new(ErrorKind::InternalError).to_agent_map();
    assert_eq!((&map["retry_strategy"], &map["category"]), (&json!("none"), &json!("infrastructure")));
    assert_eq!((&map["correlation_id"], &map["agent_context"]), (&Json::Null, &Json::Null));
}

#[test]
fn e11_four_fields_are_required() {
    for field in ["code", "error_type", "message", "severity"] {
        let mut json = minimal();
        json[field] = Json::Null;
        assert_eq!(Error::from_json(&json), Err(DecodeError::Missing { field }));
    }
    assert_eq!(Error::from_json(&json!([])), Err(DecodeError::NotAnObject));
}

#[test]
fn e11_wrong_values_are_named() {
    let wrong = [
        ("code", json!(0)),
        ("code", json!(10_000)),
        ("severity", json!("fatal")),
        ("timestamp", json!(1_714_564_800)),
        ("timestamp", json!("yesterday")),
        ("retry_strategy", json!("sometimes")),
        ("max_retries", json!(0)),
        ("recovery_actions", json!([1])),
    ];
    for (name, value) in wrong {
        let mut json = minimal();
        json[name] = value;
        assert!(
            matches!(Error::from_json(&json), Err(DecodeError::Invalid { field, .. }) if field == name),
            "{name}: {json}"
        );
    }
}

#[test]
fn e11_what_is_absent_follows_from_the_identity() {
    let received = Timestamp::UNIX_EPOCH;
    let mut json = minimal();
    json["unheard_of"] = json!({"ignored": true});
    let error = Error::from_json_received(&json, received).expect("the required fields are there");
    let same = Error::new(ErrorKind::Timeout).with_message("late").with_timestamp(received);
    assert_eq!(error, same);
    assert_eq!(error.context().len(), 0);
}

#[test]
fn e11_unknown_words_are_kept() {
    let mut json = minimal();
    json["error_type"] = json!("solar_flare");
    json["domain"] = json!("weather");
    json["category"] = json!("space");
    let again = Error::from_json(&json).expect("words are open").to_json();
    assert_eq!(
        (&again["error_type"], &again["domain"], &again["category"]),
        (&json["error_type"], &json["domain"], &json["category"])
    );
}

fn nested(links: usize) -> Json {
    (0..links).fold(minimal(), |inner, _| {
        let mut outer = minimal();
        outer["caused_by"] = inner;
        outer
    })
}

#[test]
fn e11_causes_nest_at_most_64_deep() {
    let error = Error::from_json(&nested(MAX_CHAIN)).expect("64 links are allowed");
    assert_eq!((error.chain().count(), error.dropped_causes()), (MAX_CHAIN, 1));
    assert_eq!(Error::from_json(&nested(MAX_CHAIN + 1)), Err(DecodeError::TooDeep));
    assert_eq!(Error::from_json(&nested(MAX_CHAIN * 20)), Err(DecodeError::TooDeep));
}

#[test]
fn e11_the_longest_chain_reads_back() {
    let chain = (0..200).fold(Error::new("root"), |inner, index| Error::new(format!("link_{index}")).caused_by(inner));
    let read = Error::from_json(&chain.to_json()).expect("its own form");
    assert_eq!(read, chain);
    assert_eq!(read.chain().count(), MAX_CHAIN);
}

#[test]
fn a_foreign_cause_keeps_its_texts_and_the_records_beneath_it() {
    let record = Error::new(ErrorKind::NetworkError).with_context("host", "db-1");
    let foreign = Foreign { message: "query failed".into(), source: Some(Box::new(record.clone())) };
    let error = Error::new(ErrorKind::DependencyFailed).caused_by(foreign);
    let read = Error::from_json(&error.to_json()).expect("its own form");
    let source = read.source().expect("it has a cause");
    assert_eq!(source.to_string(), "query failed");
    assert_eq!(source.source().and_then(|source| source.downcast_ref::<Error>()), Some(&record));
}

#[test]
fn a_difference_in_any_field_is_a_difference() {
    let stamp = Timestamp::UNIX_EPOCH;
    let base = Error::new(ErrorKind::Timeout).with_timestamp(stamp);
    let others = [
        base.clone().with_code(1),
        base.clone().with_message("other"),
        base.clone().with_context("a", Value::Null),
        base.clone().with_correlation_id("x"),
        base.clone().with_frames([]),
        base.clone().with_retry_count(0),
        base.clone().with_domain("weather"),
        base.clone().caused_by(Foreign::new("x")),
        base.clone().with_recovery_actions(["rest"]),
    ];
    for other in others {
        assert_ne!(base, other);
        assert_eq!(Error::from_json(&other.to_json()), Ok(other));
    }
    assert_eq!(base, base.clone().with_code(4301).with_message("Operation timeout"));
}
