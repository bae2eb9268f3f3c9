//! All settings.

use std::fmt;

use foundation_types::{Metadata, Text, Value, bridge};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::setting::Setting;
use super::{AiConfig, CaptureConfig, DevConfig, InfrastructureConfig, InterfaceConfig, StorageConfig};

/// The sections, in the order in which they are validated.
pub const SECTIONS: [&str; 6] = ["ai", "capture", "storage", "interface", "dev", "infrastructure"];

/// The settings of Foundation.
///
/// Its tree, which `Value::from` gives, has all of them, secrets included. So has what it serialises to. In reverse, what is
/// missing takes its default, and `FoundationConfig::try_from` validates the tree as well. A number that no tree can hold,
/// beyond 63 bits or not finite, becomes null there, which is not valid.
#[derive(Clone, Default, PartialEq)]
pub struct FoundationConfig {
    /// Who answers questions about code, and what an answer may cost.
    pub ai: AiConfig,
    /// What is recorded of a running program, and how.
    pub capture: CaptureConfig,
    /// Where records are kept.
    pub storage: StorageConfig,
    /// What those who ask for records can get.
    pub interface: InterfaceConfig,
    /// What developers see.
    pub dev: DevConfig,
    /// What protects the program from others, and others from it.
    pub infrastructure: InfrastructureConfig,
    /// What else is in the tree, where it is in the tree: keys that no field reads. Decoding a tree keeps those in the
    /// sections; top-level keys beside the sections belong to whoever put them there.
    pub other: Metadata,
}

impl FoundationConfig {
    /// Adds top-level keys that are no sections.
    pub(super) fn with_other(mut self, other: impl IntoIterator<Item = (Text, Value)>) -> Self {
        self.other.extend(other);
        self
    }
}

impl From<&FoundationConfig> for Value {
    /// The tree.
    fn from(config: &FoundationConfig) -> Self {
        let known = Metadata::new()
            .with("ai", config.ai.to_setting())
            .with("capture", config.capture.to_setting())
            .with("storage", config.storage.to_setting())
            .with("interface", config.interface.to_setting())
            .with("dev", config.dev.to_setting())
            .with("infrastructure", config.infrastructure.to_setting());
        // Fields win over what somebody put into `other` in their place.
        config.other.clone().deep_merge(known).into()
    }
}

impl Serialize for FoundationConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FoundationConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tree = Metadata::deserialize(deserializer)?;
        let mut config = Self {
            ai: section(&tree, "ai")?,
            capture: section(&tree, "capture")?,
            storage: section(&tree, "storage")?,
            interface: section(&tree, "interface")?,
            dev: section(&tree, "dev")?,
            infrastructure: section(&tree, "infrastructure")?,
            other: Metadata::new(),
        };
        if let Value::Map(known) = Value::from(&config) {
            let sections = tree.iter().filter(|(key, _)| known.contains_key(key));
            let sections: Metadata = sections.map(|(key, value)| (key.clone(), value.clone())).collect();
            config.other = unread(&sections, &known);
        }
        Ok(config)
    }
}

fn section<T: DeserializeOwned + Default, E: serde::de::Error>(tree: &Metadata, key: &str) -> Result<T, E> {
    let section = tree.get(key).map(bridge::from_value).transpose();
    section.map(Option::unwrap_or_default).map_err(|error| E::custom(format_args!("{key}: {error}")))
}

/// What a tree has at keys that are not in `known`. No deeper than `known` is.
fn unread(tree: &Metadata, known: &Metadata) -> Metadata {
    let mut unread = Metadata::new();
    for (key, value) in tree {
        match (value, known.get(key)) {
            (value, None) => {
                unread.insert(key.clone(), value.clone());
            }
            (Value::Map(value), Some(Value::Map(known))) => {
                let below = self::unread(value, known);
                if !below.is_empty() {
                    unread.insert(key.clone(), below);
                }
            }
            (_, Some(_)) => {}
        }
    }
    unread
}

impl fmt::Debug for FoundationConfig {
    /// Shows of what no field reads the keys alone, as nobody knows what it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let other: Vec<_> = self.other.iter().map(|(key, _)| key).collect();
        f.debug_struct("FoundationConfig")
            .field("ai", &self.ai)
            .field("capture", &self.capture)
            .field("storage", &self.storage)
            .field("interface", &self.interface)
            .field("dev", &self.dev)
            .field("infrastructure", &self.infrastructure)
            .field("other", &other)
            .finish()
    }
}
