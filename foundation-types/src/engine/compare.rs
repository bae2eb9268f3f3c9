//! Conditions of transactions.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Key, KeyValue, LeaseId, Revision};

/// How a stored property must relate to the one given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareResult {
    /// The stored one is equal.
    Equal,
    /// The stored one is another.
    NotEqual,
    /// The stored one is greater.
    Greater,
    /// The stored one is less.
    Less,
}

impl CompareResult {
    /// Whether a stored property that orders like this against the given one satisfies it.
    pub const fn accepts(self, stored_to_given: Ordering) -> bool {
        match self {
            Self::Equal => stored_to_given.is_eq(),
            Self::NotEqual => stored_to_given.is_ne(),
            Self::Greater => stored_to_given.is_gt(),
            Self::Less => stored_to_given.is_lt(),
        }
    }
}

/// A condition of a transaction on one key.
///
/// A key that does not exist has the creation and modification revision [`Revision::ZERO`] and no lease; a condition on its
/// value never holds. There is no condition on the number of writes of a key, because that number is reused (E3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compare {
    /// On the revision that created the key.
    CreateRevision {
        /// The key.
        key: Key,
        /// How the stored revision must relate to `revision`.
        result: CompareResult,
        /// The revision given.
        revision: Revision,
    },
    /// On the revision that wrote the key last.
    ModRevision {
        /// The key.
        key: Key,
        /// How the stored revision must relate to `revision`.
        result: CompareResult,
        /// The revision given.
        revision: Revision,
    },
    /// On the value of the key, by bytes.
    Value {
        /// The key.
        key: Key,
        /// How the stored value must relate to `value`.
        result: CompareResult,
        /// The value given.
        value: Arc<[u8]>,
    },
    /// On the lease of the key.
    Lease {
        /// The key.
        key: Key,
        /// The lease it must be attached to; `None`: it must be attached to none.
        lease: Option<LeaseId>,
    },
}

impl Compare {
    /// The key does not exist.
    pub const fn absent(key: Key) -> Self {
        Self::create_revision(key, CompareResult::Equal, Revision::ZERO)
    }

    /// The key exists.
    pub const fn present(key: Key) -> Self {
        Self::create_revision(key, CompareResult::NotEqual, Revision::ZERO)
    }

    /// The creation revision relates so to `revision`.
    pub const fn create_revision(key: Key, result: CompareResult, revision: Revision) -> Self {
        Self::CreateRevision { key, result, revision }
    }

    /// The modification revision relates so to `revision`.
    pub const fn mod_revision(key: Key, result: CompareResult, revision: Revision) -> Self {
        Self::ModRevision { key, result, revision }
    }

    /// The key was not written since it was read as `seen`.
    pub fn unchanged(seen: &KeyValue) -> Self {
        Self::mod_revision(seen.key.clone(), CompareResult::Equal, seen.mod_revision)
    }

    /// The value relates so to `value`, by bytes.
    pub fn value(key: Key, result: CompareResult, value: impl Into<Arc<[u8]>>) -> Self {
        Self::Value { key, result, value: value.into() }
    }

    /// The key is attached to this lease, or to none.
    pub const fn lease(key: Key, lease: Option<LeaseId>) -> Self {
        Self::Lease { key, lease }
    }

    /// The key.
    pub const fn key(&self) -> &Key {
        match self {
            Self::CreateRevision { key, .. }
            | Self::ModRevision { key, .. }
            | Self::Value { key, .. }
            | Self::Lease { key, .. } => key,
        }
    }

    /// Whether the condition holds for the key as it is stored; `None` if it does not exist. For engines: this is the
    /// meaning of the conditions.
    pub fn holds(&self, stored: Option<&KeyValue>) -> bool {
        match self {
            Self::CreateRevision { result, revision, .. } => {
                result.accepts(stored.map_or(Revision::ZERO, |kv| kv.create_revision).cmp(revision))
            }
            Self::ModRevision { result, revision, .. } => {
                result.accepts(stored.map_or(Revision::ZERO, |kv| kv.mod_revision).cmp(revision))
            }
            Self::Value { result, value, .. } => stored.is_some_and(|kv| result.accepts(kv.value.cmp(value))),
            Self::Lease { lease, .. } => stored.and_then(|kv| kv.lease) == *lease,
        }
    }

    /// How many bytes of key and value it takes.
    pub(super) fn len(&self) -> usize {
        self.key().as_bytes().len() + if let Self::Value { value, .. } = self { value.len() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    fn key(text: &str) -> Key {
        Key::new(text).expect("a short text")
    }

    fn stored(create: u64, modified: u64, value: &[u8], lease: Option<LeaseId>) -> KeyValue {
        KeyValue {
            key: key("k"),
            value: value.into(),
            create_revision: Revision::new(create),
            mod_revision: Revision::new(modified),
            lease,
        }
    }

    #[test]
    fn a_missing_key_has_revision_zero_no_lease_and_no_value() {
        assert!(Compare::absent(key("k")).holds(None));
        assert!(!Compare::present(key("k")).holds(None));
        assert!(Compare::mod_revision(key("k"), CompareResult::Less, Revision::new(1)).holds(None));
        assert!(Compare::lease(key("k"), None).holds(None));
        for result in [CompareResult::Equal, CompareResult::NotEqual, CompareResult::Greater, CompareResult::Less] {
            assert!(!Compare::value(key("k"), result, *b"v").holds(None), "{result:?}");
        }
    }

    #[test]
    fn conditions_compare_the_stored_property_with_the_given_one() {
        let lease = LeaseId::new(NonZeroU64::MIN);
        let kv = stored(3, 7, b"m", Some(lease));
        let holds = |compare: Compare| compare.holds(Some(&kv));
        assert!(holds(Compare::present(key("k"))) && !holds(Compare::absent(key("k"))));
        assert!(holds(Compare::unchanged(&kv)));
        assert!(!Compare::unchanged(&kv).holds(Some(&stored(3, 8, b"m", None))));
        assert!(holds(Compare::create_revision(key("k"), CompareResult::Greater, Revision::new(2))));
        assert!(!holds(Compare::create_revision(key("k"), CompareResult::Greater, Revision::new(3))));
        assert!(holds(Compare::value(key("k"), CompareResult::Less, *b"n")));
        assert!(!holds(Compare::value(key("k"), CompareResult::NotEqual, *b"m")));
        assert!(holds(Compare::lease(key("k"), Some(lease))) && !holds(Compare::lease(key("k"), None)));
    }
}
