//! The agent record: life cycle, derivation and invariants.
#![cfg(all(feature = "agent", feature = "test-util"))]

use std::collections::BTreeSet;
use std::time::Duration;

use foundation_types::agent::strategies::{
    agent_info, agent_state, coordination_patch, health, performance_patch, ratio, resource_usage,
};
use foundation_types::agent::{
    AgentInfo, AgentInfoError, AgentState, CoordinationLists, CoordinationPatch, LoadLevel, PerformanceMetrics,
    PerformancePatch,
};
use foundation_types::testing::strategies::{metadata, name};
use foundation_types::{
    AgentId, Capability, CustomResource, Health, HealthTrend, ManualClock, Metadata, Name, NodeId, Ratio, ResourceKind,
    ResourceUsage, Timestamp,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(seconds))
}

fn agent() -> AgentInfo {
    AgentInfo::builder(AgentId::from_static("scout")).build_at(at(100))
}

fn in_state(state: AgentState) -> AgentInfo {
    AgentInfo::builder(AgentId::from_static("scout")).state(state).build_at(at(100))
}

fn share(value: f64) -> Ratio {
    Ratio::new(value).expect("in range")
}

/// A few capabilities, so that they meet again.
fn few_capabilities() -> impl Strategy<Value = Capability> {
    select(vec!["scan", "read", "review", "analyze:rust"]).prop_map(Capability::from_static)
}

/// A call of a mutator.
#[derive(Clone, Debug)]
enum Call {
    Transition(AgentState),
    Terminate,
    AddCapability(Capability),
    RemoveCapability(Capability),
    Health(Health, ResourceUsage),
    PerformanceHealth(Health),
    CoordinationHealth(Health),
    Performance(PerformancePatch),
    Coordination(CoordinationPatch),
    Nodes(Vec<NodeId>),
    Variables(Vec<Name>),
    Metadata(Metadata),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        6 => agent_state().prop_map(Call::Transition),
        1 => Just(Call::Terminate),
        1 => few_capabilities().prop_map(Call::AddCapability),
        1 => few_capabilities().prop_map(Call::RemoveCapability),
        1 => (health(), resource_usage()).prop_map(|(health, usage)| Call::Health(health, usage)),
        1 => health().prop_map(Call::PerformanceHealth),
        1 => health().prop_map(Call::CoordinationHealth),
        1 => performance_patch().prop_map(Call::Performance),
        1 => coordination_patch().prop_map(Call::Coordination),
        1 => Just(Call::Nodes(vec![NodeId::NONODE])),
        1 => vec(name(), 0..3).prop_map(Call::Variables),
        1 => metadata().prop_map(Call::Metadata),
    ]
}

/// Makes the call; `false` if it changed nothing.
fn make(call: Call, info: &mut AgentInfo, now: Timestamp) -> bool {
    match call {
        Call::Transition(next) => return info.transition(next, now).is_ok(),
        Call::Terminate => {
            let changes = info.state() != AgentState::Stopped;
            info.mark_terminated(now);
            return changes;
        }
        Call::AddCapability(capability) => info.add_capability(capability, now),
        Call::RemoveCapability(capability) => info.remove_capability(&capability, now),
        Call::Health(overall, usage) => info.update_health(overall, &usage, now),
        Call::PerformanceHealth(health) => info.report_performance_health(health, now),
        Call::CoordinationHealth(health) => info.report_coordination_health(health, now),
        Call::Performance(patch) => info.update_performance(&patch, now),
        Call::Coordination(patch) => info.update_coordination(patch, now),
        Call::Nodes(nodes) => info.set_node_affinity(nodes, now),
        Call::Variables(variables) => info.set_coordination_variables(variables, now),
        Call::Metadata(metadata) => info.set_metadata(metadata, now),
    }
    true
}

