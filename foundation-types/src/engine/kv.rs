//! What an engine stores: key-value pairs, under revisions and leases.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Key;

/// A point in the history of a store. Every transaction that changes anything has a greater one than all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// Before the first change. As the creation or modification revision of a key: the key does not exist.
    pub const ZERO: Self = Self(0);

    /// The revision with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The revision after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The id of a lease. Zero, which stands for no lease on the wire of etcd, is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeaseId(NonZeroU64);

impl LeaseId {
    /// The lease with this number.
    pub const fn new(number: NonZeroU64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn get(self) -> NonZeroU64 {
        self.0
    }
}

impl fmt::Display for LeaseId {
    /// Hexadecimal, as etcd's tools print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// A lease as it was granted. It does nothing when dropped; revoke it, or let it expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a lease that nobody keeps alive expires"]
pub struct Lease {
    /// Its id.
    pub id: LeaseId,
    /// How long it lives after each renewal, as the engine decided; [`Duration::MAX`] if it never expires.
    pub granted_ttl: Duration,
}

impl Lease {
    /// For engines: a lease that was granted.
    pub const fn new(id: LeaseId, granted_ttl: Duration) -> Self {
        Self { id, granted_ttl }
    }
}

/// A key with its value and its place in history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyValue {
    /// The key.
    pub key: Key,
    /// The value; empty where only keys were asked for.
    pub value: Arc<[u8]>,
    /// The revision that created the key. It is never reused (E3), so it serves as a fencing token.
    pub create_revision: Revision,
    /// The revision that wrote the key last.
    pub mod_revision: Revision,
    /// The lease the key is attached to.
    pub lease: Option<LeaseId>,
}
