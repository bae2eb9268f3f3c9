//! What every implementation of a seam is held to, ours and a stranger's alike.
//!
//! Each subsystem crate has a `conformance` module of its own that holds the suite of its traits. This one holds what
//! those suites share: [`linearizability`], which records what threads do to a concurrent object and decides whether
//! the object behaved like its sequential specification.

pub mod linearizability;
