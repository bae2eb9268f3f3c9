//! What of an agent readers see as metadata.

use super::AgentInfo;
use crate::text_enum::text_enum;
use crate::{Metadata, Value};

text_enum! {
    /// How much of an agent its readers see.
    #[derive(PartialOrd, Ord, Default)]
    pub enum MetadataView {
        /// Type and health.
        Basic => "basic",
        /// Type, health, capabilities, resource usage, coordination and the free metadata.
        #[default]
        Enhanced => "enhanced",
    }

    /// The text is no [`MetadataView`].
    pub struct UnknownMetadataView("metadata view");
}

impl AgentInfo {
    /// The record as metadata.
    ///
    /// Basic: `{"type", "health"}`. Enhanced: besides these `"agent_context"` with the sorted `"capabilities"`, the
    /// `"resource_usage"` that is known and the four lists of `"coordination_state"`; `"last_health_check"`; and
    /// `"custom"` with the free metadata, unless that is empty. [`AgentInfo::from_metadata`] reads both.
    pub fn view(&self, mode: MetadataView) -> Metadata {
        let basic = Metadata::new()
            .with("type", self.agent_type().to_name())
            .with("health", self.health().overall_health.as_str());
        if mode == MetadataView::Basic {
            return basic;
        }
        let agent_context = Metadata::new()
            .with("capabilities", Value::from(self.capabilities()))
            .with("resource_usage", Metadata::from(self.resource_usage()))
            .with("coordination_state", Metadata::from(&self.coordination().lists));
        let mut view =
            basic.with("agent_context", agent_context).with("last_health_check", self.health().last_health_check);
        if !self.metadata().is_empty() {
            view.insert("custom", self.metadata().clone());
        }
        view
    }
}
