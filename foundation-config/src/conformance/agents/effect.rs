//! What is in effect for agents, and who hears of it.

use std::sync::Arc;

use foundation_types::testing::RecordingObserver;
use foundation_types::{ManualClock, Metadata, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::backend::{AgentBackend, Whom};
use super::command::{AGENTS, AgentCommand, AgentPair, agent_commands, agent_defaults};
use crate::conformance::backend::{Heard, Subscription};
use crate::conformance::command::{Base, Command, Did, bases};
use crate::conformance::delivery::Waiting;
use crate::conformance::redaction::{MARK, Quoting, Shown};
use crate::conformance::schema::Ruled;
use crate::conformance::setup::Setup;
use crate::conformance::trees::{path, paths};
use crate::conformance::{Factory, check};
use crate::error::ConfigError;
use crate::path::Path;

/// P24: what is in effect for an agent is the configuration with its overrides over it at every path, or the configuration
/// alone while they do not fit or the agent features are off; it is always valid; agents affect neither each other nor the
/// configuration; and without its overrides an agent sees the configuration.
pub fn p24_agent_overlay<B: AgentBackend>(make: Factory<'_, B>) {
    let inputs = (bases::<B::Schema>(), agent_defaults(), agent_commands::<B::Schema>());
    check(150, inputs, |(base, defaults, commands)| {
        let mut agents = AgentPair::new(make, &base, defaults);
        // It keeps what it has read, and has to notice what changes.
        let mut reader = agents.pair.store.agent_reader(&AGENTS[0]);
        for command in &commands {
            let others: Vec<_> = effects(&agents, command).collect();
            let did = agents.run(command);
            if !matches!(command, AgentCommand::Base(_) | AgentCommand::Switch(_)) {
                assert_eq!(effects(&agents, command).collect::<Vec<_>>(), others, "an agent affects others");
            }
            for id in &AGENTS {
                agents.agree_typed(id);
            }
            assert_eq!(reader(), agents.pair.store.agent_reader(&AGENTS[0])());
            let is_reset = matches!(command, AgentCommand::Base(Command::Reset)) && did != Did::Refuse;
            assert!(!is_reset || !agents.pair.model.is_on || agents.pair.store.agents().is_empty());
        }
        agents.agree();
        agents.run(&AgentCommand::Switch(true));
        for id in &AGENTS {
            agents.run(&AgentCommand::Clear(id.clone()));
            for place in paths(&agents.pair.model.tree()) {
                let shared = agents.pair.store.value_for_agents(&place);
                assert_eq!(agents.pair.store.agent_value(id, &place), shared);
            }
        }
        agents.agree();
    });
    piece_by_piece(make);
}

/// Overrides that do not fit can be taken back one by one; those that do fit cannot be made unfit by that.
fn piece_by_piece<B: AgentBackend>(make: Factory<'_, B>) {
    let (store, id) = (make(Setup::new(&ManualClock::new())), &AGENTS[0]);
    if store.update("limits.low", "x".into()).is_ok() {
        // Without rules everything fits.
        return;
    }
    let [low, high, other] = ["limits.low", "limits.high", "labels.a"];
    store.set_override(id, high, 20.into()).expect("fits");
    store.set_override(id, low, 15.into()).expect("fits");
    assert!(matches!(store.unset_override(id, high), Err(ConfigError::Invalid(_))));
    assert!(!store.is_suspended(id));
    store.unset_override(id, low).expect("fits");
    store.unset_override(id, high).expect("fits");
    store.set_override(id, low, 8.into()).expect("fits");
    store.set_override(id, other, 1.into()).expect("fits");
    store.update(high, 5.into()).expect("valid without overrides");
    assert!(store.is_suspended(id));
    store.unset_override(id, other).expect("it does not fit anyway");
    assert!(store.is_suspended(id));
    assert!(matches!(store.set_override(id, other, 1.into()), Err(ConfigError::Invalid(_))));
    store.unset_override(id, low).expect("it does not fit anyway");
    assert!(!store.is_suspended(id) && store.agents().is_empty());
}

/// What is in effect for all whom the command does not concern, the configuration included.
fn effects<'a, B: AgentBackend>(
    agents: &'a AgentPair<B>,
    command: &'a AgentCommand,
) -> impl Iterator<Item = Option<Value>> + 'a {
    let concerned = match command {
        AgentCommand::Set(id, ..) | AgentCommand::Unset(id, _) | AgentCommand::Clear(id) => Some(id),
        AgentCommand::Base(_) | AgentCommand::Switch(_) => None,
    };
    let store = &agents.pair.store;
    let others = AGENTS.iter().filter(move |id| Some(*id) != concerned);
    let effective = others.map(|id| store.agent_value(id, Path::ROOT).ok());
    effective.chain(std::iter::once(store.value(Path::ROOT).ok()))
}

