//! The engine seam: a small revisioned store with leases, on which locks, elections, registrations and remote settings are
//! built once for every back-end.
//!
//! The vocabulary is that of etcd: revisions, leases, transactions of compares and operations, ranges, watches. See
//! <https://etcd.io/docs/latest/learning/api/>.

mod compare;
mod error;
mod key;
mod kv;
mod range;
mod txn;
mod watch;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;

pub use compare::{Compare, CompareResult};
pub use error::{BoxError, EngineError};
pub use key::{Key, KeyError, MAX_KEY_LEN};
pub use kv::{KeyValue, Lease, LeaseId, Revision};
pub use range::{Consistency, KeySelector, Projection, RangeQuery, RangeReply, SortOrder, SortTarget};
pub use txn::{MAX_TXN_BYTES, MAX_TXN_OPS, Op, OpReply, Put, Txn, TxnBuilder, TxnError, TxnReply};
pub use watch::{Change, WatchEvent};

use crate::Clock;

/// A future on the heap, so that traits with asynchronous methods stay object safe.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A stream on the heap, so that traits with streaming methods stay object safe.
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;

/// What an engine can do, and what it asks of its users.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineCaps {
    /// Whether the store outlives the process.
    pub durable: bool,
    /// Whether several processes share the store.
    pub cross_process: bool,
    /// The shortest time to live it grants; shorter wishes are raised to it.
    pub min_ttl: Duration,
    /// Whether every lease expires unless kept alive. If not, a lease may be granted without a time to live.
    pub lease_required: bool,
}

impl EngineCaps {
    /// The capabilities of an engine in the memory of one process: volatile, and content with leases that never expire.
    pub const fn in_process() -> Self {
        Self { durable: false, cross_process: false, min_ttl: Duration::ZERO, lease_required: false }
    }

    /// The capabilities of a durable engine that several processes share, where leases always expire.
    pub const fn shared(min_ttl: Duration) -> Self {
        Self { durable: true, cross_process: true, min_ttl, lease_required: true }
    }
}

/// A small revisioned store with leases.
///
/// Every implementation must keep these axioms; whatever is built on the trait relies on nothing else.
///
/// - **E1** A transaction is atomic. Each committed transaction that changes anything has a revision greater than every
///   earlier one.
/// - **E2** Transactions and ranges are linearizable (the whole is strictly serializable). A stale read happens only where it
///   is asked for, by [`Consistency::Serializable`].
/// - **E3** A key's creation revision is never reused, also not after the key is deleted and created again. (A count of
///   writes per key does not have this property, as it starts anew: it must not serve as a fencing token, and is not
///   offered.)
/// - **E4** Revocation or expiry of a lease deletes all keys attached to it, in one revision.
/// - **E5** A lease never expires before its granted time to live has passed since the engine accepted the last renewal. It
///   may expire later. The *granted* time to live is authoritative; it can be longer than the one asked for.
/// - **E6** A watch delivers every change from its start revision on, in order and without gaps, or fails with
///   [`EngineError::Compacted`].
/// - **E7** [`EngineError::Indeterminate`] means that the operation may or may not have been applied, now or later;
///   [`EngineError::Unavailable`], that it certainly was not and will not be. Every other outcome is definite. An engine never
///   turns an indeterminate outcome into another error.
/// - **E8** After [`EngineError::Closed`] nothing is applied.
///
/// # Cancel safety
/// Dropping a future of [`grant`](Self::grant), [`keep_alive`](Self::keep_alive), [`revoke`](Self::revoke) or
/// [`txn`](Self::txn) leaves the outcome indeterminate, as if it had given [`EngineError::Indeterminate`]. Dropping one of
/// [`range`](Self::range) or a stream of [`watch`](Self::watch) has no effect on the store.
pub trait Engine: Send + Sync + 'static {
    /// What the engine can do.
    fn capabilities(&self) -> EngineCaps;

    /// The clock by which leases are judged: monotonic, and counting the time that the machine is suspended.
    fn clock(&self) -> &dyn Clock;

    /// Grants a lease. Without a time to live the lease never expires where the engine allows that (its
    /// [`granted_ttl`](Lease::granted_ttl) is then [`Duration::MAX`]), and has the engine's default otherwise.
    ///
    /// # Errors
    /// Any [`EngineError`] but `LeaseNotFound` and `Compacted`.
    fn grant(&self, ttl: Option<Duration>) -> BoxFuture<'_, Result<Lease, EngineError>>;

    /// Renews a lease and gives the time to live granted from now on; [`Duration::MAX`] for a lease that never expires.
    ///
    /// # Errors
    /// [`EngineError::LeaseNotFound`] if it expired, was revoked or never existed; `Unavailable`, `Indeterminate`, `Closed`,
    /// `Backend`.
    fn keep_alive(&self, id: LeaseId) -> BoxFuture<'_, Result<Duration, EngineError>>;

    /// Revokes a lease and deletes its keys (E4).
    ///
    /// # Errors
    /// As [`keep_alive`](Self::keep_alive).
    fn revoke(&self, id: LeaseId) -> BoxFuture<'_, Result<(), EngineError>>;

    /// Starts to revoke a lease and returns. For `Drop`: it never blocks and never panics. Should the revocation not get
    /// through, the lease ends by its expiry.
    fn revoke_detached(&self, id: LeaseId);

    /// Runs a transaction (E1, E2). A lease named by a put must exist.
    ///
    /// # Errors
    /// [`EngineError::LeaseNotFound`], with nothing applied; [`EngineError::Compacted`] if a range in it asks for a revision
    /// that is gone; `Unavailable`, `Indeterminate`, `Closed`, `Backend`.
    fn txn(&self, txn: Txn) -> BoxFuture<'_, Result<TxnReply, EngineError>>;

    /// Reads keys (E2).
    ///
    /// # Errors
    /// [`EngineError::Compacted`] if the query asks for a revision that is gone; `Unavailable`, `Closed`, `Backend`.
    fn range(&self, query: RangeQuery) -> BoxFuture<'_, Result<RangeReply, EngineError>>;

    /// Follows the changes under `prefix` from the revision `from` on, inclusive (E6).
    ///
    /// After a range, watch from [`Revision::next`] of its revision. A `from` in the future waits for it. An error ends the
    /// stream; a stream that fails with `Unavailable` can be taken up again after the last event delivered.
    fn watch(&self, prefix: Key, from: Revision) -> BoxStream<'_, Result<WatchEvent, EngineError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trait_is_object_safe_and_its_parts_cross_threads() {
        fn is_send_and_sync<T: Send + Sync + ?Sized>() {}
        is_send_and_sync::<dyn Engine>();
        is_send_and_sync::<Txn>();
        is_send_and_sync::<TxnReply>();
        is_send_and_sync::<EngineError>();
    }
}
