//! The forms an agent takes outside: JSON, metadata, context.
#![cfg(all(feature = "agent", feature = "test-util"))]

use std::collections::BTreeMap;

use foundation_types::agent::strategies::{
    agent_info, agent_state, agent_type, coordination_lists, health, resource_usage,
};
use foundation_types::agent::{
    AgentContext, AgentInfo, AgentInfoError, AgentState, AgentType, CapabilitySet, ContextStatus, CoordinationLists,
    MetadataView,
};
use foundation_types::testing::strategies::{agent_id, capability, metadata, name, timestamp};
use foundation_types::{
    AgentId, Capability, Clock, Health, ManualClock, Metadata, Name, NodeId, Ratio, ResourceUsage, ResourceValue,
    Timestamp, Value,
};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use serde_json::json;

fn id() -> AgentId {
    AgentId::from_static("scout")
}

fn read(metadata: &Metadata) -> Result<AgentInfo, AgentInfoError> {
    AgentInfo::from_metadata(id(), metadata, &ManualClock::new())
}

fn decode(json: &serde_json::Value) -> Result<AgentInfo, AgentInfoError> {
    AgentInfo::decode(json, &ManualClock::new())
}

fn field_of<T: std::fmt::Debug>(result: Result<T, AgentInfoError>) -> &'static str {
    match result {
        Err(AgentInfoError::InvalidField { field, reason }) => {
            assert!(!reason.is_empty());
            field
        }
        other => panic!("expected an invalid field, got {other:?}"),
    }
}

fn texts(list: &[&str]) -> Value {
    Value::from(list.to_vec())
}

fn float(value: f64) -> Value {
    Value::Float(foundation_types::FiniteF64::new(value).expect("finite"))
}

/// A map with `value` at a dotted path.
fn at_path(mut metadata: Metadata, path: &str, value: Value) -> Metadata {
    match path.split_once('.') {
        None => {
            metadata.insert(path, value);
        }
        Some((outer, inner)) => {
            let nested = metadata.remove(outer).and_then(|nested| nested.as_map().cloned()).unwrap_or_default();
            metadata.insert(outer, at_path(nested, inner, value));
        }
    }
    metadata
}

/// A full record as JSON, to break one field at a time.
fn full_json() -> serde_json::Value {
    json!({
        "agent_id": "scout",
        "agent_type": "ml_agent",
        "state": "active",
        "capabilities": ["scan"],
        "health_metrics": {
            "overall_health": "degraded",
            "resource_health": { "memory": "healthy" },
            "performance_health": "unknown",
            "coordination_health": "healthy",
            "last_health_check": "2024-05-01T12:00:00Z",
            "health_trend": "improving",
            "health_score": 0.7,
        },
        "resource_usage": { "memory": 0.5, "network": 3, "custom": { "disk": 0.25, "files": 9 } },
        "performance_metrics": {
            "tasks_completed": 1,
            "tasks_failed": 1,
            "average_task_duration": 12.5,
            "throughput_per_second": 2.0,
            "error_rate": 0.5,
            "success_rate": 0.5,
            "last_performance_update": "2024-05-01T12:00:00Z",
        },
        "coordination_state": {
            "active_consensus": ["ballot"],
            "active_barriers": [],
            "held_locks": ["index"],
            "leadership_roles": [],
            "coordination_score": 0.4,
            "last_coordination_activity": "2024-05-01T12:00:00Z",
        },
        "configuration": {
            "startup_parameters": { "at": { "$time": "2024-05-01T12:00:00Z" } },
            "runtime_configuration": {},
            "coordination_preferences": {},
            "capability_configuration": { "scan": { "depth": 3 } },
            "resource_limits": { "memory": 1_073_741_824, "cpu": 0.5, "custom": { "files": 100 } },
            "extra": { "model": "small" },
        },
        "node_affinity": ["node-1"],
        "coordination_variables": ["phase"],
        "metadata": { "owner": "ops" },
        "created_at": "2024-05-01T12:00:00Z",
        "last_updated": "2024-05-01T13:00:00Z",
        "version": 7,
    })
}

/// The place of a dotted path in a JSON object.
fn json_at<'j>(json: &'j mut serde_json::Value, path: &str) -> &'j mut serde_json::Value {
    path.split('.').fold(json, |json, key| &mut json[key])
}

/// Every path to an object of a full record.
const OBJECTS: [&str; 6] =
    ["", "health_metrics", "resource_usage", "performance_metrics", "coordination_state", "configuration"];

