//! What is done to a store with overrides and to the model at once.

use foundation_types::{AgentId, Feature, FeatureGate, Metadata, Value, bridge};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::backend::AgentBackend;
use crate::conformance::Factory;
use crate::conformance::backend::{Backend, Snapshot};
use crate::conformance::command::{Base, Command, Did, Pair, alike};
use crate::conformance::schema::{Ruled, map};
use crate::conformance::setup::Script;
use crate::conformance::trees::paths_around;
use crate::path::Path;

/// The agents of the suite.
pub(super) static AGENTS: [AgentId; 3] =
    [AgentId::from_static("a1"), AgentId::from_static("a2"), AgentId::from_static("a3")];

/// Something that is done.
#[derive(Clone, Debug)]
pub(super) enum AgentCommand {
    Base(Command),
    Set(AgentId, Path, Value),
    Unset(AgentId, Path),
    Clear(AgentId),
    /// Switches the agent features on or off.
    Switch(bool),
}

pub(super) fn agent_commands<S: Ruled>() -> impl Strategy<Value = Vec<AgentCommand>> {
    let agent = || select(AGENTS.to_vec());
    let base = prop_oneof![
        6 => S::writes().prop_map(|(path, value)| Command::Update(path, value)),
        2 => S::paths().prop_map(Command::Unset),
        1 => Just(Command::Reset),
        2 => (0..6_u64).prop_map(Command::Rollback),
        2 => (0..2_usize, S::documents())
            .prop_map(|(source, tree)| Command::Script(source, Script::Holds(tree))),
        2 => Just(Command::Reload),
    ];
    let command = prop_oneof![
        6 => base.prop_map(AgentCommand::Base),
        8 => (agent(), S::writes()).prop_map(|(id, (path, value))| AgentCommand::Set(id, path, value)),
        3 => (agent(), S::paths()).prop_map(|(id, path)| AgentCommand::Unset(id, path)),
        1 => agent().prop_map(AgentCommand::Clear),
        1 => any::<bool>().prop_map(AgentCommand::Switch),
    ];
    vec(command, 0..16)
}

pub(super) struct AgentPair<B: Backend> {
    pub(super) pair: Pair<B>,
    pub(super) gate: FeatureGate,
}

pub(super) fn agent_defaults() -> BoxedStrategy<Metadata> {
    prop_oneof![1 => Just(Metadata::new()), 1 => map()].boxed()
}

impl<B: AgentBackend> AgentPair<B> {
    pub(super) fn new(make: Factory<'_, B>, base: &Base, defaults: Metadata) -> Self {
        let mut gate = FeatureGate::all_on();
        let pair = Pair::with(make, base, |setup| {
            (setup.limits.agents, setup.limits.agent_nodes) = (2, 9);
            setup.agent_defaults = defaults;
            gate = setup.gate.clone();
        });
        Self { pair, gate }
    }

    pub(super) fn run(&mut self, command: &AgentCommand) -> Did {
        let Pair { store, model, .. } = &mut self.pair;
        match command {
            AgentCommand::Base(command) => self.pair.run(command),
            AgentCommand::Set(id, path, value) => {
                alike(model.set_override(id, path, value), store.set_override(id, path, value.clone()))
            }
            AgentCommand::Unset(id, path) => alike(model.unset_override(id, path), store.unset_override(id, path)),
            AgentCommand::Clear(id) => match (model.clear_agent(id), store.clear_agent(id)) {
                (Ok(None), Ok(None)) => Did::Nothing,
                (answer, found) => {
                    let some = "one of the two took something back";
                    alike(answer.map(|record| record.expect(some)), found.map(|record| record.expect(some)))
                }
            },
            AgentCommand::Switch(is_on) => {
                model.is_on = *is_on;
                if *is_on {
                    self.gate.enable(Feature::Config)
                } else {
                    self.gate.disable(Feature::Config)
                };
                Did::Nothing
            }
        }
    }

    /// Asserts that both are the same in all that can be seen of agents.
    pub(super) fn agree(&self) {
        let Pair { store, model, .. } = &self.pair;
        self.pair.agree();
        assert_eq!(store.agents(), model.state.overlays.keys().cloned().collect::<Vec<_>>());
        let base = model.tree();
        let trees = [&base, &model.agent_defaults].into_iter().chain(model.state.overlays.values());
        let known = paths_around(trees);
        let seen = model.seen(None);
        for path in &known {
            assert_eq!(store.value_for_agents(path).ok(), model.value_in(&seen, path).ok(), "at {path}");
        }
        for id in &AGENTS {
            assert_eq!(store.overrides(id), model.overrides(id));
            assert_eq!(store.is_suspended(id), model.state.suspended.contains(id));
            let seen = model.seen(Some(id));
            for path in &known {
                assert_eq!(store.agent_value(id, path).ok(), model.value_in(&seen, path).ok(), "{id} at {path}");
                assert_eq!(store.agent_explain(id, path), Ok(model.agent_explain(id, path)), "{id} at {path}");
            }
            for limit in [0, 2, usize::MAX] {
                assert_eq!(store.agent_history(id, limit), model.agent_history(id, limit), "{id}");
            }
            self.agree_typed(id);
        }
    }

    /// Asserts that what is in effect is valid, and that the typed configuration is that of the tree.
    pub(super) fn agree_typed(&self, id: &AgentId) {
        let Pair { store, model, .. } = &self.pair;
        let tree = if model.is_on { model.effective(&model.state, id) } else { model.tree() };
        assert!(B::Schema::faults(&tree).is_empty(), "{tree:?} is in effect");
        let decoded: B::Schema = bridge::from_value(&tree).expect("what is valid can be decoded");
        let typed = bridge::to_value(&decoded).expect("a configuration serialises");
        assert_eq!(store.agent_reader(id)(), (store.snapshot().version(), typed));
    }
}
