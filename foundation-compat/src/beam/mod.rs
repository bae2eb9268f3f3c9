//! The original's `Foundation.BEAM`.

pub mod processes;
