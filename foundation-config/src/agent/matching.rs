//! Which changes concern agents.

use std::sync::Arc;

use foundation_types::{AgentId, Value};

use super::overlays::effective_over;
use crate::change::{Change, ChangeKind, Scope};
use crate::content::Content;
use crate::path::Path;
use crate::tree::Node;

impl Change {
    /// What is in effect for an agent at a path, before and after.
    fn effective(&self, id: &AgentId, path: &Path) -> (Option<Node>, Option<Node>) {
        let at = |content: &Content| {
            effective_over(&self.agents.defaults, &content.base, content.agents.applied(id), path.texts())
        };
        (at(&self.before), at(&self.after))
    }

    /// What is in effect for an agent at `path` before and after it: its overrides over the configuration, as far as they were
    /// applied,
    /// with the [defaults of agents](crate::StoreBuilder::agent_defaults) below.
    pub fn value_for_agent(&self, id: &AgentId, path: &Path) -> (Option<Value>, Option<Value>) {
        let (before, after) = self.effective(id, path);
        let value = |node: Option<Node>| node.as_ref().map(Node::to_value);
        (value(before), value(after))
    }

    fn differs_for(&self, id: &AgentId, path: &Path) -> bool {
        let (before, after) = self.effective(id, path);
        before != after
    }

    /// Whether it is heard by whoever listens to what is in effect for the agent at and below `prefix`.
    pub(crate) fn concerns_agent(&self, id: &AgentId, prefix: &Path) -> bool {
        if !self.agents.is_on {
            return false;
        }
        let is_within = |path: &Path, scope: &Scope| {
            path.starts_with(prefix)
                && match scope {
                    Scope::Agent(other) => other == id,
                    // An override that lies over it hides a write that makes no difference for the agent.
                    Scope::Layer(_) => !self.is_covered(id, path) || self.differs_for(id, path),
                }
        };
        self.entries.iter().any(|entry| is_within(&entry.path, &entry.scope)) || self.differs_for(id, prefix)
    }

    /// Whether overrides of an agent, or their going out of force, are heard at and below `prefix`.
    pub(crate) fn concerns_overrides(&self, prefix: &Path) -> bool {
        if !self.agents.is_on {
            return false;
        }
        let written = self.entries.iter().any(|entry| match &entry.scope {
            Scope::Agent(id) => {
                entry.path.starts_with(prefix) || (prefix.starts_with(&entry.path) && self.differs_for(id, prefix))
            }
            Scope::Layer(_) => false,
        });
        let toggled = || self.agents.suspended.iter().map(|(id, _)| id).chain(&self.agents.resumed);
        written || toggled().chain(self.restored()).any(|id| self.differs_for(id, prefix))
    }

    /// The agents whose overrides were emptied or restored as a whole, which no entry tells.
    fn restored(&self) -> impl Iterator<Item = &AgentId> {
        let (before, after) = (&self.before.agents, &self.after.agents);
        let is_same = |id: &AgentId| match (before.get(id), after.get(id)) {
            (Some(before), Some(after)) => Arc::ptr_eq(before, after),
            _ => false,
        };
        let all = self.restores_overrides().then(|| before.iter().chain(after.iter()).map(|(id, _)| id));
        all.into_iter().flatten().filter(move |id| !is_same(id))
    }

    /// Whether it may have changed overrides of any agent.
    pub(crate) const fn restores_overrides(&self) -> bool {
        matches!(self.kind, ChangeKind::Reset | ChangeKind::Rollback { .. })
    }

    /// Whether overrides of the agent lie over what is at `path`, wholly or in part.
    fn is_covered(&self, id: &AgentId, path: &Path) -> bool {
        let Some(mut over) = self.after.agents.applied(id) else { return false };
        for key in path.texts() {
            match over.child(key) {
                Some(below) => over = below,
                None => return !over.is_map(),
            }
        }
        true
    }
}
