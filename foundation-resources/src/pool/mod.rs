//! Object pools: a bounded number of workers (connections, sessions, parsers), each lent to one borrower at a time.
//!
//! ```
//! use std::time::Duration;
//! use foundation_resources::pool::{Factory, Pool};
//!
//! struct Connect;
//! # struct Connection; impl Connection { fn query(&mut self, _: &str) -> u32 { 1 } fn is_open(&self) -> bool { true } }
//!
//! impl Factory for Connect {
//!     type Item = Connection;
//!     type Error = std::io::Error;
//!
//!     fn create(&self) -> Result<Connection, std::io::Error> {
//!         Ok(Connection)
//!     }
//!
//!     fn is_usable(&self, connection: &mut Connection) -> bool {
//!         connection.is_open()
//!     }
//! }
//!
//! let pool = Pool::builder(Connect).size(5).max_overflow(10).build()?;
//! let mut connection = pool.checkout_timeout(Duration::from_secs(5))?; // or `checkout_within(..).await`
//! assert_eq!(connection.query("select 1"), 1);
//! drop(connection); // also by `?`, by a panic, and when a future is cancelled
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rules
//!
//! - A start makes `size` workers, or none if one cannot be made.
//! - A checkout takes an idle worker, the [one returned last or first](Order); if none is idle and there are fewer than
//!   `size + max_overflow`, it makes one; else it waits, or is told that the pool is full.
//! - Who waits is served in order of arrival, whether it blocks a thread or awaits. A newcomer never overtakes.
//! - A worker that comes back goes to the first in line. If nobody waits it becomes idle, or, while there are more than
//!   `size`, is retired, whichever it is.
//! - A worker that is [discarded](Checkout::discard), found [unusable](Factory::is_usable), or was held by a borrower
//!   that [panics](OnPanic), is retired. Its place goes to the first in line, who makes a worker of its own; if nobody
//!   waits it stays empty until it is wanted. Nothing is ever made in the drop of a guard.
//! - A place is freed only when its worker has been retired, so there are never more workers than the pool may have.
//! - A failed creation is the error of the caller that asked for the worker, and its place goes to the next.
//! - A waiter that leaves, cancelled or too late, passes on what it had been handed. No wake-up is lost: what comes back is
//!   handed over under the lock, not put down for whoever looks first.
//! - After [`Pool::close`] nobody gets a worker. Idle workers are retired at once, those that are out when they come back.
//!
//! The lock of a pool is held for O(1) work. Factories, checks, the end of workers, wakers and observers run outside it,
//! and may use the pool. Pools share nothing, so what happens in one cannot stop another.
//!
//! # Why not an existing pool
//!
//! `deadpool` and `bb8` are good pools that keep other rules, and the rules above are what the callers of this crate rely
//! on. Neither has an overflow that is retired on return, a checkout that blocks a thread in the same line as those that
//! await, or time-outs on a clock that a test can hold:
//!
//! - `deadpool` has one maximum, asks whether an object is usable in the call of the next borrower and nowhere else, and
//!   its time-outs need one of the runtimes that it knows by name.
//! - `bb8` needs tokio and spawns tasks that connect. A connection that comes back is put among the idle ones and one
//!   waiter is notified, so a newcomer may take it first.
//!
//! What is common to those and to this module, a counter and a list under a lock, is the smaller part of either.
//! `cargo xtask bench resources` measures them side by side.

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

use std::time::Duration;

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
/// How long callers that name no bound of their own usually wait for a worker. Nothing here applies it unasked.
pub const DEFAULT_CHECKOUT_TIMEOUT: Duration = Duration::from_secs(5);
/// How many callers may wait for a worker unless told otherwise.
pub const DEFAULT_MAX_WAITING: usize = 10_000;
