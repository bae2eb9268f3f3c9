//! What the original's agent-aware tree has under the names of legacy modules.

pub mod config_server;
pub mod error;
