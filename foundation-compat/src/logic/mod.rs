//! The original's `Foundation.Logic`.

pub mod config_logic;