#[test]
fn t04_transitions_are_those_of_the_table() {
    use AgentState::{Active, Degraded, Idle, Initializing, Maintenance, Ready, Stopped, Stopping};

    let table: [(AgentState, &[AgentState]); 8] = [
        (Initializing, &[Ready, Stopped]),
        (Ready, &[Active, Idle, Maintenance, Stopping]),
        (Active, &[Idle, Degraded, Maintenance, Stopping]),
        (Idle, &[Active, Ready, Maintenance, Stopping]),
        (Degraded, &[Active, Idle, Maintenance, Stopping]),
        (Maintenance, &[Ready, Stopping]),
        (Stopping, &[Stopped]),
        (Stopped, &[]),
    ];
    for (from, allowed) in table {
        for to in AgentState::ALL {
            let before = in_state(from);
            let mut info = before.clone();
            let result = info.transition(to, at(200));
            if allowed.contains(&to) {
                assert_eq!(result, Ok(()), "{from} to {to}");
                assert_eq!((info.state(), info.version(), info.last_updated()), (to, 2, at(200)));
            } else {
                assert_eq!(result, Err(AgentInfoError::InvalidStateTransition { from, to }));
                assert_eq!(info, before);
            }
            assert_eq!(from.can_become(to), allowed.contains(&to));
        }
    }
    let error = in_state(Ready).transition(Ready, at(200)).expect_err("no edge to itself");
    assert_eq!(error.to_string(), "cannot go from ready to ready");
}

#[test]
fn the_groups_of_states_are_as_stated() {
    use AgentState::{Active, Idle, Ready, Stopped};

    for state in AgentState::ALL {
        assert_eq!(state.is_operational(), [Ready, Active, Idle].contains(&state));
        assert_eq!(state.accepts_work(), [Ready, Idle].contains(&state));
        assert_eq!(state.is_terminal(), state == Stopped);
        assert_eq!(state.as_str().parse(), Ok(state));
    }
}

#[test]
fn termination_is_possible_from_every_state_and_done_once() {
    for state in AgentState::ALL {
        let mut info = in_state(state);
        info.mark_terminated(at(200));
        assert_eq!(info.state(), AgentState::Stopped);
        assert_eq!(info.version(), if state == AgentState::Stopped { 1 } else { 2 });
        let stopped = info.clone();
        info.mark_terminated(at(300));
        assert_eq!(info, stopped);
    }
}

#[test]
fn a_fresh_record_has_the_defaults_and_one_stamp() {
    let clock = ManualClock::new();
    let info = AgentInfo::builder(AgentId::from_static("scout")).build(&clock);
    let json = serde_json::to_value(&info).expect("serialises");
    let now = "2001-09-09T01:46:40Z";
    let expected = serde_json::json!({
        "agent_id": "scout",
        "agent_type": "agent",
        "state": "initializing",
        "capabilities": [],
        "health_metrics": {
            "overall_health": "unknown",
            "resource_health": {},
            "performance_health": "unknown",
            "coordination_health": "healthy",
            "last_health_check": now,
            "health_trend": "stable",
            "health_score": 0.0,
        },
        "resource_usage": {},
        "performance_metrics": {
            "tasks_completed": 0,
            "tasks_failed": 0,
            "average_task_duration": 0.0,
            "throughput_per_second": 0.0,
            "error_rate": 0.0,
            "success_rate": 0.0,
            "last_performance_update": now,
        },
        "coordination_state": {
            "active_consensus": [],
            "active_barriers": [],
            "held_locks": [],
            "leadership_roles": [],
            "coordination_score": 0.0,
            "last_coordination_activity": null,
        },
        "configuration": {
            "startup_parameters": {},
            "runtime_configuration": {},
            "coordination_preferences": {},
            "capability_configuration": {},
            "resource_limits": {},
            "extra": {},
        },
        "node_affinity": [NodeId::local().as_str()],
        "coordination_variables": [],
        "metadata": {},
        "created_at": now,
        "last_updated": now,
        "version": 1,
    });
    assert_eq!(json, expected);
}

