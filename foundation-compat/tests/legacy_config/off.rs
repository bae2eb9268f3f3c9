//! Agents are nobody's business who does not ask for them.

use foundation_compat::agent::config_server::AgentConfigServer;
use foundation_compat::config::ConfigNotification;
use foundation_compat::foundation_types::FeatureGate;
use foundation_compat::{AgentId, Metadata};
use proptest::prelude::*;

use crate::session::Session;
use crate::trace::{Call, calls};

/// What happens between two legacy calls.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    Nothing,
    Override(u8),
    Clear(u8),
    Beside(u8),
    Refused(u8),
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    prop_oneof![
        Just(Meanwhile::Nothing),
        (0..4_u8).prop_map(Meanwhile::Override),
        (0..4_u8).prop_map(Meanwhile::Clear),
        (0..4_u8).prop_map(Meanwhile::Beside),
        (0..4_u8).prop_map(Meanwhile::Refused),
    ]
}

fn act(server: &AgentConfigServer, meanwhile: Meanwhile) {
    let agent = AgentId::from_static("scout");
    let path = |number: u8| {
        ["dev.debug_mode", "interface.max_results", "infrastructure.protection.a.b", "mine.x"][usize::from(number)]
    };
    // What comes of it is another test's; here only that nobody else notices.
    let _ = match meanwhile {
        Meanwhile::Nothing => Ok(()),
        Meanwhile::Override(number) => {
            if number == 0 {
                server.set_agent_config_3(&agent, path(number), true)
            } else {
                server.set_agent_config_3(&agent, path(number), i64::from(number))
            }
        }
        Meanwhile::Clear(number) => server.clear_agent_config_2(&agent, path(number)),
        Meanwhile::Beside(number) => server.set_config_2(["mine", "x"], i64::from(number)),
        Meanwhile::Refused(number) => {
            server.set_agent_config_3(&agent, path(number), Metadata::new().with("__info__", 1))
        }
    };
}

/// What the legacy functions answer and tell, and the legacy events.
fn observed(
    session: &Session,
    calls: &[(Call, Meanwhile)],
    agents: bool,
) -> (Vec<String>, Vec<ConfigNotification>, Vec<String>) {
    let server = AgentConfigServer::from(&session.foundation);
    let mut changes = session.config.subscribe().expect("it runs");
    let mut answers = Vec::new();
    for (call, meanwhile) in calls {
        if agents {
            act(&server, *meanwhile);
        }
        answers.push(session.call(call));
        answers.push(format!("{:?}", session.config.get("").map_err(|error| error.code())));
        answers.push(format!("{:?}", session.config.status()));
    }
    let told = std::iter::from_fn(|| changes.try_recv()).collect();
    let legacy = [
        "foundation.config_updates",
        "foundation.config_resets",
        "foundation.config.config_updated",
        "foundation.config.config_reset",
    ];
    let events = session.observer.events().into_iter().filter(|event| legacy.contains(&event.name.as_str()));
    (answers, told, events.map(|event| format!("{event:?}")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn p25_the_old_functions_do_not_notice_agents(
        calls in calls(),
        meanwhile in prop::collection::vec(meanwhile(), 30),
    ) {
        let calls: Vec<_> = calls.into_iter().zip(meanwhile).collect();
        let off = Session::built(|builder| builder.gate(FeatureGate::all_off()));
        let expected = observed(&off, &calls, false);
        prop_assert_eq!(&observed(&Session::new(), &calls, false), &expected);
        prop_assert_eq!(&observed(&Session::new(), &calls, true), &expected);
        let off = Session::built(|builder| builder.gate(FeatureGate::all_off()));
        prop_assert_eq!(&observed(&off, &calls, true), &expected);
    }
}