#[test]
fn t14_a_full_record_is_written_as_it_was_read() {
    let info = decode(&full_json()).expect("a full record");
    assert_eq!(serde_json::to_value(&info).expect("serialises"), full_json());
    assert_eq!(info.version(), 7);
    assert_eq!(info.agent_type(), &AgentType::new("ml_agent").expect("a name"));
    assert_eq!(info.configuration().capability_configuration.len(), 1);
}

#[test]
fn t14_counts_beyond_signed_integers_read_back() {
    let usage = ResourceUsage::new().with_network(u64::MAX);
    let info = AgentInfo::builder(id()).resource_usage(usage).build(&ManualClock::new());
    let text = serde_json::to_string(&info).expect("serialises");
    assert_eq!(serde_json::from_str::<AgentInfo>(&text).expect("reads back"), info);
}

#[test]
fn missing_and_null_fields_take_the_defaults_of_a_fresh_agent() {
    let clock = ManualClock::new();
    let fresh = AgentInfo::builder(id()).build(&clock);
    assert_eq!(AgentInfo::decode(&json!({ "agent_id": "scout" }), &clock), Ok(fresh.clone()));
    let mut nulls = full_json();
    for (key, value) in nulls.as_object_mut().expect("an object") {
        if key != "agent_id" {
            *value = serde_json::Value::Null;
        }
    }
    assert_eq!(AgentInfo::decode(&nulls, &clock), Ok(fresh.clone()));
    let hollow = json!({
        "agent_id": "scout", "health_metrics": {}, "performance_metrics": {}, "coordination_state": {}, "configuration": {},
    });
    assert_eq!(AgentInfo::decode(&hollow, &clock), Ok(fresh));
}

#[test]
fn a_stamp_that_is_missing_never_contradicts_the_one_that_is_there() {
    let clock = ManualClock::new();
    let past: Timestamp = "1999-01-01T00:00:00Z".parse().expect("a time");
    let future: Timestamp = "2100-01-01T00:00:00Z".parse().expect("a time");
    let updated = AgentInfo::decode(&json!({ "agent_id": "a", "last_updated": past }), &clock).expect("valid");
    assert_eq!((updated.created_at(), updated.last_updated()), (past, past));
    let created = AgentInfo::decode(&json!({ "agent_id": "a", "created_at": future }), &clock).expect("valid");
    assert_eq!((created.created_at(), created.last_updated()), (future, future));
    let updated = AgentInfo::decode(&json!({ "agent_id": "a", "last_updated": future }), &clock).expect("valid");
    assert_eq!((updated.created_at(), updated.last_updated()), (clock.wall(), future));
}

#[test]
fn t15_a_record_without_an_id_is_refused() {
    for json in [json!({}), json!({ "agent_id": null }), json!({ "id": "scout" })] {
        assert_eq!(decode(&json), Err(AgentInfoError::MissingAgentId));
    }
    assert_eq!(field_of(decode(&json!({ "agent_id": "" }))), "agent_id");
    assert_eq!(field_of(decode(&json!([]))), "agent_info");
    let error = serde_json::from_str::<AgentInfo>("{}").expect_err("no id");
    assert!(error.to_string().contains("missing agent id"), "{error}");
}

#[test]
fn t15_a_field_that_cannot_be_read_is_named() {
    let enumerations = [
        "state",
        "health_metrics.overall_health",
        "health_metrics.performance_health",
        "health_metrics.coordination_health",
        "health_metrics.health_trend",
    ];
    let times = [
        "health_metrics.last_health_check",
        "performance_metrics.last_performance_update",
        "coordination_state.last_coordination_activity",
        "created_at",
        "last_updated",
    ];
    for path in enumerations.into_iter().chain(times) {
        let mut json = full_json();
        *json_at(&mut json, path) = json!("yesterday");
        assert_eq!(field_of(decode(&json)), path);
        let error = serde_json::from_value::<AgentInfo>(json).expect_err(path);
        assert!(error.to_string().contains(path), "{error}");
    }
    for (path, bad) in [
        ("agent_type", json!("")),
        ("capabilities", json!("scan")),
        ("health_metrics", json!("healthy")),
        ("health_metrics.resource_health", json!({ "memory": "full" })),
        ("health_metrics.health_score", json!(1.5)),
        ("resource_usage", json!({ "memory": 1.5 })),
        ("performance_metrics", json!([])),
        ("performance_metrics.tasks_failed", json!(-1)),
        ("performance_metrics.success_rate", json!(2)),
        ("coordination_state.held_locks", json!("index")),
        ("configuration", json!({ "resource_limits": { "cpu": -1 } })),
        ("node_affinity", json!("node-1")),
        ("metadata", json!(5)),
        ("version", json!(0)),
    ] {
        let mut json = full_json();
        *json_at(&mut json, path) = bad;
        assert_eq!(field_of(decode(&json)), path);
    }
    let mut backwards = full_json();
    backwards["last_updated"] = json!("2000-01-01T00:00:00Z");
    assert_eq!(field_of(decode(&backwards)), "last_updated");
}

