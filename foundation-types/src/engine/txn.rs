//! Transactions.

use std::sync::Arc;

use super::{Compare, Key, KeySelector, LeaseId, RangeQuery, RangeReply, Revision};

/// The most compares of a transaction, and the most operations of each of its branches; the default limit of an etcd server.
pub const MAX_TXN_OPS: usize = 128;

/// The most bytes that all keys and values of a transaction take together; below the default request limit of an etcd server
/// (1.5 MiB) by what encoding may add.
pub const MAX_TXN_BYTES: usize = 1_310_720;

/// A write of one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Put {
    /// The key.
    pub key: Key,
    /// Its new value.
    pub value: Arc<[u8]>,
    /// The lease it is attached to from now on; `None` detaches it from any.
    pub lease: Option<LeaseId>,
}

/// An operation of a transaction. The operations of a branch run in order, and each sees what those before it did.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Op {
    /// Writes a key.
    Put(Put),
    /// Deletes keys.
    Delete(KeySelector),
    /// Reads keys. A revision in the query, or its consistency, is not regarded: it reads what the transaction sees.
    Range(RangeQuery),
}

impl Op {
    /// Writes a key that outlives every lease.
    pub fn put(key: Key, value: impl Into<Arc<[u8]>>) -> Self {
        Self::Put(Put { key, value: value.into(), lease: None })
    }

    /// Writes a key that goes with `lease`.
    pub fn put_leased(key: Key, value: impl Into<Arc<[u8]>>, lease: LeaseId) -> Self {
        Self::Put(Put { key, value: value.into(), lease: Some(lease) })
    }

    /// Deletes a key, if it exists.
    pub const fn delete(key: Key) -> Self {
        Self::Delete(KeySelector::Key(key))
    }

    /// Deletes all keys that begin with `prefix`.
    pub const fn delete_prefix(prefix: Key) -> Self {
        Self::Delete(KeySelector::Prefix(prefix))
    }

    /// Reads a key.
    pub const fn get(key: Key) -> Self {
        Self::Range(RangeQuery::key(key))
    }

    fn len(&self) -> usize {
        match self {
            Self::Put(put) => put.key.as_bytes().len() + put.value.len(),
            Self::Delete(selector) => selector.len(),
            Self::Range(query) => query.selector.len(),
        }
    }
}

/// A transaction: if all compares hold, the one branch of operations, otherwise the other; all at one revision.
///
/// A value of this type is valid: it keeps the size limits, and no branch writes a key twice.
///
/// ```
/// use foundation_types::engine::{Compare, Key, Op, Txn};
///
/// let leader = Key::new("elections/main/leader")?;
/// let campaign = Txn::when(Compare::absent(leader.clone()))
///     .then(Op::put(leader.clone(), *b"node-1"))
///     .otherwise(Op::get(leader))
///     .build()?;
/// assert_eq!(campaign.compares().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Txn {
    compares: Vec<Compare>,
    success: Vec<Op>,
    failure: Vec<Op>,
}

impl Txn {
    /// Begins a transaction with a condition.
    pub fn when(compare: Compare) -> TxnBuilder {
        TxnBuilder::default().and(compare)
    }

    /// Begins a transaction without conditions.
    pub fn always(op: Op) -> TxnBuilder {
        TxnBuilder::default().then(op)
    }

    /// The conditions, all of which must hold.
    pub fn compares(&self) -> &[Compare] {
        &self.compares
    }

    /// What is done if they hold.
    pub fn success(&self) -> &[Op] {
        &self.success
    }

    /// What is done otherwise.
    pub fn failure(&self) -> &[Op] {
        &self.failure
    }

    /// The conditions and both branches.
    pub fn into_parts(self) -> (Vec<Compare>, Vec<Op>, Vec<Op>) {
        (self.compares, self.success, self.failure)
    }
}

/// Makes a [`Txn`]; begun by [`Txn::when`] or [`Txn::always`].
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until build is called"]
pub struct TxnBuilder {
    compares: Vec<Compare>,
    success: Vec<Op>,
    failure: Vec<Op>,
}

impl TxnBuilder {
    /// One more condition; all must hold.
    pub fn and(mut self, compare: Compare) -> Self {
        self.compares.push(compare);
        self
    }

    /// One more operation if the conditions hold.
    pub fn then(mut self, op: Op) -> Self {
        self.success.push(op);
        self
    }

    /// One more operation if a condition does not hold.
    pub fn otherwise(mut self, op: Op) -> Self {
        self.failure.push(op);
        self
    }

