//! The two switches: the gate of the agent features, and the metadata view.
#![cfg(all(feature = "agent", feature = "test-util"))]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use foundation_registry::{
    AgentError, AgentQuery, CLEANUP_EVENT, METADATA_MODE_CHANGED_EVENT, REGISTERED_EVENT, Registry,
};
use foundation_types::testing::RecordingObserver;
use foundation_types::{
    AgentId, AgentInfo, AgentState, Capability, Feature, FeatureGate, Health, Metadata, MetadataView, Namespace, Owner,
    ServiceName, Timestamp,
};

const SCOUT: AgentId = AgentId::from_static("scout");
const SCAN: Capability = Capability::from_static("scan");
const HERE: Namespace = Namespace::Production;

fn scout() -> AgentInfo {
    AgentInfo::builder(SCOUT).capability(SCAN).health(Health::Degraded).build_at(Timestamp::UNIX_EPOCH)
}

fn gated() -> (Registry, FeatureGate, Arc<RecordingObserver>) {
    let (gate, observer) = (FeatureGate::all_on(), Arc::new(RecordingObserver::new()));
    let registry = Registry::builder().gate(gate.clone()).observer(observer.clone()).build().expect("in range");
    (registry, gate, observer)
}

#[test]
fn every_agent_call_but_unregister_is_disabled_while_the_gate_is_off() {
    let (registry, gate, _) = gated();
    let (agents, owner) = (registry.agents(), Owner::new());
    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    let before = agents.lookup(&HERE, &SCOUT);

    for feature in [None, Some(Feature::Registry)] {
        match feature {
            None => gate.disable_agent_features(),
            Some(feature) => gate.disable(feature),
        };
        let other = AgentId::from_static("other");
        let info = AgentInfo::builder(other.clone()).build_at(Timestamp::UNIX_EPOCH);
        assert_eq!(agents.register(&HERE, &other, &owner.pid(), info).map(drop), Err(AgentError::Disabled));
        let loose = agents.register_from_metadata(&HERE, &other, &owner.pid(), &Metadata::new()).map(drop);
        assert_eq!(loose, Err(AgentError::Disabled));
        assert_eq!(agents.lookup(&HERE, &SCOUT), Err(AgentError::Disabled));
        assert_eq!(agents.list(&HERE), Err(AgentError::Disabled));
        assert_eq!(agents.query(&HERE, &AgentQuery::new().capability(SCAN)), Err(AgentError::Disabled));
        assert_eq!(agents.query_everywhere(&AgentQuery::new()), Err(AgentError::Disabled));
        assert_eq!(agents.update(&HERE, &SCOUT, scout()), Err(AgentError::Disabled));
        assert_eq!(agents.modify(&HERE, &SCOUT, |_| ()), Err(AgentError::Disabled));
        assert_eq!(agents.transition(&HERE, &SCOUT, AgentState::Ready), Err(AgentError::Disabled));
        assert_eq!(agents.set_health(&HERE, &SCOUT, Health::Healthy), Err(AgentError::Disabled));
        assert_eq!(agents.health_history(&HERE, &SCOUT), Err(AgentError::Disabled));
        assert_eq!(agents.overview(&HERE), Err(AgentError::Disabled));
        assert_eq!(agents.resource_stats(&HERE), Err(AgentError::Disabled));
        assert_eq!(agents.stats(&HERE), Err(AgentError::Disabled));
        assert!(registry.lookup(&HERE, &ServiceName::agent(&other)).is_err(), "nothing was registered");
        gate.enable_agent_features();
        gate.enable(Feature::Registry);
        assert_eq!(agents.lookup(&HERE, &SCOUT), before);
    }

    gate.disable_agent_features();
    assert_eq!(agents.unregister(&HERE, &SCOUT), Ok(true));
    gate.enable_agent_features();
    assert_eq!(agents.lookup(&HERE, &SCOUT), Err(AgentError::NotFound));
}

