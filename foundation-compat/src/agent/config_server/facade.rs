//! The settings of agents, by their old functions.

use std::fmt;
use std::sync::Arc;

use foundation_config::{ConfigError, Filter, IntoPath, Path, Violations};
use foundation_types::error::Error;
use foundation_types::{AgentId, Metadata, Namespace, Value};
use serde::Serialize;

use super::change::{AgentConfigChange, ChangeScope, places};
use super::options::{AgentConfigOptions, Persistence};
use super::subscription::{AgentConfigSubscription, EffectiveSubscription};
use super::{DEFAULT_HISTORY, errors, events};
use crate::config::{ConfigOptions, Instance};
use crate::foundation::Foundation;
use crate::logic::config_logic::{check_value, reset_config, secure_path};
use crate::types::config::agent::check_agent_settings;
use crate::validation::{config_validator, record};

/// The agent-aware configuration of the original, on a given [`Foundation`]. Cheap to clone.
///
/// Settings are shared with [`Config`](crate::config::Config): what is set here in the sections of the original is seen there,
/// follows the same rules, and may be changed only where they allow it. Beside the sections anything can be set, which only
/// these functions see. Values of agents are those of all with the agent's overrides over them.
///
/// In every function, `config_server_error` (9001) says that the configuration of the namespace does not run.
#[derive(Clone)]
pub struct AgentConfigServer {
    foundation: Foundation,
}

impl From<&Foundation> for AgentConfigServer {
    fn from(foundation: &Foundation) -> Self {
        Self { foundation: foundation.clone() }
    }
}

impl AgentConfigServer {
    /// Starts the configuration of a namespace, if it does not run. That of the instance runs from the start.
    ///
    /// # Errors
    /// `config_server_error` (9001) if what is set is to outlive the program and nothing keeps it; `limit_exceeded` (1404) if
    /// there are too many namespaces; `service_unavailable` (5000) after a shutdown.
    pub fn start(&self, options: &AgentConfigOptions) -> Result<(), Error> {
        let home = self.foundation.namespace();
        let namespace = options.namespace.as_ref().unwrap_or(home);
        if options.persistence == Persistence::On {
            return Err(self.at_now(errors::no_persistence()));
        }
        let none = ConfigOptions::new();
        if namespace == home {
            self.foundation.configuration().start(&none)?;
        } else {
            self.foundation.configurations().start_other(namespace, &none)?;
        }
        events::started(self.foundation.emitter(), namespace, options.persistence);
        Ok(())
    }

    /// As [`start`](Self::start) in the namespace of the instance.
    ///
    /// # Errors
    /// As there.
    pub fn start_0(&self) -> Result<(), Error> {
        self.start(&AgentConfigOptions::new())
    }

    /// The value at a path for all, or the default that agents have there. Null is a value.
    ///
    /// # Errors
    /// `config_not_found` (9002), with the cause, if there is none.
    pub fn get_config(&self, path: impl IntoPath, namespace: &Namespace) -> Result<Value, Error> {
        let instance = self.instance(namespace)?;
        let value =
            secure_path(path).and_then(|path| instance.store().value_for_agents(&path).map_err(errors::refused));
        value.map_err(|error| self.at_now(errors::not_found(error)))
    }

    /// As [`get_config`](Self::get_config) in the namespace of the instance.
    ///
    /// # Errors
    /// As there.
    pub fn get_config_1(&self, path: impl IntoPath) -> Result<Value, Error> {
        self.get_config(path, self.foundation.namespace())
    }

    /// The value at a path that is in effect for an agent: its override, or what holds for all. There need be no agent of
    /// this name.
    ///
    /// # Errors
    /// As [`get_config`](Self::get_config).
    pub fn get_effective_config(
        &self,
        agent: &AgentId,
        path: impl IntoPath,
        namespace: &Namespace,
    ) -> Result<Value, Error> {
        let instance = self.instance(namespace)?;
        let value = secure_path(path)
            .and_then(|path| instance.store().agent(agent.clone()).value(&path).map_err(errors::refused));
        value.map_err(|error| self.at_now(errors::not_found(error)))
    }

