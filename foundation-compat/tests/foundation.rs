//! The composition root.

mod support;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use foundation_compat::foundation_registry::backend::{Backend, Partitioned};
use foundation_compat::foundation_registry::{Limits, LookupError, RegisterError, RegistryError};
use foundation_compat::foundation_types::testing::RecordingObserver;
use foundation_compat::foundation_types::{
    Clock, ManualClock,
    inspect::{Cell, Section},
};
use foundation_compat::{
    BuildError, Foundation, Health, Metadata, Namespace, Owner, ServiceName, SubsystemStatus, foundation_registry,
};
use proptest::collection::vec;
use proptest::prelude::*;
use support::Session;

const NAME: ServiceName = ServiceName::from_static("indexer");

#[test]
fn an_isolated_instance_works_in_a_test_namespace_of_its_own() {
    let (one, other) = (Foundation::isolated(), Foundation::isolated());
    assert!(matches!(one.namespace(), Namespace::Test(_)));
    assert_ne!(one.namespace(), other.namespace());
    assert!(!one.is_same(&other) && one.is_same(&one.clone()));

    let owner = Owner::new();
    one.registry().register(&Namespace::Production, &NAME, &owner.pid(), Metadata::new()).expect("free");
    assert_eq!(other.registry().lookup(&Namespace::Production, &NAME), Err(LookupError::NotFound));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn p21_two_instances_side_by_side_behave_as_each_alone(
        steps in vec((any::<bool>(), any::<u32>()), 2..120),
    ) {
        let new = || Session::new(|builder| builder);
        let (mut one, mut other) = (new(), new());
        let side_by_side: Vec<_> = steps
            .iter()
            .map(|(first, code)| if *first { one.step(*code) } else { other.step(*code) })
            .collect();
        let (mut one_alone, mut other_alone) = (new(), new());
        for ((first, code), answer) in steps.iter().zip(&side_by_side) {
            let alone = if *first { &mut one_alone } else { &mut other_alone };
            prop_assert_eq!(&alone.step(*code), answer);
        }
        prop_assert_eq!(one.service_events(), one_alone.service_events());
        prop_assert_eq!(other.service_events(), other_alone.service_events());
    }
}

#[test]
fn services_and_registry_are_one() {
    let foundation = Foundation::isolated();
    let owner = Owner::new();
    foundation.services().register(foundation.namespace(), &NAME, &owner.pid()).expect("free");
    assert_eq!(foundation.registry().lookup(foundation.namespace(), &NAME), Ok(owner.pid()));
}

#[test]
fn all_subsystems_share_the_clock_and_the_observer() {
    let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
    let builder = Foundation::builder().clock(Arc::new(clock.clone())).observer(observer.clone());
    let foundation = builder.build().expect("in range");
    assert!(foundation.emitter().is_installed());

    let owner = Owner::new();
    foundation.services().register(&Namespace::Production, &NAME, &owner.pid()).expect("free");
    assert_eq!(observer.take().len(), 1);

    clock.advance(Duration::from_secs(3));
    let info = foundation.services().service_info(&Namespace::Production).expect("open");
    assert_eq!(info.services[&NAME].uptime, Duration::from_secs(3));
    let status = foundation.status();
    assert_eq!(status.uptime, Duration::from_secs(3));
    assert_eq!(status.started_at.saturating_add(Duration::from_secs(3)), clock.wall());
}

#[test]
fn status_and_health_tell_of_every_subsystem() {
    let foundation = Foundation::isolated();
    let status = foundation.status();
    assert_eq!((status.version, &status.namespace), (env!("CARGO_PKG_VERSION"), foundation.namespace()));
    let subsystems: Vec<_> = status.subsystems.into_iter().collect();
    let well = SubsystemStatus::Running(Health::Healthy);
    let mut expected = vec!["breakers", "config", "pools", "rate_limiter", "registry"];
    if cfg!(feature = "agent") {
        expected.splice(0..0, ["agent_breakers", "agent_rate_limiter"]);
    }
    assert_eq!(subsystems, expected.into_iter().map(|name| (name, well)).collect::<Vec<_>>());

    let health = foundation.health();
    assert_eq!((health.status, health.foundation_available), (Health::Healthy, true));
    let json = serde_json::to_value(foundation.status()).expect("plain data");
    assert_eq!(json["subsystems"]["registry"]["running"], "healthy");

    foundation.shutdown();
    let health = foundation.health();
    assert_eq!((health.status, health.foundation_available), (Health::Degraded, false));
    assert!(health.services.values().all(|service| *service == SubsystemStatus::Stopped), "{health:?}");
}

#[test]
fn inspection_shows_what_the_registry_holds() {
    let foundation = Foundation::isolated();
    let owner = Owner::new();
    foundation.registry().register(foundation.namespace(), &NAME, &owner.pid(), Metadata::new()).expect("free");
    let sections = foundation.inspect();
    let titles: Vec<_> = sections.iter().map(Section::title).collect();
    assert_eq!(titles[..5], ["registry", "configuration", "circuit breakers", "rate_limiter", "pools"]);
    let of_agents: &[&str] =
        if cfg!(feature = "agent") { &["circuit breakers of agents", "agent_rate_limiter"] } else { &[] };
    assert_eq!(&titles[5..], of_agents);
    let services = sections[0].gauges().iter().find(|gauge| gauge.name() == "services").expect("there");
    assert_eq!(services.value(), &Cell::Count(1));
}

