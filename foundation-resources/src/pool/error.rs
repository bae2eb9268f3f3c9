//! What can go wrong.

use std::time::Duration;

use foundation_types::Name;

use super::{MAX_POOL_SIZE, MAX_POOLS, MAX_WAITING_LIMIT};

/// Why a pool has no worker for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckoutError<E> {
    /// Every worker is out, there may be no more of them, and the caller does not wait.
    #[error("pool is full: all {capacity} workers are out")]
    Full {
        /// How many workers the pool may have.
        capacity: usize,
    },
    /// Every worker is out, and so many wait that no more may.
    #[error("pool is full and {limit} wait already, the limit")]
    TooManyWaiting {
        /// How many may wait.
        limit: usize,
    },
    /// No worker became free in time.
    #[error("no worker became free within {waited:?}")]
    Timeout {
        /// How long the caller was ready to wait.
        waited: Duration,
    },
    /// The pool was closed.
    #[error("pool is closed")]
    Closed,
    /// A worker had to be made, and could not be.
    #[error("a worker could not be started")]
    Create(#[source] E),
}

/// Why a pool could not be started. Workers made until then have been retired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError<E> {
    /// An option is out of range. No worker was made.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// One of the first workers could not be made.
    #[error("a worker could not be started")]
    Create(#[source] E),
}

/// Why a pool cannot have these options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// `size` is above [`MAX_POOL_SIZE`].
    #[error("size is {size}, limit {MAX_POOL_SIZE}")]
    Size {
        /// What was asked for.
        size: usize,
    },
    /// `max_overflow` is above [`MAX_POOL_SIZE`].
    #[error("max_overflow is {max_overflow}, limit {MAX_POOL_SIZE}")]
    Overflow {
        /// What was asked for.
        max_overflow: usize,
    },
    /// `size` and `max_overflow` together are above [`MAX_POOL_SIZE`].
    #[error("size {size} and max_overflow {max_overflow} are together above the limit {MAX_POOL_SIZE}")]
    Total {
        /// The size asked for.
        size: usize,
        /// The overflow asked for.
        max_overflow: usize,
    },
    /// `max_waiting` is above [`MAX_WAITING_LIMIT`].
    #[error("max_waiting is {max_waiting}, limit {MAX_WAITING_LIMIT}")]
    Waiting {
        /// What was asked for.
        max_waiting: usize,
    },
}

/// Why a set does not take a pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// A pool of the set has the name, or is being started under it.
    #[error("there is a pool called {name} already")]
    AlreadyExists {
        /// The name.
        name: Name,
    },
    /// The set has [`MAX_POOLS`] pools.
    #[error("the set holds {MAX_POOLS} pools, its limit")]
    TooManyPools,
}

/// Why a pool could not be started in a set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartInError<E> {
    /// The set does not take it. No worker was made.
    #[error(transparent)]
    Add(#[from] AddError),
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError<E>),
}

/// Why a set has no such pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// No pool has the name.
    #[error("there is no pool called {name}")]
    NotFound {
        /// The name.
        name: Name,
    },
    /// The pool has another factory, or another clock, than was asked for.
    #[error("pool {name} is a {stored}, not a {wanted}")]
    WrongType {
        /// The name.
        name: Name,
        /// The type of the pool.
        stored: &'static str,
        /// The type asked for.
        wanted: &'static str,
    },
}
