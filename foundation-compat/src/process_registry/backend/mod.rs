//! The original's `Foundation.ProcessRegistry.Backend` and its back-ends.
//!
//! The behaviour is the trait [`Backend`], whose methods take the place of the callbacks; its state is the back-end itself.
//!
//! | callback | method |
//! |---|---|
//! | `init/1` | the constructors of [`ets::Ets`] and [`registry::Partitions`] |
//! | `register/4` | [`Backend::claim`] with [`SameOwner::Replace`](foundation_registry::SameOwner::Replace) |
//! | `lookup/2`, `unregister/2` | [`Backend::get`], [`Backend::release`] |
//! | `list_all/1` | [`Backend::for_each`] |
//! | `update_metadata/3` | [`Backend::replace`] |
//! | `health_check/1` | [`Backend::health`] |

pub mod ets;
pub mod horde;
pub mod registry;

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

pub use foundation_registry::backend::{Backend, BackendHealth, BackendInfo};
use foundation_types::error::{Domain, ErrorKind};
use foundation_types::{Classify, Metadata};

/// The back-ends of the original by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum BackendModule {
    /// One table: [`ets::Ets`].
    #[default]
    Ets,
    /// Partitions: [`registry::Partitions`].
    Registry,
    /// A cluster. The original has a placeholder, this library nothing yet.
    Horde,
}

impl BackendModule {
    /// Every back-end of the original.
    pub const ALL: [Self; 3] = [Self::Ets, Self::Registry, Self::Horde];

    /// Its name: `ets`, `registry` or `horde`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ets => "ets",
            Self::Registry => "registry",
            Self::Horde => "horde",
        }
    }

    /// The back-end of this [kind](BackendInfo::kind); `None` for a stranger's.
    pub fn of_kind(kind: &str) -> Option<Self> {
        match kind {
            "sharded" => Some(Self::Ets),
            "partitioned" => Some(Self::Registry),
            _ => None,
        }
    }
}

impl fmt::Display for BackendModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for BackendModule {
    type Err = UnknownBackend;

    fn from_str(text: &str) -> Result<Self, UnknownBackend> {
        Self::ALL.into_iter().find(|backend| backend.as_str() == text).ok_or(UnknownBackend)
    }
}

/// The text is no [`BackendModule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a known back-end")]
pub struct UnknownBackend;

/// What the original configures: which back-end, with what options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackendConfig {
    /// The back-end.
    pub backend: BackendModule,
    /// Its options.
    pub backend_opts: Metadata,
}

/// The configuration that is in force where nothing else is said.
pub fn default_config() -> BackendConfig {
    BackendConfig::default()
}

/// Whether a back-end has every callback. It has: the compiler saw to that.
///
/// # Errors
/// None.
pub fn validate<B: Backend + ?Sized>(backend: &B) -> Result<(), Infallible> {
    let _ = backend;
    Ok(())
}

/// The back-end has no such operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not implemented by this back-end")]
pub struct NotImplemented;

impl Classify for NotImplemented {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotImplemented
    }

    fn domain(&self) -> Domain {
        Domain::Registry
    }
}
