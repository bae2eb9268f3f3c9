//! Which changes somebody wants to hear of.

use crate::change::Change;
use crate::path::Path;

/// Which changes a [`Subscription`](super::Subscription) delivers.
///
/// A change of a value at `q` is heard under the prefix `p` if `q` is at or below `p`; if it is above, and the value at `p`
/// is another one after it. One change is delivered once, however many of its places match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub(super) prefix: Path,
    pub(super) whom: Whom,
}

/// Whose configuration somebody listens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    /// The configuration without overrides.
    Base,
    /// That, and the overrides of all agents.
    #[cfg(feature = "agent")]
    Anybody,
    /// What is in effect for one agent.
    #[cfg(feature = "agent")]
    Agent(foundation_types::AgentId),
}

impl Filter {
    /// All changes of the configuration, also those that write what was there already. Overrides of agents are left aside.
    pub const fn all() -> Self {
        Self { prefix: Path::ROOT, whom: Whom::Base }
    }

    /// The changes at and below `prefix`.
    pub fn path(prefix: impl Into<Path>) -> Self {
        Self { prefix: prefix.into(), whom: Whom::Base }
    }

    /// All changes, those of agents' overrides included.
    #[cfg(feature = "agent")]
    pub const fn any_agent() -> Self {
        Self { prefix: Path::ROOT, whom: Whom::Anybody }
    }

    /// The changes of what is in effect for one agent: its overrides, and what they do not hide. Nothing is delivered of the
    /// time in which the agent features are off.
    #[cfg(feature = "agent")]
    pub const fn agent(id: foundation_types::AgentId) -> Self {
        Self { prefix: Path::ROOT, whom: Whom::Agent(id) }
    }

    /// Of these changes those at and below `prefix`.
    #[must_use]
    pub fn under(mut self, prefix: impl Into<Path>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Whether a subscription with this filter hears of the change.
    pub fn matches(&self, change: &Change) -> bool {
        match &self.whom {
            Whom::Base => change.concerns(&self.prefix),
            #[cfg(feature = "agent")]
            Whom::Anybody => change.concerns(&self.prefix) || change.concerns_overrides(&self.prefix),
            #[cfg(feature = "agent")]
            Whom::Agent(id) => change.concerns_agent(id, &self.prefix),
        }
    }
}