#[test]
fn t15_unknown_fields_never_fail() {
    let known = decode(&full_json()).expect("a full record");
    for path in OBJECTS {
        let mut json = full_json();
        let object = if path.is_empty() { &mut json } else { json_at(&mut json, path) };
        object["unheard_of"] = json!({ "deep": [1, null] });
        let info = decode(&json).expect("unknown fields are no error");
        if path == "configuration" {
            assert!(info.configuration().extra.contains_key("unheard_of"), "a configuration keeps them");
        } else {
            assert_eq!(info, known, "in {path:?}");
        }
    }
}

#[test]
fn the_basic_view_tells_type_and_health_alone() {
    let info = decode(&full_json()).expect("a full record");
    assert_eq!(info.view(MetadataView::Basic), Metadata::from([("type", "ml_agent"), ("health", "degraded")]));
}

#[test]
fn the_enhanced_view_has_the_fields_in_their_places() {
    let info = decode(&full_json()).expect("a full record");
    let view = info.view(MetadataView::Enhanced);
    let expected = json!({
        "type": "ml_agent",
        "health": "degraded",
        "agent_context": {
            "capabilities": ["scan"],
            "resource_usage": { "memory": 0.5, "network": 3, "custom": { "disk": 0.25, "files": 9 } },
            "coordination_state": {
                "active_consensus": ["ballot"], "active_barriers": [], "held_locks": ["index"], "leadership_roles": [],
            },
        },
        "last_health_check": "2024-05-01T12:00:00Z",
        "custom": { "owner": "ops" },
    });
    assert_eq!(view.plain(), expected);
    assert!(!AgentInfo::builder(id()).build(&ManualClock::new()).view(MetadataView::Enhanced).contains_key("custom"));
}

#[test]
fn t22_the_first_key_present_wins_and_null_is_absent() {
    type Check = fn(&AgentInfo) -> bool;
    let usage = || Value::from(Metadata::new().with("cpu", float(0.5)));
    let locks = || Value::from(Metadata::new().with("held_locks", texts(&["index"])));
    let fields: [(&[&str], Value, Check); 9] = [
        (&["type", "agent_type"], "ml_agent".into(), |info| info.agent_type().as_str() == "ml_agent"),
        (&["capabilities", "agent_context.capabilities"], texts(&["scan"]), |info| {
            info.has_capability(&Capability::from_static("scan"))
        }),
        (&["health", "health_status"], "critical".into(), |info| info.health().overall_health == Health::Critical),
        (&["state"], "idle".into(), |info| info.state() == AgentState::Idle),
        (&["resource_usage", "resources", "agent_context.resource_usage"], usage(), |info| {
            info.resource_usage().cpu.is_some_and(|cpu| cpu == Ratio::saturating(0.5))
        }),
        (&["resource_usage.memory", "resource_usage.memory_usage"], float(0.5), |info| {
            info.resource_usage().memory.is_some_and(|memory| memory == Ratio::saturating(0.5))
        }),
        (&["resource_usage.cpu", "resource_usage.cpu_usage"], float(0.5), |info| {
            info.resource_usage().cpu.is_some_and(|cpu| cpu == Ratio::saturating(0.5))
        }),
        (&["coordination_state", "agent_context.coordination_state"], locks(), |info| {
            info.coordination().lists.held_locks == [Name::from_static("index")]
        }),
        (&["metadata", "custom"], Metadata::new().with("owner", "ops").into(), |info| {
            info.metadata().contains_key("owner")
        }),
    ];
    for (keys, value, check) in fields {
        for first in 0..keys.len() {
            let mut metadata = Metadata::new();
            for (place, path) in keys.iter().enumerate() {
                let at_this_key = match place {
                    place if place < first => Value::Null,
                    place if place == first => value.clone(),
                    // Invalid for every field: it must not be looked at.
                    _ => Value::Bool(true),
                };
                metadata = at_path(metadata, path, at_this_key);
            }
            let info = read(&metadata).unwrap_or_else(|error| panic!("{metadata:?}: {error}"));
            assert!(check(&info), "{metadata:?}");
        }
    }
}