/// P15 for agents: who listens to an agent hears its overrides, and what they do not hide; who listens to all hears of every
/// agent; nobody hears of overrides while the agent features are off; and whoever waits for a change is woken.
pub fn p15_agent_filter<B: AgentBackend>(make: Factory<'_, B>) {
    let whom = prop_oneof![2 => Just(Whom::Anybody), 3 => select(AGENTS[..2].to_vec()).prop_map(Whom::Agent)];
    let prefix = prop_oneof![1 => Just(Path::ROOT), 5 => B::Schema::paths()];
    let listeners = vec((whom, prefix), 1..8);
    check(300, (bases::<B::Schema>(), listeners, agent_commands::<B::Schema>()), |(base, listeners, commands)| {
        let mut agents = AgentPair::new(make, &Base { history: 1024, ..base }, Metadata::new());
        let listen = |(whom, prefix): (Whom, Path)| {
            (agents.pair.store.listen(whom.clone(), prefix.clone()).expect("room"), whom, prefix)
        };
        let mut listeners: Vec<_> = listeners.into_iter().map(listen).collect();
        for command in &commands {
            let waiting: Vec<_> = listeners.iter_mut().map(|(subscription, ..)| Waiting::new(subscription)).collect();
            let did = agents.run(command);
            let model = &agents.pair.model;
            for ((subscription, whom, prefix), waiting) in listeners.iter_mut().zip(waiting) {
                let wanted = match &did {
                    Did::Commit(record) => {
                        let is_heard = model.is_heard_by(model.changes.len() - 1, whom, prefix);
                        is_heard.then(|| Heard::Change(record.clone()))
                    }
                    _ => None,
                };
                assert!(waiting.is_woken() || wanted.is_none(), "{whom:?} under {prefix}");
                assert_eq!(subscription.latest().is_some(), wanted.is_some());
                assert_eq!(subscription.try_recv(), wanted, "{whom:?} under {prefix}");
                assert_eq!(subscription.try_recv(), None);
            }
        }
    });
    far_from_the_write(make);
}

/// Overrides that go out of force and come back because of a write elsewhere are heard where they are.
fn far_from_the_write<B: AgentBackend>(make: Factory<'_, B>) {
    let store = make(Setup::new(&ManualClock::new()));
    if store.update("limits.low", "x".into()).is_ok() {
        // Without rules nothing is ever unfit.
        return;
    }
    store.set_override(&AGENTS[0], "limits.low", 8.into()).expect("below the default of the other");
    let listen = |whom| store.listen(whom, path("limits.low")).expect("room");
    let mut listeners = [Whom::Agent(AGENTS[0].clone()), Whom::Anybody].map(listen);
    for (high, low) in [(5, 1), (9, 8)] {
        let waiting = listeners.each_mut().map(Waiting::new);
        let record = store.update("limits.high", high.into()).expect("valid without overrides");
        assert_eq!(store.agent_get_as::<i64>(&AGENTS[0], "limits.low"), Ok(low));
        for (listener, waiting) in listeners.iter_mut().zip(waiting) {
            assert!(waiting.is_woken());
            assert_eq!(listener.try_recv(), Some(Heard::Change(record.clone())));
        }
    }
}

/// P23 for agents: no secret among overrides shows, nor one that an override is refused or suspended for.
pub fn p23_agent_redaction<B: AgentBackend>(make: Factory<'_, B>) {
    let observer = Arc::new(RecordingObserver::new());
    let mut setup = Setup::new(&ManualClock::new());
    setup.observer = Some(observer.clone());
    let (store, id) = (make(setup), &AGENTS[0]);
    let mut shown = Shown::default();
    let hidden =
        Metadata::new().with("token", MARK).with("list", vec![Value::from(Metadata::new().with("secret", MARK))]);
    store.set_override(id, "labels.tree", Value::from(hidden)).expect("labels are free");
    store.set_override(id, "auth.token", format!("{MARK}y").into()).expect("a text");
    let effective = store.agent_value(id, Path::ROOT).expect("there is a root").to_string();
    assert!(effective.contains(MARK), "a secret is there to be shown");
    let places = paths(&store.agent_value(id, Path::ROOT).expect("there is a root"));
    for place in &places {
        shown.error(store.agent_get_as::<Quoting>(id, place));
    }
    if store.update("limits.low", "x".into()).is_err() {
        shown.error(store.set_override(id, "auth.token", Value::List(vec![MARK.into()])));
        shown.error(store.set_override(id, "auth", Metadata::new().with("token", MARK).with("user", MARK).into()));
        // What makes the override unfit is the same as its secret, and in the reason for its suspension.
        let is_unfit = Metadata::new().with("user", "z");
        store.set_override(id, "auth.token", "z-hunter2".into()).expect("a text");
        store.update("auth", is_unfit.with("user", "z-hunter2").into()).expect("valid without overrides");
        assert!(store.is_suspended(id));
        store.update("auth.user", "u".into()).expect("valid");
        assert!(!store.is_suspended(id));
        // What was a user's name for a moment may show there.
        let events = observer.take().into_iter().filter(|event| !event.name.as_str().ends_with(".changed"));
        shown.debug(&events.collect::<Vec<_>>());
    } else {
        shown.texts(store.texts());
    }
    shown.texts(store.agent_texts(id).into_iter().filter(|text| !text.contains("z-hunter2")));
    shown.debug(&path("auth.token"));
    shown.is_clean();
}
