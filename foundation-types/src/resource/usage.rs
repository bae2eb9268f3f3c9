//! What is used: ratios and counts, which are different types because only ratios say anything about health.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Ratio, RatioError};
use crate::text_enum::open_enum;
use crate::{Metadata, Value};

open_enum! {
    /// Which resource.
    pub enum ResourceKind {
        /// Memory.
        Memory => "memory",
        /// Processor time.
        Cpu => "cpu",
        /// The network; its usage is a count of connections.
        Network => "network",
        /// Disk space.
        Storage => "storage",
        /// Graphics processors.
        Gpu => "gpu",
    }
    /// A resource of the user's own.
    Custom(
        /// The name of a resource of the user's own: never the text of one of the named kinds.
        CustomResource
    )
}

/// An amount: a share of what there is, or a number of things.
///
/// Its serialised form is a number: a ratio always has a fraction (`1.0`), a count never has one (`1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceValue {
    /// A share of what there is.
    Ratio(Ratio),
    /// A number of things, such as connections or bytes.
    Count(u64),
}

impl ResourceValue {
    /// The ratio inside.
    pub const fn as_ratio(self) -> Option<Ratio> {
        if let Self::Ratio(ratio) = self { Some(ratio) } else { None }
    }

    /// The count inside.
    pub const fn as_count(self) -> Option<u64> {
        if let Self::Count(count) = self { Some(count) } else { None }
    }
}

impl From<Ratio> for ResourceValue {
    fn from(ratio: Ratio) -> Self {
        Self::Ratio(ratio)
    }
}

impl From<u64> for ResourceValue {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<ResourceValue> for Value {
    /// A float or an integer; a count past `i64::MAX` is cut to it.
    fn from(value: ResourceValue) -> Self {
        match value {
            ResourceValue::Ratio(ratio) => ratio.into(),
            ResourceValue::Count(count) => count_value(count),
        }
    }
}

impl TryFrom<&Value> for ResourceValue {
    type Error = InvalidResourceValue;

    /// A float is a ratio, an integer a count.
    fn try_from(value: &Value) -> Result<Self, InvalidResourceValue> {
        match value {
            Value::Float(float) => Ok(Self::Ratio(Ratio::new(float.get())?)),
            Value::Int(int) => u64::try_from(*int).map(Self::Count).map_err(|_| InvalidResourceValue::NegativeCount),
            _ => Err(InvalidResourceValue::NotANumber),
        }
    }
}

impl Serialize for ResourceValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ratio(ratio) => ratio.serialize(serializer),
            Self::Count(count) => serializer.serialize_u64(*count),
        }
    }
}

impl<'de> Deserialize<'de> for ResourceValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;

        impl Visitor<'_> for NumberVisitor {
            type Value = ResourceValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a ratio in 0.0..=1.0 or a non-negative integer")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<ResourceValue, E> {
                Ok(ResourceValue::Count(count))
            }

            fn visit_i64<E: de::Error>(self, count: i64) -> Result<ResourceValue, E> {
                u64::try_from(count)
                    .map(ResourceValue::Count)
                    .map_err(|_| E::custom(InvalidResourceValue::NegativeCount))
            }

            fn visit_f64<E: de::Error>(self, ratio: f64) -> Result<ResourceValue, E> {
                Ratio::new(ratio).map(ResourceValue::Ratio).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(NumberVisitor)
    }
}

/// Why a value is no [`ResourceValue`].
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidResourceValue {
    /// It is neither a float nor an integer.
    #[error("not a number")]
    NotANumber,
    /// It is an integer below zero.
    #[error("count is negative")]
    NegativeCount,
    /// It is a float, but not a ratio.
    #[error(transparent)]
    Ratio(#[from] RatioError),
}

/// What an agent, or a system, uses at the moment. All absent by default.
///
/// Only ratios take part in health, score and load; counts never do.
///
/// ```
/// use foundation_types::{Ratio, ResourceKind, ResourceUsage};
///
/// let usage = ResourceUsage::new().with_memory(Ratio::new(0.5)?).with_network(12);
/// assert_eq!(usage.ratios().collect::<Vec<_>>(), [(ResourceKind::Memory, Ratio::new(0.5)?)]);
/// # Ok::<(), foundation_types::RatioError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ResourceUsage {
    /// Share of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Ratio>,
    /// Share of processor time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Ratio>,
    /// Share of disk space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<Ratio>,
    /// Share of the graphics processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<Ratio>,
    /// Number of network connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<u64>,
    /// Resources of the user's own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<CustomResource, ResourceValue>,
}

