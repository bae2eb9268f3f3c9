//! The original's `Foundation.Application`, as far as it concerns what exists: the master switch of the agent features.

pub use crate::foundation::AgentFeatures;

/// Switches all agent features of the global instance on or off, at once and without loss, and returns what they were: the
/// original's setting `agent_features_enabled`. See [`Foundation::set_agent_features`](crate::Foundation::set_agent_features).
pub fn set_agent_features_enabled(features: AgentFeatures) -> AgentFeatures {
    crate::global::get().set_agent_features(features)
}
