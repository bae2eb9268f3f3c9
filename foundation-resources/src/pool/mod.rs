//! Object pools: a bounded number of workers, lent one by one.

mod builder;
mod checkout;
mod classify;
mod core;
mod error;
pub mod events;
mod factory;
mod handle;
mod inspect;
mod set;
mod status;

pub use builder::{Builder, Check, OnPanic, Order};
pub use checkout::Checkout;
pub use error::{AddError, CheckoutError, FindError, OptionsError, StartError, StartInError};
pub use factory::{AsyncFactory, Factory, FromFn, from_fn};
pub use handle::Pool;
pub use set::PoolSet;
pub use status::{PoolState, PoolStatus};

/// The most workers of a pool, overflow included.
pub const MAX_POOL_SIZE: usize = 1 << 20;
/// The most callers that a pool can be told to let wait.
pub const MAX_WAITING_LIMIT: usize = 1 << 20;
/// The most pools of a set.
pub const MAX_POOLS: usize = 10_000;
/// How many workers a pool keeps unless told otherwise.
pub const DEFAULT_SIZE: usize = 5;
/// How many workers a pool may have beyond its size unless told otherwise.
pub const DEFAULT_MAX_OVERFLOW: usize = 10;
/// How many callers may wait for a worker unless told otherwise.
pub const DEFAULT_MAX_WAITING: usize = 10_000;
