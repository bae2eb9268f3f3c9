//! The suites that every implementation must pass, ours and a stranger's.
//!
//! Each property is a function that panics with the smallest counterexample it finds: sequences of operations are drawn at
//! random, compared with a model step by step, and shrunk.

#[cfg(feature = "pool")]
pub mod pool;
#[cfg(feature = "limiter")]
pub mod rate_limit;
