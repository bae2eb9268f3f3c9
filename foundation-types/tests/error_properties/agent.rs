//! Recovery plans and correlation.

use std::num::NonZeroU32;
use std::time::Duration;

use foundation_types::error::{
    Domain, Error, ErrorKind, RecoveryPlan, Severity, correlate, recovery_plan, recovery_plan_gated,
};
use foundation_types::{Feature, FeatureGate, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::strategies::{lone_error, severity};

/// The error as the agent `id` of this health met it.
fn by_agent(error: &Error, id: &str, health: &str) -> Error {
    let mut json = error.to_json();
    json["agent_context"] = json!({"agent_id": id, "capabilities": ["read", "scan"], "health": health});
    Error::from_json(&json).expect("a record with an agent context")
}

#[test]
fn the_first_rule_that_applies_makes_the_plan() {
    let timeout = Error::new(ErrorKind::Timeout);
    let sick = by_agent(&timeout, "scout-1", "unhealthy");
    let reassign = |capability: &str| RecoveryPlan::Reassign { capability: Some(capability.parse().expect("a name")) };
    let retry = RecoveryPlan::Retry { after: Duration::from_secs(1) };

    assert_eq!(recovery_plan(&sick.clone().with_severity(Severity::Critical)), RecoveryPlan::Escalate);
    assert_eq!(recovery_plan(&sick), reassign("read"));
    assert_eq!(recovery_plan(&sick.with_context("capability", "scan")), reassign("scan"));
    assert_eq!(recovery_plan(&by_agent(&timeout, "scout-1", "degraded")), retry);
    assert_eq!(recovery_plan(&timeout), retry);
    let used_up = timeout.with_retry_count(3).with_max_retries(NonZeroU32::new(3).expect("not zero"));
    assert_eq!(recovery_plan(&used_up), RecoveryPlan::GiveUp);
    assert_eq!(recovery_plan(&Error::new(ErrorKind::AuthenticationFailed)), RecoveryPlan::GiveUp, "not transient");
}

#[test]
fn exhaustion_sheds_load() {
    let shed = |millis| RecoveryPlan::ShedLoad { retry_after: Duration::from_millis(millis) };
    let of = |kind: ErrorKind| recovery_plan(&Error::new(kind).with_domain(Domain::Resources));
    assert_eq!(of(ErrorKind::ResourceExhausted), shed(0), "its strategy is immediate");
    assert_eq!(of(ErrorKind::AgentResourceExhausted), shed(1_000));
    assert_eq!(of(ErrorKind::AgentResourceLimitExceeded), shed(1_000));
    assert_eq!(of(ErrorKind::SystemResourceCritical), shed(1_000));
}

proptest! {
    #[test]
    fn e20_plans_ignore_agents_while_the_gate_is_off(error in lone_error(), health in proptest::sample::select(vec!["healthy", "unhealthy", "critical"])) {
        let acted = by_agent(&error, "scout-1", health);
        let gate = FeatureGate::all_on();
        gate.disable(Feature::Errors);
        prop_assert_eq!(recovery_plan_gated(&acted, &gate), recovery_plan(&error));
        gate.enable(Feature::Errors);
        prop_assert_eq!(recovery_plan_gated(&acted, &gate), recovery_plan(&acted));
    }

    #[test]
    fn correlated_errors_are_complete_and_ordered(specs in vec((severity(), 0..4_u8, 0..3_u8, 0..1_000_i64), 1..20)) {
        let errors: Vec<Error> = specs.iter().map(|(severity, request, agent, micros)| {
            let error = Error::new(ErrorKind::Timeout).with_severity(*severity);
            let error = by_agent(&error, &format!("agent-{agent}"), "healthy")
                .with_timestamp(Timestamp::from_micros(*micros).expect("in range"));
            if *request == 0 { error } else { error.with_correlation_id(format!("request-{request}")) }
        }).collect();
        let groups = correlate(errors.clone());
        let with_id = errors.iter().filter(|error| error.correlation_id().is_some()).count();
        prop_assert_eq!(groups.values().map(|group| group.errors.len()).sum::<usize>(), with_id);
        for (id, group) in &groups {
            prop_assert!(group.errors.iter().all(|error| error.correlation_id() == Some(id)));
            prop_assert!(group.errors.is_sorted_by_key(Error::timestamp));
            prop_assert_eq!(group.root(), &group.errors[0]);
            prop_assert_eq!(Some(group.worst_severity), group.errors.iter().map(Error::severity).max());
            let mut agents: Vec<_> = Vec::new();
            for agent in group.errors.iter().filter_map(Error::agent_id) {
                if !agents.contains(agent) {
                    agents.push(agent.clone());
                }
            }
            prop_assert!(!agents.is_empty());
            prop_assert_eq!(&group.agents, &agents);
        }
    }
}
