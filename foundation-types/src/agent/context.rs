//! The agent that an error or an event is about, as it was at the time.

use serde::de::Deserializer;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::codec::{nested, read, read_lists};
use super::{AgentInfo, AgentInfoError, AgentType, CapabilitySet, CoordinationLists};
use crate::text_enum::text_enum;
use crate::{AgentId, Capability, Health, ResourceUsage};

text_enum! {
    /// What came of asking for the agent of a context.
    #[derive(Default)]
    pub enum ContextStatus {
        /// It is known; not written.
        #[default]
        Found => "found",
        /// Nobody knows it.
        NotFound => "not_found",
        /// Nobody could be asked.
        Unavailable => "unavailable",
    }

    /// The text is no [`ContextStatus`].
    pub struct UnknownContextStatus("agent context status");
}

/// The agent that an error or an event is about, as it was at the time.
///
/// Serialised it is an object without the fields that are absent, and without the status if the agent was found. Reading
/// also accepts `current_capability` or `capability` for a one-element `capabilities`, `health_status` for `health` and
/// `resource_state` for `resource_usage`; these are never written. Unknown fields are kept as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentContext {
    /// The agent.
    pub agent_id: AgentId,
    /// What kind of agent it is; written as `type`.
    pub agent_type: Option<AgentType>,
    /// What it can do.
    pub capabilities: Option<CapabilitySet>,
    /// Its overall health.
    pub health: Option<Health>,
    /// What it uses.
    pub resource_usage: Option<ResourceUsage>,
    /// What it takes part in.
    pub coordination_state: Option<CoordinationLists>,
    /// What came of asking for it.
    pub status: ContextStatus,
    extra: Map<String, serde_json::Value>,
}

/// Every field that reading understands.
const FIELDS: [&str; 11] = [
    "agent_id",
    "type",
    "capabilities",
    "current_capability",
    "capability",
    "health",
    "health_status",
    "resource_usage",
    "resource_state",
    "coordination_state",
    "status",
];

impl AgentContext {
    /// A context that tells nothing but the agent.
    pub fn new(agent_id: AgentId) -> Self {
        Self {
            agent_id,
            agent_type: None,
            capabilities: None,
            health: None,
            resource_usage: None,
            coordination_state: None,
            status: ContextStatus::Found,
            extra: Map::new(),
        }
    }

    /// The context of an agent that nobody knows.
    pub fn not_found(agent_id: AgentId) -> Self {
        Self { status: ContextStatus::NotFound, ..Self::new(agent_id) }
    }

    /// The context of an agent that nobody could be asked about.
    pub fn unavailable(agent_id: AgentId) -> Self {
        Self { status: ContextStatus::Unavailable, ..Self::new(agent_id) }
    }

    /// The fields that reading did not understand and kept.
    pub const fn extra(&self) -> &Map<String, serde_json::Value> {
        &self.extra
    }

    /// Reads the serialised form, and the variant that callers write.
    ///
    /// # Errors
    /// [`AgentInfoError::MissingAgentId`]; [`AgentInfoError::InvalidField`] naming the first field that cannot be read.
    pub fn decode(json: &serde_json::Value) -> Result<Self, AgentInfoError> {
        let object = json.as_object().ok_or_else(|| AgentInfoError::invalid("agent_context", "not an object"))?;
        let one_capability = || {
            let current: Option<Capability> = read(object, "current_capability")?;
            let one = if current.is_some() { current } else { read(object, "capability")? };
            Ok(one.map(|capability| CapabilitySet::from_iter([capability])))
        };
        let agent_id = read(object, "agent_id")?.ok_or(AgentInfoError::MissingAgentId)?;
        let agent_type = read(object, "type")?;
        let capabilities = read(object, "capabilities")?.map_or_else(one_capability, |set| Ok(Some(set)))?;
        let health =
            read(object, "health")?.map_or_else(|| read(object, "health_status"), |health| Ok(Some(health)))?;
        let resource_usage =
            read(object, "resource_usage")?.map_or_else(|| read(object, "resource_state"), |usage| Ok(Some(usage)))?;
        let coordination_state = nested(object, "coordination_state")?.map(read_lists).transpose()?;
        let status = read(object, "status")?.unwrap_or_default();
        let unknown = object.iter().filter(|(key, _)| !FIELDS.contains(&key.as_str()));
        let extra = unknown.map(|(key, value)| (key.clone(), value.clone())).collect();
        Ok(Self { agent_id, agent_type, capabilities, health, resource_usage, coordination_state, status, extra })
    }
}

impl AgentInfo {
    /// The agent as it is now, for an error or an event about it.
    pub fn context(&self) -> AgentContext {
        AgentContext {
            agent_type: Some(self.agent_type().clone()),
            capabilities: Some(self.capabilities().clone()),
            health: Some(self.health().overall_health),
            resource_usage: Some(self.resource_usage().clone()),
            coordination_state: Some(self.coordination().lists.clone()),
            ..AgentContext::new(self.agent_id().clone())
        }
    }
}

impl From<&AgentInfo> for AgentContext {
    fn from(info: &AgentInfo) -> Self {
        info.context()
    }
}

impl Serialize for AgentContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn entry<M: SerializeMap>(map: &mut M, key: &str, value: Option<&impl Serialize>) -> Result<(), M::Error> {
            value.map_or(Ok(()), |value| map.serialize_entry(key, value))
        }

        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("agent_id", &self.agent_id)?;
        entry(&mut map, "type", self.agent_type.as_ref())?;
        entry(&mut map, "capabilities", self.capabilities.as_ref())?;
        entry(&mut map, "health", self.health.as_ref())?;
        entry(&mut map, "resource_usage", self.resource_usage.as_ref())?;
        entry(&mut map, "coordination_state", self.coordination_state.as_ref())?;
        entry(&mut map, "status", Some(&self.status).filter(|&&status| status != ContextStatus::Found))?;
        for (key, value) in &self.extra {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for AgentContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        Self::decode(&json).map_err(serde::de::Error::custom)
    }
}
