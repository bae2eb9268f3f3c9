//! The agents of a namespace, for crates that know no registry.

use std::fmt;

use foundation_types::{
    AgentChanges, AgentDirectory, AgentId, AgentStatus, AgentStatusSource, AgentView, MetadataView, Namespace,
};

use super::reads::AgentEntry;
use crate::registry::Registry;

/// The agents of one namespace as an [`AgentDirectory`]; see [`Registry::directory`].
///
/// While the agent features are off it knows nobody and its changes are silent; the first change after they are on again is
/// preceded by [`AgentChange::Lagged`](foundation_types::AgentChange::Lagged) if others were hidden. In the basic view it
/// gives the basic projections. The changes end when the registry is shut down or gone.
#[derive(Clone)]
pub struct RegistryDirectory {
    registry: Registry,
    namespace: Namespace,
}

impl Registry {
    /// The agents of a namespace, for crates that ask an [`AgentDirectory`].
    pub fn directory(&self, namespace: &Namespace) -> RegistryDirectory {
        RegistryDirectory { registry: self.clone(), namespace: namespace.clone() }
    }
}

impl RegistryDirectory {
    /// The namespace.
    pub const fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// What a reader sees of an agent.
    fn show(agent: &AgentEntry, view: MetadataView) -> AgentView {
        let mut shown = match view {
            MetadataView::Basic => AgentView::basic(&agent.info),
            MetadataView::Enhanced => AgentView::from(&*agent.info),
        };
        shown.alive = agent.pid.is_alive();
        shown
    }
}

impl AgentStatusSource for RegistryDirectory {
    fn status(&self, agent: &AgentId) -> Option<AgentStatus> {
        let agent = self.registry.agents().lookup(&self.namespace, agent).ok()?;
        Some(AgentStatus::from(&*agent.info))
    }
}

impl AgentDirectory for RegistryDirectory {
    fn snapshot(&self, ids: &[AgentId]) -> Vec<Option<AgentView>> {
        let agents = self.registry.agents();
        let Ok(view) = agents.begin() else { return vec![None; ids.len()] };
        let show = |id| agents.find(&self.namespace, id).ok().map(|agent| Self::show(&agent, view));
        ids.iter().map(show).collect()
    }

    fn all(&self) -> Vec<AgentView> {
        let agents = self.registry.agents();
        let Ok(view) = agents.begin() else { return Vec::new() };
        let found = agents.search(&self.namespace, &super::AgentQuery::new()).unwrap_or_default();
        found.iter().map(|agent| Self::show(agent, view)).collect()
    }

    fn changes(&self) -> AgentChanges {
        let agents = &self.registry.core.agents;
        agents.feeds.subscribe(&self.namespace, agents.is_on())
    }
}

impl fmt::Debug for RegistryDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryDirectory").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
