//! The original's `Foundation.Types.AgentInfo`: functions that give a changed copy of a record.
//!
//! [`AgentInfo`] has the same as methods that change it in place. Stamps come from the clock of the
//! [global instance](crate::global).
//!
//! ```
//! use foundation_compat::types::agent_info;
//! use foundation_compat::{AgentState, Capability, Metadata};
//!
//! let parameters = Metadata::new().with("agent_id", "scout-1").with("capabilities", vec!["scan"]);
//! let scout = agent_info::new(&parameters)?;
//! let ready = agent_info::update_state(&scout, AgentState::Ready)?;
//! assert!(agent_info::has_capability(&ready, &Capability::from_static("scan")));
//! assert_eq!((scout.version(), ready.version()), (1, 2));
//! # Ok::<(), foundation_compat::foundation_types::AgentInfoError>(())
//! ```

pub use foundation_types::agent::{CoordinationPatch, PerformancePatch, StatusSummary};
use foundation_types::{
    AgentId, AgentInfo, AgentInfoError, AgentState, Capability, Health, Metadata, ResourceUsage, Timestamp, Value,
};

use crate::global;

fn now() -> Timestamp {
    global::get().clock().wall()
}

fn changed(info: &AgentInfo, change: impl FnOnce(&mut AgentInfo, Timestamp)) -> AgentInfo {
    let mut info = info.clone();
    change(&mut info, now());
    info
}

/// A record from parameters: `agent_id`, and where given `capabilities` or else `capability`, `initial_state`,
/// `configuration`, `metadata`. The other keys of [`AgentInfo::from_metadata`], such as `type` and `health`, count as well.
///
/// # Errors
/// [`AgentInfoError::MissingAgentId`] if there is no `agent_id`, or null; [`AgentInfoError::InvalidField`] for the first
/// parameter that does not hold what it must.
pub fn new(parameters: &Metadata) -> Result<AgentInfo, AgentInfoError> {
    let invalid = |reason: String| AgentInfoError::InvalidField { field: "agent_id", reason };
    let id = match parameters.get("agent_id") {
        None | Some(Value::Null) => return Err(AgentInfoError::MissingAgentId),
        Some(id) => id.as_str().ok_or_else(|| invalid("not text".to_owned()))?,
    };
    let id = AgentId::new(id).map_err(|error| invalid(error.to_string()))?;
    let global = global::get();
    let clock = global.clock();
    match parameters.get("initial_state").filter(|state| !state.is_null()) {
        None => AgentInfo::from_metadata(id, parameters, clock),
        Some(state) => AgentInfo::from_metadata(id, &parameters.clone().with("state", state.clone()), clock),
    }
}

/// As [`new`]: the original's `new!/1`.
///
/// # Panics
/// With `Invalid agent info: <reason>` where [`new`] fails.
pub fn new_or_panic(parameters: &Metadata) -> AgentInfo {
    match new(parameters) {
        Ok(info) => info,
        #[expect(clippy::panic, reason = "this function exists for it")]
        Err(reason) => panic!("Invalid agent info: {reason}"),
    }
}

/// The record in another state.
///
/// # Errors
/// [`AgentInfoError::InvalidStateTransition`] if the life cycle has no such step.
pub fn update_state(info: &AgentInfo, state: AgentState) -> Result<AgentInfo, AgentInfoError> {
    let mut info = info.clone();
    info.transition(state, now())?;
    Ok(info)
}

/// The record with a capability; a new version also if it was there.
pub fn add_capability(info: &AgentInfo, capability: Capability) -> AgentInfo {
    changed(info, |info, now| info.add_capability(capability, now))
}

/// The record without a capability; a new version also if it was not there.
pub fn remove_capability(info: &AgentInfo, capability: &Capability) -> AgentInfo {
    changed(info, |info, now| info.remove_capability(capability, now))
}

/// Whether the agent can do something.
pub fn has_capability(info: &AgentInfo, capability: &Capability) -> bool {
    info.has_capability(capability)
}

/// The record after a report of health and usage: what the usage names replaces what was known, the rest stays.
pub fn update_health(info: &AgentInfo, health: Health, usage: &ResourceUsage) -> AgentInfo {
    changed(info, |info, now| info.update_health(health, usage, now))
}

/// As [`update_health`] without a usage.
pub fn update_health_2(info: &AgentInfo, health: Health) -> AgentInfo {
    update_health(info, health, &ResourceUsage::new())
}

/// The record after a report of performance; the rates follow from the counts.
pub fn update_performance(info: &AgentInfo, patch: &PerformancePatch) -> AgentInfo {
    changed(info, |info, now| info.update_performance(patch, now))
}

/// The record after a report of coordination; the score follows from the lists.
pub fn update_coordination(info: &AgentInfo, patch: CoordinationPatch) -> AgentInfo {
    changed(info, |info, now| info.update_coordination(patch, now))
}

/// Whether the agent is healthy and ready, active or idle.
pub fn healthy(info: &AgentInfo) -> bool {
    info.is_healthy()
}

/// Whether the agent can be given work: it is ready or idle, and healthy or degraded.
pub fn available(info: &AgentInfo) -> bool {
    info.is_available()
}

/// The agent on one line.
pub fn status_summary(info: &AgentInfo) -> StatusSummary {
    info.summary()
}

/// The record as JSON; [`from_map`] reads it back to an equal one.
pub fn to_map(info: &AgentInfo) -> serde_json::Value {
    serde_json::to_value(info).expect("a record is plain data with text keys")
}

/// Reads the JSON of a record. Missing fields take the defaults of a fresh record.
///
/// # Errors
/// [`AgentInfoError::MissingAgentId`]; [`AgentInfoError::InvalidField`] naming the first field that cannot be read.
pub fn from_map(map: &serde_json::Value) -> Result<AgentInfo, AgentInfoError> {
    AgentInfo::decode(map, global::get().clock())
}
