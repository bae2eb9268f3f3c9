//! What to look for among agents.

use std::ptr;

use foundation_types::{
    AgentInfo, AgentType, Capability, Health, MetadataView, Name, ResourceKind, ResourceUsage, ResourceValue,
};

use super::attribute::Attribute;

/// Conditions on agents, all of which an agent must meet; none at all is met by every agent.
///
/// Each call narrows the query further, also a second one of the same method.
///
/// ```
/// use foundation_registry::AgentQuery;
/// use foundation_types::{Capability, Health, Ratio, ResourceKind};
///
/// let busy_scanners = AgentQuery::new()
///     .capability(Capability::from_static("scan"))
///     .health(Health::Healthy)
///     .min_usage(ResourceKind::Memory, Ratio::new(0.9)?);
/// # let _ = busy_scanners;
/// # Ok::<(), foundation_types::RatioError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a query finds nothing until it is asked"]
pub struct AgentQuery {
    /// Answered by rows of the index; the others by a look at the record.
    pub(super) indexed: Vec<Attribute>,
    usage: Vec<(ResourceKind, ResourceValue)>,
    in_coordination: bool,
    consensus: Vec<Name>,
}

impl AgentQuery {
    /// A query that every agent meets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only agents that can do this.
    pub fn capability(mut self, capability: Capability) -> Self {
        self.indexed.push(Attribute::Capability(capability));
        self
    }

    /// Only agents that can do all of this.
    pub fn capabilities(mut self, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        self.indexed.extend(capabilities.into_iter().map(Attribute::Capability));
        self
    }

    /// Only agents with exactly this overall health.
    pub fn health(mut self, health: Health) -> Self {
        self.indexed.push(Attribute::Health(health));
        self
    }

    /// Only agents of this type.
    pub fn agent_type(mut self, agent_type: AgentType) -> Self {
        self.indexed.push(Attribute::Type(agent_type));
        self
    }

    /// Only agents known to use at least this much of a resource. A share is compared with a share, a number of things
    /// with a number of things; an agent that reports the one is not found by the other.
    pub fn min_usage(mut self, kind: ResourceKind, threshold: impl Into<ResourceValue>) -> Self {
        self.usage.push((kind, threshold.into()));
        self
    }

    /// Only agents that take part in anything: a ballot, a barrier, a lock, a leadership.
    pub const fn in_coordination(mut self) -> Self {
        self.in_coordination = true;
        self
    }

    /// Only agents that take part in this ballot.
    pub fn in_consensus(mut self, ballot: Name) -> Self {
        self.consensus.push(ballot);
        self
    }

    /// Only agents that meet `other`, too.
    pub fn and(mut self, other: Self) -> Self {
        self.indexed.extend(other.indexed);
        self.usage.extend(other.usage);
        self.in_coordination |= other.in_coordination;
        self.consensus.extend(other.consensus);
        self
    }

    /// Whether an agent with this record is meant.
    pub fn matches(&self, info: &AgentInfo) -> bool {
        self.matches_beyond(None, info)
    }

    /// As [`matches`](Self::matches), knowing that the agent has one of the attributes of the query.
    pub(super) fn matches_beyond(&self, known: Option<&Attribute>, info: &AgentInfo) -> bool {
        let is_known = |attribute| known.is_some_and(|known| ptr::eq(known, attribute));
        let lists = &info.coordination().lists;
        self.indexed.iter().all(|attribute| is_known(attribute) || attribute.is_of(info))
            && self.usage.iter().all(|(kind, threshold)| reaches(info.resource_usage(), kind, *threshold))
            && (!self.in_coordination || !lists.is_empty())
            && self.consensus.iter().all(|ballot| lists.active_consensus.contains(ballot))
    }

    /// Whether it asks for what readers of the view do not see of any agent.
    pub(super) fn is_blind_in(&self, view: MetadataView) -> bool {
        let beyond_basic = || {
            self.indexed.iter().any(|attribute| matches!(attribute, Attribute::Capability(_)))
                || !self.usage.is_empty()
                || self.in_coordination
                || !self.consensus.is_empty()
        };
        view == MetadataView::Basic && beyond_basic()
    }
}

fn reaches(usage: &ResourceUsage, kind: &ResourceKind, threshold: ResourceValue) -> bool {
    match (usage.get(kind), threshold) {
        (Some(ResourceValue::Ratio(used)), ResourceValue::Ratio(threshold)) => used >= threshold,
        (Some(ResourceValue::Count(used)), ResourceValue::Count(threshold)) => used >= threshold,
        _ => false,
    }
}
