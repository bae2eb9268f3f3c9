//! Calls behind a limiter, a breaker and a pool.

mod async_calls;
mod bench;
mod legacy;
mod order;
mod release;
mod stored;