impl ResourceUsage {
    /// Nothing known.
    pub const fn new() -> Self {
        Self { memory: None, cpu: None, storage: None, gpu: None, network: None, custom: BTreeMap::new() }
    }

    /// This usage with the share of memory.
    #[must_use]
    pub const fn with_memory(mut self, ratio: Ratio) -> Self {
        self.memory = Some(ratio);
        self
    }

    /// This usage with the share of processor time.
    #[must_use]
    pub const fn with_cpu(mut self, ratio: Ratio) -> Self {
        self.cpu = Some(ratio);
        self
    }

    /// This usage with the share of disk space.
    #[must_use]
    pub const fn with_storage(mut self, ratio: Ratio) -> Self {
        self.storage = Some(ratio);
        self
    }

    /// This usage with the share of the graphics processors.
    #[must_use]
    pub const fn with_gpu(mut self, ratio: Ratio) -> Self {
        self.gpu = Some(ratio);
        self
    }

    /// This usage with the number of network connections.
    #[must_use]
    pub const fn with_network(mut self, connections: u64) -> Self {
        self.network = Some(connections);
        self
    }

    /// This usage with a resource of the user's own.
    #[must_use]
    pub fn with_custom(mut self, resource: CustomResource, value: impl Into<ResourceValue>) -> Self {
        self.custom.insert(resource, value.into());
        self
    }

    /// How much of `kind` is used, if known.
    pub fn get(&self, kind: &ResourceKind) -> Option<ResourceValue> {
        match kind {
            ResourceKind::Memory => self.memory.map(ResourceValue::Ratio),
            ResourceKind::Cpu => self.cpu.map(ResourceValue::Ratio),
            ResourceKind::Storage => self.storage.map(ResourceValue::Ratio),
            ResourceKind::Gpu => self.gpu.map(ResourceValue::Ratio),
            ResourceKind::Network => self.network.map(ResourceValue::Count),
            ResourceKind::Custom(resource) => self.custom.get(resource).copied(),
        }
    }

    /// Everything known: memory, cpu, storage, gpu, network, then the user's own by name.
    pub fn iter(&self) -> impl Iterator<Item = (ResourceKind, ResourceValue)> {
        let named =
            [ResourceKind::Memory, ResourceKind::Cpu, ResourceKind::Storage, ResourceKind::Gpu, ResourceKind::Network];
        let named = named.into_iter().filter_map(|kind| self.get(&kind).map(|value| (kind, value)));
        named.chain(self.custom.iter().map(|(resource, value)| (ResourceKind::Custom(resource.clone()), *value)))
    }

    /// The resources that are known as ratios, in the order of [`iter`](Self::iter).
    pub fn ratios(&self) -> impl Iterator<Item = (ResourceKind, Ratio)> {
        self.iter().filter_map(|(kind, value)| value.as_ratio().map(|ratio| (kind, ratio)))
    }

