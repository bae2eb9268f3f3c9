//! Registering, reading and changing agents.
#![cfg(all(feature = "agent", feature = "test-util"))]

use std::sync::Arc;
use std::time::Duration;

use foundation_registry::{
    AgentEntry, AgentError, AgentQuery, CLEANUP_EVENT, CleanupOptions, EntryKind, HEALTH_CHANGED_EVENT, LimitExceeded,
    Limits, METADATA_MODE_CHANGED_EVENT, REGISTERED_EVENT, Registry, UpdateError,
};
use foundation_types::agent::AgentInfoBuilder;
use foundation_types::testing::{RecordedEvent, RecordingObserver};
use foundation_types::{
    AgentId, AgentInfo, AgentInfoError, AgentState, AgentType, Capability, Clock, Health, ManualClock, Metadata,
    MetadataView, Namespace, NodeId, Owner, Ratio, ResourceKind, ResourceUsage, ServiceName, Timestamp, Value,
};

const SCOUT: AgentId = AgentId::from_static("scout");
const SCAN: Capability = Capability::from_static("scan");
const HERE: Namespace = Namespace::Production;

fn draft() -> AgentInfoBuilder {
    AgentInfo::builder(SCOUT)
}

fn scout() -> AgentInfo {
    draft().capability(SCAN).build_at(Timestamp::UNIX_EPOCH)
}

