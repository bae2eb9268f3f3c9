//! What agents are found by without looking at all of them.

use std::ptr;

use foundation_types::{AgentInfo, AgentType, Capability, Health};

/// One thing that many agents may have in common; a row of the index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Attribute {
    Capability(Capability),
    Type(AgentType),
    Health(Health),
}

impl Attribute {
    pub(super) fn is_of(&self, info: &AgentInfo) -> bool {
        match self {
            Self::Capability(capability) => info.has_capability(capability),
            Self::Type(agent_type) => info.agent_type() == agent_type,
            Self::Health(health) => info.health().overall_health == *health,
        }
    }

    /// All of an agent, each once.
    pub(super) fn all(info: &AgentInfo) -> impl Iterator<Item = Self> {
        let capabilities = info.capabilities().iter().cloned().map(Self::Capability);
        capabilities.chain([Self::Type(info.agent_type().clone()), Self::Health(info.health().overall_health)])
    }

    /// Those that `info` has and `other` does not.
    pub(super) fn beyond(info: &AgentInfo, other: &AgentInfo) -> Vec<Self> {
        let mut beyond = Vec::new();
        let (own, others) = (&**info.capabilities(), &**other.capabilities());
        // Most changes leave the capabilities alone, and then both records share one set.
        if !ptr::eq(own, others) {
            beyond.extend(own.difference(others).cloned().map(Self::Capability));
        }
        let rest = [Self::Type(info.agent_type().clone()), Self::Health(info.health().overall_health)];
        beyond.extend(rest.into_iter().filter(|attribute| !attribute.is_of(other)));
        beyond
    }
}
