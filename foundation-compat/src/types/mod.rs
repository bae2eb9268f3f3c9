//! The original's `Foundation.Types`.

pub mod agent_info;
