//! The model of overrides.

use foundation_types::{AgentId, Value};

use super::backend::Whom;
use crate::change::{ChangeKind, Scope};
use crate::conformance::backend::{Record, Says, Written};
use crate::conformance::delivery::is_heard;
use crate::conformance::model::{Answer, Model, Refusal, State, check_way, nodes, shown};
use crate::conformance::schema::Ruled;
use crate::conformance::trees::{at, empty, hides, merge, prefixes, put, take};
use crate::limits::Limit;
use crate::path::Path;

impl<S: Ruled> Model<S> {
    /// What is in effect for an agent in a state.
    pub(super) fn effective(&self, state: &State, id: &AgentId) -> Value {
        let base = self.base(state);
        applied(state, id).map_or_else(|| base.clone(), |overlay| merge(&base, overlay))
    }

    /// What agents see, with the defaults that only they see; `id` is the agent whose overrides are to be seen.
    pub(super) fn seen(&self, id: Option<&AgentId>) -> Value {
        let below = merge(&self.agent_defaults, &self.below(&self.state));
        let base = self.state.runtime.over(&below);
        let overlay = id.filter(|_| self.is_on).and_then(|id| applied(&self.state, id));
        overlay.map_or_else(|| base.clone(), |overlay| merge(&base, overlay))
    }

    pub(super) fn set_override(&mut self, id: &AgentId, path: &Path, value: &Value) -> Answer<Record> {
        self.check_on()?;
        if !S::may_write(path) {
            return Err(Refusal::Forbidden(path.clone()));
        }
        let old = self.overlay(id);
        check_way(&merge(&self.base(&self.state), &old), path, value)?;
        let mut new = old.clone();
        put(&mut new, path, value.clone());
        self.put_override(id, path, ChangeKind::Update, &old, &new)
    }

    pub(super) fn unset_override(&mut self, id: &AgentId, path: &Path) -> Answer<Record> {
        self.check_on()?;
        if !S::may_write(path) {
            return Err(Refusal::Forbidden(path.clone()));
        }
        self.take_override(id, path)
    }

    pub(super) fn clear_agent(&mut self, id: &AgentId) -> Answer<Option<Record>> {
        self.check_on()?;
        if !self.state.overlays.contains_key(id) {
            return Ok(None);
        }
        self.take_override(id, &Path::ROOT).map(Some)
    }

    fn take_override(&mut self, id: &AgentId, path: &Path) -> Answer<Record> {
        let old = self.overlay(id);
        if !self.state.overlays.contains_key(id) || at(&old, path).is_none() {
            return Err(Refusal::NotFound(path.clone()));
        }
        let mut new = if path.is_root() { empty() } else { old.clone() };
        take(&mut new, path);
        // Maps on the way that are empty then go, too.
        let above: Vec<_> = prefixes(path).take(path.len()).filter(|prefix| !prefix.is_root()).collect();
        for map in above.iter().rev() {
            if at(&new, map) != Some(&empty()) {
                break;
            }
            take(&mut new, map);
        }
        self.put_override(id, path, ChangeKind::Unset, &old, &new)
    }

    fn put_override(
        &mut self,
        id: &AgentId,
        path: &Path,
        kind: ChangeKind,
        old: &Value,
        new: &Value,
    ) -> Answer<Record> {
        let mut next = self.state.clone();
        let (before, after) = (at(old, path).cloned(), at(new, path).cloned());
        if *new == empty() {
            next.overlays.remove(id);
        } else {
            next.overlays.insert(id.clone(), new.clone());
        }
        if next.overlays.len() > self.limits.agents {
            return Err(Refusal::Limit(Limit::Agents));
        }
        if *new != empty() && nodes(new) > self.limits.agent_nodes {
            return Err(Refusal::Limit(Limit::AgentNodes));
        }
        let faults = S::faults(&merge(&self.base(&next), new));
        // Taking back piece by piece is possible while nothing fits anyway.
        let is_borne = kind == ChangeKind::Unset && self.state.suspended.contains(id);
        if !faults.is_empty() && !is_borne {
            return Err(Refusal::Invalid(faults));
        }
        let entry = Written { path: path.clone(), scope: Scope::Agent(id.clone()), before, after };
        self.publish(kind, vec![entry], next)
    }

    fn check_on(&self) -> Answer<()> {
        if self.is_on { Ok(()) } else { Err(Refusal::Disabled) }
    }

    fn overlay(&self, id: &AgentId) -> Value {
        self.state.overlays.get(id).cloned().unwrap_or_else(empty)
    }

    pub(super) fn overrides(&self, id: &AgentId) -> Value {
        if self.is_on { self.overlay(id) } else { empty() }
    }

    pub(super) fn agent_explain(&self, id: &AgentId, path: &Path) -> Vec<Says> {
        let overlay = self.state.overlays.get(id).filter(|_| self.is_on);
        let own = overlay.and_then(|overlay| at(overlay, path)).map(|value| Says {
            scope: Scope::Agent(id.clone()),
            place: None,
            value: shown(path, value),
            decides: !self.state.suspended.contains(id),
        });
        let above = overlay.and_then(|_| applied(&self.state, id)).cloned();
        own.into_iter().chain(self.explain_below(above.into_iter().collect(), path)).collect()
    }

    pub(super) fn agent_history(&self, id: &AgentId, limit: usize) -> Vec<Record> {
        let whom = Whom::Agent(id.clone());
        let remembered = (0..self.changes.len()).rev().take(self.limits.history);
        let heard = remembered.filter(|index| self.is_heard_by(*index, &whom, &Path::ROOT));
        heard.take(limit).map(|index| self.changes[index].clone()).collect()
    }

    /// Whether a change is heard by who listens at and below `prefix`.
    pub(super) fn is_heard_by(&self, index: usize, whom: &Whom, prefix: &Path) -> bool {
        let (before, is_on) = &self.before[index];
        let after = self.before.get(index + 1).map_or(&self.state, |(state, _)| state);
        let record = &self.changes[index];
        let differs = |id: &AgentId, path: &Path| {
            let [before, after] = [before, after].map(|state| at(&self.effective(state, id), path).cloned());
            before != after
        };
        match whom {
            Whom::Anybody => {
                let writes = |entry: &Written| matches!(entry.scope, Scope::Agent(_)) && entry.path.starts_with(prefix);
                let moved = |id: &&AgentId| applied(before, id) != applied(after, id);
                let agents = before.overlays.keys().chain(after.overlays.keys());
                let is_moved = || agents.filter(moved).any(|id| differs(id, prefix));
                is_heard(record, prefix, &self.base(before), &self.base(after))
                    || (*is_on && (record.entries.iter().any(writes) || is_moved()))
            }
            Whom::Agent(id) => {
                let is_covered = |path: &Path| {
                    applied(after, id).is_some_and(|overlay| at(overlay, path).is_some() || hides(overlay, path))
                };
                let writes = |entry: &Written| match &entry.scope {
                    Scope::Agent(other) => other == id,
                    Scope::Layer(_) => !is_covered(&entry.path) || differs(id, &entry.path),
                };
                let mut within = record.entries.iter().filter(|entry| entry.path.starts_with(prefix));
                *is_on && (within.any(writes) || differs(id, prefix))
            }
        }
    }
}

/// The overrides of an agent that are in force.
fn applied<'s>(state: &'s State, id: &AgentId) -> Option<&'s Value> {
    state.overlays.get(id).filter(|_| !state.suspended.contains(id))
}
