//! Waiting for a future on the thread that calls.

#[cfg(loom)]
pub(crate) use loom::future::block_on;

#[cfg(not(loom))]
pub(crate) use foundation_types::block_on;
