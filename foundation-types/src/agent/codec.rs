//! The serialised form of an agent record: a JSON object with the names of the fields.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Map;

use super::{AgentInfo, AgentInfoError, CoordinationLists, CoordinationState, HealthMetrics, PerformanceMetrics};
use crate::{AgentId, Clock, NodeId, SystemClock, Timestamp};

type Json = serde_json::Value;
type Result<T> = std::result::Result<T, AgentInfoError>;

impl AgentInfo {
    /// Reads the serialised form. Missing fields and nulls take the defaults of a fresh agent, missing times the wall time of
    /// `clock`, which is read once; unknown fields are ignored.
    ///
    /// # Errors
    /// [`AgentInfoError::MissingAgentId`]; [`AgentInfoError::InvalidField`] naming the first field that cannot be read, such
    /// as an unknown state or an unparsable time.
    pub fn decode(json: &Json, clock: &dyn Clock) -> Result<Self> {
        let object = json.as_object().ok_or_else(|| AgentInfoError::invalid("agent_info", "not an object"))?;
        let now = clock.wall();
        let agent_id: AgentId = read(object, "agent_id")?.ok_or(AgentInfoError::MissingAgentId)?;
        let last_updated: Option<Timestamp> = read(object, "last_updated")?;
        // A record that tells only one of its two stamps must not come out with its creation after its last change.
        let created_at = read(object, "created_at")?.unwrap_or_else(|| last_updated.map_or(now, |at| at.min(now)));
        let last_updated = last_updated.unwrap_or_else(|| now.max(created_at));
        if last_updated < created_at {
            return Err(AgentInfoError::invalid("last_updated", "before created_at"));
        }
        let version = read(object, "version")?.unwrap_or(1);
        if version == 0 {
            return Err(AgentInfoError::invalid("version", "not positive"));
        }
        Ok(Self {
            agent_id,
            agent_type: read(object, "agent_type")?.unwrap_or_default(),
            state: read(object, "state")?.unwrap_or_default(),
            capabilities: read(object, "capabilities")?.unwrap_or_default(),
            health: read_health(object, now)?,
            resource_usage: read(object, "resource_usage")?.unwrap_or_default(),
            performance: read_performance(object, now)?,
            coordination: read_coordination(object)?,
            configuration: read(object, "configuration")?.unwrap_or_default(),
            node_affinity: read(object, "node_affinity")?.unwrap_or_else(|| vec![NodeId::local().clone()]),
            coordination_variables: read(object, "coordination_variables")?.unwrap_or_default(),
            metadata: read(object, "metadata")?.unwrap_or_default(),
            created_at,
            last_updated,
            version,
        })
    }
}

impl<'de> Deserialize<'de> for AgentInfo {
    /// As [`AgentInfo::decode`] with the system clock.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        Self::decode(&json, &SystemClock).map_err(serde::de::Error::custom)
    }
}

fn read_health(object: &Map<String, Json>, now: Timestamp) -> Result<HealthMetrics> {
    let mut health = HealthMetrics::new(now);
    let Some(object) = nested(object, "health_metrics")? else { return Ok(health) };
    set(&mut health.overall_health, object, "health_metrics.overall_health")?;
    set(&mut health.resource_health, object, "health_metrics.resource_health")?;
    set(&mut health.performance_health, object, "health_metrics.performance_health")?;
    set(&mut health.coordination_health, object, "health_metrics.coordination_health")?;
    set(&mut health.last_health_check, object, "health_metrics.last_health_check")?;
    set(&mut health.health_trend, object, "health_metrics.health_trend")?;
    set(&mut health.health_score, object, "health_metrics.health_score")?;
    Ok(health)
}

fn read_performance(object: &Map<String, Json>, now: Timestamp) -> Result<PerformanceMetrics> {
    let mut performance = PerformanceMetrics::new(now);
    let Some(object) = nested(object, "performance_metrics")? else { return Ok(performance) };
    set(&mut performance.tasks_completed, object, "performance_metrics.tasks_completed")?;
    set(&mut performance.tasks_failed, object, "performance_metrics.tasks_failed")?;
    set(&mut performance.average_task_duration, object, "performance_metrics.average_task_duration")?;
    set(&mut performance.throughput_per_second, object, "performance_metrics.throughput_per_second")?;
    set(&mut performance.error_rate, object, "performance_metrics.error_rate")?;
    set(&mut performance.success_rate, object, "performance_metrics.success_rate")?;
    set(&mut performance.last_performance_update, object, "performance_metrics.last_performance_update")?;
    Ok(performance)
}

fn read_coordination(object: &Map<String, Json>) -> Result<CoordinationState> {
    let mut coordination = CoordinationState::default();
    let Some(object) = nested(object, "coordination_state")? else { return Ok(coordination) };
    coordination.lists = read_lists(object)?;
    set(&mut coordination.coordination_score, object, "coordination_state.coordination_score")?;
    coordination.last_coordination_activity = read(object, "coordination_state.last_coordination_activity")?;
    Ok(coordination)
}

/// Reads the four lists out of a coordination state.
pub(super) fn read_lists(object: &Map<String, Json>) -> Result<CoordinationLists> {
    let mut lists = CoordinationLists::default();
    set(&mut lists.active_consensus, object, "coordination_state.active_consensus")?;
    set(&mut lists.active_barriers, object, "coordination_state.active_barriers")?;
    set(&mut lists.held_locks, object, "coordination_state.held_locks")?;
    set(&mut lists.leadership_roles, object, "coordination_state.leadership_roles")?;
    Ok(lists)
}

/// The object in a field; `None` if the field is missing or null.
pub(super) fn nested<'j>(object: &'j Map<String, Json>, field: &'static str) -> Result<Option<&'j Map<String, Json>>> {
    match object.get(field) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Object(nested)) => Ok(Some(nested)),
        Some(_) => Err(AgentInfoError::invalid(field, "not an object")),
    }
}

/// The value of the field named by the last segment of `path`; `None` if it is missing or null.
pub(super) fn read<T: DeserializeOwned>(object: &Map<String, Json>, path: &'static str) -> Result<Option<T>> {
    let key = path.rsplit('.').next().unwrap_or(path);
    match object.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => T::deserialize(value).map(Some).map_err(|error| AgentInfoError::invalid(path, error)),
    }
}

fn set<T: DeserializeOwned>(target: &mut T, object: &Map<String, Json>, path: &'static str) -> Result<()> {
    if let Some(value) = read(object, path)? {
        *target = value;
    }
    Ok(())
}
