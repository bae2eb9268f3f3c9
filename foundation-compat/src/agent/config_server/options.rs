//! How a configuration for agents is started.

use foundation_types::Namespace;

/// How a configuration for agents is started. There is no option to leave validation out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentConfigOptions {
    pub(super) namespace: Option<Namespace>,
    pub(super) persistence: Persistence,
}

/// Whether what is set while running outlives the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Persistence {
    /// It does not.
    #[default]
    Off,
    /// It does, which needs a source that keeps it.
    On,
}

impl AgentConfigOptions {
    /// The configuration of the instance itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another namespace, whose configuration shares nothing with that of the instance.
    #[must_use]
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// Whether what is set while running outlives the program; it does not by default.
    #[must_use]
    pub const fn persistence(mut self, persistence: Persistence) -> Self {
        self.persistence = persistence;
        self
    }
}
