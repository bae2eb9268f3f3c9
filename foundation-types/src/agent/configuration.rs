//! How an agent was configured.

use std::collections::BTreeMap;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};

use crate::{Capability, CustomResource, Metadata, ResourceKind, ResourceValue, Value};

/// How an agent was configured. All empty by default.
///
/// In the serialised form every key besides the named ones belongs to `extra` too, so that loose configurations read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgentConfiguration {
    /// What it was started with.
    pub startup_parameters: Metadata,
    /// What can change while it runs.
    pub runtime_configuration: Metadata,
    /// How it likes to coordinate.
    pub coordination_preferences: Metadata,
    /// Settings per capability.
    pub capability_configuration: BTreeMap<Capability, Metadata>,
    /// How much it may use.
    pub resource_limits: ResourceLimits,
    /// Everything else.
    pub extra: Metadata,
}

impl AgentConfiguration {
    /// An empty configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing is configured.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl<'de> Deserialize<'de> for AgentConfiguration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Loose {
            startup_parameters: Option<Metadata>,
            runtime_configuration: Option<Metadata>,
            coordination_preferences: Option<Metadata>,
            capability_configuration: Option<BTreeMap<Capability, Metadata>>,
            resource_limits: Option<ResourceLimits>,
            extra: Option<Value>,
            #[serde(flatten)]
            others: Metadata,
        }

        let loose = Loose::deserialize(deserializer)?;
        let mut extra = loose.others;
        match loose.extra {
            None | Some(Value::Null) => {}
            Some(Value::Map(map)) => extra.overlay(&map),
            Some(value) => {
                extra.insert("extra", value);
            }
        }
        Ok(Self {
            startup_parameters: loose.startup_parameters.unwrap_or_default(),
            runtime_configuration: loose.runtime_configuration.unwrap_or_default(),
            coordination_preferences: loose.coordination_preferences.unwrap_or_default(),
            capability_configuration: loose.capability_configuration.unwrap_or_default(),
            resource_limits: loose.resource_limits.unwrap_or_default(),
            extra,
        })
    }
}

/// How much of each resource may be used: a share or a count, for every kind.
///
/// The serialised form is that of [`ResourceUsage`](crate::ResourceUsage): the named kinds as keys, the user's own in a
/// nested object `custom`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ResourceLimits(BTreeMap<ResourceKind, ResourceValue>);

impl ResourceLimits {
    /// No limits.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// These limits with `kind` limited to `limit`.
    #[must_use]
    pub fn with(mut self, kind: ResourceKind, limit: impl Into<ResourceValue>) -> Self {
        self.0.insert(kind, limit.into());
        self
    }

    /// The limit of `kind`.
    pub fn get(&self, kind: &ResourceKind) -> Option<ResourceValue> {
        self.0.get(kind).copied()
    }

    /// Limits in the order of [`ResourceKind`].
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceKind, ResourceValue)> {
        self.0.iter().map(|(kind, limit)| (kind, *limit))
    }

    /// Whether there are no limits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(ResourceKind, ResourceValue)> for ResourceLimits {
    fn from_iter<I: IntoIterator<Item = (ResourceKind, ResourceValue)>>(limits: I) -> Self {
        Self(limits.into_iter().collect())
    }
}

impl Serialize for ResourceLimits {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;

        let is_custom = |kind: &ResourceKind| matches!(kind, ResourceKind::Custom(_));
        let mut map = serializer.serialize_map(None)?;
        for (kind, limit) in self.iter().filter(|(kind, _)| !is_custom(kind)) {
            map.serialize_entry(kind, &limit)?;
        }
        let custom: BTreeMap<_, _> = self.iter().filter(|(kind, _)| is_custom(kind)).collect();
        if !custom.is_empty() {
            map.serialize_entry("custom", &custom)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ResourceLimits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut limits = Self::new();
        for (key, value) in BTreeMap::<String, serde_json::Value>::deserialize(deserializer)? {
            let named = |error: serde_json::Error| de::Error::custom(format!("{key}: {error}"));
            if value.is_null() {
                continue;
            }
            if key == "custom" && value.is_object() {
                let custom = BTreeMap::<CustomResource, ResourceValue>::deserialize(&value).map_err(named)?;
                limits.0.extend(custom.into_iter().map(|(resource, limit)| (resource.into(), limit)));
            } else {
                let limit = ResourceValue::deserialize(&value).map_err(named)?;
                limits.0.insert(ResourceKind::new(&key).map_err(de::Error::custom)?, limit);
            }
        }
        Ok(limits)
    }
}
