//! Layers and versions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A layer of settings. What a higher one says hides what a lower one says; maps of both are merged. The order is that of
/// the variants, the lowest first; overrides of single agents lie above all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layer {
    /// What the schema says.
    Defaults,
    /// Files.
    File,
    /// Environment variables, and flags of the command line.
    Env,
    /// What a store shared by several machines says.
    Remote,
    /// What holds for one instance among several of a program.
    Namespace,
    /// What was changed while running.
    Runtime,
}

impl Layer {
    /// All layers, the lowest first.
    pub const ALL: [Self; 6] = [Self::Defaults, Self::File, Self::Env, Self::Remote, Self::Namespace, Self::Runtime];

    /// The name, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Defaults => "defaults",
            Self::File => "file",
            Self::Env => "env",
            Self::Remote => "remote",
            Self::Namespace => "namespace",
            Self::Runtime => "runtime",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The number of a version of a configuration. The first that is published is 1, and each change is one more, without gaps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(u64);

impl Version {
    /// The first version of a store.
    pub const FIRST: Self = Self(1);

    /// The version of this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The version after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