    /// As [`get_effective_config`](Self::get_effective_config) in the namespace of the instance.
    ///
    /// # Errors
    /// As there.
    pub fn get_effective_config_2(&self, agent: &AgentId, path: impl IntoPath) -> Result<Value, Error> {
        self.get_effective_config(agent, path, self.foundation.namespace())
    }

    /// Sets the value at a path for all.
    ///
    /// # Errors
    /// `config_validation_failed` (9003) with what is wrong as its cause, such as `config_update_forbidden` (1401) for
    /// settings of the original that may not change.
    pub fn set_config(&self, path: impl IntoPath, value: impl Serialize, namespace: &Namespace) -> Result<(), Error> {
        let instance = self.instance(namespace)?;
        self.set(&instance, path, value, ChangeScope::Global, |path, value| instance.store().update(path, value))
    }

    /// As [`set_config`](Self::set_config) in the namespace of the instance.
    ///
    /// # Errors
    /// As there.
    pub fn set_config_2(&self, path: impl IntoPath, value: impl Serialize) -> Result<(), Error> {
        self.set_config(path, value, self.foundation.namespace())
    }

    /// Overrides the value at a path for one agent; a map is merged with what holds for all. What is in effect then has to be
    /// valid.
    ///
    /// # Errors
    /// As [`set_config`](Self::set_config); `agent_features_disabled` (3901) while they are off.
    pub fn set_agent_config(
        &self,
        agent: &AgentId,
        path: impl IntoPath,
        value: impl Serialize,
        namespace: &Namespace,
    ) -> Result<(), Error> {
        let instance = self.instance(namespace)?;
        self.set(&instance, path, value, ChangeScope::Agent, |path, value| {
            instance.store().agent(agent.clone()).set(path, value)
        })
    }

    /// As [`set_agent_config`](Self::set_agent_config) in the namespace of the instance.
    ///
    /// # Errors
    /// As there.
    pub fn set_agent_config_3(&self, agent: &AgentId, path: impl IntoPath, value: impl Serialize) -> Result<(), Error> {
        self.set_agent_config(agent, path, value, self.foundation.namespace())
    }

    /// Takes back what is overridden for an agent at and below a path. The root takes back all.
    ///
    /// # Errors
    /// `config_not_found` (9002) if nothing is; `config_validation_failed` (9003) if what would be in effect is not valid;
    /// `agent_features_disabled` (3901) while they are off.
    pub fn clear_agent_config(&self, agent: &AgentId, path: impl IntoPath, namespace: &Namespace) -> Result<(), Error> {
        let instance = self.instance(namespace)?;
        let path = secure_path(path).map_err(|error| self.at_now(errors::invalid(error)))?;
        let cleared = if path.is_root() {
            instance.store().clear_agent(agent)
        } else {
            instance.store().agent(agent.clone()).unset(&path).map(Some)
        };
        match cleared {
            Ok(Some(committed)) => {
                self.tell_change(&instance, &path, ChangeScope::Agent, &committed.change);
                Ok(())
            }
            Ok(None) | Err(ConfigError::NotFound { .. }) => Err(self.at_now(errors::no_override(&path))),
            Err(error) => Err(self.at_now(errors::invalid(errors::refused(error)))),
        }
    }

    /// As [`clear_agent_config`](Self::clear_agent_config) in the namespace of the instance.
    ///
    /// # Errors
    /// As there.
    pub fn clear_agent_config_2(&self, agent: &AgentId, path: impl IntoPath) -> Result<(), Error> {
        self.clear_agent_config(agent, path, self.foundation.namespace())
    }

    /// What is written at, above and below a path from now on, for all and for any agent.
    ///
    /// # Errors
    /// `invalid_path` (1304) or `security_violation` (1000) for what is no path; `limit_exceeded` (1404) if there are too many
    /// subscriptions.
    pub fn subscribe_to_changes(
        &self,
        path: impl IntoPath,
        namespace: &Namespace,
    ) -> Result<AgentConfigSubscription, Error> {
        let instance = self.instance(namespace)?;
        let path = secure_path(path).map_err(|error| self.at_now(error))?;
        let deliveries = self.deliveries(&instance, Filter::any_agent().under(path.clone()))?;
        events::subscribed(self.foundation.emitter(), &path, None);
        Ok(AgentConfigSubscription::new(deliveries, instance.listeners(), self.foundation.clock(), path))
    }