#[test]
fn the_singular_capability_comes_last() {
    let one = Metadata::new().with("capability", "scan");
    assert!(read(&one).expect("valid").has_capability(&Capability::from_static("scan")));
    let both = one.with("capabilities", texts(&["read"]));
    assert_eq!(
        read(&both).expect("valid").capabilities(),
        &CapabilitySet::from_iter([Capability::from_static("read")])
    );
}

#[test]
fn empty_metadata_is_a_fresh_agent() {
    let clock = ManualClock::new();
    let fresh = AgentInfo::builder(id()).build(&clock);
    assert_eq!(AgentInfo::from_metadata(id(), &Metadata::new().with("unheard_of", 1), &clock), Ok(fresh));
}

#[test]
fn loose_fields_that_do_not_hold_what_they_must_are_named_in_order() {
    let in_order = [
        ("type", "type", Value::from("")),
        ("capabilities", "capabilities", "scan".into()),
        ("health", "health", "fine".into()),
        ("state", "state", "running".into()),
        ("resource_usage.memory", "resource_usage.memory", float(1.5)),
        ("coordination_state.held_locks", "coordination_state.held_locks", "index".into()),
    ];
    for (position, (field, _, _)) in in_order.iter().enumerate() {
        let wrong_from_here = in_order[position..].iter();
        let metadata =
            wrong_from_here.fold(Metadata::new(), |metadata, (_, path, bad)| at_path(metadata, path, bad.clone()));
        assert_eq!(field_of(read(&metadata)), *field);
    }
    for (field, path, bad) in [
        ("type", "agent_type", Value::Int(1)),
        ("capabilities", "capability", Value::Int(1)),
        ("capabilities", "capabilities", Value::from(vec![1])),
        ("resource_usage", "resources", Value::Int(1)),
        ("resource_usage.cpu", "resources.cpu_usage", "0.5".into()),
        ("resource_usage.storage", "resources.storage", Value::Int(-1)),
        ("resource_usage.gpu", "resources.gpu", Value::Int(2)),
        ("resource_usage.network", "resources.network", float(1.0)),
        ("resource_usage.network", "resources.network", Value::Int(-1)),
        ("resource_usage.custom", "resources.custom", Metadata::new().with("memory", 1).into()),
        ("coordination_state", "coordination_state", Value::Int(1)),
        (
            "coordination_state.active_barriers",
            "agent_context.coordination_state.active_barriers",
            Value::from(vec![1]),
        ),
        ("last_health_check", "last_health_check", "yesterday".into()),
        ("configuration", "configuration", Value::Int(1)),
        ("configuration.resource_limits", "configuration.resource_limits", Metadata::new().with("cpu", -1).into()),
        ("metadata", "custom", Value::Int(1)),
        ("node_affinity", "node_affinity", "node-1".into()),
        ("coordination_variables", "coordination_variables", Value::Int(1)),
    ] {
        assert_eq!(field_of(read(&at_path(Metadata::new(), path, bad))), field, "{path}");
    }
}

#[test]
fn a_loose_configuration_reads_as_the_typed_one_does() {
    let limits = Metadata::new().with("memory", 100).with("files", 5);
    let configuration = Metadata::new()
        .with("startup_parameters", Metadata::new().with("depth", 3))
        .with("capability_configuration", Metadata::new().with("scan", Metadata::new().with("on", true)))
        .with("resource_limits", limits)
        .with("model", "small");
    let info = read(&Metadata::new().with("configuration", configuration.clone())).expect("valid");
    let json = json!({ "agent_id": "scout", "configuration": configuration.to_json() });
    assert_eq!(info.configuration(), decode(&json).expect("valid").configuration());
    let files = "files".parse().expect("a kind");
    assert_eq!(info.configuration().resource_limits.get(&files), Some(ResourceValue::Count(5)));
    assert_eq!(info.configuration().extra, Metadata::new().with("model", "small"));
}

#[test]
fn the_variant_that_callers_write_reads_as_the_stored_form() {
    let stored = json!({
        "agent_id": "scout", "capabilities": ["scan"], "health": "degraded", "resource_usage": { "memory": 0.5 },
    });
    for capability in ["current_capability", "capability"] {
        let variant = json!({
            "agent_id": "scout", capability: "scan", "health_status": "degraded", "resource_state": { "memory": 0.5 },
        });
        let context = AgentContext::decode(&variant).expect("the variant");
        assert_eq!(context, AgentContext::decode(&stored).expect("the stored form"));
        assert_eq!(serde_json::to_value(&context).expect("serialises"), stored, "the variant is never written");
    }
}

