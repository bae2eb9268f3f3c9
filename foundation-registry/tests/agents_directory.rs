//! The agents of a namespace as other crates see them.
#![cfg(all(feature = "agent", feature = "test-util"))]

mod support;

use std::task::Poll;

use foundation_registry::{Registry, RegistryDirectory};
use foundation_types::agent::{AgentChanges, DEFAULT_CHANGE_CAPACITY, Removal};
use foundation_types::{
    AgentChange, AgentDirectory, AgentId, AgentInfo, AgentState, AgentStatusSource, Capability, ExitReason,
    FeatureGate, Health, MetadataView, Namespace, Owner, Ratio, ResourceUsage, Timestamp,
};

use self::support::{Task, on_each_backend};

const SCOUT: AgentId = AgentId::from_static("scout");
const OTHER: AgentId = AgentId::from_static("other");
const SCAN: Capability = Capability::from_static("scan");
const HERE: Namespace = Namespace::Production;

fn info(id: &AgentId) -> AgentInfo {
    let usage = ResourceUsage::new().with_memory(Ratio::saturating(0.5));
    let info = AgentInfo::builder(id.clone()).capability(SCAN).resource_usage(usage);
    info.health(Health::Degraded).state(AgentState::Active).build_at(Timestamp::UNIX_EPOCH)
}

fn register(registry: &Registry, id: &AgentId, owner: &Owner) {
    registry.agents().register(&HERE, id, &owner.pid(), info(id)).expect("free");
}

fn drain(changes: &mut AgentChanges) -> Vec<AgentChange> {
    std::iter::from_fn(|| changes.try_next()).collect()
}

fn registered(agent: AgentId) -> AgentChange {
    AgentChange::Registered { agent, health: Health::Degraded }
}

#[test]
fn a_directory_knows_the_agents_of_its_namespace() {
    for registry in on_each_backend(|builder| builder) {
        let (directory, owner) = (registry.directory(&HERE), Owner::new());
        let source: &dyn AgentStatusSource = &directory;
        assert_eq!(source.status(&SCOUT), None);
        register(&registry, &SCOUT, &owner);
        let status = source.status(&SCOUT).expect("known");
        assert_eq!((status.health, status.usage.memory), (Health::Degraded, Some(Ratio::saturating(0.5))));
        assert!(status.capabilities.contains(&SCAN));

        let views = directory.snapshot(&[OTHER, SCOUT, SCOUT]);
        assert!(views[0].is_none() && views[1] == views[2], "in the order asked");
        let view = views[1].as_ref().expect("known");
        assert_eq!((&view.id, view.state, view.alive), (&SCOUT, Some(AgentState::Active), true));
        assert_eq!(directory.all(), std::slice::from_ref(view));
        assert!(registry.directory(&Namespace::test()).all().is_empty());
        drop(owner);
        assert_eq!((source.status(&SCOUT), directory.all().len()), (None, 0));
    }
}

#[test]
fn a_directory_shows_basic_projections_in_the_basic_view_and_nobody_while_the_gate_is_off() {
    let (gate, owner) = (FeatureGate::all_on(), Owner::new());
    let registry = Registry::builder().gate(gate.clone()).build().expect("in range");
    let directory = registry.directory(&HERE);
    register(&registry, &SCOUT, &owner);
    registry.configure_metadata_mode(MetadataView::Basic);
    let status = directory.status(&SCOUT).expect("known");
    assert_eq!((status.health, status.capabilities.len()), (Health::Degraded, 0));
    assert!(status.usage.is_empty());
    let view = directory.all().remove(0);
    assert_eq!((view.state, view.health, view.capabilities.len()), (None, Health::Degraded, 0));

    gate.disable_agent_features();
    assert_eq!(directory.status(&SCOUT), None);
    assert_eq!(directory.snapshot(&[SCOUT]), [None]);
    assert!(directory.all().is_empty());
}

