//! Breakers, limits, pools and the facade answer the same whether agents are not compiled in, compiled in and off, or compiled
//! in and on.

mod support;

use std::fmt::Write;
use std::{env, fs};

use support::fixed_trace;
use support::layers::LayerSession;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/legacy_layer_trace.txt");
const SEED: u64 = 11;
const CALLS: usize = 600;

/// The answers to a long trace are those in the file, in every build: the file is the same for all of them.
///
/// With the variable `UPDATE_SNAPSHOTS` set this test writes the file instead.
#[test]
fn p25_q24_a_fixed_trace_gives_the_same_in_every_build() {
    let session = LayerSession::new(|builder| builder);
    let mut text = String::new();
    for answer in session.run(&fixed_trace(SEED, CALLS)).into_iter().chain(session.events()) {
        writeln!(text, "{answer}").expect("a text takes all that is written");
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
    use foundation_compat::foundation_breaker::agent::AgentBreakerOptions;
    use foundation_compat::foundation_types::{Feature, FeatureGate};
    use foundation_compat::infrastructure::agent_circuit_breaker::{AgentBreakerConfig, AgentCircuitBreakers};
    use foundation_compat::infrastructure::agent_rate_limiter::AgentRateLimiter;
    use foundation_compat::process_registry::ProcessRegistry;
    use foundation_compat::{AgentFeatures, AgentId, Health, Metadata, Owner};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::support::layers::LayerSession;

    /// What happens beside a trace: the switches are thrown, and an agent works under the same names.
    #[derive(Clone, Copy, Debug)]
    enum Aside {
        Features(AgentFeatures),
        Feature(Feature, AgentFeatures),
        Health(Health),
        Start,
        Execute,
        Stop,
        Check,
    }

    fn aside() -> impl Strategy<Value = Aside> {
        let features = || prop_oneof![Just(AgentFeatures::Enabled), Just(AgentFeatures::Disabled)];
        let feature = proptest::sample::select(vec![Feature::Breaker, Feature::RateLimiter, Feature::Registry]);
        let health = proptest::sample::select(vec![Health::Healthy, Health::Unhealthy, Health::Critical]);
        prop_oneof![
            features().prop_map(Aside::Features),
            (feature, features()).prop_map(|(feature, features)| Aside::Feature(feature, features)),
            health.prop_map(Aside::Health),
            Just(Aside::Start),
            Just(Aside::Execute),
            Just(Aside::Stop),
            Just(Aside::Check),
        ]
    }

    /// An agent beside a trace.
    struct Agent {
        id: AgentId,
        breakers: AgentCircuitBreakers,
        limiter: AgentRateLimiter,
        registry: ProcessRegistry,
        _owner: Owner,
    }

    impl Agent {
        fn beside(session: &LayerSession) -> Self {
            let (id, owner) = (AgentId::from_static("a"), Owner::new());
            let registry = ProcessRegistry::from(&session.foundation);
            let here = session.foundation.namespace();
            registry.register_agent(here, &id, &owner.pid(), &Metadata::new().with("type", "worker")).expect("free");
            Self {
                id,
                breakers: AgentCircuitBreakers::from(&session.foundation),
                limiter: AgentRateLimiter::from(&session.foundation),
                registry,
                _owner: owner,
            }
        }

        /// Whether it did what it was asked to. Nothing here may depend on that: while agents are off, they say so.
        fn act(&self, session: &LayerSession, aside: Aside) -> bool {
            match aside {
                Aside::Features(features) => {
                    session.foundation.set_agent_features(features);
                    true
                }
                Aside::Feature(feature, features) => {
                    session.foundation.set_feature(feature, features);
                    true
                }
                Aside::Health(health) => {
                    self.registry.update_agent_health(session.foundation.namespace(), &self.id, health).is_ok()
                }
                Aside::Start => {
                    let options = AgentBreakerOptions::new().failure_threshold(1);
                    let config = AgentBreakerConfig::from(options).agent(self.id.clone());
                    self.breakers.start_agent_breaker("db", config).is_ok()
                }
                Aside::Execute => {
                    self.breakers.execute_with_agent_3("db", &self.id, || Err::<(), _>(std::fmt::Error)).is_err()
                }
                Aside::Stop => self.breakers.stop_agent_breaker("db", &self.id).is_ok(),
                Aside::Check => self.limiter.check_rate_with_agent_2(&self.id, "op").is_ok(),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn p25_q24_off_and_on_give_the_same_answers_and_events(codes in vec(any::<u32>(), 1..150)) {
            let on = LayerSession::new(|builder| builder.gate(FeatureGate::all_on()));
            let off = LayerSession::new(|builder| builder.gate(FeatureGate::all_off()));
            let answers = on.run(&codes);
            prop_assert_eq!(&answers, &off.run(&codes));
            prop_assert_eq!(answers.len(), codes.len());
            prop_assert_eq!(on.events(), off.events());
            prop_assert_eq!(on.event_count(), off.event_count(), "those of the crates below included");
        }

        #[test]
        fn p25_q24_switches_and_agents_under_the_same_names_change_no_answer_and_no_event(
            steps in vec((any::<u32>(), vec(aside(), 0..3)), 1..150),
        ) {
            let (quiet, noisy) = (LayerSession::new(|builder| builder), LayerSession::new(|builder| builder));
            let agent = Agent::beside(&noisy);
            for (code, asides) in &steps {
                for aside in asides {
                    agent.act(&noisy, *aside);
                }
                prop_assert_eq!(quiet.step(*code), noisy.step(*code));
            }
            prop_assert_eq!(quiet.events(), noisy.events());
        }
    }

    #[test]
    fn what_happens_beside_a_trace_does_happen() {
        let session = LayerSession::new(|builder| builder);
        let agent = Agent::beside(&session);
        for aside in [Aside::Health(Health::Healthy), Aside::Start, Aside::Execute, Aside::Check, Aside::Stop] {
            assert!(agent.act(&session, aside), "{aside:?}");
        }
        agent.act(&session, Aside::Features(AgentFeatures::Disabled));
        assert!(!agent.act(&session, Aside::Start), "off");
    }
}