#[test]
fn t08_a_threshold_itself_belongs_to_the_better_health() {
    for (usage, expected) in [
        (0.0, Health::Healthy),
        (0.8_f64.next_down(), Health::Healthy),
        (0.8, Health::Healthy),
        (0.8_f64.next_up(), Health::Degraded),
        (0.9_f64.next_down(), Health::Degraded),
        (0.9, Health::Degraded),
        (0.9_f64.next_up(), Health::Unhealthy),
        (1.0, Health::Unhealthy),
    ] {
        let mut info = agent();
        info.update_health(Health::Healthy, &ResourceUsage::new().with_cpu(share(usage)), at(200));
        assert_eq!(info.health().resource_health.get(&ResourceKind::Cpu), Some(&expected), "{usage}");
    }
}

#[test]
fn t09_the_worked_example_of_the_score() {
    let disk = CustomResource::new("disk").expect("a free name");
    let net = CustomResource::new("net").expect("a free name");
    let usage = ResourceUsage::new().with_memory(share(0.9)).with_cpu(share(0.91));
    let usage = usage.with_custom(disk, share(0.8)).with_custom(net, share(0.81));
    let mut info = agent();
    info.update_health(Health::Healthy, &usage, at(200));
    assert_eq!(info.health().health_score, share(0.5));
}

#[test]
fn health_is_derived_from_the_merged_usage() {
    let mut info = agent();
    info.update_health(Health::Healthy, &ResourceUsage::new().with_memory(share(0.95)), at(200));
    assert_eq!(info.health().health_score, share(0.7));
    info.update_health(Health::Degraded, &ResourceUsage::new(), at(300));
    assert_eq!(info.resource_usage().memory, Some(share(0.95)), "what is not reported stays");
    assert_eq!(info.health().resource_health.get(&ResourceKind::Memory), Some(&Health::Unhealthy));
    assert_eq!(info.health().health_score, share(0.4));
    assert_eq!(info.health().health_trend, HealthTrend::Degrading);
    assert_eq!(info.health().last_health_check, at(300));
}

#[test]
fn rates_stay_as_reported_until_there_are_tasks() {
    let mut performance = PerformanceMetrics::new(at(0));
    let reported = PerformancePatch { success_rate: Some(share(0.25)), ..PerformancePatch::default() };
    performance.update(&reported, at(1));
    assert_eq!((performance.success_rate, performance.error_rate), (share(0.25), Ratio::ZERO));
    let tasks = PerformancePatch { tasks_completed: Some(3), tasks_failed: Some(1), ..reported };
    performance.update(&tasks, at(2));
    assert_eq!((performance.success_rate, performance.error_rate), (share(0.75), share(0.25)));
    assert_eq!(performance.last_performance_update, at(2));
}

#[test]
fn load_is_the_mean_of_coordination_and_resources() {
    let locks = |count: usize| CoordinationLists {
        held_locks: (0..count).map(|number| Name::new(format!("lock-{number}")).expect("a name")).collect(),
        ..CoordinationLists::default()
    };
    let load = |entries, usage| {
        AgentInfo::builder(AgentId::from_static("a"))
            .coordination(locks(entries))
            .resource_usage(usage)
            .build_at(at(0))
            .load()
    };
    assert_eq!(load(0, ResourceUsage::new()), LoadLevel::Minimal);
    assert_eq!(load(5, ResourceUsage::new()), LoadLevel::Low, "0.5 is not above 0.5");
    assert_eq!(load(9, ResourceUsage::new().with_cpu(share(0.5))), LoadLevel::Medium);
    assert_eq!(load(5, ResourceUsage::new().with_cpu(Ratio::ONE).with_network(3)), LoadLevel::High);
}