#[test]
fn names_of_agents_stay_taken_and_show_the_basic_view_while_the_gate_is_off() {
    let (registry, gate, observer) = gated();
    let (agents, owner, other) = (registry.agents(), Owner::new(), Owner::new());
    let key = ServiceName::agent(&SCOUT);
    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    assert_eq!(observer.take().len(), 1);
    gate.disable_agent_features();

    assert_eq!(registry.lookup(&HERE, &key), Ok(owner.pid()));
    let basic = Metadata::new().with("type", "agent").with("health", "degraded");
    assert_eq!(*registry.entry(&HERE, &key).expect("there").metadata, basic);
    assert!(registry.register(&HERE, &key, &other.pid(), Metadata::new()).is_err());
    registry.configure_metadata_mode(MetadataView::Basic);
    registry.configure_metadata_mode(MetadataView::Enhanced);
    drop(owner);
    assert!(registry.lookup(&HERE, &key).is_err(), "removed at the death of its owner");
    assert!(observer.take().is_empty(), "nothing is told of agents");
    gate.enable_agent_features();
    assert_eq!(agents.lookup(&HERE, &SCOUT), Err(AgentError::NotFound));
}

#[test]
fn the_basic_view_hides_everything_but_type_and_health_and_loses_nothing() {
    let (registry, _, observer) = gated();
    let (agents, owner) = (registry.agents(), Owner::new());
    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    assert_eq!(registry.metadata_view(), MetadataView::Enhanced);
    let before = agents.lookup(&HERE, &SCOUT).expect("there").info;
    assert_eq!(registry.configure_metadata_mode(MetadataView::Basic), MetadataView::Enhanced);

    assert_eq!(*agents.lookup(&HERE, &SCOUT).expect("there").info, before.basic_projection());
    let count = |query: AgentQuery| agents.query(&HERE, &query).expect("on").len();
    assert_eq!(count(AgentQuery::new().capability(SCAN)), 0);
    assert_eq!(count(AgentQuery::new().capabilities([])), 1);
    assert_eq!(count(AgentQuery::new().health(Health::Degraded).agent_type(before.agent_type().clone())), 1);
    assert_eq!(agents.stats(&HERE).expect("on").capability_distribution.len(), 0);

    let fly = Capability::from_static("fly");
    agents
        .modify(&HERE, &SCOUT, |info| {
            assert!(info.has_capability(&SCAN), "a change sees the whole record");
            info.add_capability(fly.clone(), Timestamp::UNIX_EPOCH);
        })
        .expect("there");
    assert_eq!(registry.configure_metadata_mode(MetadataView::Enhanced), MetadataView::Basic);
    assert_eq!(count(AgentQuery::new().capabilities([SCAN, fly])), 1, "what was written is there");
    assert_eq!(agents.lookup(&HERE, &SCOUT).expect("there").info.version(), 2);
    assert_eq!(observer.events_named(METADATA_MODE_CHANGED_EVENT).len(), 2);
}

#[test]
fn events_carry_the_view_in_force() {
    let (registry, _, observer) = gated();
    let owner = Owner::new();
    registry.configure_metadata_mode(MetadataView::Basic);
    registry.agents().register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    registry.configure_metadata_mode(MetadataView::Enhanced);
    drop(owner);
    let seen = |name| observer.events_named(name)[0].metadata.get("metadata").cloned();
    let view = |view| Some(scout().view(view).into());
    assert_eq!(seen(REGISTERED_EVENT), view(MetadataView::Basic));
    assert_eq!(seen(CLEANUP_EVENT), view(MetadataView::Enhanced));
}

#[test]
fn a_call_runs_wholly_under_one_view() {
    let (registry, _, _) = gated();
    let (agents, owner) = (registry.agents(), Owner::new());
    for number in 0..20 {
        let id = AgentId::new(format!("agent-{number}")).expect("a name");
        let info = AgentInfo::builder(id.clone()).capability(SCAN).build_at(Timestamp::UNIX_EPOCH);
        agents.register(&HERE, &id, &owner.pid(), info).expect("free");
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..400 {
                let view = if round % 2 == 0 { MetadataView::Basic } else { MetadataView::Enhanced };
                registry.configure_metadata_mode(view);
            }
            done.store(true, Ordering::Relaxed);
        });
        let mut rounds = 0;
        while !done.load(Ordering::Relaxed) || rounds < 20 {
            let listed = agents.list(&HERE).expect("on");
            let scanners = listed.iter().filter(|agent| agent.info.has_capability(&SCAN)).count();
            assert!(listed.len() == 20 && (scanners == 0 || scanners == 20), "{scanners} of {}", listed.len());
            rounds += 1;
        }
    });
}
