//! How supervisors run what the original starts as a process.

use std::time::Duration;

/// How a supervisor would run a part of the facade. Nothing in Rust needs it: it tells programs that read such
/// specifications what the original told them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChildSpec {
    /// The module that is started.
    pub id: &'static str,
    /// What it is.
    pub kind: ChildKind,
    /// When it is started again.
    pub restart: Restart,
    /// How long it may take to stop; `None` as long as it likes.
    pub shutdown: Option<Duration>,
}

/// What a child of a supervisor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChildKind {
    /// It supervises others.
    Supervisor,
    /// It works.
    Worker,
}

/// When a supervisor starts a child again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Restart {
    /// Whenever it ends.
    Permanent,
}