#[test]
fn changes_tell_every_turn_in_order() {
    for registry in on_each_backend(|builder| builder) {
        let (directory, owner) = (registry.directory(&HERE), Owner::new());
        let (mut changes, mut elsewhere) = (directory.changes(), registry.directory(&Namespace::test()).changes());
        let agents = registry.agents();
        register(&registry, &SCOUT, &owner);
        agents.set_health(&HERE, &SCOUT, Health::Critical).expect("there");
        agents.transition(&HERE, &SCOUT, AgentState::Idle).expect("possible");
        agents.unregister(&HERE, &SCOUT).expect("open");
        register(&registry, &SCOUT, &owner);
        registry.register(&HERE, &"service".into(), &owner.pid(), foundation_types::Metadata::new()).expect("free");
        owner.exit(ExitReason::Shutdown);
        let updated = |from, to| AgentChange::Updated { agent: SCOUT, from, to };
        let expected = [
            registered(SCOUT),
            updated(Health::Degraded, Health::Critical),
            updated(Health::Critical, Health::Critical),
            AgentChange::Removed { agent: SCOUT, reason: Removal::Unregistered },
            registered(SCOUT),
            AgentChange::Removed { agent: SCOUT, reason: Removal::Died(ExitReason::Shutdown) },
        ];
        assert_eq!(drain(&mut changes), expected);
        assert!(drain(&mut elsewhere).is_empty());
    }
}

#[test]
fn refused_registrations_and_writes_are_no_changes() {
    let (registry, owner) = (Registry::new(), Owner::new());
    register(&registry, &SCOUT, &owner);
    let mut changes = registry.directory(&HERE).changes();
    let agents = registry.agents();
    agents.register(&HERE, &SCOUT, &owner.pid(), info(&SCOUT)).expect_err("held");
    let dead = Owner::new().pid();
    agents.register(&HERE, &OTHER, &dead, info(&OTHER)).expect_err("dead");
    agents.transition(&HERE, &SCOUT, AgentState::Initializing).expect_err("impossible");
    assert!(drain(&mut changes).is_empty());
}

#[test]
fn a_slow_reader_is_told_how_much_it_missed() {
    let (registry, owner) = (Registry::new(), Owner::new());
    register(&registry, &SCOUT, &owner);
    let mut changes = registry.directory(&HERE).changes();
    let capacity = DEFAULT_CHANGE_CAPACITY.get();
    for _ in 0..capacity + 5 {
        registry.agents().set_health(&HERE, &SCOUT, Health::Degraded).expect("there");
    }
    assert_eq!(changes.try_next(), Some(AgentChange::Lagged { missed: 5 }));
    assert_eq!(drain(&mut changes).len(), capacity);
}

#[test]
fn changes_are_silent_while_the_gate_is_off_and_then_own_up_to_it() {
    let (gate, owner) = (FeatureGate::all_on(), Owner::new());
    let registry = Registry::builder().gate(gate.clone()).build().expect("in range");
    let (directory, agents) = (registry.directory(&HERE), registry.agents());
    let mut changes = directory.changes();
    register(&registry, &SCOUT, &owner);
    register(&registry, &OTHER, &owner);
    assert_eq!(drain(&mut changes), [registered(SCOUT), registered(OTHER)]);

    gate.disable_agent_features();
    agents.unregister(&HERE, &SCOUT).expect("open");
    assert!(drain(&mut changes).is_empty());
    gate.enable_agent_features();
    let mut fresh = directory.changes();
    agents.unregister(&HERE, &OTHER).expect("open");
    let last = AgentChange::Removed { agent: OTHER, reason: Removal::Unregistered };
    assert_eq!(drain(&mut changes), [AgentChange::Lagged { missed: 1 }, last.clone()]);
    assert_eq!(drain(&mut fresh), [last], "it has missed nothing");
}

#[test]
fn a_change_wakes_its_reader_and_a_shutdown_ends_it() {
    let (registry, owner) = (Registry::new(), Owner::new());
    let directory: RegistryDirectory = registry.directory(&HERE);
    let mut changes = directory.changes();
    let mut next = Task::new(async move { (changes.next().await, changes.next().await) });
    assert_eq!(next.poll(), Poll::Pending);
    register(&registry, &SCOUT, &owner);
    assert!(next.was_woken());
    assert_eq!(next.poll(), Poll::Pending);
    registry.shutdown();
    assert!(next.was_woken());
    assert_eq!(next.poll(), Poll::Ready((Some(registered(SCOUT)), None)));
    assert!(directory.changes().is_ended(), "there are none after it");
}

#[test]
fn changes_do_not_keep_their_registry_alive_and_leave_nothing_behind() {
    let registry = Registry::new();
    let baseline = registry.agents().held();
    let mut changes = registry.directory(&HERE).changes();
    assert_ne!(registry.agents().held(), baseline);
    drop(registry.directory(&HERE).changes());
    drop(registry);
    assert!(changes.is_ended());
    assert_eq!(changes.try_next(), None);

    let registry = Registry::new();
    drop(registry.directory(&HERE).changes());
    assert_eq!(registry.agents().held(), baseline);
}
