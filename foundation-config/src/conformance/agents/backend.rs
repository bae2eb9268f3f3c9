//! What the suite asks of a store with overrides of agents.

use foundation_types::{AgentId, Value, bridge};
use serde::de::DeserializeOwned;

use crate::conformance::backend::{Backend, Record, Says};
use crate::conformance::schema::Ruled;
use crate::error::ConfigError;
use crate::layer::Version;
use crate::path::{IntoPath, Path};
use crate::store::Store;
use crate::subscribe::Filter;

/// Whose settings somebody listens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Those of all, and the overrides of every agent.
    Anybody,
    /// What is in effect for one.
    Agent(AgentId),
}

/// A store with overrides of agents, under test.
pub trait AgentBackend: Backend {
    /// The value in effect at a path.
    ///
    /// # Errors
    /// As [`AgentConfig::value`](crate::agent::AgentConfig::value).
    fn agent_value(&self, id: &AgentId, path: impl IntoPath) -> Result<Value, ConfigError>;

    /// The value in effect at a path, as any type.
    ///
    /// # Errors
    /// As [`AgentConfig::get_as`](crate::agent::AgentConfig::get_as).
    fn agent_get_as<T: DeserializeOwned>(&self, id: &AgentId, path: impl IntoPath) -> Result<T, ConfigError>;

    /// The value at a path for agents without overrides.
    ///
    /// # Errors
    /// As [`Store::value_for_agents`].
    fn value_for_agents(&self, path: impl IntoPath) -> Result<Value, ConfigError>;

    /// Typed reads of what is in effect that come often: the version, and what the typed configuration serialises to.
    fn agent_reader(&self, id: &AgentId) -> Box<dyn FnMut() -> (Version, Value) + Send>;

    /// Overrides the value at a path.
    ///
    /// # Errors
    /// As [`AgentConfig::set`](crate::agent::AgentConfig::set).
    fn set_override(&self, id: &AgentId, path: impl IntoPath, value: Value) -> Result<Record, ConfigError>;

    /// Takes back what is overridden at and below a path.
    ///
    /// # Errors
    /// As [`AgentConfig::unset`](crate::agent::AgentConfig::unset).
    fn unset_override(&self, id: &AgentId, path: impl IntoPath) -> Result<Record, ConfigError>;

    /// Takes back all overrides of an agent; `None` if there are none.
    ///
    /// # Errors
    /// As [`Store::clear_agent`].
    fn clear_agent(&self, id: &AgentId) -> Result<Option<Record>, ConfigError>;

    /// The agents that have overrides.
    fn agents(&self) -> Vec<AgentId>;

    /// All that is overridden.
    fn overrides(&self, id: &AgentId) -> Value;

    /// Whether the overrides do not fit, and are not applied.
    fn is_suspended(&self, id: &AgentId) -> bool;

    /// The changes of what is in effect, the newest first.
    fn agent_history(&self, id: &AgentId, limit: usize) -> Vec<Record>;

    /// What the overrides, each layer and each source say at a path.
    ///
    /// # Errors
    /// As [`AgentConfig::explain`](crate::agent::AgentConfig::explain).
    fn agent_explain(&self, id: &AgentId, path: impl IntoPath) -> Result<Vec<Says>, ConfigError>;

    /// Listens to changes at and below a path.
    ///
    /// # Errors
    /// As [`Store::subscribe`].
    fn listen(&self, whom: Whom, prefix: Path) -> Result<Self::Subscription, ConfigError>;

    /// Everything that it shows of an agent to people.
    fn agent_texts(&self, id: &AgentId) -> Vec<String>;
}

impl<S: Ruled> AgentBackend for Store<S> {
    fn agent_value(&self, id: &AgentId, path: impl IntoPath) -> Result<Value, ConfigError> {
        self.agent(id.clone()).value(path)
    }

    fn agent_get_as<T: DeserializeOwned>(&self, id: &AgentId, path: impl IntoPath) -> Result<T, ConfigError> {
        self.agent(id.clone()).get_as(path)
    }

    fn value_for_agents(&self, path: impl IntoPath) -> Result<Value, ConfigError> {
        self.value_for_agents(path)
    }

    fn agent_reader(&self, id: &AgentId) -> Box<dyn FnMut() -> (Version, Value) + Send> {
        let mut reader = self.agent(id.clone()).reader();
        let (store, id) = (self.clone(), id.clone());
        let serialised = |typed: &S| bridge::to_value(typed).expect("a configuration serialises");
        Box::new(move || {
            let kept = serialised(reader.load());
            let snapshot = store.agent(id.clone()).snapshot();
            assert_eq!(kept, serialised(snapshot.typed()), "both ways of reading say the same");
            (snapshot.version(), kept)
        })
    }

    fn set_override(&self, id: &AgentId, path: impl IntoPath, value: Value) -> Result<Record, ConfigError> {
        self.agent(id.clone()).set(path, value).map(|committed| Record::from(&*committed.change))
    }

    fn unset_override(&self, id: &AgentId, path: impl IntoPath) -> Result<Record, ConfigError> {
        self.agent(id.clone()).unset(path).map(|committed| Record::from(&*committed.change))
    }

    fn clear_agent(&self, id: &AgentId) -> Result<Option<Record>, ConfigError> {
        Ok(self.clear_agent(id)?.map(|committed| Record::from(&*committed.change)))
    }

    fn agents(&self) -> Vec<AgentId> {
        let agents = self.agents();
        let status = self.status();
        let suspended = agents.iter().filter(|id| self.is_suspended(id)).count();
        assert_eq!((status.agents, status.suspended), (agents.len(), suspended));
        agents
    }

    fn overrides(&self, id: &AgentId) -> Value {
        self.agent(id.clone()).overrides()
    }

    fn is_suspended(&self, id: &AgentId) -> bool {
        self.agent(id.clone()).is_suspended()
    }

    fn agent_history(&self, id: &AgentId, limit: usize) -> Vec<Record> {
        self.agent(id.clone()).history(limit).iter().map(|change| Record::from(&**change)).collect()
    }

    fn agent_explain(&self, id: &AgentId, path: impl IntoPath) -> Result<Vec<Says>, ConfigError> {
        Ok(self.agent(id.clone()).explain(path)?.into_iter().map(Says::from).collect())
    }

    fn listen(&self, whom: Whom, prefix: Path) -> Result<Self::Subscription, ConfigError> {
        let filter = match whom {
            Whom::Anybody => Filter::any_agent(),
            Whom::Agent(id) => Filter::agent(id),
        };
        self.subscribe(filter.under(prefix))
    }

    fn agent_texts(&self, id: &AgentId) -> Vec<String> {
        let agent = self.agent(id.clone());
        let mut texts = vec![
            format!("{agent:?} {:?} {:?}", agent.reader(), agent.snapshot()),
            format!("{:?}", self.subscribe(Filter::agent(id.clone()))),
        ];
        for place in crate::conformance::trees::paths(&agent.value(Path::ROOT).expect("there is a root")) {
            texts.push(format!("{:#?}", agent.explain(&place)));
        }
        for change in agent.history(usize::MAX) {
            let shown = |entry: &crate::Entry| [entry.shown_before(), entry.shown_after()];
            texts.extend(change.entries().iter().flat_map(shown).flatten().map(|value| value.to_string()));
            texts.push(format!("{change:?}"));
        }
        texts
    }
}