#[test]
fn the_summary_tells_the_record_on_one_line() {
    let mut info = in_state(AgentState::Idle);
    info.add_capability(Capability::from_static("scan"), at(150));
    info.add_capability(Capability::from_static("read"), at(200));
    let summary = serde_json::to_value(info.summary()).expect("serialises");
    let expected = serde_json::json!({
        "agent_id": "scout",
        "state": "idle",
        "health": "unknown",
        "capabilities": 2,
        "capability_list": ["read", "scan"],
        "load": "minimal",
        "coordination_active": false,
        "last_updated": "1970-01-01T00:03:20Z",
        "version": 3,
    });
    assert_eq!(summary, expected);
}

#[test]
fn a_successor_keeps_the_creation_and_follows_the_version() {
    let mut stored = agent();
    stored.add_capability(Capability::from_static("scan"), at(300));
    let given = AgentInfo::builder(AgentId::from_static("scout")).health(Health::Healthy).build_at(at(200));
    let next = given.clone().succeeding(&stored);
    assert_eq!((next.created_at(), next.last_updated(), next.version()), (at(100), at(300), 3));
    assert_eq!((next.health(), next.capabilities()), (given.health(), given.capabilities()));
}

#[test]
fn only_unknown_health_is_filled_in() {
    let usage = ResourceUsage::new().with_cpu(share(0.95));
    let info = AgentInfo::builder(AgentId::from_static("a")).resource_usage(usage).build_at(at(0));
    let filled = info.clone().with_health_if_unknown(Health::Healthy);
    assert_eq!((filled.health().overall_health, filled.health().health_score), (Health::Healthy, share(0.7)));
    assert_eq!((filled.version(), filled.health().last_health_check), (1, at(0)));
    assert_eq!(filled.clone().with_health_if_unknown(Health::Critical), filled);
}

