//! Sample workers for pools.

pub mod http;