#[test]
fn a_context_keeps_what_it_does_not_understand_and_omits_what_is_absent() {
    let json = json!({ "agent_id": "scout", "coordination_active": true, "trace": { "$id": [18_446_744_073_709_551_615_u64] } });
    let context: AgentContext = serde_json::from_value(json.clone()).expect("reads");
    assert_eq!(context.extra().len(), 2);
    assert_eq!(serde_json::to_value(&context).expect("serialises"), json);
    for (context, status) in [
        (AgentContext::new(id()), None),
        (AgentContext::not_found(id()), Some("not_found")),
        (AgentContext::unavailable(id()), Some("unavailable")),
    ] {
        let json = serde_json::to_value(&context).expect("serialises");
        let expected = status
            .map_or_else(|| json!({ "agent_id": "scout" }), |status| json!({ "agent_id": "scout", "status": status }));
        assert_eq!(json, expected);
        assert_eq!(AgentContext::decode(&json), Ok(context));
    }
    assert_eq!(AgentContext::new(id()).status, ContextStatus::Found);
}

#[test]
fn a_context_that_cannot_be_read_names_the_field() {
    assert_eq!(AgentContext::decode(&json!({ "health": "healthy" })), Err(AgentInfoError::MissingAgentId));
    assert_eq!(field_of(AgentContext::decode(&json!("scout"))), "agent_context");
    for (field, bad) in [
        ("type", json!("")),
        ("capabilities", json!("scan")),
        ("capability", json!(["scan"])),
        ("health", json!("fine")),
        ("health_status", json!("fine")),
        ("resource_usage", json!({ "cpu": 7 })),
        ("coordination_state", json!([])),
        ("status", json!("gone")),
    ] {
        assert_eq!(field_of(AgentContext::decode(&json!({ "agent_id": "scout", field: bad }))), field);
    }
}

/// What all dialects can say of an agent.
#[derive(Clone, Debug)]
struct Meaning {
    agent_type: AgentType,
    capabilities: Vec<Capability>,
    health: Health,
    state: AgentState,
    usage: ResourceUsage,
    coordination: CoordinationLists,
    checked: Timestamp,
    metadata: Metadata,
    nodes: Vec<Name>,
    variables: Vec<Name>,
}

impl Meaning {
    fn any() -> impl Strategy<Value = Self> {
        let who = (agent_type(), vec(capability(), 0..4), health(), agent_state());
        let what = (
            resource_usage(),
            coordination_lists(),
            timestamp(),
            metadata(),
            vec(name(), 0..3),
            btree_set(name(), 0..3),
        );
        (who, what).prop_map(|((agent_type, capabilities, health, state), what)| {
            let (usage, coordination, checked, metadata, nodes, variables) = what;
            let variables = variables.into_iter().collect();
            Self { agent_type, capabilities, health, state, usage, coordination, checked, metadata, nodes, variables }
        })
    }

    /// The record it describes.
    fn record(&self, clock: &dyn Clock) -> AgentInfo {
        AgentInfo::builder(id())
            .agent_type(self.agent_type.clone())
            .capabilities(self.capabilities.clone())
            .health(self.health)
            .state(self.state)
            .resource_usage(self.usage.clone())
            .coordination(self.coordination.clone())
            .last_health_check(self.checked)
            .metadata(self.metadata.clone())
            .node_affinity(self.nodes.iter().cloned().map(NodeId::from))
            .coordination_variables(self.variables.clone())
            .build(clock)
    }

    fn common(&self) -> Metadata {
        Metadata::new()
            .with("state", self.state.as_str())
            .with("last_health_check", self.checked)
            .with("node_affinity", self.nodes.clone())
            .with("coordination_variables", self.variables.clone())
    }

    fn capability_list(&self) -> Vec<Name> {
        self.capabilities.iter().map(|capability| capability.as_name().clone()).collect()
    }

    /// Everything about the agent in a nested context.
    fn nested(&self) -> Metadata {
        let agent_context = Metadata::new()
            .with("capabilities", self.capability_list())
            .with("resource_usage", Metadata::from(&self.usage))
            .with("coordination_state", Metadata::from(&self.coordination));
        self.common()
            .with("type", self.agent_type.as_str())
            .with("health", self.health.as_str())
            .with("agent_context", agent_context)
            .with("custom", self.metadata.clone())
    }

