//! A tree as users see it.

use std::fmt;

use foundation_types::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Node;
use crate::path::{IntoPath, PathError};

/// A tree of settings. Copying it is O(1), and copies share what is equal by descent.
///
/// Its `Debug` shows its size alone, because it cannot know what in it is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Tree(pub(crate) Node);

impl Tree {
    /// The value at a path; `None` if there is none. O(depth and size of the value).
    ///
    /// # Errors
    /// [`PathError`] if it is no path.
    #[expect(clippy::needless_pass_by_value, reason = "paths are given in the same way to all reads")]
    pub fn get(&self, path: impl IntoPath) -> Result<Option<Value>, PathError> {
        let mut at = Some(&self.0);
        let mut index = 0;
        path.visit(|component| {
            crate::path::check_component(index, component)?;
            index += 1;
            at = at.and_then(|node| node.child(component));
            Ok(())
        })?;
        Ok(at.map(Node::to_value))
    }

    /// The whole tree as a value. O(size).
    pub fn to_value(&self) -> Value {
        self.0.to_value()
    }

    /// How many nodes it has, maps and lists themselves included.
    pub fn nodes(&self) -> usize {
        self.0.nodes()
    }

    /// How many leaves paths lead to; a list or an empty map is one.
    pub fn leaves(&self) -> usize {
        self.0.leaves()
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self(Node::empty())
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("nodes", &self.nodes()).finish_non_exhaustive()
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|value| Self(Node::from_value(value)))
    }
}