    /// The mean of all ratios; `None` if there are none.
    pub fn mean_ratio(&self) -> Option<Ratio> {
        let named = [self.memory, self.cpu, self.storage, self.gpu].into_iter().flatten();
        Ratio::mean(named.chain(self.custom.values().filter_map(|value| value.as_ratio())))
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Takes over what `newer` knows and keeps the rest.
    pub fn merge(&mut self, newer: &Self) {
        self.memory = newer.memory.or(self.memory);
        self.cpu = newer.cpu.or(self.cpu);
        self.storage = newer.storage.or(self.storage);
        self.gpu = newer.gpu.or(self.gpu);
        self.network = newer.network.or(self.network);
        self.custom.extend(newer.custom.iter().map(|(resource, value)| (resource.clone(), *value)));
    }
}

impl From<&ResourceUsage> for Metadata {
    /// The keys that are known, with the user's own resources as a nested map `custom`.
    fn from(usage: &ResourceUsage) -> Self {
        let mut map = Self::new();
        for (kind, value) in usage.iter().filter(|(kind, _)| !matches!(kind, ResourceKind::Custom(_))) {
            map.insert(kind.to_name(), value);
        }
        if !usage.custom.is_empty() {
            let custom: Self = usage.custom.iter().map(|(name, value)| (name.as_name().clone(), *value)).collect();
            map.insert("custom", custom);
        }
        map
    }
}

fn count_value(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(value: f64) -> Ratio {
        Ratio::new(value).expect("in range")
    }

    fn custom(name: &str) -> CustomResource {
        CustomResource::new(name).expect("a free name")
    }

    #[test]
    fn merge_takes_what_the_newer_knows_and_keeps_the_rest() {
        let mut usage = ResourceUsage::new().with_memory(ratio(0.1)).with_network(1).with_custom(custom("a"), 1);
        usage.merge(&ResourceUsage::new().with_memory(ratio(0.2)).with_gpu(Ratio::ZERO).with_custom(custom("b"), 2));
        let expected = ResourceUsage::new().with_memory(ratio(0.2)).with_gpu(Ratio::ZERO).with_network(1);
        assert_eq!(usage, expected.with_custom(custom("a"), 1).with_custom(custom("b"), 2));
    }

    #[test]
    fn a_ratio_of_one_and_a_count_of_one_stay_apart_in_json() {
        let usage = ResourceUsage::new().with_custom(custom("share"), Ratio::ONE).with_custom(custom("number"), 1);
        let text = serde_json::to_string(&usage).expect("serialises");
        assert_eq!(text, r#"{"custom":{"number":1,"share":1.0}}"#);
        assert_eq!(serde_json::from_str::<ResourceUsage>(&text).expect("reads back"), usage);
    }

    #[test]
    fn absent_fields_are_omitted_and_integers_are_ratios_where_a_ratio_is_due() {
        assert_eq!(serde_json::to_string(&ResourceUsage::new()).expect("serialises"), "{}");
        let usage: ResourceUsage = serde_json::from_str(r#"{"memory": 1, "cpu": null, "other": 7}"#).expect("reads");
        assert_eq!(usage, ResourceUsage::new().with_memory(Ratio::ONE));
        assert!(serde_json::from_str::<ResourceUsage>(r#"{"network": 0.5}"#).is_err());
        assert!(serde_json::from_str::<ResourceUsage>(r#"{"cpu": 1.01}"#).is_err());
    }

    #[test]
    fn a_custom_resource_never_takes_the_name_of_a_named_one() {
        assert!(CustomResource::new("memory").is_err());
        assert!(serde_json::from_str::<ResourceUsage>(r#"{"custom": {"memory": 0.5}}"#).is_err());
        assert_eq!(ResourceKind::new("memory"), Ok(ResourceKind::Memory));
    }

    #[test]
    fn mean_ratio_ignores_counts() {
        let usage =
            ResourceUsage::new().with_cpu(ratio(0.25)).with_network(900).with_custom(custom("disk"), ratio(0.75));
        assert_eq!(usage.mean_ratio(), Some(ratio(0.5)));
        assert_eq!(ResourceUsage::new().with_network(3).mean_ratio(), None);
    }

    #[test]
    fn no_float_outside_the_range_becomes_a_ratio() {
        for value in [-0.1, 1.000_000_1, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert!(Ratio::new(value).is_err(), "{value}");
        }
        assert_eq!(Ratio::new(-0.0), Ok(Ratio::ZERO));
        assert_eq!(Ratio::saturating(f64::NAN), Ratio::ONE);
        assert_eq!(Ratio::saturating(-3.0), Ratio::ZERO);
    }
}
