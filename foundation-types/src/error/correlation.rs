//! Ids that tie together what belongs to one request.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Text;

/// Ties together errors, events and operations that stem from one cause.
///
/// Any text is a correlation id, because other systems make them too. Cloning is O(1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CorrelationId(Text);

impl CorrelationId {
    /// The id with this text.
    pub fn new(text: impl Into<Text>) -> Self {
        Self(text.into())
    }

    /// A new id that no other party has: a random UUID (version 4, 122 random bits) in its hyphenated form.
    pub fn fresh() -> Self {
        Self(Uuid::new_v4().hyphenated().to_string().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<&str> for CorrelationId {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for CorrelationId {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<CorrelationId> for crate::Value {
    fn from(id: CorrelationId) -> Self {
        Self::Text(id.0)
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_ids_are_distinct_uuids() {
        let (one, other) = (CorrelationId::fresh(), CorrelationId::fresh());
        assert_ne!(one, other);
        assert_eq!(Uuid::parse_str(one.as_str()).map(|uuid| uuid.get_version_num()), Ok(4));
    }
}