#[test]
fn p14_shutdown_is_idempotent_and_nothing_panics_afterwards() {
    let foundation = Foundation::isolated();
    assert!(foundation.available());
    let owner = Owner::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| foundation.shutdown());
        }
    });
    assert!(!foundation.available());
    let registered = foundation.registry().register(foundation.namespace(), &NAME, &owner.pid(), Metadata::new());
    assert_eq!(registered.map(drop), Err(RegisterError::Closed));
    assert_eq!(foundation.services().list(foundation.namespace()), Err(RegistryError::Closed));
    foundation.status();
    assert_eq!(foundation.inspect().len(), if cfg!(feature = "agent") { 7 } else { 5 });
    foundation.shutdown();
    assert!(owner.pid().is_alive(), "owners are not touched");
    assert!(Foundation::isolated().available(), "another instance is another one");
}

#[test]
fn options_of_subsystems_are_checked() {
    let mut limits = Limits::default();
    limits.max_entries = Some(0);
    let refused = Foundation::builder().registry_limits(limits).build();
    assert!(matches!(refused.map(drop), Err(BuildError::Registry(_))));
}

#[test]
fn the_registry_uses_the_backend_and_the_limits_it_is_given() {
    let backend = Arc::new(Partitioned::default());
    let mut limits = Limits::default();
    limits.max_entries = Some(1);
    let builder = Foundation::builder().registry_backend(backend.clone()).registry_limits(limits);
    let foundation = builder.build().expect("in range");
    let owner = Owner::new();
    foundation.registry().register(&Namespace::Production, &NAME, &owner.pid(), Metadata::new()).expect("free");
    assert_eq!(backend.health().expect("in memory").live, 1);
    let second = ServiceName::from_static("second");
    let refused = foundation.registry().register(&Namespace::Production, &second, &owner.pid(), Metadata::new());
    assert!(matches!(refused.map(drop), Err(RegisterError::Limit(foundation_registry::LimitExceeded::Entries { .. }))));
}

#[cfg(feature = "agent")]
mod agent {
    use foundation_compat::foundation_registry::AgentError;
    use foundation_compat::foundation_types::{Feature, FeatureGate};
    use foundation_compat::{AgentFeatures, AgentId, AgentInfo, Capability, FEATURE_CHANGED_EVENT, MetadataView};

    use super::*;

    const SCOUT: AgentId = AgentId::from_static("scout");
    const SCAN: Capability = Capability::from_static("scan");

    fn with_a_scout() -> (Foundation, Arc<RecordingObserver>, Owner) {
        let observer = Arc::new(RecordingObserver::listening_to([FEATURE_CHANGED_EVENT]));
        let foundation = Foundation::builder().observer(observer.clone()).build().expect("in range");
        let owner = Owner::new();
        let info = AgentInfo::builder(SCOUT).capability(SCAN).build(foundation.clock());
        foundation.registry().agents().register(&Namespace::Production, &SCOUT, &owner.pid(), info).expect("free");
        (foundation, observer, owner)
    }

    #[test]
    fn p15_the_master_switch_hides_agents_and_brings_them_back() {
        let (foundation, observer, _owner) = with_a_scout();
        let agents = foundation.registry().agents();
        let before = agents.lookup(&Namespace::Production, &SCOUT).expect("registered");
        assert_eq!(foundation.set_agent_features(AgentFeatures::Disabled), AgentFeatures::Enabled);
        assert_eq!(agents.lookup(&Namespace::Production, &SCOUT), Err(AgentError::Disabled));
        assert_eq!(foundation.set_agent_features(AgentFeatures::Disabled), AgentFeatures::Disabled);
        assert_eq!(foundation.set_agent_features(AgentFeatures::Enabled), AgentFeatures::Disabled);
        assert_eq!(agents.lookup(&Namespace::Production, &SCOUT), Ok(before));

        let changes: Vec<_> = observer.take().into_iter().map(|event| event.metadata).collect();
        let change =
            |old: &str, new: &str| Metadata::new().with("feature", "agent_features").with("old", old).with("new", new);
        assert_eq!(changes, [change("enabled", "disabled"), change("disabled", "enabled")], "none for no change");
    }

    #[test]
    fn a_feature_of_its_own_can_be_switched() {
        let (foundation, observer, _owner) = with_a_scout();
        foundation.set_feature(Feature::Registry, AgentFeatures::Disabled);
        assert!(!foundation.gate().is_on(Feature::Registry) && foundation.gate().is_on(Feature::Errors));
        let looked_up = foundation.registry().agents().lookup(&Namespace::Production, &SCOUT);
        assert_eq!(looked_up, Err(AgentError::Disabled));
        assert_eq!(observer.take()[0].metadata.get("feature").and_then(|feature| feature.as_str()), Some("registry"));
    }

    #[test]
    fn p18_the_basic_view_hides_and_the_enhanced_one_shows_again() {
        let (foundation, _observer, _owner) = with_a_scout();
        let name = ServiceName::agent(&SCOUT);
        let seen = || foundation.registry().entry(&Namespace::Production, &name).expect("registered").metadata;
        let enhanced = seen();
        assert!(enhanced.contains_key("agent_context"));
        assert_eq!(foundation.set_metadata_view(MetadataView::Basic), MetadataView::Enhanced);
        assert_eq!(foundation.metadata_view(), MetadataView::Basic);
        assert_eq!(seen().iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["health", "type"]);
        foundation.set_metadata_view(MetadataView::Enhanced);
        assert_eq!(seen(), enhanced);
    }

    #[test]
    fn the_gate_can_be_shared_with_others() {
        let gate = FeatureGate::all_off();
        let foundation = Foundation::builder().gate(gate.clone()).build().expect("in range");
        let list = || foundation.registry().agents().list(&Namespace::Production).map(|agents| agents.len());
        assert_eq!(list(), Err(AgentError::Disabled));
        gate.enable_agent_features();
        gate.enable(Feature::Registry);
        assert_eq!(list(), Ok(0));
    }
}
