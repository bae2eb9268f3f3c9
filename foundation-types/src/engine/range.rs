//! Reading keys.

use std::num::NonZeroU64;

use super::{Key, KeyValue, Revision};

/// Which keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeySelector {
    /// One key.
    Key(Key),
    /// All keys that begin with this one.
    Prefix(Key),
    /// All keys from `start`, inclusive, to `end`, exclusive. None, if `end` is not after `start`.
    Span {
        /// The first key.
        start: Key,
        /// The first key after the last.
        end: Key,
    },
}

impl KeySelector {
    /// Whether `key` is one of them.
    pub fn contains(&self, key: &Key) -> bool {
        match self {
            Self::Key(only) => key == only,
            Self::Prefix(prefix) => key.starts_with(prefix),
            Self::Span { start, end } => start <= key && key < end,
        }
    }

    /// The first key that can be one of them.
    pub const fn start(&self) -> &Key {
        match self {
            Self::Key(start) | Self::Prefix(start) | Self::Span { start, .. } => start,
        }
    }

    /// How many bytes of key it takes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Key(key) | Self::Prefix(key) => key.as_bytes().len(),
            Self::Span { start, end } => start.as_bytes().len() + end.as_bytes().len(),
        }
    }
}

/// By what a range is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum SortTarget {
    /// By key.
    #[default]
    Key,
    /// By the revision that created the key.
    CreateRevision,
    /// By the revision that wrote the key last.
    ModRevision,
}

/// Which way a range is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum SortOrder {
    /// The least first.
    #[default]
    Ascend,
    /// The greatest first.
    Descend,
}

/// How fresh a range must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Consistency {
    /// It reflects every transaction that was committed before it began (E2).
    #[default]
    Linearizable,
    /// It may be stale, and needs no quorum.
    Serializable,
}

/// What of the keys a range gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Projection {
    /// Keys with their values.
    #[default]
    KeyValues,
    /// Keys without their values.
    KeysOnly,
    /// Nothing but their number.
    CountOnly,
}

/// A question about keys.
///
/// ```
/// use foundation_types::engine::{Key, RangeQuery, Revision, SortOrder, SortTarget};
///
/// let waiters = Key::new("locks/index/")?;
/// let predecessor = RangeQuery::prefix(waiters)
///     .max_create_revision(Revision::new(41))
///     .sort(SortTarget::CreateRevision, SortOrder::Descend)
///     .first();
/// # let _ = predecessor;
/// # Ok::<(), foundation_types::engine::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RangeQuery {
    /// Which keys.
    pub selector: KeySelector,
    /// At most how many, counted after sorting; `None` for all.
    pub limit: Option<NonZeroU64>,
    /// The store as of this revision; `None` for now.
    pub revision: Option<Revision>,
    /// By what they are sorted.
    pub sort_target: SortTarget,
    /// Which way they are sorted.
    pub sort_order: SortOrder,
    /// How fresh the answer must be.
    pub consistency: Consistency,
    /// What of them is given.
    pub projection: Projection,
    /// Only keys created at or before this revision.
    pub max_create_revision: Option<Revision>,
}

impl RangeQuery {
    /// All these keys, now, by key.
    pub const fn new(selector: KeySelector) -> Self {
        Self {
            selector,
            limit: None,
            revision: None,
            sort_target: SortTarget::Key,
            sort_order: SortOrder::Ascend,
            consistency: Consistency::Linearizable,
            projection: Projection::KeyValues,
            max_create_revision: None,
        }
    }

    /// One key.
    pub const fn key(key: Key) -> Self {
        Self::new(KeySelector::Key(key))
    }

    /// All keys that begin with `prefix`.
    pub const fn prefix(prefix: Key) -> Self {
        Self::new(KeySelector::Prefix(prefix))
    }

    /// At most `limit` keys, counted after sorting.
    #[must_use]
    pub const fn limit(mut self, limit: NonZeroU64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Only the first key after sorting.
    #[must_use]
    pub const fn first(self) -> Self {
        self.limit(NonZeroU64::MIN)
    }

    /// The store as it was at `revision`.
    #[must_use]
    pub const fn at(mut self, revision: Revision) -> Self {
        self.revision = Some(revision);
        self
    }

    /// Sorted in another way than by ascending key.
    #[must_use]
    pub const fn sort(mut self, target: SortTarget, order: SortOrder) -> Self {
        self.sort_target = target;
        self.sort_order = order;
        self
    }

    /// Content with a stale answer.
    #[must_use]
    pub const fn serializable(mut self) -> Self {
        self.consistency = Consistency::Serializable;
        self
    }

    /// Without values.
    #[must_use]
    pub const fn keys_only(mut self) -> Self {
        self.projection = Projection::KeysOnly;
        self
    }

    /// Nothing but the number of keys.
    #[must_use]
    pub const fn count_only(mut self) -> Self {
        self.projection = Projection::CountOnly;
        self
    }

    /// Only keys created at or before `revision`.
    #[must_use]
    pub const fn max_create_revision(mut self, revision: Revision) -> Self {
        self.max_create_revision = Some(revision);
        self
    }
}

/// The answer to a [`RangeQuery`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct RangeReply {
    /// The revision of the store when it answered, whatever revision was asked for.
    pub revision: Revision,
    /// The keys, sorted as asked; empty if only their number was asked for.
    pub kvs: Vec<KeyValue>,
    /// Whether the limit kept keys back.
    pub more: bool,
    /// How many keys the selector matches, the limit and the creation revision aside.
    pub count: u64,
}
