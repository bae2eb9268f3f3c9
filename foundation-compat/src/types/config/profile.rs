//! Settings for kinds of environments.

use std::fmt;
use std::str::FromStr;

use foundation_types::{FiniteF64, Metadata, Text};

/// A set of settings for one kind of environment, to be laid over the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// For developers: checks, and everything is logged.
    Dev,
    /// For tests: small and quick.
    Test,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 2] = [Self::Dev, Self::Test];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }

    /// What it sets.
    pub fn overlay(self) -> Metadata {
        let map = Metadata::new;
        match self {
            Self::Dev => map().with("dev", map().with("debug_mode", true).with("verbose_logging", true)),
            Self::Test => {
                let analysis = map().with("max_file_size", 100_000).with("timeout", 5_000).with("cache_ttl", 60);
                let target = FiniteF64::new(0.1).expect("finite");
                let planning = map().with("default_strategy", "fast").with("performance_target", target);
                let processing = map().with("batch_size", 10).with("flush_interval", 10).with("max_queue_size", 100);
                map()
                    .with("ai", map().with("analysis", analysis).with("planning", planning))
                    .with("capture", map().with("processing", processing))
                    .with("dev", map().with("performance_monitoring", false))
            }
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name).ok_or_else(|| UnknownProfile(name.into()))
    }
}

/// The name is that of no [`Profile`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no profile {0:?}; there are dev and test")]
pub struct UnknownProfile(Text);