proptest! {
    #[test]
    fn t05_after_stopped_nothing_is_accepted(start in agent_state(), wishes in vec(agent_state(), 0..200)) {
        let mut info = in_state(start);
        let mut stopped = start == AgentState::Stopped;
        for wish in wishes {
            let accepted = info.transition(wish, at(200)).is_ok();
            prop_assert!(!(stopped && accepted));
            stopped |= info.state() == AgentState::Stopped;
        }
    }

    #[test]
    fn t06_success_raises_the_version_by_one_and_failure_changes_nothing(
        mut info in agent_info(), calls in vec((call(), 0_u64..1_000), 1..20),
    ) {
        let created_at = info.created_at();
        for (call, second) in calls {
            let before = info.clone();
            let changed = make(call, &mut info, at(1_000_000_000 + second));
            if changed {
                prop_assert_eq!(info.version(), before.version() + 1);
            } else {
                prop_assert_eq!(&info, &before);
            }
            prop_assert_eq!(info.created_at(), created_at);
            prop_assert!(info.last_updated() >= before.last_updated());
        }
    }

    #[test]
    fn t07_capabilities_are_a_set(calls in vec((few_capabilities(), any::<bool>()), 0..40)) {
        let mut info = agent();
        let mut model = BTreeSet::new();
        for (capability, adds) in calls {
            if adds {
                info.add_capability(capability.clone(), at(200));
                model.insert(capability.clone());
            } else {
                info.remove_capability(&capability, at(200));
                model.remove(&capability);
            }
            prop_assert_eq!(&**info.capabilities(), &model);
            prop_assert_eq!(info.has_capability(&capability), model.contains(&capability));
        }
    }

    #[test]
    fn t08_resource_health_follows_the_thresholds_for_ratios_alone(usage in resource_usage()) {
        let mut info = agent();
        info.update_health(Health::Healthy, &usage, at(200));
        let resource_health = &info.health().resource_health;
        prop_assert_eq!(resource_health.len(), usage.ratios().count());
        for (kind, ratio) in usage.ratios() {
            let expected = match ratio.get() {
                usage if usage > 0.9 => Health::Unhealthy,
                usage if usage > 0.8 => Health::Degraded,
                _ => Health::Healthy,
            };
            prop_assert_eq!(resource_health.get(&kind), Some(&expected));
        }
    }

    #[test]
    fn t09_the_score_equals_the_formula(overall in health(), usage in resource_usage(), connections in any::<u64>()) {
        let score_of = |usage: &ResourceUsage| {
            let mut info = agent();
            info.update_health(overall, usage, at(200));
            info.health().health_score.get()
        };
        let base = match overall {
            Health::Healthy => 1.0,
            Health::Degraded => 0.7,
            Health::Unhealthy => 0.3,
            Health::Critical | Health::Unknown => 0.0,
        };
        let penalty = |ratio: Ratio| if ratio.get() > 0.9 { 0.3 } else if ratio.get() > 0.8 { 0.1 } else { 0.0 };
        let penalties: f64 = usage.ratios().map(|(_, ratio)| penalty(ratio)).sum();
        let score = score_of(&usage);
        prop_assert!((score - (base - penalties).max(0.0)).abs() < 1e-12);
        let count = CustomResource::new("a count of connections").expect("a free name");
        let with_counts = usage.with_network(connections).with_custom(count, connections);
        prop_assert!((score_of(&with_counts) - score).abs() == 0.0, "counts take no part");
    }

    #[test]
    fn t09_the_score_never_rises_when_a_ratio_rises(
        overall in health(), usage in resource_usage(), one in ratio(), other in ratio(),
    ) {
        let score_of = |cpu| {
            let mut info = agent();
            info.update_health(overall, &usage.clone().with_cpu(cpu), at(200));
            info.health().health_score
        };
        prop_assert!(score_of(one.max(other)) <= score_of(one.min(other)));
    }

    #[test]
    fn t11_the_rates_of_some_tasks_add_up_to_one(patches in vec(performance_patch(), 1..6)) {
        let mut info = agent();
        for patch in patches {
            info.update_performance(&patch, at(200));
            let performance = info.performance();
            if performance.tasks_completed > 0 || performance.tasks_failed > 0 {
                let sum = performance.success_rate.get() + performance.error_rate.get();
                prop_assert!((sum - 1.0).abs() <= 1e-12, "{sum}");
            }
        }
    }

    #[test]
    fn t12_the_coordination_score_is_a_fifth_per_entry_up_to_one(patches in vec(coordination_patch(), 1..6)) {
        let mut info = agent();
        for patch in patches {
            info.update_coordination(patch, at(200));
            let coordination = info.coordination();
            let entries: usize = coordination.lists.lists().iter().map(|list| list.len()).sum();
            let expected = (0.2 * entries as f64).min(1.0);
            prop_assert!((coordination.coordination_score.get() - expected).abs() <= 1e-12);
            prop_assert_eq!(coordination.is_active(), entries > 0);
            prop_assert_eq!(coordination.last_coordination_activity, Some(at(200)));
        }
    }

    #[test]
    fn t13_only_the_well_are_available_or_healthy(info in agent_info()) {
        let overall = info.health().overall_health;
        let accepts_work = matches!(info.state(), AgentState::Ready | AgentState::Idle);
        let operational = accepts_work || info.state() == AgentState::Active;
        prop_assert_eq!(info.is_available(), accepts_work && matches!(overall, Health::Healthy | Health::Degraded));
        prop_assert_eq!(info.is_healthy(), operational && overall == Health::Healthy);
    }

    #[test]
    fn invariants_hold_for_every_record(info in agent_info()) {
        prop_assert!(info.version() >= 1);
        prop_assert!(info.created_at() <= info.last_updated());
        let basic = info.basic_projection();
        prop_assert_eq!(basic.health().overall_health, info.health().overall_health);
        prop_assert!(basic.capabilities().is_empty() && basic.resource_usage().is_empty());
        prop_assert!(basic.metadata().is_empty() && !basic.coordination().is_active());
        prop_assert_eq!(basic.created_at(), info.created_at());
        prop_assert_eq!(basic.version(), info.version());
    }
}
