//! The original's `Foundation.BEAM`.

pub mod ecosystem_supervisor;
pub mod processes;
