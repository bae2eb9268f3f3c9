//! Services next to agents.

use std::sync::Arc;

use foundation_types::testing::{RecordedEvent, RecordingObserver};
use foundation_types::{FeatureGate, MetadataView, Namespace, Owner};
use proptest::prelude::*;

use super::fleet::{Draft, drafts, id};
use crate::agents::{AgentQuery, CLEANUP_EVENT, HEALTH_CHANGED_EVENT, METADATA_MODE_CHANGED_EVENT, REGISTERED_EVENT};
use crate::conformance::model::{Op, World, ops};
use crate::conformance::{Factory, check, name, production};
use crate::registry::Registry;
use crate::service::ServiceRegistry;

/// What agents do in between.
#[derive(Clone, Debug)]
enum Meanwhile {
    Register(usize, Draft),
    Update(usize, Draft),
    Unregister(usize),
    Query,
    Gate(bool),
    Basic(bool),
    Die,
}

/// R21: the results and the telemetry of services are the same with agents on, with agents off, and with agents coming, going
/// and being switched in between.
pub fn r21_agents_do_not_disturb_services(factory: Factory<'_>) {
    let meanwhile = prop_oneof![
        3 => (0..4_usize, drafts()).prop_map(|(agent, draft)| Meanwhile::Register(agent, draft)),
        1 => (0..4_usize, drafts()).prop_map(|(agent, draft)| Meanwhile::Update(agent, draft)),
        1 => (0..4_usize).prop_map(Meanwhile::Unregister),
        1 => Just(Meanwhile::Query),
        1 => any::<bool>().prop_map(Meanwhile::Gate),
        1 => any::<bool>().prop_map(Meanwhile::Basic),
        1 => Just(Meanwhile::Die),
    ];
    let inputs = (ops(), proptest::collection::vec(proptest::option::of(meanwhile), 80));
    check(64, inputs, |(ops, meanwhile)| {
        let none = || std::iter::repeat_n(&None, meanwhile.len());
        let on = run(factory, &FeatureGate::all_on(), &ops, none());
        let off = run(factory, &FeatureGate::all_off(), &ops, none());
        let mixed = run(factory, &FeatureGate::all_on(), &ops, meanwhile.iter());
        assert_eq!(on, off);
        assert_eq!(on, mixed);
    });
}

/// The results of the operations, and what was heard of services.
fn run<'m>(
    factory: Factory<'_>,
    gate: &FeatureGate,
    ops: &[Op],
    meanwhile: impl Iterator<Item = &'m Option<Meanwhile>>,
) -> (Vec<String>, Vec<RecordedEvent>) {
    let observer = Arc::new(RecordingObserver::new());
    let builder = Registry::builder().backend(factory()).gate(gate.clone()).observer(observer.clone());
    let registry = builder.build().expect("the defaults are in range");
    let services = ServiceRegistry::new(registry.clone());
    let (mut world, mut owner) = (World::new(registry.clone()), Owner::new());
    let mut results = Vec::new();
    for (op, meanwhile) in ops.iter().zip(meanwhile) {
        if let Some(meanwhile) = meanwhile {
            disturb(&registry, gate, &mut owner, meanwhile);
        }
        results.push(world.step(op.clone()));
        let found = services.lookup(&production(), &name(0)).is_ok();
        let stats = registry.stats().expect("open");
        results.push(format!("{found} {stats:?}"));
    }
    let of_agents = [REGISTERED_EVENT, CLEANUP_EVENT, HEALTH_CHANGED_EVENT, METADATA_MODE_CHANGED_EVENT];
    let mut heard = observer.take();
    heard.retain(|event| !of_agents.contains(&event.name));
    // How long a lookup took is nobody's promise.
    for event in &mut heard {
        event.measurements.remove("duration");
    }
    assert!(!heard.is_empty(), "lookups are told");
    (results, heard)
}

fn disturb(registry: &Registry, gate: &FeatureGate, owner: &mut Owner, meanwhile: &Meanwhile) {
    let (agents, now) = (registry.agents(), registry.core.clock.wall());
    // Half of them among the services of the model.
    let here = |agent: usize| if agent < 2 { production() } else { Namespace::custom("other").expect("a valid name") };
    // Whatever the result: the services are looked at.
    match meanwhile {
        Meanwhile::Register(agent, draft) => {
            let _ = agents.register(&here(*agent), &id(*agent), &owner.pid(), draft.info(id(*agent), now));
        }
        Meanwhile::Update(agent, draft) => {
            let _ = agents.update(&here(*agent), &id(*agent), draft.info(id(*agent), now));
        }
        Meanwhile::Unregister(agent) => {
            let _ = agents.unregister(&here(*agent), &id(*agent));
        }
        Meanwhile::Query => {
            let _ = agents.query_everywhere(&AgentQuery::new());
        }
        Meanwhile::Gate(true) => drop(gate.enable_agent_features()),
        Meanwhile::Gate(false) => drop(gate.disable_agent_features()),
        Meanwhile::Basic(basic) => {
            registry.configure_metadata_mode(if *basic { MetadataView::Basic } else { MetadataView::Enhanced });
        }
        Meanwhile::Die => *owner = Owner::new(),
    }
}
