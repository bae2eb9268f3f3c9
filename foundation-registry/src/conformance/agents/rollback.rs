//! The two switches: whatever they do meanwhile, nothing is lost and nothing else notices.

use foundation_types::{
    AgentDirectory, AgentStatusSource, AgentView, Health, MetadataView, Namespace, Ratio, ServiceName,
};
use proptest::prelude::*;

use super::fleet::{AGENTS, Condition, Fleet, Op, Plain, conditions, id, op, projected, query_of};
use super::queries::{find, scan};
use crate::agents::{AgentError, AgentQuery};
use crate::conformance::{Factory, check};

#[derive(Clone, Debug)]
enum Step {
    Op(Op),
    Gate(bool),
    View(MetadataView),
}

/// R22: a registry whose switches are thrown at random shows, while it is on, what one that is never switched shows, as far
/// as the view lets it; while it is off it shows nothing, and keeps every name.
pub fn r22_rollback_loses_nothing(factory: Factory<'_>) {
    let view = any::<bool>().prop_map(|basic| if basic { MetadataView::Basic } else { MetadataView::Enhanced });
    let step = prop_oneof![
        6 => op().prop_map(Step::Op),
        1 => any::<bool>().prop_map(Step::Gate),
        1 => view.prop_map(Step::View),
    ];
    let inputs = (proptest::collection::vec(step, 1..40), proptest::collection::vec(conditions(), 1..5));
    check(128, inputs, |(steps, queries)| {
        let (mut steady, mut switched) = (Fleet::new(factory), Fleet::new(factory));
        for step in &steps {
            match step {
                Step::Op(op) => happen(op, &mut steady, &mut switched),
                Step::Gate(true) => drop(switched.gate.enable_agent_features()),
                Step::Gate(false) => drop(switched.gate.disable_agent_features()),
                Step::View(view) => {
                    let before = switched.registry.metadata_view();
                    assert_eq!(switched.registry.configure_metadata_mode(*view), before);
                    assert_eq!(switched.registry.metadata_view(), *view);
                }
            }
            compare(&steady, &switched, &queries);
        }
        switched.gate.enable_agent_features();
        switched.registry.configure_metadata_mode(MetadataView::Enhanced);
        compare(&steady, &switched, &queries);
    });
}

fn happen(op: &Op, steady: &mut Fleet, switched: &mut Fleet) {
    if switched.gate.agent_features_enabled() || op.is_always_on() {
        let (expected, got) = (steady.step(op), switched.step(op));
        assert_eq!(Fleet::outcome(&got), Fleet::outcome(&expected), "{op:?}");
    } else {
        assert_eq!(switched.step(op), Err(AgentError::Disabled), "{op:?}");
    }
}

fn compare(steady: &Fleet, switched: &Fleet, queries: &[Vec<Condition>]) {
    for namespace in [Fleet::namespace(0), Fleet::namespace(AGENTS - 1)] {
        let stored = steady.list(&namespace);
        if switched.gate.agent_features_enabled() {
            shows(switched, &namespace, &projected(&stored, switched.registry.metadata_view()), queries);
            for agent in 0..AGENTS {
                let history = |fleet: &Fleet| fleet.registry.agents().health_history(&namespace, &id(agent));
                assert_eq!(history(switched), history(steady));
            }
        } else {
            hides(switched, &namespace);
        }
        keeps_names(switched, &namespace, &stored);
    }
}