    /// Everything at the top.
    fn flat(&self) -> Metadata {
        self.common()
            .with("type", self.agent_type.as_str())
            .with("capabilities", self.capability_list())
            .with("health", self.health.as_str())
            .with("resource_usage", Metadata::from(&self.usage))
            .with("coordination_state", Metadata::from(&self.coordination))
            .with("metadata", self.metadata.clone())
    }

    /// Other names for type, health and resources.
    fn renamed(&self) -> Metadata {
        let renamed = |(key, value): (foundation_types::Text, Value)| match key.as_str() {
            "memory" | "cpu" => (foundation_types::Text::from(format!("{key}_usage")), value),
            _ => (key, value),
        };
        self.common()
            .with("agent_type", self.agent_type.as_str())
            .with("capabilities", self.capability_list())
            .with("health_status", self.health.as_str())
            .with("resources", Metadata::from(&self.usage).into_iter().map(renamed).collect::<Metadata>())
            .with("coordination_state", Metadata::from(&self.coordination))
            .with("custom", self.metadata.clone())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn t14_any_record_reads_back_from_json(info in agent_info()) {
        let json = serde_json::to_value(&info).expect("serialises");
        let read_back = decode(&json);
        prop_assert_eq!(read_back.as_ref(), Ok(&info));
        let text = serde_json::to_string(&info).expect("serialises");
        prop_assert_eq!(serde_json::from_str::<AgentInfo>(&text).expect("reads back"), info);
    }

    #[test]
    fn t14_any_context_reads_back_from_json(info in agent_info(), extra in any::<BTreeMap<u8, i64>>()) {
        let mut json = serde_json::to_value(info.context()).expect("serialises");
        prop_assert_eq!(AgentContext::decode(&json), Ok(info.context()));
        for (key, value) in extra {
            json[format!("extra-{key}")] = value.into();
        }
        let context = AgentContext::decode(&json).expect("reads");
        prop_assert_eq!(serde_json::to_value(context).expect("serialises"), json);
    }

    #[test]
    fn t21_the_enhanced_view_reads_back_as_the_agent(info in agent_info()) {
        let view = info.view(MetadataView::Enhanced);
        let read_back = AgentInfo::from_metadata(info.agent_id().clone(), &view, &ManualClock::new()).expect("a view");
        prop_assert_eq!(read_back.agent_type(), info.agent_type());
        prop_assert_eq!(read_back.capabilities(), info.capabilities());
        prop_assert_eq!(read_back.health().overall_health, info.health().overall_health);
        prop_assert_eq!(read_back.health().last_health_check, info.health().last_health_check);
        prop_assert_eq!(&read_back.health().resource_health, &info.health().resource_health);
        prop_assert_eq!(read_back.resource_usage(), info.resource_usage());
        prop_assert_eq!(&read_back.coordination().lists, &info.coordination().lists);
        prop_assert_eq!(read_back.metadata(), info.metadata());
    }

    #[test]
    fn t21_the_basic_view_reads_back_as_the_basic_projection(info in agent_info()) {
        let view = info.view(MetadataView::Basic);
        let read_back = AgentInfo::from_metadata(info.agent_id().clone(), &view, &ManualClock::new()).expect("a view");
        let context_of = |info: &AgentInfo| info.view(MetadataView::Enhanced).remove("agent_context");
        prop_assert_eq!(context_of(&read_back), context_of(&info.basic_projection()));
        prop_assert_eq!(read_back.view(MetadataView::Basic), view);
    }

    #[test]
    fn t22_every_dialect_gives_the_same_record(meaning in Meaning::any()) {
        let clock = ManualClock::new();
        let expected = Ok(meaning.record(&clock));
        for dialect in [meaning.nested(), meaning.flat(), meaning.renamed()] {
            prop_assert_eq!(&AgentInfo::from_metadata(id(), &dialect, &clock), &expected, "{:?}", dialect);
        }
    }

    #[test]
    fn t22_one_capability_is_a_list_of_one(capability in capability(), agent in agent_id()) {
        let clock = ManualClock::new();
        let read = |metadata: Metadata| AgentInfo::from_metadata(agent.clone(), &metadata, &clock);
        let one = read(Metadata::new().with("capability", capability.as_str()));
        prop_assert!(one.is_ok());
        prop_assert_eq!(one, read(Metadata::new().with("capabilities", vec![capability.as_str(), capability.as_str()])));
    }
}
