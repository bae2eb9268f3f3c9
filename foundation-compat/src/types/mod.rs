//! The original's `Foundation.Types`.

#[cfg(feature = "agent")]
pub mod agent_info;
pub mod config;