    /// As [`subscribe_to_changes`](Self::subscribe_to_changes) in the namespace of the instance.
    ///
    /// # Errors
    /// As there.
    pub fn subscribe_to_changes_1(&self, path: impl IntoPath) -> Result<AgentConfigSubscription, Error> {
        self.subscribe_to_changes(path, self.foundation.namespace())
    }

    /// What changes for one agent from now on, at, above and below a path if one is given.
    ///
    /// # Errors
    /// As [`subscribe_to_changes`](Self::subscribe_to_changes).
    pub fn subscribe_to_agent_changes(
        &self,
        agent: &AgentId,
        path: Option<impl IntoPath>,
        namespace: &Namespace,
    ) -> Result<EffectiveSubscription, Error> {
        let instance = self.instance(namespace)?;
        let path = match path {
            Some(path) => secure_path(path).map_err(|error| self.at_now(error))?,
            None => Path::ROOT,
        };
        let deliveries = self.deliveries(&instance, Filter::agent(agent.clone()).under(path.clone()))?;
        events::subscribed(self.foundation.emitter(), &path, Some(agent.as_str()));
        Ok(EffectiveSubscription::new(deliveries, instance.listeners(), self.foundation.clock(), agent.clone(), path))
    }

    /// As [`subscribe_to_agent_changes`](Self::subscribe_to_agent_changes) in the namespace of the instance.
    ///
    /// # Errors
    /// As there.
    pub fn subscribe_to_agent_changes_2(
        &self,
        agent: &AgentId,
        path: Option<impl IntoPath>,
    ) -> Result<EffectiveSubscription, Error> {
        self.subscribe_to_agent_changes(agent, path, self.foundation.namespace())
    }

    /// As [`subscribe_to_agent_changes_2`](Self::subscribe_to_agent_changes_2) without a path.
    ///
    /// # Errors
    /// As there.
    pub fn subscribe_to_agent_changes_1(&self, agent: &AgentId) -> Result<EffectiveSubscription, Error> {
        self.subscribe_to_agent_changes_2(agent, None::<Path>)
    }

    /// The latest changes, the newest first, at most `limit`, as far as they are
    /// [remembered](foundation_config::Limits::history).
    ///
    /// # Errors
    /// `config_server_error` (9001).
    pub fn get_change_history(&self, namespace: &Namespace, limit: usize) -> Result<Vec<AgentConfigChange>, Error> {
        let instance = self.instance(namespace)?;
        Ok(newest(&instance.store().history(limit), limit))
    }

    /// As [`get_change_history`](Self::get_change_history), [`DEFAULT_HISTORY`] of them.
    ///
    /// # Errors
    /// As there.
    pub fn get_change_history_1(&self, namespace: &Namespace) -> Result<Vec<AgentConfigChange>, Error> {
        self.get_change_history(namespace, DEFAULT_HISTORY)
    }

    /// As [`get_change_history_1`](Self::get_change_history_1) in the namespace of the instance.
    ///
    /// # Errors
    /// As there.
    pub fn get_change_history_0(&self) -> Result<Vec<AgentConfigChange>, Error> {
        self.get_change_history_1(self.foundation.namespace())
    }

    /// The latest changes of what is in effect for an agent, the newest first, at most `limit`: those of its overrides, and
    /// those of the settings of all that they do not hide.
    ///
    /// # Errors
    /// `config_server_error` (9001).
    pub fn get_agent_config_history(
        &self,
        agent: &AgentId,
        limit: usize,
        namespace: &Namespace,
    ) -> Result<Vec<AgentConfigChange>, Error> {
        let instance = self.instance(namespace)?;
        Ok(newest(&instance.store().agent(agent.clone()).history(limit), limit))
    }

