//! Generators of agent records and their parts for property tests.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{
    AgentConfiguration, AgentInfo, AgentState, AgentType, CoordinationLists, CoordinationPatch, PerformancePatch,
    ResourceLimits,
};
use crate::testing::strategies::{agent_id, capability, finite, metadata, name, node_id, timestamp};
use crate::{CustomResource, Health, Ratio, ResourceKind, ResourceUsage, ResourceValue};

/// Any [`Ratio`], with the thresholds of health and their neighbours among them.
pub fn ratio() -> impl Strategy<Value = Ratio> + Clone {
    let edges = [0.0, 0.2, 0.5, 0.8, 0.9, 1.0];
    let around = edges.into_iter().flat_map(|edge: f64| [edge.next_down(), edge, edge.next_up()]);
    prop_oneof![1 => select(around.collect::<Vec<_>>()), 3 => 0.0..=1.0].prop_map(Ratio::saturating)
}

/// Any [`Health`].
pub fn health() -> impl Strategy<Value = Health> + Clone {
    select(Health::ALL.to_vec())
}

/// Any [`AgentState`].
pub fn agent_state() -> impl Strategy<Value = AgentState> + Clone {
    select(AgentState::ALL.to_vec())
}

/// Any [`AgentType`].
pub fn agent_type() -> impl Strategy<Value = AgentType> + Clone {
    prop_oneof![select(AgentType::NAMED.to_vec()), name().prop_map(AgentType::from)]
}

/// Any [`ResourceValue`] that a [`Value`](crate::Value) can hold: counts end at `i64::MAX`.
pub fn resource_value() -> impl Strategy<Value = ResourceValue> + Clone {
    prop_oneof![ratio().prop_map(ResourceValue::Ratio), count().prop_map(ResourceValue::Count)]
}

fn count() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![0_u64..100, 0..=i64::MAX.unsigned_abs()]
}

/// Any [`CustomResource`].
pub fn custom_resource() -> impl Strategy<Value = CustomResource> + Clone {
    name().prop_filter_map("a named resource", |name| CustomResource::try_from(name).ok())
}

/// Any [`ResourceKind`].
pub fn resource_kind() -> impl Strategy<Value = ResourceKind> + Clone {
    prop_oneof![select(ResourceKind::NAMED.to_vec()), name().prop_map(ResourceKind::from)]
}

/// Any [`ResourceUsage`] that a [`Value`](crate::Value) can hold: counts end at `i64::MAX`.
pub fn resource_usage() -> impl Strategy<Value = ResourceUsage> + Clone {
    let named = [option::of(ratio()), option::of(ratio()), option::of(ratio()), option::of(ratio())];
    (named, option::of(count()), btree_map(custom_resource(), resource_value(), 0..4)).prop_map(
        |([memory, cpu, storage, gpu], network, custom)| ResourceUsage { memory, cpu, storage, gpu, network, custom },
    )
}

/// Any [`CoordinationLists`].
pub fn coordination_lists() -> impl Strategy<Value = CoordinationLists> + Clone {
    let list = || vec(name(), 0..3);
    (list(), list(), list(), list()).prop_map(|(active_consensus, active_barriers, held_locks, leadership_roles)| {
        CoordinationLists { active_consensus, active_barriers, held_locks, leadership_roles }
    })
}

/// Any [`CoordinationPatch`].
pub fn coordination_patch() -> impl Strategy<Value = CoordinationPatch> + Clone {
    (coordination_lists(), any::<[bool; 4]>()).prop_map(|(lists, [consensus, barriers, locks, roles])| {
        CoordinationPatch {
            active_consensus: consensus.then_some(lists.active_consensus),
            active_barriers: barriers.then_some(lists.active_barriers),
            held_locks: locks.then_some(lists.held_locks),
            leadership_roles: roles.then_some(lists.leadership_roles),
        }
    })
}

/// Any [`PerformancePatch`].
pub fn performance_patch() -> impl Strategy<Value = PerformancePatch> + Clone {
    let tasks = || option::of(prop_oneof![0_u64..5, any::<u64>()]);
    (tasks(), tasks(), [option::of(finite()), option::of(finite())], [option::of(ratio()), option::of(ratio())])
        .prop_map(
            |(
                tasks_completed,
                tasks_failed,
                [average_task_duration, throughput_per_second],
                [error_rate, success_rate],
            )| {
                PerformancePatch {
                    tasks_completed,
                    tasks_failed,
                    average_task_duration,
                    throughput_per_second,
                    error_rate,
                    success_rate,
                }
            },
        )
}

/// Any [`ResourceLimits`].
pub fn resource_limits() -> impl Strategy<Value = ResourceLimits> + Clone {
    btree_map(resource_kind(), resource_value(), 0..4).prop_map(ResourceLimits::from_iter)
}

/// Any [`AgentConfiguration`].
pub fn agent_configuration() -> impl Strategy<Value = AgentConfiguration> + Clone {
    let per_capability = btree_map(capability(), metadata(), 0..3);
    let maps = [metadata(), metadata(), metadata(), metadata()];
    (maps, per_capability, resource_limits()).prop_map(
        |(
            [startup_parameters, runtime_configuration, coordination_preferences, extra],
            capabilities,
            resource_limits,
        )| {
            AgentConfiguration {
                startup_parameters,
                runtime_configuration,
                coordination_preferences,
                capability_configuration: capabilities,
                resource_limits,
                extra,
            }
        },
    )
}

/// Any [`AgentInfo`], fresh or changed after it was made.
pub fn agent_info() -> impl Strategy<Value = AgentInfo> + Clone {
    let who = (agent_id(), agent_type(), agent_state(), btree_set(capability(), 0..4), timestamp());
    let how = (health(), timestamp(), resource_usage(), coordination_lists(), performance_patch());
    let what = (agent_configuration(), vec(node_id(), 0..3), btree_set(name(), 0..3), metadata());
    let fresh = (who, how, what).prop_map(|((id, kind, state, capabilities, now), how, what)| {
        let (health, checked, usage, coordination, performance) = how;
        let (configuration, nodes, variables, metadata) = what;
        AgentInfo::builder(id)
            .agent_type(kind)
            .state(state)
            .capabilities(capabilities)
            .health(health)
            .last_health_check(checked)
            .resource_usage(usage)
            .coordination(coordination)
            .performance(performance)
            .configuration(configuration)
            .node_affinity(nodes)
            .coordination_variables(variables)
            .metadata(metadata)
            .build_at(now)
    });
    let change = (health(), health(), resource_usage(), coordination_patch(), timestamp());
    (fresh, option::of(change)).prop_map(|(mut info, change)| {
        if let Some((overall, reported, usage, coordination, now)) = change {
            info.update_health(overall, &usage, now);
            info.report_performance_health(reported, now);
            info.report_coordination_health(reported, now);
            info.update_coordination(coordination, now);
        }
        info
    })
}
