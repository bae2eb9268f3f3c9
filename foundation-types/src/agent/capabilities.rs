//! Sets of capabilities that are cheap to hand around.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Capability, Value};

/// A sorted set of [`Capability`]s. Cloning is O(1); the first change of a shared set copies it.
///
/// It reads as the [`BTreeSet`] inside. The serialised form is a sorted array.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CapabilitySet(Arc<BTreeSet<Capability>>);

impl CapabilitySet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `capability`; `false` if it was there.
    pub fn insert(&mut self, capability: Capability) -> bool {
        !self.0.contains(&capability) && Arc::make_mut(&mut self.0).insert(capability)
    }

    /// Removes `capability`; `false` if it was not there.
    pub fn remove(&mut self, capability: &Capability) -> bool {
        self.0.contains(capability) && Arc::make_mut(&mut self.0).remove(capability)
    }
}

impl Deref for CapabilitySet {
    type Target = BTreeSet<Capability>;

    fn deref(&self) -> &BTreeSet<Capability> {
        &self.0
    }
}

impl FromIterator<Capability> for CapabilitySet {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(Arc::new(capabilities.into_iter().collect()))
    }
}

impl IntoIterator for CapabilitySet {
    type Item = Capability;
    type IntoIter = std::collections::btree_set::IntoIter<Capability>;

    /// O(1) if this is the only clone, otherwise O(n).
    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

impl<'s> IntoIterator for &'s CapabilitySet {
    type Item = &'s Capability;
    type IntoIter = std::collections::btree_set::Iter<'s, Capability>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl From<&CapabilitySet> for Value {
    /// A sorted list of texts.
    fn from(capabilities: &CapabilitySet) -> Self {
        Self::List(capabilities.iter().map(|capability| Self::from(capability.as_name())).collect())
    }
}

impl fmt::Debug for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for CapabilitySet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CapabilitySet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeSet::deserialize(deserializer).map(|set| Self(Arc::new(set)))
    }
}
