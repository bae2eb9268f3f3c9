//! Rate limiters: how often something may happen, by key, in memory that is bounded.
//!
//! [`RateLimiter`] keeps one record for each key and window length and asks an [`Algorithm`] whether the next request fits:
//!
//! | algorithm | what it promises | memory a key |
//! |---|---|---|
//! | [`FixedWindow`] | at most `limit` in each window that begins at a multiple of its length since the Unix epoch | a count |
//! | [`SlidingWindow`] | at most `limit` in *every* stretch of the length of the window | up to `limit` instants |
//! | [`TokenBucket`], [`LeakyBucket`] | at most a burst and then a steady rate | a level |
//!
//! ```
//! use foundation_resources::rate_limit::{Decision, Quota, RateLimiter, SlidingWindow};
//!
//! let limiter: RateLimiter<String, SlidingWindow> = RateLimiter::new();
//! let quota = Quota::per_minute(2);
//! assert!(limiter.check("alice", quota).is_allowed());
//! assert!(limiter.check("alice", quota).is_allowed());
//! match limiter.check("alice", quota) {
//!     Decision::Allowed(_) => unreachable!("two were allowed in this minute"),
//!     Decision::Denied(denial) => assert!(denial.retry_after.is_some()),
//! }
//! assert!(limiter.check("bob", quota).is_allowed(), "keys do not know each other");
//! ```
//!
//! [`Limiter`] is the same for one thing without a key.
//!
//! # What all of them keep to
//!
//! - The quota comes with each call. Its limit is no part of the record: raising it admits the difference at once, lowering
//!   it denies at once. The length of the window is part of it: windows of different length never share a count.
//! - A denied check counts nothing, so hammering a closed door does not keep it closed.
//! - A check may cost more than one; it is admitted whole or not at all.
//! - Limit 0 denies everything.
//! - A denial says after how long the same check can succeed. If nobody else takes the room, a retry exactly then does.
//! - Checks are exact under concurrency: those of one key have one order.
//! - Time is that of the wall clock when the limiter was made plus the monotonic time since ([`SteadyTime`]): windows are
//!   aligned with the calendar, and setting the clock neither reopens nor extends one.
//!
//! Counts are kept in the process, so a check has an answer and never an error of a store. A limit for several processes together is
//! divided among them, or belongs to a service of its own.
//!
//! # Memory
//!
//! A record is dead when nothing in it counts any more. Every insertion looks at a bounded number of old records and removes
//! the dead among them; [`RateLimiter::sweep`] removes all. There is no task in the background. The number of records is
//! bounded too, by [`Builder::max_keys`]; [`WhenFull`] says what happens to a new key when the table is full of live ones.
//! Otherwise no live record is ever forgotten, however long its window is.
//!
//! # Foreign code
//!
//! Hashing, cloning and dropping a key happen outside every lock. Comparing keys cannot: it runs under the lock of one shard,
//! as do the functions of an [`Algorithm`], and must not call the limiter. A panic there reaches the caller and leaves the
//! table as it was.
//!
//! # Why not `governor`
//!
//! `governor` is well kept and fast, and the tests use it as an oracle for the token bucket, the benchmarks as a peer. As the
//! implementation it would not do: its keyed store grows without bound unless the program sweeps it and has no cap; its quota
//! is fixed per limiter, where here it comes with the call and is no part of the bucket's identity; it has one algorithm, so
//! no fixed window with the exact legacy counts and no sliding one; and its rate is rounded to whole nanoseconds a cell.

mod algorithm;
mod builder;
mod classify;
mod decision;
mod execute;
mod fixed_window;
mod inspect;
mod key;
mod keyed;
mod quota;
mod single;
mod sliding_window;
mod steady;
mod table;
mod token_bucket;
mod wait;

#[cfg(feature = "agent")]
pub mod agent;
#[cfg(feature = "tower")]
pub mod tower;

pub use self::algorithm::Algorithm;
pub use self::builder::{Builder, DEFAULT_MAX_KEYS, WhenFull};
pub use self::decision::{Admission, Decision, Denial, DenialReason, Usage};
pub use self::execute::ExecuteError;
pub use self::fixed_window::FixedWindow;
pub use self::key::{AsKey, KeyHasher, Pair};
pub use self::keyed::{LimiterStats, RateLimiter};
pub use self::quota::{MAX_WINDOW, Quota, QuotaError};
pub use self::single::Limiter;
pub use self::sliding_window::SlidingWindow;
pub use self::steady::{SteadyClock, SteadyTime};
pub use self::token_bucket::{LeakyBucket, TokenBucket};
pub use self::wait::WaitError;