fn ids(found: Result<Vec<AgentEntry>, AgentError>) -> Vec<String> {
    let mut ids: Vec<_> = found.expect("on").iter().map(|agent| agent.id.to_string()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn an_agent_is_found_as_it_was_registered() {
    let (registry, owner) = (Registry::new(), Owner::new());
    let agents = registry.agents();
    let info = draft().agent_type(AgentType::new("ml_agent").expect("a name")).health(Health::Degraded);
    let info = info.build_at(Timestamp::UNIX_EPOCH);
    agents.register(&HERE, &SCOUT, &owner.pid(), info.clone()).expect("free");
    let found = agents.lookup(&HERE, &SCOUT).expect("there");
    assert_eq!((found.id, found.pid, &*found.info), (SCOUT, owner.pid(), &info));
    assert_eq!(agents.lookup(&Namespace::test(), &SCOUT), Err(AgentError::NotFound));
}

#[test]
fn unknown_health_becomes_healthy_at_registration_and_changes_nothing_else() {
    let (registry, owner) = (Registry::new(), Owner::new());
    let agents = registry.agents();
    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    let info = agents.lookup(&HERE, &SCOUT).expect("there").info;
    assert_eq!(info.health().overall_health, Health::Healthy);
    assert_eq!((info.version(), info.created_at()), (1, Timestamp::UNIX_EPOCH));
    assert_eq!(info.health().last_health_check, Timestamp::UNIX_EPOCH);
}

#[test]
fn a_name_that_is_held_is_refused_also_to_its_holder() {
    let (registry, owner, other) = (Registry::new(), Owner::new(), Owner::new());
    let agents = registry.agents();
    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    let held = Err(AgentError::AlreadyRegistered { holder: owner.pid() });
    for claimant in [&owner, &other] {
        let again = draft().capability(Capability::from_static("fly")).build_at(Timestamp::UNIX_EPOCH);
        assert_eq!(agents.register(&HERE, &SCOUT, &claimant.pid(), again).map(drop), held);
    }
    assert_eq!(*agents.lookup(&HERE, &SCOUT).expect("there").info, scout().with_health_if_unknown(Health::Healthy));
    assert!(ids(agents.query(&HERE, &AgentQuery::new().capability(Capability::from_static("fly")))).is_empty());
    drop(owner);
    agents.register(&HERE, &SCOUT, &other.pid(), scout()).expect("its holder is dead");
}

#[test]
fn refused_registrations_leave_nothing() {
    let registry = Registry::builder()
        .limits({
            let mut limits = Limits::default();
            limits.max_metadata_bytes = Some(16);
            limits
        })
        .build()
        .expect("in range");
    let (agents, owner) = (registry.agents(), Owner::new());
    let baseline = (registry.held(), agents.held());

    let dead = Owner::new().pid();
    let refused = agents.register(&HERE, &SCOUT, &dead, scout()).map(drop);
    assert_eq!(refused, Err(AgentError::DeadProcess { pid: dead.id() }));

    let id = AgentId::from_static("other");
    let refused = agents.register(&HERE, &id, &owner.pid(), scout()).map(drop);
    assert_eq!(refused, Err(AgentError::IdMismatch { id, record: SCOUT }));

    let large = draft().metadata(Metadata::new().with("text", "longer than sixteen bytes"));
    let refused = agents.register(&HERE, &SCOUT, &owner.pid(), large.build_at(Timestamp::UNIX_EPOCH)).map(drop);
    assert!(matches!(refused, Err(AgentError::Limit(LimitExceeded::MetadataBytes { limit: 16, .. }))), "{refused:?}");

    let loose = Metadata::new().with("capabilities", "scan");
    let refused = agents.register_from_metadata(&HERE, &SCOUT, &owner.pid(), &loose).map(drop);
    let is_invalid =
        |error: &AgentInfoError| matches!(error, AgentInfoError::InvalidField { field: "capabilities", .. });
    assert!(matches!(&refused, Err(AgentError::Invalid(error)) if is_invalid(error)), "{refused:?}");

    assert_eq!((registry.held(), agents.held()), baseline);
    assert_eq!(owner.pid().held().0, 0);
    assert!(ids(agents.list(&HERE)).is_empty());
    assert!(registry.lookup(&HERE, &ServiceName::agent(&SCOUT)).is_err());
}

#[test]
fn loose_metadata_registers_what_it_says() {
    let (registry, owner) = (Registry::new(), Owner::new());
    let agents = registry.agents();
    let loose = Metadata::new()
        .with("type", "coordinator")
        .with("capabilities", vec!["scan", "scan", "fly"])
        .with("health_status", "degraded")
        .with("resource_usage", Metadata::new().with("memory_usage", Ratio::saturating(0.5)));
    agents.register_from_metadata(&HERE, &SCOUT, &owner.pid(), &loose).expect("valid");
    let query = AgentQuery::new()
        .agent_type(AgentType::Coordinator)
        .capabilities([SCAN, Capability::from_static("fly")])
        .health(Health::Degraded)
        .min_usage(ResourceKind::Memory, Ratio::saturating(0.5));
    assert_eq!(ids(agents.query(&HERE, &query)), ["scout"]);
}

#[test]
fn agents_and_services_share_keys_but_not_their_ways_in() {
    let (registry, owner) = (Registry::new(), Owner::new());
    let agents = registry.agents();
    let plain = ServiceName::from_static("scout");
    registry.register(&HERE, &plain, &owner.pid(), Metadata::new()).expect("free");
    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("a service of the same name is another key");

    let key = ServiceName::agent(&SCOUT);
    let entry = registry.entry(&HERE, &key).expect("exact keys see agents");
    assert_eq!(entry.kind, EntryKind::Agent);
    assert_eq!(*entry.metadata, agents.lookup(&HERE, &SCOUT).expect("there").info.view(MetadataView::Enhanced));
    assert_eq!(registry.update_metadata(&HERE, &key, Metadata::new()), Err(UpdateError::AgentManaged));
    let names: Vec<_> = registry.services(&HERE).expect("open").iter().map(|entry| entry.name().clone()).collect();
    assert_eq!(names, [plain], "listings see services only");
    assert_eq!(registry.unregister(&HERE, &key), Ok(true), "exact keys see agents");
    assert_eq!(agents.lookup(&HERE, &SCOUT), Err(AgentError::NotFound));

    registry.register(&HERE, &key, &owner.pid(), Metadata::new()).expect("free");
    assert_eq!(agents.lookup(&HERE, &SCOUT), Err(AgentError::NotFound), "a service under the key of an agent");
    assert_eq!(agents.set_health(&HERE, &SCOUT, Health::Critical), Err(AgentError::NotFound));
    assert_eq!(agents.health_history(&HERE, &SCOUT), Ok(Vec::new()));
    assert!(ids(agents.list(&HERE)).is_empty());
    let refused = agents.register(&HERE, &SCOUT, &owner.pid(), scout()).map(drop);
    assert_eq!(refused, Err(AgentError::AlreadyRegistered { holder: owner.pid() }));
    assert_eq!(agents.unregister(&HERE, &SCOUT), Ok(true));
    assert_eq!(agents.unregister(&HERE, &SCOUT), Ok(false));
}

#[test]
fn a_token_of_an_agent_gives_its_name_up_and_changes_no_metadata() {
    let (registry, owner) = (Registry::new(), Owner::new());
    let agents = registry.agents();
    let token = agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    assert_eq!(token.update(Metadata::new()), Err(UpdateError::AgentManaged));
    assert!(token.clone().unregister());
    assert!(!token.unregister());
    drop(agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free").guard());
    assert_eq!(agents.lookup(&HERE, &SCOUT), Err(AgentError::NotFound));
}

#[test]
fn an_update_replaces_the_record_but_for_creation_and_version() {
    let (registry, owner) = (Registry::new(), Owner::new());
    let agents = registry.agents();
    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    let later = Timestamp::from_micros(1_000_000).expect("in range");
    let new = draft().state(AgentState::Stopped).health(Health::Unknown).build_at(later);
    agents.update(&HERE, &SCOUT, new.clone()).expect("there");
    let info = agents.lookup(&HERE, &SCOUT).expect("there").info;
    assert_eq!((info.version(), info.created_at(), info.last_updated()), (2, Timestamp::UNIX_EPOCH, later));
    assert_eq!((info.state(), info.health()), (AgentState::Stopped, new.health()), "states are not checked");
    assert!(ids(agents.query(&HERE, &AgentQuery::new().capability(SCAN))).is_empty(), "rows follow");

    let other = AgentId::from_static("other");
    assert_eq!(
        agents.update(&HERE, &other, new.clone()),
        Err(AgentError::IdMismatch { id: other.clone(), record: SCOUT })
    );
    let unknown = AgentInfo::builder(other.clone()).build_at(later);
    assert_eq!(agents.update(&HERE, &other, unknown), Err(AgentError::NotFound));
    assert_eq!(agents.lookup(&HERE, &other), Err(AgentError::NotFound));
}

#[test]
fn a_modification_that_meets_a_newer_record_runs_again_on_it() {
    let (registry, owner) = (Registry::new(), Owner::new());
    let agents = registry.agents();
    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    let mut runs = 0;
    let seen = agents.modify(&HERE, &SCOUT, |info| {
        runs += 1;
        if runs == 1 {
            agents.set_health(&HERE, &SCOUT, Health::Critical).expect("no lock is held");
        }
        info.add_capability(Capability::from_static("fly"), Timestamp::UNIX_EPOCH);
        info.health().overall_health
    });
    assert_eq!((seen, runs), (Ok(Health::Critical), 2));
    let info = agents.lookup(&HERE, &SCOUT).expect("there").info;
    assert_eq!((info.version(), info.health().overall_health, info.capabilities().len()), (3, Health::Critical, 2));
}

#[test]
fn a_modification_that_fails_or_makes_another_agent_changes_nothing() {
    let (registry, owner) = (Registry::new(), Owner::new());
    let agents = registry.agents();
    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    let before = agents.lookup(&HERE, &SCOUT);

    let failed: Result<(), AgentError> = agents.try_modify(&HERE, &SCOUT, |info| {
        info.add_capability(Capability::from_static("fly"), Timestamp::UNIX_EPOCH);
        Err(AgentError::NotImplemented)
    });
    assert_eq!(failed, Err(AgentError::NotImplemented));
    let other = AgentId::from_static("other");
    let swapped = agents.modify(&HERE, &SCOUT, |info| {
        *info = AgentInfo::builder(other.clone()).build_at(Timestamp::UNIX_EPOCH);
    });
    assert_eq!(swapped, Err(AgentError::IdMismatch { id: SCOUT, record: other }));
    let impossible = AgentInfoError::InvalidStateTransition { from: AgentState::Initializing, to: AgentState::Active };
    assert_eq!(agents.transition(&HERE, &SCOUT, AgentState::Active), Err(AgentError::Invalid(impossible)));
    assert_eq!(agents.lookup(&HERE, &SCOUT), before);

    agents.transition(&HERE, &SCOUT, AgentState::Ready).expect("possible");
    assert_eq!(agents.lookup(&HERE, &SCOUT).expect("there").info.state(), AgentState::Ready);
}

#[test]
fn a_report_of_health_tells_the_one_before_and_is_stamped_by_the_registry() {
    let (clock, owner) = (Arc::new(ManualClock::new()), Owner::new());
    let registry = Registry::builder().clock(clock.clone()).build().expect("in range");
    let agents = registry.agents();
    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    clock.advance(Duration::from_secs(5));
    let usage = ResourceUsage::new().with_memory(Ratio::saturating(0.95));
    assert_eq!(agents.report(&HERE, &SCOUT, Health::Degraded, &usage), Ok(Health::Healthy));
    assert_eq!(agents.set_health(&HERE, &SCOUT, Health::Unhealthy), Ok(Health::Degraded));
    let info = agents.lookup(&HERE, &SCOUT).expect("there").info;
    assert_eq!(info.health().last_health_check, clock.wall());
    assert_eq!(info.resource_usage(), &usage, "a report without usage keeps what is known");

    let history = agents.health_history(&HERE, &SCOUT).expect("on");
    let changes: Vec<_> = history.iter().map(|change| (change.from, change.to)).collect();
    let expected = [
        (None, Health::Healthy),
        (Some(Health::Healthy), Health::Degraded),
        (Some(Health::Degraded), Health::Unhealthy),
    ];
    assert_eq!(changes, expected);
    assert_eq!(history[2].at, clock.wall());
}

#[test]
fn history_keeps_a_hundred_changes_by_default_and_what_limits_say() {
    let mut limits = Limits::default();
    for (limit, kept) in [(None, Limits::DEFAULT_HEALTH_HISTORY), (Some(3), 3)] {
        limits.max_health_history = limit;
        let (registry, owner) = (Registry::builder().limits(limits.clone()).build().expect("in range"), Owner::new());
        let agents = registry.agents();
        agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
        for round in 0..150 {
            let health = if round % 2 == 0 { Health::Degraded } else { Health::Healthy };
            agents.set_health(&HERE, &SCOUT, health).expect("there");
        }
        let history = agents.health_history(&HERE, &SCOUT).expect("on");
        assert_eq!(history.len(), kept);
        assert_eq!(history[kept - 1].to, Health::Healthy);
    }
}

#[test]
fn every_turn_of_an_agent_is_told_once() {
    let observer = Arc::new(RecordingObserver::new());
    let registry = Registry::builder().observer(observer.clone()).build().expect("in range");
    let (agents, owner) = (registry.agents(), Owner::new());
    let process = || {
        let node = NodeId::local().as_str();
        Metadata::new().with("namespace", "production").with("node", node).with("id", "scout")
    };
    let heard = || -> RecordedEvent {
        let mut events = observer.take();
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    };

    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    let info = agents.lookup(&HERE, &SCOUT).expect("there").info;
    let event = heard();
    assert_eq!((event.name, event.measurements.get("count")), (REGISTERED_EVENT, Some(&Value::Int(1))));
    assert_eq!(
        event.metadata,
        Metadata::new().with("process_id", process()).with("metadata", info.view(MetadataView::Enhanced))
    );

    agents.set_health(&HERE, &SCOUT, Health::Healthy).expect("there");
    assert!(observer.take().is_empty(), "no change of health");
    agents.set_health(&HERE, &SCOUT, Health::Critical).expect("there");
    let event = heard();
    assert_eq!((event.name, event.measurements.get("count")), (HEALTH_CHANGED_EVENT, Some(&Value::Int(1))));
    assert_eq!(
        event.metadata,
        Metadata::new().with("process_id", process()).with("from", "healthy").with("to", "critical")
    );

    assert_eq!(registry.configure_metadata_mode(MetadataView::Enhanced), MetadataView::Enhanced);
    assert!(observer.take().is_empty(), "no change of the view");
    assert_eq!(registry.configure_metadata_mode(MetadataView::Basic), MetadataView::Enhanced);
    let event = heard();
    assert_eq!((event.name, event.measurements.get("count")), (METADATA_MODE_CHANGED_EVENT, Some(&Value::Int(1))));
    assert_eq!(event.metadata, Metadata::new().with("from", "enhanced").with("to", "basic"));

    drop(owner);
    let event = heard();
    assert_eq!((event.name, event.measurements.get("count")), (CLEANUP_EVENT, Some(&Value::Int(1))));
    let view = Metadata::new().with("type", "agent").with("health", "critical");
    assert_eq!(
        event.metadata,
        Metadata::new().with("process_id", process()).with("metadata", view).with("reason", "owner_exit")
    );

    let (owner, elsewhere) = (Owner::new(), Namespace::test());
    agents.register(&elsewhere, &SCOUT, &owner.pid(), scout()).expect("free");
    agents.unregister(&elsewhere, &SCOUT).expect("open");
    agents.register(&elsewhere, &SCOUT, &owner.pid(), scout()).expect("free");
    let at_once = CleanupOptions { grace: Duration::ZERO, last_call: Duration::ZERO, ..CleanupOptions::default() };
    registry.cleanup_namespace(&elsewhere, at_once).expect("open");
    let told = observer.events_named(CLEANUP_EVENT);
    let reasons: Vec<_> = told.iter().filter_map(|event| event.metadata.get("reason")?.as_str()).collect();
    assert_eq!(reasons, ["unregister", "namespace_cleanup"]);
}

#[test]
fn an_observer_may_call_the_registry_and_panic() {
    struct Meddler(std::sync::OnceLock<Registry>);

    impl foundation_types::Observer for Meddler {
        fn emit(&self, _: &foundation_types::EventName, _: &foundation_types::Measurements, _: &Metadata) {
            let registry = self.0.get().expect("set before the first event");
            let agents = registry.agents();
            let _ = (agents.list(&HERE), agents.query_everywhere(&AgentQuery::new()), agents.lookup(&HERE, &SCOUT));
            panic!("an observer's own trouble");
        }
    }

    let meddler = Arc::new(Meddler(std::sync::OnceLock::new()));
    let registry = Registry::builder().observer(meddler.clone()).build().expect("in range");
    assert!(meddler.0.set(registry.clone()).is_ok());
    let (agents, owner) = (registry.agents(), Owner::new());
    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    assert_eq!(agents.set_health(&HERE, &SCOUT, Health::Critical), Ok(Health::Healthy));
    assert_eq!(registry.configure_metadata_mode(MetadataView::Basic), MetadataView::Enhanced);
    drop(owner);
    assert_eq!(agents.lookup(&HERE, &SCOUT), Err(AgentError::NotFound));
}

#[test]
fn limits_on_entries_count_agents() {
    let mut limits = Limits::default();
    limits.max_entries = Some(1);
    let (registry, owner) = (Registry::builder().limits(limits).build().expect("in range"), Owner::new());
    let agents = registry.agents();
    for _ in 0..3 {
        agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("there is room for one");
        let other = AgentId::from_static("other");
        let info = AgentInfo::builder(other.clone()).build_at(Timestamp::UNIX_EPOCH);
        let refused = agents.register(&HERE, &other, &owner.pid(), info).map(drop);
        assert_eq!(refused, Err(AgentError::Limit(LimitExceeded::Entries { limit: 1 })));
        assert_eq!(agents.unregister(&HERE, &SCOUT), Ok(true));
    }
}

#[test]
fn a_registry_that_is_shut_down_answers_closed() {
    let (registry, owner) = (Registry::new(), Owner::new());
    let agents = registry.agents();
    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    registry.shutdown();
    assert_eq!(agents.lookup(&HERE, &SCOUT), Err(AgentError::Closed));
    assert_eq!(agents.list(&HERE), Err(AgentError::Closed));
    assert_eq!(agents.query_everywhere(&AgentQuery::new()), Err(AgentError::Closed));
    assert_eq!(agents.update(&HERE, &SCOUT, scout()), Err(AgentError::Closed));
    assert_eq!(agents.modify(&HERE, &SCOUT, |_| ()), Err(AgentError::Closed));
    assert_eq!(agents.register(&HERE, &SCOUT, &owner.pid(), scout()).map(drop), Err(AgentError::Closed));
    assert_eq!(agents.unregister(&HERE, &SCOUT), Err(foundation_registry::RegistryError::Closed));
    assert_eq!(agents.overview(&HERE), Err(AgentError::Closed));
    assert!(owner.pid().is_alive());
}
