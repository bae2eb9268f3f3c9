//! The legacy surface answers the same whether agents are not compiled in, compiled in and off, or compiled in and on.

mod support;

use std::fmt::Write;
use std::{env, fs};

use support::{Session, fixed_trace};

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/legacy_trace.txt");
const SEED: u64 = 7;
const CALLS: usize = 400;

/// The answers to a long trace are those in the file, in every build: the file is the same for all of them.
///
/// With the variable `UPDATE_SNAPSHOTS` set this test writes the file instead.
#[test]
fn r21_p16_a_fixed_trace_gives_the_same_in_every_build() {
    let mut session = Session::new(|builder| builder);
    let mut text = String::new();
    for answer in session.run(&fixed_trace(SEED, CALLS)) {
        writeln!(text, "{answer}").expect("a text takes all that is written");
    }
    for event in session.service_events() {
        writeln!(text, "{event}").expect("a text takes all that is written");
    }
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(SNAPSHOT, text).expect("the file can be written");
        return;
    }
    let expected = fs::read_to_string(SNAPSHOT).expect("the file is there");
    for (number, (answer, expected)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(answer, expected, "line {}", number + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count());
    assert!(expected.lines().count() > CALLS, "answers and events are there");
}

#[cfg(feature = "agent")]
mod agent {
    use foundation_compat::foundation_types::FeatureGate;
    use foundation_compat::process_registry::ProcessRegistry;
    use foundation_compat::process_registry::agent::AgentTriple;
    use foundation_compat::{
        AgentFeatures, AgentId, Capability, Health, Metadata, MetadataView, Namespace, Owner, ServiceName,
    };
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::support::Session;

    /// What happens beside a trace: the switches are thrown, and agents of other names come, change and go.
    #[derive(Clone, Debug)]
    enum Aside {
        Features(AgentFeatures),
        View(MetadataView),
        Register(usize),
        Update(usize),
        Health(usize, Health),
        Query,
        Unregister(usize),
        Die(usize),
    }

    const AGENTS: usize = 3;

    fn aside() -> impl Strategy<Value = Aside> {
        let agent = 0..AGENTS;
        let features = prop_oneof![Just(AgentFeatures::Enabled), Just(AgentFeatures::Disabled)];
        let view = prop_oneof![Just(MetadataView::Basic), Just(MetadataView::Enhanced)];
        let health = prop_oneof![Just(Health::Healthy), Just(Health::Degraded), Just(Health::Critical)];
        prop_oneof![
            2 => features.prop_map(Aside::Features),
            2 => view.prop_map(Aside::View),
            3 => agent.clone().prop_map(Aside::Register),
            1 => agent.clone().prop_map(Aside::Update),
            1 => (agent.clone(), health).prop_map(|(agent, health)| Aside::Health(agent, health)),
            1 => Just(Aside::Query),
            1 => agent.clone().prop_map(Aside::Unregister),
            1 => agent.prop_map(Aside::Die),
        ]
    }

    /// The agents beside a trace.
    struct Agents {
        registry: ProcessRegistry,
        namespace: Namespace,
        ids: [AgentId; AGENTS],
        owners: [Owner; AGENTS],
        /// How many agent calls did what they were asked to.
        done: usize,
    }

    impl Agents {
        fn beside(session: &Session) -> Self {
            Self {
                registry: ProcessRegistry::from(&session.foundation),
                namespace: session.namespaces()[1].clone(),
                ids: ["scout", "reader", "analyst"].map(AgentId::from_static),
                owners: [Owner::new(), Owner::new(), Owner::new()],
                done: 0,
            }
        }

        /// Nothing here may depend on what the agents answer: while they are off, they answer that.
        fn act(&mut self, session: &Session, aside: &Aside) {
            let (registry, here) = (&self.registry, &self.namespace);
            let metadata = Metadata::new().with("type", "worker").with("capabilities", vec!["scan"]);
            let done = match aside {
                Aside::Features(features) => {
                    session.foundation.set_agent_features(*features);
                    false
                }
                Aside::View(view) => {
                    session.foundation.set_metadata_view(*view);
                    false
                }
                Aside::Register(agent) => {
                    registry.register_agent(here, &self.ids[*agent], &self.owners[*agent].pid(), &metadata).is_ok()
                }
                Aside::Update(agent) => registry
                    .update_agent_metadata(here, &self.ids[*agent], &metadata.with("health", "degraded"))
                    .is_ok(),
                Aside::Health(agent, health) => registry.update_agent_health(here, &self.ids[*agent], *health).is_ok(),
                Aside::Query => {
                    let scan = Capability::from_static("scan");
                    registry
                        .lookup_agents_by_capability(here, &scan)
                        .is_ok_and(|agents: Vec<AgentTriple>| !agents.is_empty())
                }
                Aside::Unregister(agent) => registry.unregister_agent(here, &self.ids[*agent]).is_ok(),
                Aside::Die(agent) => {
                    self.owners[*agent] = Owner::new();
                    true
                }
            };
            self.done += usize::from(done);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn r21_p16_off_and_on_give_the_same_answers_and_events(codes in vec(any::<u32>(), 1..120)) {
            let mut on = Session::new(|builder| builder.gate(FeatureGate::all_on()));
            let mut off = Session::new(|builder| builder.gate(FeatureGate::all_off()));
            let answers = on.run(&codes);
            prop_assert_eq!(&answers, &off.run(&codes));
            prop_assert_eq!(answers.len(), codes.len());
            prop_assert_eq!(on.service_events(), off.service_events());
            prop_assert_eq!(on.event_count(), on.service_events().len(), "no other event");
            prop_assert_eq!(off.event_count(), on.event_count());
        }

        #[test]
        fn r21_p16_switches_and_agents_of_other_names_change_no_answer_and_no_event(
            steps in vec((any::<u32>(), vec(aside(), 0..3)), 1..120),
        ) {
            let mut quiet = Session::new(|builder| builder);
            let mut noisy = Session::new(|builder| builder);
            let mut agents = Agents::beside(&noisy);
            for (code, asides) in &steps {
                for aside in asides {
                    agents.act(&noisy, aside);
                }
                prop_assert_eq!(quiet.step(*code), noisy.step(*code));
            }
            prop_assert_eq!(quiet.service_events(), noisy.service_events());
        }
    }

    #[test]
    fn what_happens_beside_a_trace_does_happen() {
        let mut session = Session::new(|builder| builder);
        let mut agents = Agents::beside(&session);
        for aside in [Aside::Register(0), Aside::Update(0), Aside::Health(0, Health::Critical), Aside::Query] {
            agents.act(&session, &aside);
        }
        assert_eq!(agents.done, 4);
        let name = ServiceName::agent(&agents.ids[0]);
        assert_eq!(agents.registry.registered(&agents.namespace, &name), Ok(true));
        agents.act(&session, &Aside::Features(AgentFeatures::Disabled));
        agents.act(&session, &Aside::Query);
        assert_eq!(agents.done, 4, "off");
        session.step(0);
    }
}