    /// Checks the limits and gives the transaction. O(puts × deletes + n log n).
    ///
    /// # Errors
    /// [`TxnError`].
    pub fn build(self) -> Result<Txn, TxnError> {
        let most = self.compares.len().max(self.success.len()).max(self.failure.len());
        if most > MAX_TXN_OPS {
            return Err(TxnError::TooManyOps { count: most });
        }
        let compared: usize = self.compares.iter().map(Compare::len).sum();
        let bytes = self.success.iter().chain(&self.failure).fold(compared, |sum, op| sum.saturating_add(op.len()));
        if bytes > MAX_TXN_BYTES {
            return Err(TxnError::TooLarge { bytes });
        }
        check_branch(&self.success)?;
        check_branch(&self.failure)?;
        Ok(Txn { compares: self.compares, success: self.success, failure: self.failure })
    }
}

/// No key may be written twice, or written and deleted, in one revision: a watch could not tell what became of it.
fn check_branch(ops: &[Op]) -> Result<(), TxnError> {
    let mut puts: Vec<&Key> =
        ops.iter().filter_map(|op| if let Op::Put(put) = op { Some(&put.key) } else { None }).collect();
    puts.sort_unstable();
    let twice = puts.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
    let deletes = || ops.iter().filter_map(|op| if let Op::Delete(selector) = op { Some(selector) } else { None });
    let conflict = twice.or_else(|| puts.into_iter().find(|key| deletes().any(|selector| selector.contains(key))));
    conflict.map_or(Ok(()), |key| Err(TxnError::ConflictingWrites { key: key.clone() }))
}

/// Why a transaction is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TxnError {
    /// There are more than [`MAX_TXN_OPS`] conditions, or operations in a branch.
    #[error("{count} conditions or operations, limit {MAX_TXN_OPS}")]
    TooManyOps {
        /// How many there are.
        count: usize,
    },
    /// Keys and values take more than [`MAX_TXN_BYTES`].
    #[error("{bytes} bytes of keys and values, limit {MAX_TXN_BYTES}")]
    TooLarge {
        /// How many bytes there are.
        bytes: usize,
    },
    /// A branch writes a key twice, or writes and deletes it.
    #[error("key {key} is changed twice in one branch")]
    ConflictingWrites {
        /// The key.
        key: Key,
    },
}

/// What came of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TxnReply {
    /// The revision of the transaction if it changed anything, otherwise that of the store.
    pub revision: Revision,
    /// Whether all conditions held.
    pub succeeded: bool,
    /// The replies to the operations of the branch that ran, in order.
    pub responses: Vec<OpReply>,
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpReply {
    /// The key was written.
    Put,
    /// Keys were deleted.
    Delete {
        /// How many.
        deleted: u64,
    },
    /// Keys were read.
    Range(RangeReply),
}

impl OpReply {
    /// The answer to a range; `None` for the reply to another operation.
    pub const fn as_range(&self) -> Option<&RangeReply> {
        if let Self::Range(reply) = self { Some(reply) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::new(text).expect("a short text")
    }

    #[test]
    fn a_branch_changes_no_key_twice() {
        let conflict = Err(TxnError::ConflictingWrites { key: key("a/1") });
        let twice = Txn::always(Op::put(key("a/1"), *b"x")).then(Op::put(key("a/1"), *b"y"));
        assert_eq!(twice.build(), conflict);
        let put_and_delete = Txn::when(Compare::absent(key("b")))
            .otherwise(Op::delete_prefix(key("a/")))
            .otherwise(Op::put(key("a/1"), *b"x"));
        assert_eq!(put_and_delete.build(), conflict);
        let apart = Txn::always(Op::put(key("a/1"), *b"x")).otherwise(Op::delete(key("a/1")));
        assert!(apart.build().is_ok(), "only one branch runs");
    }

    #[test]
    fn size_limits_hold_at_their_edges() {
        let ops = |count: usize| {
            (0..count).fold(TxnBuilder::default(), |txn, number| txn.then(Op::put(key(&number.to_string()), *b"")))
        };
        assert!(ops(MAX_TXN_OPS).build().is_ok());
        assert_eq!(ops(MAX_TXN_OPS + 1).build(), Err(TxnError::TooManyOps { count: MAX_TXN_OPS + 1 }));
        let sized = |len: usize| Txn::always(Op::put(key("k"), vec![0; len])).build();
        assert!(sized(MAX_TXN_BYTES - 1).is_ok());
        assert_eq!(sized(MAX_TXN_BYTES), Err(TxnError::TooLarge { bytes: MAX_TXN_BYTES + 1 }));
    }
}