    /// As [`get_agent_config_history`](Self::get_agent_config_history) in the namespace of the instance.
    ///
    /// # Errors
    /// As there.
    pub fn get_agent_config_history_2(&self, agent: &AgentId, limit: usize) -> Result<Vec<AgentConfigChange>, Error> {
        self.get_agent_config_history(agent, limit, self.foundation.namespace())
    }

    /// As [`get_agent_config_history_2`](Self::get_agent_config_history_2), [`DEFAULT_HISTORY`] of them.
    ///
    /// # Errors
    /// As there.
    pub fn get_agent_config_history_1(&self, agent: &AgentId) -> Result<Vec<AgentConfigChange>, Error> {
        self.get_agent_config_history_2(agent, DEFAULT_HISTORY)
    }

    /// The configuration of a namespace, if it runs.
    fn instance(&self, namespace: &Namespace) -> Result<Arc<Instance>, Error> {
        let instance = if namespace == self.foundation.namespace() {
            Some(Arc::clone(self.foundation.configuration()))
        } else {
            self.foundation.configurations().other(namespace)
        };
        let running = instance.filter(|instance| instance.is_running());
        running.ok_or_else(|| self.at_now(errors::not_running(namespace)))
    }

    fn set(
        &self,
        instance: &Instance,
        path: impl IntoPath,
        value: impl Serialize,
        scope: ChangeScope,
        write: impl FnOnce(&Path, Value) -> Result<foundation_config::Committed, ConfigError>,
    ) -> Result<(), Error> {
        let written = secure_path(path).and_then(|path| {
            let value = check_value(&path, value)?;
            check_rules(&path, &value)?;
            let committed = write(&path, value).map_err(errors::refused)?;
            Ok((path, committed))
        });
        let (path, committed) = written.map_err(|error| self.at_now(errors::invalid(error)))?;
        self.tell_change(instance, &path, scope, &committed.change);
        Ok(())
    }

    fn tell_change(&self, instance: &Instance, path: &Path, scope: ChangeScope, change: &foundation_config::Change) {
        events::changed(self.foundation.emitter(), path, scope, || instance.listeners().hearing(change));
    }

    fn deliveries(
        &self,
        instance: &Instance,
        filter: Filter,
    ) -> Result<foundation_config::Subscription<crate::types::config::FoundationConfig>, Error> {
        instance.store().subscribe(filter).map_err(|error| self.at_now(errors::refused(error)))
    }

    fn at_now(&self, error: Error) -> Error {
        error.with_clock(&**self.foundation.clock())
    }
}

/// The places that changes wrote to, in their order, at most `limit`.
fn newest(changes: &[Arc<foundation_config::Change>], limit: usize) -> Vec<AgentConfigChange> {
    let all = changes.iter().flat_map(|change| places(change, &Path::ROOT).collect::<Vec<_>>());
    all.take(limit).collect()
}

/// Whether a value may stand at a path, by the rules for numbers of agents.
fn check_rules(path: &Path, value: &Value) -> Result<(), Error> {
    let wrap = |inner: Value, key: &str| Metadata::new().with(key, inner).into();
    let tree = path.components().rev().fold(value.clone(), wrap);
    let mut violations = Violations::new();
    // What is no map at the root is none of a path's fault, but of the store's to refuse.
    if tree.as_map().is_some() {
        check_agent_settings(&tree, &mut violations);
    }
    if violations.is_empty() { Ok(()) } else { Err(record::invalid(&violations, &tree)) }
}

pub(super) fn validate_config(config: &Value) -> Result<(), Error> {
    let mut violations = Violations::new();
    check_agent_settings(config, &mut violations);
    let checked = if violations.is_empty() {
        config_validator::validate_tree(&reset_config().deep_merge(config.clone()))
    } else {
        Err(record::invalid(&violations, config))
    };
    checked.map_err(errors::invalid)
}

impl fmt::Debug for AgentConfigServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AgentConfigServer").field(&self.foundation).finish()
    }
}
