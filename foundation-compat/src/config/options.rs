//! What a configuration starts with.

use std::fmt;

use foundation_types::Metadata;

/// What lies over the defaults, and how the service of an instance behaves.
#[derive(Clone, Default, PartialEq)]
pub struct ConfigOptions {
    pub(crate) environment: Metadata,
    pub(crate) options: Metadata,
    pub(crate) unknown: UnknownOptions,
    pub(crate) test_mode: TestMode,
    pub(crate) replay: Replay,
}

/// What happens with options whose top-level key is no section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UnknownOptions {
    /// They are refused.
    #[default]
    Refuse,
    /// They are left out, with a warning in the log.
    Warn,
}

/// Whether a program is under test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TestMode {
    /// It is not.
    #[default]
    Off,
    /// It is: its state may be reset, and starts are not logged.
    On,
}

/// When writes that came while the service was stopped are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Replay {
    /// When somebody asks for it.
    #[default]
    OnRequest,
    /// As soon as it is started again.
    OnStart,
}

impl ConfigOptions {
    /// The defaults alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// The settings of the environment, which lie over the defaults and over files. Top-level keys that are no sections are
    /// left out.
    #[must_use]
    pub fn environment(mut self, environment: Metadata) -> Self {
        self.environment = environment;
        self
    }

    /// The settings of the caller, which lie over those of the environment.
    #[must_use]
    pub fn options(mut self, options: Metadata) -> Self {
        self.options = options;
        self
    }

    /// What happens with options whose top-level key is no section; they are refused by default.
    #[must_use]
    pub const fn unknown(mut self, unknown: UnknownOptions) -> Self {
        self.unknown = unknown;
        self
    }

    /// Whether the program is under test; it is not by default.
    #[must_use]
    pub const fn test_mode(mut self, test_mode: TestMode) -> Self {
        self.test_mode = test_mode;
        self
    }

    /// When writes that came while the service was stopped are made; on request by default.
    #[must_use]
    pub const fn replay(mut self, replay: Replay) -> Self {
        self.replay = replay;
        self
    }

    /// Whether there are settings in it.
    pub(crate) fn has_settings(&self) -> bool {
        !self.environment.is_empty() || !self.options.is_empty()
    }
}

impl fmt::Debug for ConfigOptions {
    /// Shows keys alone: there may be secrets behind them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = |map: &Metadata| map.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        f.debug_struct("ConfigOptions")
            .field("environment", &keys(&self.environment))
            .field("options", &keys(&self.options))
            .field("unknown", &self.unknown)
            .field("test_mode", &self.test_mode)
            .field("replay", &self.replay)
            .finish()
    }
}
