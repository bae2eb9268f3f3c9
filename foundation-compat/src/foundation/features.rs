//! The switches of the agent features.

use foundation_types::{Emitter, Feature, FeatureGate, Measurements, Metadata, MetadataView};

use super::Foundation;
pub use crate::lifecycle::FEATURE_CHANGED_EVENT;

pub(crate) const MASTER: &str = "agent_features";

/// Whether the agent features are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgentFeatures {
    /// On: each feature is if its own flag is.
    Enabled,
    /// All off: the program behaves as if they had not been compiled in.
    Disabled,
}

impl AgentFeatures {
    pub(crate) const fn of(is_on: bool) -> Self {
        if is_on { Self::Enabled } else { Self::Disabled }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// The emergency switches. Each is instant, reversible, and deletes nothing.
impl Foundation {
    /// The switch of the agent features, shared by all subsystems.
    ///
    /// Whoever flips it here tells nobody; [`set_agent_features`](Self::set_agent_features) and
    /// [`set_feature`](Self::set_feature) emit an event.
    pub fn gate(&self) -> &FeatureGate {
        &self.0.gate
    }

    /// Switches all agent features on or off and returns what they were. The flags of the single features stay.
    pub fn set_agent_features(&self, to: AgentFeatures) -> AgentFeatures {
        let was_on = match to {
            AgentFeatures::Enabled => self.0.gate.enable_agent_features(),
            AgentFeatures::Disabled => self.0.gate.disable_agent_features(),
        };
        announce(self.emitter(), MASTER, AgentFeatures::of(was_on), to)
    }

    /// Sets the flag of one feature and returns what it was. The feature is on if the master switch is on, too.
    pub fn set_feature(&self, feature: Feature, to: AgentFeatures) -> AgentFeatures {
        let was_on = match to {
            AgentFeatures::Enabled => self.0.gate.enable(feature),
            AgentFeatures::Disabled => self.0.gate.disable(feature),
        };
        announce(self.emitter(), feature.as_str(), AgentFeatures::of(was_on), to)
    }

    /// How much of an agent its readers see.
    pub fn metadata_view(&self) -> MetadataView {
        self.0.registry.metadata_view()
    }

    /// Sets how much of an agent its readers see and returns what it was. What is stored stays as it is.
    pub fn set_metadata_view(&self, view: MetadataView) -> MetadataView {
        self.0.registry.configure_metadata_mode(view)
    }
}

/// Emits a change, if it is one. Returns the old state.
pub(crate) fn announce(
    emitter: &Emitter,
    feature: &'static str,
    old: AgentFeatures,
    new: AgentFeatures,
) -> AgentFeatures {
    if old != new {
        emitter.emit(&FEATURE_CHANGED_EVENT, || {
            let metadata = Metadata::new().with("feature", feature).with("old", old.as_str()).with("new", new.as_str());
            (Measurements::one(), metadata)
        });
    }
    old
}
