//! Keys of entries and their hashes.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use foundation_types::{Namespace, ServiceName};

/// What an entry is found by: a namespace and a name in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryKey {
    /// The namespace.
    pub namespace: Namespace,
    /// The name in it.
    pub name: ServiceName,
}

impl RegistryKey {
    /// A key of these parts.
    pub const fn new(namespace: Namespace, name: ServiceName) -> Self {
        Self { namespace, name }
    }

    pub(crate) fn is(&self, namespace: &Namespace, name: &ServiceName) -> bool {
        self.name == *name && self.namespace == *namespace
    }
}

impl fmt::Display for RegistryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Seeded once a process, so that a hash means the same in every table.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// The hash of a key, from its parts.
#[inline]
pub(crate) fn hash_key(namespace: &Namespace, name: &ServiceName) -> u64 {
    HASHER.hash_one((namespace, name))
}

pub(crate) fn hash_one(value: impl std::hash::Hash) -> u64 {
    HASHER.hash_one(value)
}
