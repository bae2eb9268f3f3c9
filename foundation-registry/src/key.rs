//! Keys of entries and their hashes.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use foundation_types::{Namespace, Scope, ServiceName};

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

    /// The key with its hash, borrowed.
    pub fn borrowed(&self) -> KeyRef<'_> {
        KeyRef::new(&self.namespace, &self.name)
    }
}

/// A borrowed key with its hash, so that a key is hashed once on its way through a registry.
#[derive(Clone, Copy, Debug)]
pub struct KeyRef<'k> {
    namespace: &'k Namespace,
    name: &'k ServiceName,
    hash: u64,
}

impl<'k> KeyRef<'k> {
    /// The key of these parts. O(length of the name).
    #[inline]
    pub fn new(namespace: &'k Namespace, name: &'k ServiceName) -> Self {
        Self { namespace, name, hash: hash_key(namespace, name) }
    }

    pub(crate) const fn with_hash(namespace: &'k Namespace, name: &'k ServiceName, hash: u64) -> Self {
        Self { namespace, name, hash }
    }

    /// The namespace.
    pub const fn namespace(self) -> &'k Namespace {
        self.namespace
    }

    /// The name in it.
    pub const fn name(self) -> &'k ServiceName {
        self.name
    }

    /// The hash: the same for equal keys as long as the process runs.
    pub const fn hash(self) -> u64 {
        self.hash
    }

    /// Whether it is this key.
    #[inline]
    pub fn is(self, key: &RegistryKey) -> bool {
        *self.name == key.name && *self.namespace == key.namespace
    }

    /// The key, owned.
    pub fn to_key(self) -> RegistryKey {
        RegistryKey::new(self.namespace.clone(), self.name.clone())
    }
}

impl fmt::Display for RegistryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Seeded once a process, so that a hash means the same in every table.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// Equal keys hash alike. The text of the name is fed first and whole, and what most keys do not have not at all: derived
/// hashing would feed four words for the shape of a key alone.
#[inline]
fn hash_key(namespace: &Namespace, name: &ServiceName) -> u64 {
    let mut hasher = HASHER.build_hasher();
    hasher.write(name.name().as_str().as_bytes());
    match namespace {
        Namespace::Production => {}
        Namespace::Test(test) => test.hash(&mut hasher),
        Namespace::Custom(custom) => hasher.write(custom.as_name().as_str().as_bytes()),
    }
    if *name.scope() != Scope::Plain {
        hasher.write(name.scope().as_str().as_bytes());
    }
    hasher.finish()
}

pub(crate) fn hash_one(value: impl Hash) -> u64 {
    HASHER.hash_one(value)
}
