//! The agent context an error carries: typed where agents are compiled in, preserved as it came where not.

use std::fmt;

use serde_json::Value as Json;

use super::redact::redact_json;

#[derive(Clone, PartialEq, Eq)]
pub(super) enum AgentData {
    /// An agent context.
    #[cfg(feature = "agent")]
    Known(Box<crate::agent::AgentContext>),
    /// What was in the place of one, not understood and kept for the next reader.
    Opaque(Json),
}

impl AgentData {
    pub(super) fn from_json(json: &Json) -> Self {
        #[cfg(feature = "agent")]
        if let Ok(known) = crate::agent::AgentContext::decode(json) {
            return Self::Known(Box::new(known));
        }
        Self::Opaque(json.clone())
    }

    pub(super) fn to_json(&self) -> Json {
        match self {
            #[cfg(feature = "agent")]
            Self::Known(known) => serde_json::to_value(known).expect("an agent context is plain data with text keys"),
            Self::Opaque(json) => json.clone(),
        }
    }
}

impl fmt::Debug for AgentData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut json = self.to_json();
        redact_json(&mut json);
        write!(f, "{json}")
    }
}
