//! What a commit changed.

use std::fmt;
use std::sync::Arc;

use foundation_types::{MonoTime, Timestamp, Value};

use crate::content::Content;
use crate::layer::{Layer, Version};
use crate::path::Path;
use crate::secret::redacted;
use crate::tree::Node;

/// One commit: what was written, and what it made of the configuration. Versions have no gaps, so the version of a change is
/// its sequence number as well.
pub struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) entries: Box<[Entry]>,
    pub(crate) before: Arc<Content>,
    pub(crate) after: Arc<Content>,
    /// For eviction by age.
    pub(crate) committed: MonoTime,
    /// The agents whose overrides became invalid by it, or valid again, and whether the agent features were on.
    #[cfg(feature = "agent")]
    pub(crate) agents: crate::agent::Effect,
}

impl Change {
    /// The version that it published.
    pub fn version(&self) -> Version {
        self.after.version
    }

    /// When.
    pub fn at(&self) -> Timestamp {
        self.after.at
    }

    /// What was done.
    pub const fn kind(&self) -> ChangeKind {
        self.kind
    }

    /// What was written, place by place; at least one.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The value of the configuration at `path` before and after it, overrides of agents left aside.
    pub fn value_at(&self, path: &Path) -> (Option<Value>, Option<Value>) {
        let value = |content: &Content| content.base.at(path.texts()).map(Node::to_value);
        (value(&self.before), value(&self.after))
    }

    /// Whether it wrote to a layer of the configuration, not to the overrides of an agent.
    pub(crate) fn is_of_base(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.scope, Scope::Layer(_)))
    }

    /// Whether it is heard by whoever listens to the configuration at and below `prefix`.
    pub(crate) fn concerns(&self, prefix: &Path) -> bool {
        let differs = || self.before.base.at(prefix.texts()) != self.after.base.at(prefix.texts());
        let of_base = self.entries.iter().filter(|entry| matches!(entry.scope, Scope::Layer(_)));
        let mut above = false;
        for entry in of_base {
            if entry.path.starts_with(prefix) {
                return true;
            }
            above |= prefix.starts_with(&entry.path);
        }
        above && differs()
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("version", &self.version())
            .field("kind", &self.kind)
            .field("at", &self.at())
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

/// What was done to the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// Values were written.
    Update,
    /// Values were taken back.
    Unset,
    /// The layer of run time, and the overrides of agents, were emptied.
    Reset,
    /// Sources had changed.
    Reload,
    /// An earlier version was restored.
    Rollback {
        /// Which.
        to: Version,
    },
}

impl ChangeKind {
    /// The name, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Unset => "unset",
            Self::Reset => "reset",
            Self::Reload => "reload",
            Self::Rollback { .. } => "rollback",
        }
    }
}

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// In a layer, for all.
    Layer(Layer),
    /// In the overrides of an agent.
    #[cfg(feature = "agent")]
    Agent(foundation_types::AgentId),
}

/// One place that a commit wrote to.
pub struct Entry {
    pub(crate) path: Path,
    pub(crate) scope: Scope,
    pub(crate) old: Option<Node>,
    pub(crate) new: Option<Node>,
    pub(crate) secret: fn(&Path) -> bool,
}

impl Entry {
    /// Where.
    pub const fn path(&self) -> &Path {
        &self.path
    }

    /// In which layer, or for which agent.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What the layer or the agent's overrides had there before; `None` if nothing.
    pub fn before(&self) -> Option<Value> {
        self.old.as_ref().map(Node::to_value)
    }

    /// What they have there now; `None` if nothing.
    pub fn after(&self) -> Option<Value> {
        self.new.as_ref().map(Node::to_value)
    }

    /// What they had before, as people may see it.
    pub fn shown_before(&self) -> Option<Value> {
        self.before().map(|value| redacted(&self.path, &value, self.secret))
    }

    /// What they have now, as people may see it.
    pub fn shown_after(&self) -> Option<Value> {
        self.after().map(|value| redacted(&self.path, &value, self.secret))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: Option<Value>| value.map_or_else(|| "(absent)".to_owned(), |value| value.to_string());
        write!(f, "{} {:?}: {} -> {}", self.path, self.scope, show(self.shown_before()), show(self.shown_after()))
    }
}

/// What a write that succeeded did.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The change.
    pub change: Arc<Change>,
}

impl Committed {
    /// The version that it published.
    pub fn version(&self) -> Version {
        self.change.version()
    }
}
