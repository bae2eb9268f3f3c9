//! Changes of settings, as programs with agents see them.

use std::fmt;

use foundation_config::{Change, ChangeKind, Entry, Layer, Path, Scope, Version};
use foundation_types::{AgentId, Timestamp, Value};

use crate::logic::config_logic::redacted;
use crate::types::config::agent::agent_defaults;

/// Whose settings were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeScope {
    /// Those of all.
    Global,
    /// What holds for one instance among several of a program.
    Namespace,
    /// The overrides of one agent.
    Agent,
    /// Reserved, as in the original.
    Runtime,
}

impl ChangeScope {
    /// The word of the original.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Namespace => "namespace",
            Self::Agent => "agent",
            Self::Runtime => "runtime",
        }
    }

    fn of(scope: &Scope) -> Self {
        match scope {
            Scope::Agent(_) => Self::Agent,
            Scope::Layer(Layer::Namespace) => Self::Namespace,
            _ => Self::Global,
        }
    }
}

/// One place that a change wrote to. Its `Debug` shows no secrets.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct AgentConfigChange {
    /// Where.
    pub path: Path,
    /// What was in effect there before, for the agent if it is the change of an agent's; null if nothing was.
    pub old_value: Value,
    /// What is in effect there now; null if nothing is.
    pub new_value: Value,
    /// What the layer or the agent's overrides had there before; `None` if nothing.
    pub replaced: Option<Value>,
    /// Whose settings were written.
    pub scope: ChangeScope,
    /// Whose overrides were, if it was overrides.
    pub agent_id: Option<AgentId>,
    /// When.
    pub timestamp: Timestamp,
    /// The version that the change published; one more for each change.
    pub version: Version,
    /// What was done.
    pub kind: ChangeKind,
}

/// What is in effect for an agent at one place is another value, or was written anew. Its `Debug` shows no secrets.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct EffectiveChange {
    /// The agent.
    pub agent_id: AgentId,
    /// Where.
    pub path: Path,
    /// What was in effect; null if nothing was.
    pub old_value: Value,
    /// What is in effect; null if nothing is.
    pub new_value: Value,
    /// The version that the change published.
    pub version: Version,
}

/// Every place that a change wrote to, at or above or below `prefix`.
pub(super) fn places<'c>(change: &'c Change, prefix: &'c Path) -> impl Iterator<Item = AgentConfigChange> + 'c {
    change.entries().iter().filter(|entry| entry.path().overlaps(prefix)).map(|entry| place(change, entry))
}

fn place(change: &Change, entry: &Entry) -> AgentConfigChange {
    let agent_id = match entry.scope() {
        Scope::Agent(id) => Some(id.clone()),
        _ => None,
    };
    let (old, new) = in_effect(change, agent_id.as_ref(), entry.path());
    AgentConfigChange {
        path: entry.path().clone(),
        old_value: old,
        new_value: new,
        replaced: entry.before(),
        scope: ChangeScope::of(entry.scope()),
        agent_id,
        timestamp: change.at(),
        version: change.version(),
        kind: change.kind(),
    }
}

/// What a change that concerns an agent at `prefix` does to what is in effect for it, place by place.
pub(super) fn effects(change: &Change, agent: &AgentId, prefix: &Path) -> Vec<EffectiveChange> {
    let mut effects: Vec<EffectiveChange> = Vec::new();
    let effect = |path: &Path| {
        let (old_value, new_value) = in_effect(change, Some(agent), path);
        EffectiveChange { agent_id: agent.clone(), path: path.clone(), old_value, new_value, version: change.version() }
    };
    for entry in change.entries().iter().filter(|entry| entry.path().overlaps(prefix)) {
        let is_others = matches!(entry.scope(), Scope::Agent(id) if id != agent);
        // Of what was written above it, the place that is listened to is what counts.
        let path = if entry.path().starts_with(prefix) { entry.path() } else { prefix };
        if is_others || effects.iter().any(|effect| effect.path == *path) {
            continue;
        }
        let effect = effect(path);
        let is_own = matches!(entry.scope(), Scope::Agent(_));
        if is_own || effect.old_value != effect.new_value || change.entries().len() == 1 {
            effects.push(effect);
        }
    }
    if effects.is_empty() {
        // Overrides went out of force, or came into it again, for something that was written elsewhere.
        effects.push(effect(prefix));
    }
    effects
}

/// What is in effect at a path before and after a change; null for nothing.
fn in_effect(change: &Change, agent: Option<&AgentId>, path: &Path) -> (Value, Value) {
    let at = |path: &Path| match agent {
        Some(id) => change.value_for_agent(id, path),
        None => change.value_at(path),
    };
    let (old, new) = at(path);
    let Some(default) = default_at(path) else { return (old.unwrap_or_default(), new.unwrap_or_default()) };
    let ways: Vec<_> = std::iter::successors(path.parent(), Path::parent).map(|above| at(&above)).collect();
    let is_map_or_nothing = |value: &Option<Value>| value.as_ref().is_none_or(|value| value.as_map().is_some());
    let old_is_open = ways.iter().all(|(old, _)| is_map_or_nothing(old));
    let new_is_open = ways.iter().all(|(_, new)| is_map_or_nothing(new));
    (beneath(&default, old, old_is_open), beneath(&default, new, new_is_open))
}

/// What shows where a value lies over a default. Nothing shows of the default below something that is no map.
fn beneath(default: &Value, value: Option<Value>, is_open: bool) -> Value {
    match value {
        Some(value) => default.clone().deep_merge(value),
        None if is_open => default.clone(),
        None => Value::Null,
    }
}

/// The default of agents at a path.
fn default_at(path: &Path) -> Option<Value> {
    let defaults = Value::from(agent_defaults());
    path.components().try_fold(&defaults, |value, key| value.as_map()?.get(key)).cloned()
}

impl fmt::Debug for AgentConfigChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Value| redacted(&self.path, value).to_string();
        f.debug_struct("AgentConfigChange")
            .field("path", &self.path)
            .field("old_value", &format_args!("{}", show(&self.old_value)))
            .field("new_value", &format_args!("{}", show(&self.new_value)))
            .field("scope", &self.scope)
            .field("agent_id", &self.agent_id)
            .field("version", &self.version)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EffectiveChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Value| redacted(&self.path, value).to_string();
        f.debug_struct("EffectiveChange")
            .field("agent_id", &self.agent_id)
            .field("path", &self.path)
            .field("old_value", &format_args!("{}", show(&self.old_value)))
            .field("new_value", &format_args!("{}", show(&self.new_value)))
            .field("version", &self.version)
            .finish()
    }
}
