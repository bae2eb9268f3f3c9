//! Identities that are never reused.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// The identity of an owner: a random number of the process start and a sequence number in it.
///
/// Never reused within a process, and across processes and nodes except with the probability that two of them draw the
/// same 64 random bits. The order is total but means nothing; it serves maps. Text form: `<epoch hex>.<sequence>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId {
    epoch: u64,
    sequence: u64,
}

impl OwnerId {
    /// A fresh identity.
    pub(super) fn next() -> Self {
        static EPOCH: OnceLock<u64> = OnceLock::new();
        static SEQUENCE: AtomicU64 = AtomicU64::new(1);
        let epoch = *EPOCH.get_or_init(|| {
            let (high, low) = Uuid::new_v4().as_u64_pair();
            // Each half of a version 4 UUID has fixed bits; together they have 122 random ones.
            high ^ low.rotate_left(32)
        });
        // Relaxed: only the number itself must be unique.
        Self { epoch, sequence: SEQUENCE.fetch_add(1, Ordering::Relaxed) }
    }

    /// The identity with these parts, for decoders and for mirrors of remote owners.
    pub const fn from_parts(epoch: u64, sequence: u64) -> Self {
        Self { epoch, sequence }
    }

    /// The random number of the process start.
    pub const fn epoch(self) -> u64 {
        self.epoch
    }

    /// The number of the owner within its process.
    pub const fn sequence(self) -> u64 {
        self.sequence
    }
}

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{}", self.epoch, self.sequence)
    }
}

impl fmt::Debug for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for OwnerId {
    type Err = OwnerIdError;

    fn from_str(text: &str) -> Result<Self, OwnerIdError> {
        let (epoch, sequence) = text.split_once('.').ok_or(OwnerIdError)?;
        let epoch = u64::from_str_radix(epoch, 16).map_err(|_| OwnerIdError)?;
        let sequence = sequence.parse().map_err(|_| OwnerIdError)?;
        let id = Self { epoch, sequence };
        // One text per identity: signs, leading zeros and upper case do not read back.
        if id.to_string() == text { Ok(id) } else { Err(OwnerIdError) }
    }
}

impl Serialize for OwnerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OwnerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is not `<epoch hex>.<sequence>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an owner id")]
pub struct OwnerIdError;
