//! What the benchmarks of all subsystems are made of: measuring, showing what was measured, and the command line.
//!
//! `cargo xtask bench` runs them, so this lies beside it. Subsystems may depend on no common crate of the workspace, and
//! a crate of this would have to be published before them; so each benchmark includes the one copy by its path:
//!
//! ```text
//! #[path = "../../xtask/bench-support/mod.rs"]
//! mod bench;
//! ```
//!
//! An archive of a crate ends at its folder, so the manifests keep the folders of benchmarks out of the archives, and Cargo
//! then leaves the targets out too: what is in an archive also builds from it.

#![allow(dead_code, reason = "each benchmark uses what it has a use for")]

pub(crate) mod command;
pub(crate) mod measure;
pub(crate) mod order;
mod report;