/// Every read shows these agents.
fn shows(fleet: &Fleet, namespace: &Namespace, expected: &[Plain], queries: &[Vec<Condition>]) {
    let agents = fleet.registry.agents();
    assert_eq!(fleet.list(namespace), expected);
    for conditions in queries {
        assert_eq!(find(fleet, namespace, &query_of(conditions)), scan(expected, conditions));
    }
    let directory = fleet.registry.directory(namespace);
    let ids: Vec<_> = (0..AGENTS).map(id).collect();
    let snapshot = directory.snapshot(&ids);
    for (id, seen) in ids.iter().zip(snapshot) {
        let known = expected.iter().find(|(known, ..)| known == id);
        let looked_up = agents.lookup(namespace, id);
        match (known, &looked_up) {
            (Some((_, owner, info)), Ok(found)) => {
                assert_eq!((&*found.info, &found.pid), (info, &fleet.pid(*owner)));
                assert_eq!(directory.status(id).expect("known").health, info.health().overall_health);
                assert_eq!(directory.status(id).expect("known").capabilities, *info.capabilities());
            }
            (None, Err(AgentError::NotFound)) => assert_eq!(directory.status(id), None),
            _ => panic!("{looked_up:?} instead of {known:?}"),
        }
        assert_eq!(seen, known.map(|(_, _, info)| view(info, fleet.registry.metadata_view())));
    }
    assert_eq!(directory.all().len(), expected.len());

    let count = |health| expected.iter().filter(|(_, _, info)| info.health().overall_health == health).count();
    let overview = agents.overview(namespace).expect("on");
    let counts = [
        (overview.healthy_count, Health::Healthy),
        (overview.degraded_count, Health::Degraded),
        (overview.unhealthy_count, Health::Unhealthy),
        (overview.critical_count, Health::Critical),
        (overview.unknown_count, Health::Unknown),
    ];
    for (counted, health) in counts {
        assert_eq!(counted, count(health), "{health}");
    }
    assert_eq!(overview.total_agents, expected.len());
    let share = if expected.is_empty() { 1.0 } else { count(Health::Healthy) as f64 / expected.len() as f64 };
    assert_eq!(overview.health_percentage, Ratio::saturating(share));

    let resources = agents.resource_stats(namespace).expect("on");
    let memory = || expected.iter().filter_map(|(_, _, info)| info.resource_usage().memory);
    assert_eq!((resources.agents_count, resources.max_memory_usage), (expected.len(), memory().max()));
    assert_eq!(resources.average_memory_usage, Ratio::mean(memory()));
    let stats = agents.stats(namespace).expect("on");
    assert_eq!(stats.total_agents, expected.len());
    assert_eq!(stats.health_distribution.values().sum::<usize>(), expected.len());
    let capabilities: usize = expected.iter().map(|(_, _, info)| info.capabilities().len()).sum();
    assert_eq!(stats.capability_distribution.values().sum::<usize>(), capabilities);
}

fn view(info: &foundation_types::AgentInfo, view: MetadataView) -> AgentView {
    let mut shown = match view {
        MetadataView::Basic => AgentView::basic(info),
        MetadataView::Enhanced => AgentView::from(info),
    };
    shown.alive = true;
    shown
}

/// No read shows an agent.
fn hides(fleet: &Fleet, namespace: &Namespace) {
    let agents = fleet.registry.agents();
    assert_eq!(agents.list(namespace), Err(AgentError::Disabled));
    assert_eq!(agents.query(namespace, &AgentQuery::new().health(Health::Healthy)), Err(AgentError::Disabled));
    assert_eq!(agents.query_everywhere(&AgentQuery::new()), Err(AgentError::Disabled));
    assert_eq!(agents.lookup(namespace, &id(0)), Err(AgentError::Disabled));
    assert_eq!(agents.health_history(namespace, &id(0)), Err(AgentError::Disabled));
    assert_eq!(agents.overview(namespace), Err(AgentError::Disabled));
    assert_eq!(agents.resource_stats(namespace), Err(AgentError::Disabled));
    assert_eq!(agents.stats(namespace), Err(AgentError::Disabled));
    let directory = fleet.registry.directory(namespace);
    assert_eq!(directory.status(&id(0)), None);
    assert_eq!(directory.snapshot(&[id(0), id(1)]), [None, None]);
    assert!(directory.all().is_empty());
}

/// The core knows these names by their exact keys, and shows no more of them than the switches allow.
fn keeps_names(fleet: &Fleet, namespace: &Namespace, stored: &[Plain]) {
    let is_on = fleet.gate.agent_features_enabled();
    let view = if is_on { fleet.registry.metadata_view() } else { MetadataView::Basic };
    for agent in 0..AGENTS {
        let name = ServiceName::agent(&id(agent));
        match stored.iter().find(|(known, ..)| *known == id(agent)) {
            Some((_, owner, info)) => {
                assert_eq!(fleet.registry.lookup(namespace, &name), Ok(fleet.pid(*owner)));
                assert_eq!(*fleet.registry.entry(namespace, &name).expect("held").metadata, info.view(view));
            }
            None => assert!(fleet.registry.lookup(namespace, &name).is_err()),
        }
    }
    assert_eq!(fleet.registry.count(namespace), Ok(0), "agents are no services");
    assert!(fleet.registry.services(namespace).expect("open").is_empty());
}
