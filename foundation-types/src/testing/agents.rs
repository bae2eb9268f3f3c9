//! Agents that are as a test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{AgentId, AgentStatus, AgentStatusSource};

/// A status source that says what it is told to. Clones are the same source.
#[derive(Clone, Debug, Default)]
pub struct ScriptedAgents(Arc<Mutex<BTreeMap<AgentId, AgentStatus>>>);

impl ScriptedAgents {
    /// A source that knows nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on the agent has this status.
    pub fn set(&self, agent: &AgentId, status: AgentStatus) {
        self.lock().insert(agent.clone(), status);
    }

    /// From now on the agent is unknown.
    pub fn remove(&self, agent: &AgentId) {
        self.lock().remove(agent);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AgentId, AgentStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AgentStatusSource for ScriptedAgents {
    fn status(&self, agent: &AgentId) -> Option<AgentStatus> {
        self.lock().get(agent).cloned()
    }
}
