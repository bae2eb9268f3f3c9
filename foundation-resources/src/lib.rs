#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "pool")]
pub mod bulkhead;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "pool")]
pub mod pool;
#[cfg(feature = "limiter")]
pub mod rate_limit;
#[cfg(feature = "pool")]
mod waiting;
