//! What tests of this crate, and of programs built on it, need again and again.

pub mod fuzz;
